/* Tag extraction; see tags.h. The rules are tables of token patterns, and a few functions for what
 * a pattern cannot say. Every rule looks at the whole name; what rules cut out is taken off at the
 * end. */
#include "proxy/observe/tags.h"

struct cut {
    size_t at, n;
};

struct work {
    struct sv name;
    struct stat_tag tag[STAT_TAGS_MAX + STAT_TAGS_FIXED_MAX];
    struct cut cut[STAT_TAGS_MAX];
    size_t n_tags, n_cuts;
};

/* Finds the value and what to take off the name for it. */
typedef bool match_fn(struct sv name, struct sv *value, struct cut *cut);

/* pattern: tokens between dots; a word stands for itself, * for any token, $ for the value, ** at
 * the end for one token or more. */
struct rule {
    struct sv tag;
    const char *pattern;
    match_fn *match; /* instead of a pattern */
};

static bool all_of(struct sv s, bool (*is)(char))
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is(s.p[i]))
            return false;
    }
    return s.n > 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || c == '_' || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

static bool is_word_or_dash(char c)
{
    return is_word(c) || c == '-';
}

static bool is_route_char(char c)
{
    return is_word_or_dash(c) || c == '.';
}

static bool is_version_char(char c)
{
    return is_route_char(c) && c != '_';
}

/* A value with the dot behind it, or the dot before it when it ends the name. */
static struct cut cut_token(struct sv name, struct sv value)
{
    size_t at = (size_t)(value.p - name.p);
    if (at + value.n < name.n)
        return (struct cut){at, value.n + 1};
    return at > 0 ? (struct cut){at - 1, value.n + 1} : (struct cut){0, value.n};
}

static bool match_pattern(const char *pattern, struct sv name, struct sv *value)
{
    struct sv want = sv_str(pattern), rest = name, token, part;

    while (sv_split(&want, '.', &part)) {
        if (!sv_split(&rest, '.', &token))
            return false;
        if (sv_eq(part, SV("**")))
            return true;
        if (sv_eq(part, SV("$")))
            *value = token;
        else if (!sv_eq(part, SV("*")) && !sv_eq(part, token))
            return false;
    }
    return rest.p == NULL;
}

/* ..._rq_200 */
static bool response_code(struct sv name, struct sv *value, struct cut *cut)
{
    struct sv end = sv_skip(name, name.n < 7 ? name.n : name.n - 7);
    if (!sv_starts(end, SV("_rq_")) || !all_of(sv_skip(end, 4), is_digit))
        return false;
    *value = sv_skip(end, 4);
    *cut = (struct cut){name.n - 4, 4};
    return true;
}

/* ..._rq_2xx: only the digit is taken off */
static bool response_class(struct sv name, struct sv *value, struct cut *cut)
{
    struct sv end = sv_skip(name, name.n < 7 ? name.n : name.n - 7);
    if (!sv_starts(end, SV("_rq_")) || !sv_ends(end, SV("xx")) || !is_digit(end.p[4]))
        return false;
    *value = sv_of(end.p + 4, 1);
    *cut = (struct cut){name.n - 3, 1};
    return true;
}

/* <before>value at the end of the name. */
static bool last_after(struct sv name, struct sv before, bool (*is)(char), struct sv *value,
                       struct cut *cut)
{
    size_t at = sv_search(name, before);
    if (at == SIZE_MAX || !all_of(sv_skip(name, at + before.n), is))
        return false;
    *value = sv_skip(name, at + before.n);
    *cut = cut_token(name, *value);
    return true;
}

static bool ssl_version(struct sv name, struct sv *value, struct cut *cut)
{
    return last_after(name, SV(".ssl.versions."), is_version_char, value, cut);
}

static bool ssl_curve(struct sv name, struct sv *value, struct cut *cut)
{
    return last_after(name, SV(".ssl.curves."), is_word_or_dash, value, cut);
}

static bool ssl_sigalg(struct sv name, struct sv *value, struct cut *cut)
{
    return last_after(name, SV(".ssl.sigalgs."), is_word_or_dash, value, cut);
}

static bool listener_cipher(struct sv name, struct sv *value, struct cut *cut)
{
    return sv_starts(name, SV("listener.")) &&
           last_after(name, SV(".ssl.ciphers."), is_word_or_dash, value, cut);
}

/* The token behind <before>, which must not be the last one. */
static bool token_after(struct sv name, struct sv before, struct sv *value, struct cut *cut)
{
    size_t at = sv_search(name, before);
    if (at == SIZE_MAX)
        return false;
    struct sv rest = sv_skip(name, at + before.n);
    if (!sv_split(&rest, '.', value) || rest.p == NULL)
        return false;
    *cut = cut_token(name, *value);
    return true;
}

static bool tls_certificate(struct sv name, struct sv *value, struct cut *cut)
{
    return token_after(name, SV(".ssl.certificate."), value, cut);
}

/* http.<prefix>.<kind>.<route configuration, dots and all>.<statistic> */
static bool route_config(struct sv name, struct sv kind, struct sv *value, struct cut *cut)
{
    struct sv rest = name, token;
    for (unsigned i = 0; i < 3; i++) {
        if (!sv_split(&rest, '.', &token) || rest.p == NULL)
            return false;
        if ((i == 0 && !sv_eq(token, SV("http"))) || (i == 2 && !sv_eq(token, kind)))
            return false;
    }
    size_t end = sv_rfind(rest, '.');
    if (end == SIZE_MAX || !all_of(sv_skip(rest, end + 1), is_word))
        return false;
    *value = sv_of(rest.p, end);
    *cut = cut_token(name, *value);
    return all_of(*value, is_route_char);
}

static bool rds(struct sv name, struct sv *value, struct cut *cut)
{
    return route_config(name, SV("rds"), value, cut);
}

static bool scoped_rds(struct sv name, struct sv *value, struct cut *cut)
{
    return route_config(name, SV("scoped_rds"), value, cut);
}

/* How much of s is digits and dots. */
static size_t dotted_digits(struct sv s)
{
    size_t n = 0;
    while (n < s.n && (is_digit(s.p[n]) || s.p[n] == '.'))
        n++;
    return n;
}

/* What follows "listener.": 1.2.3.4_80 with its dots, anything else up to the first dot. False when
 * nothing follows the address. */
static bool listener_name(struct sv name, struct sv *address, struct sv *rest)
{
    if (!sv_starts(name, SV("listener.")))
        return false;
    struct sv s = sv_skip(name, sizeof("listener.") - 1);
    size_t ip = dotted_digits(s);
    size_t end = sv_find(s, '.', ip < s.n && s.p[ip] == '_' ? ip : 0);
    if (end == SIZE_MAX || end == 0)
        return false;
    *address = sv_of(s.p, end);
    *rest = sv_skip(s, end + 1);
    return true;
}

static bool listener_address(struct sv name, struct sv *value, struct cut *cut)
{
    struct sv rest;
    if (!listener_name(name, value, &rest) || sv_eq(*value, SV("admin")))
        return false;
    *cut = cut_token(name, *value);
    return true;
}

static bool listener_http(struct sv name, struct sv *value, struct cut *cut)
{
    return sv_starts(name, SV("listener.")) && token_after(name, SV(".http."), value, cut);
}

/* worker_<n> at the start of s, more behind it: the number is the value, worker stays in the name.
 */
static bool worker_at(struct sv name, struct sv s, struct sv *value, struct cut *cut)
{
    struct sv token;
    if (!sv_starts(s, SV("worker_")) || !sv_split(&s, '.', &token) || s.p == NULL)
        return false;
    *value = sv_skip(token, sizeof("worker_") - 1);
    *cut = (struct cut){(size_t)(value->p - name.p) - 1, value->n + 1};
    return all_of(*value, is_digit);
}

static bool listener_worker(struct sv name, struct sv *value, struct cut *cut)
{
    struct sv address, rest;
    return listener_name(name, &address, &rest) && worker_at(name, rest, value, cut);
}

static bool other_worker(struct sv name, struct sv *value, struct cut *cut)
{
    static const struct sv before[] = {
        {"server.",                       7 },
        {"listener_manager.",             17},
        {"thread_local_cluster_manager.", 29},
    };
    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        if (sv_starts(name, before[i]))
            return worker_at(name, sv_skip(name, before[i].n), value, cut);
    }
    return false;
}

#define NAME(lit)                                                                                  \
    {                                                                                              \
        "" lit, sizeof(lit) - 1                                                                    \
    }

/* Rules that hold anywhere come before fixed tags, those of one subtree after them. */
static const struct rule general[] = {
    {NAME("envoy.response_code"),               NULL,                         response_code  },
    {NAME("envoy.response_code_class"),         NULL,                         response_class },
    {NAME("envoy.ssl_version"),                 NULL,                         ssl_version    },
    {NAME("envoy.ssl_curve"),                   NULL,                         ssl_curve      },
    {NAME("envoy.ssl_sigalg"),                  NULL,                         ssl_sigalg     },
    {NAME("envoy.tls_certificate"),             NULL,                         tls_certificate},
    {NAME("envoy.local_http_ratelimit_prefix"), "$.http_local_rate_limit.**", NULL           },
    {NAME("envoy.rbac_prefix"),                 "$.rbac.**",                  NULL           },
};

static const struct rule specific[] = {
    {NAME("envoy.grpc_bridge_method"),             "cluster.*.grpc.*.$.**",    NULL            },
    {NAME("cipher_suite"),                         "cluster.*.ssl.ciphers.$",  NULL            },
    {NAME("envoy.grpc_bridge_service"),            "cluster.*.grpc.$.**",      NULL            },
    {NAME("envoy.cluster_name"),                   "cluster.$.**",             NULL            },
    {NAME("envoy.ext_authz_prefix"),               "cluster.*.ext_authz.$.**", NULL            },
    {NAME("envoy.http_user_agent"),                "http.*.user_agent.$.**",   NULL            },
    {NAME("envoy.fault_downstream_cluster"),       "http.*.fault.$.**",        NULL            },
    {NAME("envoy.rbac_http_prefix"),               "http.*.rbac.$.**",         NULL            },
    {NAME("envoy.ext_authz_prefix"),               "http.*.ext_authz.$.**",    NULL            },
    {NAME("envoy.rds_route_config"),               NULL,                       rds             },
    {NAME("envoy.scoped_rds_config"),              NULL,                       scoped_rds      },
    {NAME("envoy.http_conn_manager_prefix"),       "http.$.**",                NULL            },
    {NAME("envoy.ssl_cipher"),                     NULL,                       listener_cipher },
    {NAME("envoy.http_conn_manager_prefix"),       NULL,                       listener_http   },
    {NAME("envoy.worker_id"),                      NULL,                       listener_worker },
    {NAME("envoy.listener_address"),               NULL,                       listener_address},
    {NAME("envoy.worker_id"),                      NULL,                       other_worker    },
    {NAME("envoy.virtual_cluster"),                "vhost.*.vcluster.$.**",    NULL            },
    {NAME("envoy.virtual_host"),                   "vhost.$.**",               NULL            },
    {NAME("envoy.route"),                          "vhost.*.route.$.**",       NULL            },
    {NAME("envoy.tcp_prefix"),                     "tcp.$.**",                 NULL            },
    {NAME("envoy.udp_prefix"),                     "udp.$.**",                 NULL            },
    {NAME("envoy.ratelimit_prefix"),               "ratelimit.$.**",           NULL            },
    {NAME("envoy.clientssl_prefix"),               "auth.clientssl.$.**",      NULL            },
    {NAME("envoy.connection_limit_prefix"),        "connection_limit.$.**",    NULL            },
    {NAME("envoy.local_network_ratelimit_prefix"), "local_rate_limit.$.**",    NULL            },
    {NAME("envoy.xds_resource_name"),              "sds.$.**",                 NULL            },
};

static bool rule_match(const struct rule *r, struct sv name, struct sv *value, struct cut *cut)
{
    if (r->match != NULL)
        return r->match(name, value, cut);
    if (!match_pattern(r->pattern, name, value))
        return false;
    *cut = cut_token(name, *value);
    return true;
}

static void apply(struct work *w, const struct rule *rules, size_t n)
{
    for (size_t i = 0; i < n && w->n_cuts < STAT_TAGS_MAX; i++) {
        struct sv value = SV_NONE;
        struct cut cut = {0};
        if (!rule_match(&rules[i], w->name, &value, &cut))
            continue;
        w->tag[w->n_tags++] = (struct stat_tag){rules[i].tag, value};
        w->cut[w->n_cuts++] = cut;
    }
}

/* The name without the cuts; out has room for the whole name. */
static size_t take_off(const struct work *w, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < w->name.n; i++) {
        bool keep = true;
        for (size_t c = 0; c < w->n_cuts; c++)
            keep = keep && (i < w->cut[c].at || i >= w->cut[c].at + w->cut[c].n);
        if (keep)
            out[n++] = w->name.p[i];
    }
    return n;
}

enum err tags_extract(struct sv keep_name, const struct stat_tag *fixed, size_t n_fixed,
                      struct arena *a, const struct stat_tags **out)
{
    struct work w = {.name = keep_name};

    apply(&w, general, ARRAY_LEN(general));
    for (size_t i = 0; i < n_fixed && i < STAT_TAGS_FIXED_MAX; i++)
        w.tag[w.n_tags++] = fixed[i];
    apply(&w, specific, ARRAY_LEN(specific));

    struct stat_tags *t =
        arena_alloc(a, sizeof(*t) + w.n_tags * sizeof(t->tag[0]), _Alignof(struct stat_tags));
    char *name = arena_alloc(a, keep_name.n + 1, 1);
    if (t == NULL || name == NULL)
        return E_NOMEM;
    t->name = sv_of(name, take_off(&w, name));
    t->n = w.n_tags;
    memcpy(t->tag, w.tag, w.n_tags * sizeof(w.tag[0]));
    *out = t;
    return OK;
}
