/* Regular expressions for admin pages; see text_match.h. Main thread. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "proxy/observe/text_match.h"
#include <pcre2.h>
#include <stdlib.h>

enum { MATCH_LIMIT = 200000, DEPTH_LIMIT = 2000, HEAP_LIMIT_KIB = 1024 };

struct text_match {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

/* RE2's word for a mistake, and what of the pattern it repeats. */
enum shown { SHOW_ALL, SHOW_NOTHING, SHOW_CLASS, SHOW_CHAR };

#define MISTAKE(code, shown, text)                                                                 \
    {                                                                                              \
        PCRE2_ERROR_##code, shown, text                                                            \
    }

static const struct mistake {
    int code;
    enum shown shown;
    const char *text;
} mistakes[] = {
    MISTAKE(END_BACKSLASH, SHOW_NOTHING, "trailing \\"),
    MISTAKE(MISSING_CLOSING_PARENTHESIS, SHOW_ALL, "missing )"),
    MISTAKE(UNMATCHED_CLOSING_PARENTHESIS, SHOW_ALL, "unexpected )"),
    MISTAKE(MISSING_SQUARE_BRACKET, SHOW_CLASS, "missing ]"),
    MISTAKE(QUANTIFIER_INVALID, SHOW_CHAR, "no argument for repetition operator"),
    MISTAKE(CLASS_RANGE_ORDER, SHOW_CLASS, "invalid character class range"),
    MISTAKE(UNKNOWN_POSIX_CLASS, SHOW_CLASS, "invalid character class range"),
    MISTAKE(QUANTIFIER_TOO_BIG, SHOW_ALL, "invalid repetition size"),
    MISTAKE(INVALID_AFTER_PARENS_QUERY, SHOW_ALL, "invalid perl operator"),
    MISTAKE(MISSING_NAME_TERMINATOR, SHOW_ALL, "invalid named capture group"),
};

static enum err explain(struct sv pattern, int code, size_t at, struct diag *d)
{
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        const struct mistake *m = &mistakes[i];
        struct sv shown = pattern;
        size_t open = sv_rfind(pattern, '[');
        if (m->code != code)
            continue;
        if (m->shown == SHOW_NOTHING)
            return diag_fail(d, E_PARSE, "%s", m->text);
        if (m->shown == SHOW_CLASS && open != SIZE_MAX)
            shown = sv_skip(pattern, open);
        bool here = m->shown == SHOW_CHAR && at < pattern.n;
        if (here && at > 0 && memchr("*+?", pattern.p[at - 1], 3) != NULL)
            return diag_fail(d, E_PARSE, "bad repetition operator: %.2s", pattern.p + at - 1);
        if (here)
            shown = sv_of(pattern.p + at, 1);
        return diag_fail(d, E_PARSE, "%s: %.*s", m->text, SVF(shown));
    }
    PCRE2_UCHAR text[160];
    pcre2_get_error_message(code, text, sizeof(text));
    return diag_fail(d, E_PARSE, "%s: %.*s", (const char *)text, SVF(pattern));
}

/* What PCRE2 understands and RE2 does not: (?=, (?!, (?<=, (?<!, (?>, (?R and \1 .. \9. */
static enum err refuse_foreign(struct sv p, struct diag *d)
{
    for (size_t i = 0; i + 1 < p.n; i++) {
        if (p.p[i] == '\\') {
            if (p.p[i + 1] >= '1' && p.p[i + 1] <= '9')
                return diag_fail(d, E_PARSE, "invalid escape sequence: \\%c", p.p[i + 1]);
            i++;
            continue;
        }
        if (p.p[i] != '(' || (p.p[i + 1] != '?' && p.p[i + 1] != '*'))
            continue;
        struct sv rest = sv_skip(p, i + 2);
        bool group =
            sv_starts(rest, SV("P<")) || (rest.n > 0 && strchr("imsU-:", rest.p[0]) != NULL);
        if (sv_starts(rest, SV("<")) && rest.n > 1 && rest.p[1] != '=' && rest.p[1] != '!')
            group = true;
        if (p.p[i + 1] == '*' || !group)
            return diag_fail(d, E_PARSE, "invalid perl operator: (%c%.*s", p.p[i + 1],
                             (int)(rest.n > 0), rest.p);
    }
    return OK;
}

enum err text_match_new(struct sv pattern, bool whole, struct text_match **out, struct diag *d)
{
    int code;
    PCRE2_SIZE at;

    if (pattern.n > TEXT_MATCH_MAX_PATTERN)
        return diag_fail(d, E_PARSE, "pattern too large - compile failed");
    TRY(refuse_foreign(pattern, d));
    struct text_match *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return diag_fail(d, E_NOMEM, "out of memory");
    uint32_t options = whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0;
    m->code = pcre2_compile((PCRE2_SPTR)(pattern.n > 0 ? pattern.p : ""), pattern.n,
                            options | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
    if (m->code == NULL) {
        text_match_free(&m);
        return explain(pattern, code, at, d);
    }
    m->data = pcre2_match_data_create_from_pattern(m->code, NULL);
    m->limits = pcre2_match_context_create(NULL);
    if (m->data == NULL || m->limits == NULL) {
        text_match_free(&m);
        return diag_fail(d, E_NOMEM, "out of memory");
    }
    pcre2_set_match_limit(m->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(m->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(m->limits, HEAP_LIMIT_KIB);
    *out = m;
    return OK;
}

void text_match_free(struct text_match **m)
{
    if (*m == NULL)
        return;
    pcre2_match_data_free((*m)->data);
    pcre2_match_context_free((*m)->limits);
    pcre2_code_free((*m)->code);
    free(*m);
    *m = NULL;
}

bool text_match_is(const struct text_match *m, struct sv text)
{
    return pcre2_match(m->code, (PCRE2_SPTR)(text.n > 0 ? text.p : ""), text.n, 0, 0, m->data,
                       m->limits) >= 0;
}
