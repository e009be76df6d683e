/* Writing JSON and block YAML, one token at a time. Called by print.c; pure.
 *
 * JSON escapes what protobuf's printer escapes (quotes, control characters, '<', '>', invisible
 * characters), since dumps are compared as text. YAML quotes a text whenever a bare one could mean
 * something else. */
#include "config/reflect/reflect_int.h"

/* Longer implicit keys are not YAML; escapes make a key at most six times as long. */
enum { KEY_MAX = 160 };

static void new_line(struct emit *e, unsigned indent)
{
    str_addc(e->out, '\n');
    for (unsigned i = 0; i < indent; i++)
        str_addc(e->out, ' ');
}

/* The place of a key or dash: behind a dash on the same line, else on a line of its own. */
static void yaml_place(struct emit *e)
{
    if (e->first && e->before == EMIT_DASH)
        str_addc(e->out, ' ');
    else if (!e->first || e->before == EMIT_KEY)
        new_line(e, 2 * (e->depth - 1));
    e->first = false;
}

static void json_place(struct emit *e)
{
    if (!e->first)
        str_addc(e->out, ',');
    if (e->pretty)
        new_line(e, e->depth);
    e->first = false;
}

void emit_begin(struct emit *e, char bracket)
{
    if (!e->yaml)
        str_addc(e->out, bracket);
    e->depth++;
    e->first = true;
}

/* Between a key or dash and a value on its line. */
static void yaml_space(struct emit *e)
{
    if (e->before == EMIT_KEY || e->before == EMIT_DASH)
        str_addc(e->out, ' ');
    e->before = EMIT_LINE;
}

void emit_end(struct emit *e, char bracket)
{
    e->depth--;
    if (e->yaml && e->first) {
        yaml_space(e);
        str_addc(e->out, bracket == '}' ? '{' : '[');
    } else if (e->pretty && !e->first) {
        new_line(e, e->depth);
    }
    if (!e->yaml || e->first)
        str_addc(e->out, bracket);
    e->first = false;
}

void emit_item(struct emit *e)
{
    if (e->yaml) {
        yaml_place(e);
        str_addc(e->out, '-');
        e->before = EMIT_DASH;
    } else {
        json_place(e);
    }
}

/* Characters that protobuf's printer escapes: those that can hide or reorder what is beside them.
 */
static bool is_invisible(uint32_t c)
{
    static const struct {
        uint32_t from, to;
    } ranges[] = {
        {0x7f,    0x9f   },
        {0xad,    0xad   },
        {0x600,   0x603  },
        {0x6dd,   0x6dd  },
        {0x70f,   0x70f  },
        {0x17b4,  0x17b5 },
        {0x200b,  0x200f },
        {0x2028,  0x202e },
        {0x2060,  0x2064 },
        {0x206a,  0x206f },
        {0xfeff,  0xfeff },
        {0xfff9,  0xfffb },
        {0x1d173, 0x1d17a},
        {0xe0001, 0xe0001},
        {0xe0020, 0xe007f},
    };
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return true;
    return false;
}

static void add_escape(struct emit *e, uint32_t c)
{
    static const char shorts[] = "b\bf\fn\nr\rt\t\"\"\\\\";

    for (size_t i = 0; i + 1 < sizeof shorts; i += 2)
        if (c == (unsigned char)shorts[i + 1]) {
            str_addc(e->out, '\\');
            str_addc(e->out, shorts[i]);
            return;
        }
    if (c < 0x10000)
        str_addf(e->out, "\\u%04x", c);
    else if (e->yaml)
        str_addf(e->out, "\\U%08x", c);
    else
        str_addf(e->out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

static void add_quoted(struct emit *e, struct sv s)
{
    str_addc(e->out, '"');
    while (s.n != 0) {
        const char *p = s.p;
        uint32_t c = utf8_next(&s);
        /* U+FFFE and U+FFFF are no YAML characters. */
        if (c == UINT32_MAX)
            str_add(e->out, SV("\\ufffd"));
        else if (c < 0x20 || c == '"' || c == '\\' || (!e->yaml && (c == '<' || c == '>')) ||
                 (e->yaml && (c == 0xfffe || c == 0xffff)) || is_invisible(c))
            add_escape(e, c);
        else
            str_add(e->out, sv_of(p, (size_t)(s.p - p)));
    }
    str_addc(e->out, '"');
}

/* May stand bare in YAML: a word that is nothing but a text. */
static bool is_word(struct sv s)
{
    bool boolean;
    int32_t integer;

    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);
        bool letter = (c >= 'a' && c <= 'z') || c == '_' || c == '/';
        bool inner = (c >= '0' && c <= '9') || c == '.' || c == '-';
        if (!letter && (!inner || i == 0))
            return false;
    }
    return yaml_resolve(s, &boolean, &integer) == YAML_TEXT;
}

static void add_text(struct emit *e, struct sv s)
{
    if (e->yaml && is_word(s))
        str_add(e->out, s);
    else
        add_quoted(e, s);
}

void emit_key(struct emit *e, struct sv key)
{
    if (e->yaml) {
        yaml_place(e);
        if (key.n > KEY_MAX)
            str_add(e->out, SV("? "));
        add_text(e, key);
        if (key.n > KEY_MAX)
            new_line(e, 2 * (e->depth - 1));
        str_addc(e->out, ':');
        e->before = EMIT_KEY;
    } else {
        json_place(e);
        add_quoted(e, key);
        str_add(e->out, e->pretty ? SV(": ") : SV(":"));
    }
}

void emit_string(struct emit *e, struct sv s)
{
    if (e->yaml)
        yaml_space(e);
    add_text(e, s);
}

void emit_word(struct emit *e, const char *word)
{
    if (e->yaml)
        yaml_space(e);
    str_add(e->out, sv_str(word));
}
