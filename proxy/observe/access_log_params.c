/* Operators of access log formats that take parameters. Refusals have Envoy's texts. Main thread.
 */
#include "proxy/observe/access_log_ops.h"
#include <stdlib.h>
#include <unistd.h>

static enum err no_room(struct alog_builder *b)
{
    return diag_fail(b->diag, E_LIMIT, "access log format has more than %d parts", ALOG_OPS_MAX);
}

static enum err add_text(struct alog_builder *b, struct sv text)
{
    struct alog_op *op = alog_add(b, ALOG_LITERAL);
    if (op == NULL)
        return no_room(b);
    op->text = arena_dup(b->arena, text);
    return op->text.p == NULL ? diag_fail(b->diag, E_NOMEM, "out of memory") : OK;
}

enum err alog_compile_plain(struct alog_builder *b, const struct alog_token *t,
                            const struct alog_command *c)
{
    struct alog_op *op = alog_add(b, (enum alog_code)c->code);
    if (op == NULL)
        return no_room(b);
    op->form = c->form;
    op->offset = c->offset;
    op->end_offset = c->end_offset;
    op->divisor = 1000;
    if (t->has_limit)
        op->limit = t->limit;
    return OK;
}

/* form: enum alog_clock */
enum err alog_compile_time(struct alog_builder *b, const struct alog_token *t,
                           const struct alog_command *c)
{
    return alog_compile_pieces(b, (enum alog_clock)c->form, t->param);
}

/* ---- headers ---- */

static bool is_header_char(char c)
{
    char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static uint8_t pseudo_of(struct sv name, uint16_t list)
{
    static const struct {
        uint16_t list;
        uint8_t pseudo;
        const char *name;
    } pseudos[] = {
        {AT(req), ALOG_METHOD,    ":method"   },
        {AT(req), ALOG_TARGET,    ":path"     },
        {AT(req), ALOG_AUTHORITY, ":authority"},
        {AT(req), ALOG_AUTHORITY, "host"      },
        {AT(req), ALOG_SCHEME,    ":scheme"   },
        {AT(res), ALOG_STATUS,    ":status"   },
    };
    for (size_t i = 0; i < ARRAY_LEN(pseudos); i++) {
        if (pseudos[i].list == list && sv_eq(name, sv_str(pseudos[i].name)))
            return pseudos[i].pseudo;
    }
    return ALOG_NO_PSEUDO;
}

static enum err set_name(struct alog_builder *b, uint16_t list, struct sv name,
                         struct alog_name *out)
{
    if (name.n == 0)
        return OK;
    char *p = arena_alloc(b->arena, name.n, 1);
    if (p == NULL)
        return diag_fail(b->diag, E_NOMEM, "out of memory");
    for (size_t i = 0; i < name.n; i++) {
        if (!is_header_char(name.p[i]) && !(i == 0 && name.p[i] == ':')) {
            return diag_fail(
                b->diag, E_PARSE,
                "Invalid header configuration. Format string contains invalid characters.");
        }
        p[i] = ascii_lower(name.p[i]);
    }
    out->name = sv_of(p, name.n);
    out->id = (uint8_t)hdr_lookup(p, name.n);
    out->pseudo = pseudo_of(out->name, list);
    return OK;
}

/* A pseudo header that is a field of its own needs no lookup. */
static void shorten(struct alog_op *op)
{
    static const uint16_t fields[] = {[ALOG_METHOD] = AT(method),
                                      [ALOG_TARGET] = AT(path),
                                      [ALOG_AUTHORITY] = AT(authority),
                                      [ALOG_STATUS] = 0};
    if (op->name.pseudo == ALOG_NO_PSEUDO || fields[op->name.pseudo] == 0)
        return;
    op->code = ALOG_TEXT;
    op->offset = fields[op->name.pseudo];
}

/* X or X?Y */
enum err alog_compile_header(struct alog_builder *b, const struct alog_token *t,
                             const struct alog_command *c)
{
    struct sv rest = t->param, main, alt = SV_NONE, more;

    sv_split(&rest, '?', &main);
    if (sv_split(&rest, '?', &alt) && sv_split(&rest, '?', &more)) {
        return diag_fail(b->diag, E_PARSE,
                         "More than 1 alternative header specified in token: %.*s", SVF(t->param));
    }
    TRY(alog_compile_plain(b, t, c));
    struct alog_op *op = &b->op[b->n - 1];
    TRY(set_name(b, c->offset, main, &op->name));
    TRY(set_name(b, c->offset, alt, &op->alt));
    if (alt.n == 0 && !t->has_limit)
        shorten(op);
    return OK;
}

/* ---- paths ---- */

enum err alog_compile_path(struct alog_builder *b, const struct alog_token *t,
                           const struct alog_command *c)
{
    struct sv rest = t->param, query = SV_NONE, which = SV_NONE;
    uint8_t form = ALOG_PATH_ORIGINAL_OR;

    if (t->param.n > 0 && sv_split(&rest, ':', &query))
        sv_split(&rest, ':', &which);
    if (query.n > 0 && !sv_eq(query, SV("WQ")) && !sv_eq(query, SV("NQ"))) {
        return diag_fail(b->diag, E_PARSE,
                         "Invalid PATH option: '%.*s', only 'WQ'/'NQ' are allowed", SVF(query));
    }
    if (sv_eq(which, SV("PATH")))
        form = ALOG_PATH_CURRENT;
    else if (sv_eq(which, SV("ORIG")))
        form = ALOG_PATH_ORIGINAL;
    else if (which.n > 0 && !sv_eq(which, SV("ORIG_OR_PATH"))) {
        return diag_fail(
            b->diag, E_PARSE,
            "Invalid PATH option: '%.*s', only 'ORIG'/'PATH'/'ORIG_OR_PATH' are allowed",
            SVF(which));
    }
    TRY(alog_compile_plain(b, t, c));
    b->op[b->n - 1].form = sv_eq(query, SV("NQ")) ? form | ALOG_PATH_NO_QUERY : form;
    return OK;
}

enum err alog_compile_query_param(struct alog_builder *b, const struct alog_token *t,
                                  const struct alog_command *c)
{
    TRY(alog_compile_plain(b, t, c));
    b->op[b->n - 1].text = t->param;
    return OK;
}

enum err alog_compile_query_params(struct alog_builder *b, const struct alog_token *t,
                                   const struct alog_command *c)
{
    if (t->param.n > 0 && !sv_eq(t->param, SV("ORIG")) && !sv_eq(t->param, SV("DECODED"))) {
        return diag_fail(b->diag, E_PARSE,
                         "Invalid QUERY_PARAMS option: '%.*s', only 'ORIG'/'DECODED' are allowed",
                         SVF(t->param));
    }
    if (sv_eq(t->param, SV("DECODED")))
        return diag_fail(b->diag, E_UNSUPPORTED, "%%QUERY_PARAMS(DECODED)%% is not implemented");
    return alog_compile_plain(b, t, c);
}

/* ---- others with parameters ---- */

enum err alog_compile_details(struct alog_builder *b, const struct alog_token *t,
                              const struct alog_command *c)
{
    TRY(alog_compile_plain(b, t, c));
    b->op[b->n - 1].form = sv_eq(t->param, SV("ALLOW_WHITESPACES"));
    return OK;
}

enum err alog_compile_grpc(struct alog_builder *b, const struct alog_token *t,
                           const struct alog_command *c)
{
    TRY(alog_compile_plain(b, t, c));
    if (sv_eq(t->param, SV("SNAKE_STRING")))
        b->op[b->n - 1].form = ALOG_GRPC_SNAKE;
    else if (sv_eq(t->param, SV("NUMBER")))
        b->op[b->n - 1].form = ALOG_GRPC_NUMBER;
    else if (t->param.n > 0 && !sv_eq(t->param, SV("CAMEL_STRING"))) {
        return diag_fail(
            b->diag, E_PARSE,
            "GrpcStatusFormatter only supports CAMEL_STRING, SNAKE_STRING or NUMBER. Got: %.*s",
            SVF(t->param));
    }
    return OK;
}

enum err alog_compile_server_name(struct alog_builder *b, const struct alog_token *t,
                                  const struct alog_command *c)
{
    TRY(alog_compile_plain(b, t, c));
    if (sv_eq(t->param, SV("SNI_FIRST")))
        b->op[b->n - 1].form = ALOG_SNI_FIRST;
    else if (sv_eq(t->param, SV("HOST_FIRST")))
        b->op[b->n - 1].form = ALOG_HOST_FIRST;
    else if (t->param.n > 0 && !sv_eq(t->param, SV("SNI_ONLY"))) {
        return diag_fail(b->diag, E_PARSE,
                         "Invalid REQUESTED_SERVER_NAME option: '%.*s', only "
                         "'SNI_ONLY'/'SNI_FIRST'/'HOST_FIRST' are allowed",
                         SVF(t->param));
    }
    return OK;
}

static enum err point_of(struct alog_builder *b, struct sv name, uint16_t *out)
{
    static const struct {
        const char *name;
        uint16_t offset;
    } points[] = {
        {"DS_RX_BEG", AT(start_us)      },
        {"DS_RX_END", AT(rx_end_us)     },
        {"US_TX_BEG", AT(up_tx_first_us)},
        {"US_TX_END", AT(up_tx_last_us) },
        {"US_RX_BEG", AT(up_rx_first_us)},
        {"US_RX_END", AT(up_rx_last_us) },
        {"DS_TX_BEG", AT(tx_first_us)   },
        {"DS_TX_END", AT(end_us)        },
    };
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        if (sv_eq(name, sv_str(points[i].name))) {
            *out = points[i].offset;
            return OK;
        }
    }
    return diag_fail(b->diag, E_UNSUPPORTED,
                     "COMMON_DURATION: time point '%.*s' is not implemented", SVF(name));
}

/* BEGIN:END or BEGIN:END:ms|us|ns */
enum err alog_compile_duration(struct alog_builder *b, const struct alog_token *t,
                               const struct alog_command *c)
{
    struct sv rest = t->param, part[4] = {0};
    size_t n = 0;

    while (n < 4 && sv_split(&rest, ':', &part[n]))
        n++;
    if (n < 2 || n > 3) {
        return diag_fail(b->diag, E_PARSE, "Invalid common duration configuration: %.*s.",
                         SVF(t->param));
    }
    TRY(alog_compile_plain(b, t, c));
    struct alog_op *op = &b->op[b->n - 1];
    if (sv_eq(part[2], SV("us")))
        op->divisor = 1;
    else if (sv_eq(part[2], SV("ns")))
        op->divisor = 0;
    else if (n == 3 && !sv_eq(part[2], SV("ms")))
        return diag_fail(b->diag, E_PARSE, "Invalid common duration precision: %.*s.",
                         SVF(part[2]));
    TRY(point_of(b, part[0], &op->offset));
    return point_of(b, part[1], &op->end_offset);
}

enum err alog_compile_environment(struct alog_builder *b, const struct alog_token *t,
                                  const struct alog_command *c)
{
    (void)c;
    struct sv name = arena_dup(b->arena, t->param);
    if (name.p == NULL)
        return diag_fail(b->diag, E_NOMEM, "out of memory");
    struct sv value = sv_str(getenv(name.p));
    if (t->has_limit && value.n > t->limit)
        value.n = t->limit;
    return add_text(b, value.p == NULL ? SV("-") : value);
}

enum err alog_compile_hostname(struct alog_builder *b, const struct alog_token *t,
                               const struct alog_command *c)
{
    char name[256] = "";
    (void)t;
    (void)c;
    if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0')
        return add_text(b, SV("-"));
    return add_text(b, sv_str(name));
}

/* Of use in local replies only: an access log has no body to show. */
enum err alog_compile_nothing(struct alog_builder *b, const struct alog_token *t,
                              const struct alog_command *c)
{
    (void)b;
    (void)t;
    (void)c;
    return OK;
}
