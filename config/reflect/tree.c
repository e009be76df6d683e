/* YAML and JSON text to a tree of values with positions. libfyaml parses both: its JSON mode is
 * strict, and unlike jansson it knows where each value stands and keeps numbers as they were
 * written. Its event interface needs no stack for nesting, so the limits here come before any
 * recursion. Called by decode.c. */
#include "base/map.h"
#include "config/reflect/reflect_int.h"
#include <libfyaml.h>

struct frame {
    struct value *container;
    struct value_item **tail; /* where the next item goes */
    struct value_item *item;  /* of an object: the key that waits for its value, or NULL */
    const char *anchor; /* registered once the container is complete, so there are no cycles */
};

struct reader {
    const struct reflect_text *in;
    struct arena *arena;
    struct diag *d;
    struct map *anchors;
    struct frame *stack;
    unsigned depth;
    size_t values_left;
    uint32_t line, column; /* of the event at hand */
    const struct value *root;
    char told[96]; /* the first line of libfyaml's log: the cause, what follows is its callers */
};

#define FAIL(r, e, ...) text_fail((r)->in, (r)->line, (r)->column, (e), (r)->d, __VA_ARGS__)

static enum err fail_memory(struct reader *r)
{
    return FAIL(r, E_NOMEM, "out of memory");
}

static enum err new_value(struct reader *r, enum value_kind kind, struct value **out)
{
    if (r->values_left == 0)
        return FAIL(r, E_LIMIT, "more than %zu values", r->in->max_values);
    r->values_left--;
    struct value *v = ARENA_NEW(r->arena, struct value);
    if (v == NULL)
        return fail_memory(r);
    v->kind = kind;
    v->line = r->line;
    v->column = r->column;
    *out = v;
    return OK;
}

/* NULL: no memory. */
static struct value_item *add_item(struct reader *r, struct frame *f)
{
    struct value_item *item = ARENA_NEW(r->arena, struct value_item);
    if (item == NULL)
        return NULL;
    item->line = r->line;
    item->column = r->column;
    *f->tail = item;
    f->tail = &item->next;
    return item;
}

/* The next value would be a key. */
static bool at_key(const struct reader *r)
{
    const struct frame *f = r->depth == 0 ? NULL : &r->stack[r->depth - 1];
    return f != NULL && f->container->kind == VALUE_OBJECT && f->item == NULL;
}

/* Puts a value where the text has it: the root, a key, the value of a key, or a list. */
static enum err place(struct reader *r, const struct value *v)
{
    struct frame *f = r->depth == 0 ? NULL : &r->stack[r->depth - 1];
    bool key = at_key(r);

    if (f == NULL) {
        r->root = v;
        return OK;
    }
    if (f->container->kind == VALUE_OBJECT && !key) {
        f->item->value = v;
        f->item = NULL;
        return OK;
    }
    if (key && (v->kind == VALUE_LIST || v->kind == VALUE_OBJECT))
        return FAIL(r, E_PARSE, "a key must be a scalar");
    struct value_item *item = add_item(r, f);
    if (item == NULL)
        return fail_memory(r);
    if (key) {
        item->key = v->text;
        f->item = item;
    } else {
        item->value = v;
    }
    return OK;
}

/* NULL when the token is absent; *failed without memory. */
static const char *copy_token(struct reader *r, struct fy_token *token, bool *failed)
{
    size_t n = 0;
    const char *text = token == NULL ? NULL : fy_token_get_text(token, &n);
    if (token == NULL)
        return NULL;
    const char *copy = text == NULL ? NULL : arena_dup(r->arena, sv_of(text, n)).p;
    *failed |= copy == NULL;
    return copy;
}

static enum err add_anchor(struct reader *r, const char *name, const struct value *v)
{
    union {
        const struct value *in;
        void *out;
    } value = {.in = v}; /* the map's values are not const */

    if (name == NULL)
        return OK;
    if (r->anchors == NULL)
        r->anchors = map_new();
    if (r->anchors == NULL || map_set(r->anchors, sv_str(name), value.out, NULL) != OK)
        return fail_memory(r);
    return OK;
}

static enum err open_container(struct reader *r, enum value_kind kind, struct fy_token *anchor)
{
    struct value *v = NULL;
    bool failed = false;

    if (r->depth == r->in->max_depth)
        return FAIL(r, E_LIMIT, "more than %u levels of nesting", r->in->max_depth);
    TRY(new_value(r, kind, &v));
    TRY(place(r, v));
    r->stack[r->depth++] =
        (struct frame){.container = v, .tail = &v->first, .anchor = copy_token(r, anchor, &failed)};
    return failed ? fail_memory(r) : OK;
}

static enum err close_container(struct reader *r)
{
    struct frame *f = &r->stack[--r->depth];
    return add_anchor(r, f->anchor, f->container);
}

/* JSON's plain scalars are what their grammar says, and libfyaml has checked it. */
static void resolve_json(struct value *v)
{
    v->boolean = v->text.p[0] == 't';
    v->kind = v->boolean || v->text.p[0] == 'f' ? VALUE_BOOL
              : v->text.p[0] == 'n'             ? VALUE_NULL
                                                : VALUE_NUMBER;
}

static enum err resolve_yaml(struct reader *r, struct value *v)
{
    int32_t integer = 0;

    switch (yaml_resolve(v->text, &v->boolean, &integer)) {
    case YAML_NULL:
        v->kind = VALUE_NULL;
        break;
    case YAML_BOOL:
        v->kind = VALUE_BOOL;
        break;
    case YAML_INT:
        v->kind = VALUE_NUMBER;
        v->text = arena_printf(r->arena, "%d", integer);
        if (v->text.p == NULL)
            return fail_memory(r);
        break;
    case YAML_TEXT:
        break;
    }
    return OK;
}

/* Keys are texts, as written. */
static enum err resolve_key(struct reader *r, struct value *v)
{
    bool boolean;
    int32_t integer;

    if (sv_eq(v->text, SV("<<")))
        return FAIL(r, E_PARSE, "merge keys (<<) are not supported");
    if (yaml_resolve(v->text, &boolean, &integer) == YAML_NULL)
        v->text = SV("null");
    return OK;
}

/* Of the tags only two mean something: "!" forces text, !!float a number. The latter is the form in
 * which fractions in a google.protobuf.Value survive; plain they would be text. */
static enum err resolve_plain(struct reader *r, struct fy_token *tag, struct value *v)
{
    size_t n = 0;
    const char *p = tag == NULL ? NULL : fy_token_get_text(tag, &n);
    struct sv name = sv_of(p, p == NULL ? 0 : n);
    double number;

    if (at_key(r))
        return r->in->syntax == REFLECT_YAML ? resolve_key(r, v) : OK;
    if (r->in->syntax == REFLECT_JSON)
        resolve_json(v);
    else if (sv_eq(name, SV("tag:yaml.org,2002:float")) &&
             number_double(v->text, &number) == NUM_OK)
        v->kind = VALUE_NUMBER;
    else if (!sv_eq(name, SV("!")))
        return resolve_yaml(r, v);
    return OK;
}

/* The length of a scalar's text; copied too unless `to` is NULL. SIZE_MAX: no memory. */
static size_t read_token(struct fy_token *token, char *to)
{
    struct fy_token_iter *iter = fy_token_iter_create(token);
    const struct fy_iter_chunk *chunk = NULL;
    size_t n = 0;
    int error = 0;

    if (iter == NULL)
        return SIZE_MAX;
    while ((chunk = fy_token_iter_chunk_next(iter, chunk, &error)) != NULL) {
        if (to != NULL)
            memcpy(to + n, chunk->str, chunk->len);
        n += chunk->len;
    }
    fy_token_iter_destroy(iter);
    return error < 0 ? SIZE_MAX : n;
}

/* By its pieces: fy_token_get_text of 0.7.12 leaks 2 KiB for a text with many escapes. p is NULL
 * without memory. */
static struct sv copy_scalar(struct reader *r, struct fy_token *token)
{
    if (token == NULL)
        return SV("");
    size_t n = read_token(token, NULL);
    char *p = n == SIZE_MAX ? NULL : arena_alloc(r->arena, n + 1, 1);
    if (p == NULL || read_token(token, p) != n)
        return SV_NONE;
    p[n] = '\0';
    return sv_of(p, n);
}

static enum err add_scalar(struct reader *r, const struct fy_event *event)
{
    struct fy_token *token = event->scalar.value;
    struct value *v = NULL;
    bool failed = false;

    TRY(new_value(r, VALUE_STRING, &v));
    v->text = copy_scalar(r, token);
    const char *anchor = copy_token(r, event->scalar.anchor, &failed);
    if (v->text.p == NULL || failed)
        return fail_memory(r);
    if (token == NULL || fy_token_scalar_style(token) == FYSS_PLAIN)
        TRY(resolve_plain(r, event->scalar.tag, v));
    TRY(place(r, v));
    return add_anchor(r, anchor, v);
}

static enum err add_alias(struct reader *r, struct fy_token *name)
{
    size_t n = 0;
    const char *text = fy_token_get_text(name, &n);
    const struct value *v = NULL;

    if (text == NULL)
        return fail_memory(r);
    if (r->anchors != NULL)
        v = map_get(r->anchors, sv_of(text, n));
    if (v == NULL)
        return FAIL(r, E_PARSE, "no anchor '%.*s' before this alias", n > 64 ? 64 : (int)n, text);
    return place(r, v);
}

/* Sets *done at the end of the first document, or in JSON of the whole text. */
static enum err take_event(struct reader *r, const struct fy_event *event, bool *done)
{
    switch (event->type) {
    case FYET_MAPPING_START:
        return open_container(r, VALUE_OBJECT, event->mapping_start.anchor);
    case FYET_SEQUENCE_START:
        return open_container(r, VALUE_LIST, event->sequence_start.anchor);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        return close_container(r);
    case FYET_SCALAR:
        return add_scalar(r, event);
    case FYET_ALIAS:
        return add_alias(r, event->alias.anchor);
    case FYET_DOCUMENT_END:
        *done = r->in->syntax == REFLECT_YAML;
        return OK;
    case FYET_STREAM_END:
        *done = true;
        return OK;
    case FYET_NONE:
    case FYET_STREAM_START:
    case FYET_DOCUMENT_START:
        break;
    }
    return OK;
}

/* What libfyaml found wrong. Some faults it only tells to its log; running out of memory as well,
 * as a call of its own that failed, or not at all. */
static enum err parser_error(struct reader *r, struct fy_diag *errors)
{
    void *at = NULL;
    const struct fy_diag_error *first = fy_diag_errors_iterate(errors, &at);

    if (first != NULL) {
        r->line = first->line > 0 ? (uint32_t)first->line : r->line;
        r->column = first->column > 0 ? (uint32_t)first->column : r->column;
        return FAIL(r, E_PARSE, "%s", first->msg);
    }
    if (r->told[0] == '\0' || strstr(r->told, "failed") != NULL)
        return fail_memory(r);
    return FAIL(r, E_PARSE, "%s", r->told);
}

/* libfyaml's marks leave out the quote of a text and the star of an alias. */
static bool is_marked(const struct fy_event *event)
{
    if (event->type == FYET_ALIAS)
        return true;
    if (event->type != FYET_SCALAR || event->scalar.value == NULL)
        return false;
    enum fy_scalar_style style = fy_token_scalar_style(event->scalar.value);
    return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

/* Some events have no mark of their own; they keep that of the event before. */
static void note_position(struct reader *r, struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    if (mark == NULL || mark->line < 0 || mark->column < 0)
        return;
    r->line = (uint32_t)mark->line + 1;
    r->column = (uint32_t)mark->column + (is_marked(event) && mark->column > 0 ? 0 : 1);
}

static enum err read_events(struct reader *r, struct fy_parser *parser, struct fy_diag *errors)
{
    bool done = false;

    while (!done) {
        struct fy_event *event = fy_parser_parse(parser);
        if (event == NULL)
            return parser_error(r, errors);
        note_position(r, event);
        enum err e = take_event(r, event, &done);
        fy_parser_event_free(parser, event);
        TRY(e);
    }
    return OK;
}

static void keep_first_line(struct fy_diag *errors, void *user, const char *line, size_t n)
{
    struct reader *r = user;
    (void)errors;
    while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == ' '))
        n--;
    n = n < sizeof(r->told) ? n : sizeof(r->told) - 1;
    if (r->told[0] == '\0')
        memcpy(r->told, line, n); /* a zero follows: told starts as zeros */
}

static struct fy_diag *new_collector(struct reader *r)
{
    struct fy_diag_cfg cfg;
    fy_diag_cfg_default(&cfg);
    cfg.fp = NULL;
    cfg.output_fn = keep_first_line;
    cfg.user = r;
    cfg.show_type = cfg.show_module = cfg.show_source = cfg.show_position = cfg.colorize = false;
    struct fy_diag *errors = fy_diag_create(&cfg);
    if (errors != NULL)
        fy_diag_set_collect_errors(errors, true);
    return errors;
}

static enum err read_text(struct reader *r)
{
    enum err e = E_NOMEM;
    struct fy_diag *errors = new_collector(r);
    struct fy_parse_cfg cfg = {
        .diag = errors,
        .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_ALLOW_DUPLICATE_KEYS |
                 FYPCF_DISABLE_DEPTH_LIMIT |
                 (r->in->syntax == REFLECT_JSON ? FYPCF_JSON_FORCE : FYPCF_JSON_NONE),
    };
    struct fy_parser *parser = errors == NULL ? NULL : fy_parser_create(&cfg);

    if (parser == NULL || fy_parser_set_string(parser, r->in->text.p, r->in->text.n) != 0)
        e = fail_memory(r);
    else
        e = read_events(r, parser, errors);
    if (parser != NULL)
        fy_parser_destroy(parser);
    if (errors != NULL)
        fy_diag_destroy(errors);
    return e;
}

/* libfyaml takes NUL and bytes that are no UTF-8 for the end of the text, and would drop the rest.
 */
static enum err check_bytes(struct reader *r)
{
    struct sv rest = r->in->text;

    while (rest.n != 0) {
        uint32_t c = utf8_next(&rest);
        if (c == 0 || c == UINT32_MAX)
            return FAIL(r, E_PARSE, "a byte that is %s", c == 0 ? "NUL" : "not UTF-8");
        r->column++;
        if (c == '\n') {
            r->line++;
            r->column = 1;
        }
    }
    r->line = r->column = 1;
    return OK;
}

enum err tree_read(const struct reflect_text *in, struct arena *a, const struct value **out,
                   struct diag *d)
{
    struct reader r = {
        .in = in, .arena = a, .d = d, .values_left = in->max_values, .line = 1, .column = 1};

    if (in->text.n > in->max_bytes)
        return FAIL(&r, E_LIMIT, "%zu bytes, more than %zu", in->text.n, in->max_bytes);
    TRY(check_bytes(&r));
    r.stack = ARENA_ARRAY(a, struct frame, in->max_depth);
    if (r.stack == NULL)
        return fail_memory(&r);
    /* libfyaml takes an empty text for a missing one. */
    enum err e = in->text.n == 0 ? OK : read_text(&r);
    map_free(&r.anchors);
    if (e == OK && (r.root == NULL || r.root->kind == VALUE_NULL))
        return text_fail(in, 1, 1, E_PARSE, d, "the text is empty");
    if (e == OK)
        *out = r.root;
    return e;
}
