/* The target of an admin request: path and query, normalised as Envoy's admin does it. */
#include "proxy/admin/admin_int.h"

static int hex_value(char c)
{
    char lower = ascii_lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte that %xx at the start of s stands for, or -1. */
static int escaped_byte(struct sv s)
{
    if (s.n < 3 || s.p[0] != '%' || hex_value(s.p[1]) < 0 || hex_value(s.p[2]) < 0)
        return -1;
    return hex_value(s.p[1]) * 16 + hex_value(s.p[2]);
}

static bool is_unreserved(int c)
{
    char lower = c < 0 ? '\0' : ascii_lower((char)c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

/* Takes the last segment off out, its slash included. */
static size_t parent(const char *out, size_t n)
{
    while (n > 0 && out[n - 1] != '/')
        n--;
    return n > 0 ? n - 1 : 0;
}

/* Unreserved bytes decoded, '\' as '/', slashes merged, dot segments resolved. out has room for the
 * path. */
static struct sv normalise(struct sv path, char *out)
{
    char *plain = out;
    size_t n = 0, m = 0;

    for (size_t i = 0; i < path.n; i++) {
        int c = escaped_byte(sv_skip(path, i));
        if (is_unreserved(c)) {
            plain[n++] = (char)c;
            i += 2;
        } else {
            plain[n++] = path.p[i] == '\\' ? '/' : path.p[i];
        }
    }
    struct sv rest = sv_of(plain, n), segment;
    bool dots = true;
    while (sv_split(&rest, '/', &segment)) {
        dots = sv_eq(segment, SV(".")) || sv_eq(segment, SV(".."));
        if (sv_eq(segment, SV("..")))
            m = parent(out, m);
        if (dots || segment.n == 0)
            continue;
        /* Never ahead of what is read: each segment was preceded by a slash. */
        out[m++] = '/';
        memmove(out + m, segment.p, segment.n);
        m += segment.n;
    }
    if (m == 0 || dots || plain[n - 1] == '/')
        out[m++] = '/';
    return sv_of(out, m);
}

static struct sv decode(struct sv s, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        int c = escaped_byte(sv_skip(s, i));
        out[n++] = c >= 0 ? (char)c : s.p[i];
        i += c >= 0 ? 2 : 0;
    }
    return sv_of(out, n);
}

static enum err parse_query(struct sv query, struct admin_request *rq)
{
    struct sv pair;

    while (rq->n_params < ADMIN_PARAMS_MAX && sv_split(&query, '&', &pair)) {
        size_t eq = sv_find(pair, '=', 0);
        struct sv name = eq == SIZE_MAX ? pair : sv_of(pair.p, eq);
        struct sv value = eq == SIZE_MAX ? SV("") : sv_skip(pair, eq + 1);
        if (pair.n == 0)
            continue;
        char *room = arena_alloc(rq->arena, pair.n + 1, 1);
        if (room == NULL)
            return E_NOMEM;
        struct admin_query_param *p = &rq->param[rq->n_params++];
        p->name = decode(name, room);
        p->value = decode(value, room + name.n);
    }
    return OK;
}

enum err admin_request_parse(struct sv target, struct sv form, struct admin_request *rq)
{
    size_t at = sv_find(target, '?', 0);
    struct sv path = at == SIZE_MAX ? target : sv_of(target.p, at);
    struct sv query = at == SIZE_MAX ? SV_NONE : sv_skip(target, at + 1);

    rq->n_params = 0;
    if (path.n == 0 || path.p[0] != '/')
        return E_PARSE;
    char *room = arena_alloc(rq->arena, path.n + 1, 1);
    if (room == NULL)
        return E_NOMEM;
    rq->path = normalise(path, room);
    return parse_query(form.n > 0 ? form : query, rq);
}

struct sv admin_query(const struct admin_request *rq, const char *name)
{
    for (size_t i = 0; i < rq->n_params; i++) {
        if (sv_eq(rq->param[i].name, sv_str(name)))
            return rq->param[i].value;
    }
    return SV_NONE;
}

bool admin_query_has(const struct admin_request *rq, const char *name)
{
    return admin_query(rq, name).p != NULL;
}
