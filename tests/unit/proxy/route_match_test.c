/* Route selection over hand-made tables, and over those that config/model builds. */
#include "base/rng.h"
#include "base/str.h"
#include "proxy/http/route_match.h"
#include "tests/support/t.h"
#include "tests/unit/config/fake_registry.h"
#include <stdio.h>

#define BEFORE                                                                                     \
    "static_resources: {clusters: [{name: c}, {name: d}, {name: e}], listeners: [{name: l, "       \
    "address: {socket_address: {address: 127.0.0.1, port_value: 80}}, filter_chains: [{filters: "  \
    "[{name: h, typed_config: {'@type': type.googleapis.com/"                                      \
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, "          \
    "stat_prefix: x, route_config: {virtual_hosts: "
#define AFTER "}}}]}]}]}"

static struct snap *build(const char *hosts)
{
    struct str yaml;
    struct snap *s = NULL;
    struct diag d = {0};
    str_init(&yaml, 0);
    str_addf(&yaml, "%s%s%s", BEFORE, hosts, AFTER);
    enum err e = fake_build(yaml.p, SIZE_MAX, &s, &d);
    T_EXPECT(e == OK, "%s (%s)", d.msg, d.path);
    str_fini(&yaml);
    return s;
}

/* ---- hosts ---- */

static const char hosts[] = "[{name: exact, domains: [a.example, 'a.example:8080', Mixed.Case]},"
                            "{name: suffix, domains: ['*.example', '*-x.example']},"
                            "{name: deep, domains: ['*.b.example']},"
                            "{name: prefix, domains: ['www.*', 'a.*']},"
                            "{name: deeper, domains: ['www.c.*']},"
                            "{name: any, domains: ['*']}]";

static const struct {
    const char *host, *vhost;
} host_rows[] = {
    {"a.example",      "exact" },
    {"A.EXAMPLE",      "exact" },
    {"mixed.case",     "exact" },
    {"a.example:8080", "exact" },
    {"a.example:80",   "prefix"}, /* the port counts */
    {"b.example",      "suffix"},
    {"B.EXAMPLE",      "suffix"},
    {"x.b.example",    "deep"  }, /* the longest suffix */
    {"y-x.example",    "suffix"},
    {".example",       "any"   }, /* the star never stands for nothing */
    {".b.example",     "suffix"},
    {"www.b.example",  "deep"  }, /* suffixes before prefixes */
    {"www.other",      "prefix"},
    {"WWW.OTHER",      "prefix"},
    {"www.c.org",      "deeper"},
    {"www.",           "any"   },
    {"a.",             "any"   },
    {"a.x",            "prefix"},
    {"example",        "any"   },
    {"",               "any"   },
    {"a.example.",     "prefix"},
};

T(route_match, hosts)
{
    struct snap *s = build(hosts);
    T_ASSERT(s != NULL);
    for (size_t i = 0; i < ARRAY_LEN(host_rows); i++) {
        const struct m_vhost *v = route_find_vhost(s->route_configs[0], sv_str(host_rows[i].host));
        T_ASSERT(v != NULL, "%s", host_rows[i].host);
        T_EXPECT_SV(v->name, sv_str(host_rows[i].vhost), host_rows[i].host);
    }
    snap_drop(&s);
}

/* Every byte in every place of names around the word size, against the plain way to lower-case. */
T(route_match, case_of_hosts)
{
    enum { LONGEST = 26 };
    for (size_t n = 1; n <= LONGEST; n++) {
        char name[LONGEST + 1], yaml[128];
        memset(name, 'm', n);
        name[n] = '\0';
        snprintf(yaml, sizeof yaml, "[{name: v, domains: ['%s']}]", name);
        struct snap *s = build(yaml);
        T_ASSERT(s != NULL);
        for (size_t at = 0; at < n; at++) {
            for (int c = 0; c < 256; c++) {
                char host[LONGEST];
                memset(host, 'M', n);
                host[at] = (char)c;
                bool found = route_find_vhost(s->route_configs[0], sv_of(host, n)) != NULL;
                T_ASSERT(found == (ascii_lower((char)c) == 'm'), "%zu bytes, byte %d at %zu", n, c,
                         at);
            }
        }
        snap_drop(&s);
    }
}

T(route_match, letters)
{
    struct snap *s = build("[{name: v, domains: ['*abcdefghijklmnopqrstuvwxyz@[`{0189-._']}]");
    T_ASSERT(s != NULL);
    static const char host[] = "xABCDEFGHIJKLMNOPQRSTUVWXYZ@[`{0189-._";
    T_EXPECT(route_find_vhost(s->route_configs[0], SV("xABCDEFGHIJKLMNOPQRSTUVWXYZ@[`{0189-._")) !=
             NULL);
    for (size_t i = 1; i + 1 < sizeof host; i++) {
        char other[sizeof host];
        memcpy(other, host, sizeof host);
        other[i] = (char)(other[i] ^ 0x80);
        T_EXPECT(route_find_vhost(s->route_configs[0], sv_of(other, sizeof host - 1)) == NULL,
                 "at %zu", i);
    }
    snap_drop(&s);
}

T(route_match, no_host)
{
    static const char *const rows[] = {"[]", "[{name: a, domains: [x]}]",
                                       "[{name: a, domains: ['*.x', 'y.*']}]"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct snap *s = build(rows[i]);
        T_ASSERT(s != NULL);
        struct route_hit hit = route_match(s->route_configs[0], SV("z"), SV("/"));
        T_EXPECT(hit.vhost == NULL && hit.route == NULL, "%s", rows[i]);
        hit = route_match(s->route_configs[0], SV_NONE, SV("/"));
        T_EXPECT(hit.vhost == NULL && hit.route == NULL, "%s", rows[i]);
        snap_drop(&s);
    }
}

/* Hosts that do not fit the stack buffer are found all the same. */
T(route_match, long_hosts)
{
    enum { LONG = 2000 };
    char name[LONG + 1], yaml[3 * LONG + 256];
    memset(name, 'a', LONG);
    name[LONG] = '\0';
    snprintf(yaml, sizeof yaml,
             "[{name: exact, domains: [other, '%s']}, {name: suffix, domains: ['*%s']}]", name,
             name);
    struct snap *s = build(yaml);
    T_ASSERT(s != NULL);
    char host[LONG + 2];
    memset(host, 'A', sizeof host);
    for (size_t n = 1; n <= LONG + 1; n++) {
        const struct m_vhost *v = route_find_vhost(s->route_configs[0], sv_of(host, n));
        struct sv got = v == NULL ? SV("none") : v->name;
        struct sv want = n < LONG ? SV("none") : n == LONG ? SV("exact") : SV("suffix");
        T_ASSERT(sv_eq(got, want), "%zu bytes: %.*s", n, SVF(got));
    }
    snap_drop(&s);
}

/* The tables against the plain rule, over random names. */
static bool fits(struct sv domain, struct sv host)
{
    if (domain.n > 0 && domain.p[0] == '*')
        return domain.n - 1 < host.n && sv_ends(host, sv_skip(domain, 1));
    if (domain.n > 0 && domain.p[domain.n - 1] == '*')
        return domain.n - 1 < host.n && sv_starts(host, sv_of(domain.p, domain.n - 1));
    return sv_eq(domain, host);
}

/* How strongly it fits: 0 not at all. */
static size_t strength(struct sv domain, struct sv host)
{
    if (!fits(domain, host))
        return 0;
    if (sv_eq(domain, SV("*")))
        return 1;
    if (domain.n > 0 && domain.p[0] == '*')
        return 2000 + domain.n;
    if (domain.n > 0 && domain.p[domain.n - 1] == '*')
        return 1000 + domain.n;
    return 3000;
}

static size_t random_name(struct rng *r, char *out, size_t room)
{
    size_t n = 1 + (size_t)rng_below(r, room - 2);
    for (size_t i = 0; i < n; i++)
        out[i] = "ab."[rng_below(r, 3)];
    out[n] = '\0';
    return n;
}

/* Fills names with n different domains and yaml with one virtual host for each. */
static void random_domains(struct rng *r, char names[][8], size_t n, struct str *yaml)
{
    str_addc(yaml, '[');
    for (size_t i = 0; i < n; i++) {
        bool again = true;
        while (again) {
            size_t at = random_name(r, names[i], 6);
            uint64_t kind = rng_below(r, 4);
            if (kind == 0)
                names[i][0] = '*';
            else if (kind == 1)
                names[i][at - 1] = '*';
            again = false;
            for (size_t j = 0; j < i; j++)
                again |= strcmp(names[i], names[j]) == 0;
        }
        str_addf(yaml, "%s{name: '%zu', domains: ['%s']}", i == 0 ? "" : ", ", i, names[i]);
    }
    str_addc(yaml, ']');
}

T(route_match, hosts_against_the_rule)
{
    enum { DOMAINS = 12, ROUNDS = 40, HOSTS = 200 };
    struct rng r;
    rng_seed(&r, 7);
    for (int round = 0; round < ROUNDS; round++) {
        char names[DOMAINS][8];
        struct str yaml;
        str_init(&yaml, 0);
        random_domains(&r, names, DOMAINS, &yaml);
        struct snap *s = build(yaml.p);
        T_ASSERT(s != NULL, "%s", yaml.p);
        for (int i = 0; i < HOSTS; i++) {
            char text[12];
            struct sv host = sv_of(text, random_name(&r, text, sizeof text));
            size_t best = 0, best_at = 0;
            for (size_t j = 0; j < DOMAINS; j++) {
                size_t w = strength(sv_str(names[j]), host);
                if (w > best) {
                    best = w;
                    best_at = j;
                }
            }
            const struct m_vhost *v = route_find_vhost(s->route_configs[0], host);
            const struct m_vhost *want = best == 0 ? NULL : &s->route_configs[0]->vhosts[best_at];
            T_ASSERT(v == want, "%s among %s", text, yaml.p);
        }
        snap_drop(&s);
        str_fini(&yaml);
    }
}

/* ---- paths ---- */

static const char paths[] =
    "[{name: v, domains: ['*'], routes: ["
    "{name: exact, match: {path: /Exact}, route: {cluster: c}},"
    "{name: exact any case, match: {path: /any, case_sensitive: false}, route: {cluster: c}},"
    "{name: api, match: {prefix: /api}, route: {cluster: c}},"
    "{name: hidden, match: {prefix: /api/v2}, route: {cluster: c}},"
    "{name: folder, match: {prefix: /Folder/, case_sensitive: false}, route: {cluster: c}},"
    "{name: query, match: {prefix: '/q?x'}, route: {cluster: c}},"
    "{name: fragment, match: {path: '/f#x'}, route: {cluster: c}},"
    "{name: no slash, match: {prefix: rel}, route: {cluster: c}},"
    "{name: star, match: {path: '*'}, route: {cluster: c}},"
    "{name: slash, match: {prefix: /s}, route: {cluster: c}}]}]";

static const struct {
    const char *path, *route; /* route: NULL for none */
} path_rows[] = {
    {"/Exact",     "exact"         },
    {"/Exact?a=b", "exact"         },
    {"/Exact#top", "exact"         },
    {"/exact",     NULL            },
    {"/Exact/",    NULL            },
    {"/Exac",      NULL            },
    {"/ANY",       "exact any case"},
    {"/any?ANY",   "exact any case"},
    {"/api",       "api"           },
    {"/apis",      "api"           }, /* a prefix knows no segments */
    {"/api/v2/x",  "api"           }, /* the first wins */
    {"/ap?i",      NULL            },
    {"/folder/x",  "folder"        },
    {"/FOLDER/?x", "folder"        },
    {"/folder",    NULL            },
    {"/q?x",       NULL            }, /* queries are never compared */
    {"/f#x",       NULL            },
    {"relative",   "no slash"      },
    {"*",          "star"          },
    {"/s?q#f",     "slash"         },
    {"?/s",        NULL            },
    {"",           NULL            },
};

T(route_match, paths)
{
    struct snap *s = build(paths);
    T_ASSERT(s != NULL);
    for (size_t i = 0; i < ARRAY_LEN(path_rows); i++) {
        struct route_hit hit = route_match(s->route_configs[0], SV("h"), sv_str(path_rows[i].path));
        T_ASSERT(hit.vhost != NULL);
        T_EXPECT((hit.route == NULL) == (path_rows[i].route == NULL), "'%s'", path_rows[i].path);
        if (hit.route != NULL && path_rows[i].route != NULL)
            T_EXPECT_SV(hit.route->name, sv_str(path_rows[i].route), path_rows[i].path);
    }
    T_EXPECT(route_match(s->route_configs[0], SV("h"), SV_NONE).route == NULL);
    snap_drop(&s);
}

/* A long text is compared at its ends first: a difference anywhere must show. */
T(route_match, differences_in_paths)
{
    enum { LONGEST = 40 };
    for (size_t n = 1; n <= LONGEST; n++) {
        char text[LONGEST + 1], yaml[256];
        memset(text, 'p', n);
        text[n] = '\0';
        snprintf(
            yaml, sizeof yaml,
            "[{name: v, domains: ['*'], routes: [{match: {prefix: '%s'}, route: {cluster: c}}]}]",
            text);
        struct snap *s = build(yaml);
        T_ASSERT(s != NULL);
        T_EXPECT(route_find(s->route_configs[0]->vhosts, sv_of(text, n)) != NULL);
        T_EXPECT(route_find(s->route_configs[0]->vhosts, sv_of(text, n - 1)) == NULL);
        for (size_t at = 0; at < n; at++) {
            text[at] = 'q';
            T_EXPECT(route_find(s->route_configs[0]->vhosts, sv_of(text, n)) == NULL,
                     "%zu bytes, at %zu", n, at);
            text[at] = 'p';
        }
        snap_drop(&s);
    }
}

T(route_match, empty_prefix)
{
    struct snap *s =
        build("[{name: v, domains: ['*'], routes: [{match: {prefix: ''}, route: {cluster: c}}]}]");
    T_ASSERT(s != NULL);
    T_EXPECT(route_match(s->route_configs[0], SV("h"), SV("/x")).route != NULL);
    T_EXPECT(route_match(s->route_configs[0], SV("h"), SV("?x")).route != NULL);
    T_EXPECT(route_match(s->route_configs[0], SV("h"), SV_NONE).route != NULL);
    snap_drop(&s);
}

/* ---- clusters ---- */

T(route_match, weights)
{
    struct snap *s =
        build("[{name: v, domains: ['*'], routes: [{match: {prefix: /}, route: {weighted_clusters: "
              "{clusters: "
              "[{name: c, weight: 1}, {name: d, weight: 0}, {name: e, weight: 3}]}}}]}]");
    T_ASSERT(s != NULL);
    const struct m_route *r = route_match(s->route_configs[0], SV("h"), SV("/")).route;
    T_ASSERT(r != NULL);
    static const struct {
        uint64_t random;
        const char *want;
    } rows[] = {
        {0,              "c"},
        {1,              "e"},
        {2,              "e"},
        {3,              "e"},
        {4,              "c"},
        {7,              "e"},
        {UINT64_MAX,     "e"},
        {UINT64_MAX - 3, "c"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        T_EXPECT_SV(route_pick_cluster(r, rows[i].random)->cluster, sv_str(rows[i].want), "pick");
    struct rng rng;
    rng_seed(&rng, 1);
    enum { PICKS = 40000 };
    int first = 0;
    for (int i = 0; i < PICKS; i++)
        first += route_pick_cluster(r, rng_u64(&rng)) == &r->clusters[0] ? 1 : 0;
    T_EXPECT(first > PICKS / 4 - 500 && first < PICKS / 4 + 500, "%d of %d", first, PICKS);
    snap_drop(&s);
}

T(route_match, single_cluster)
{
    struct snap *s =
        build("[{name: v, domains: ['*'], routes: [{match: {prefix: /}, route: {cluster: d}}]}]");
    T_ASSERT(s != NULL);
    const struct m_route *r = route_match(s->route_configs[0], SV("h"), SV("/")).route;
    T_ASSERT(r != NULL);
    T_EXPECT_EQ(route_pick_cluster(r, UINT64_MAX)->cluster_index, 1, "any random number");
    snap_drop(&s);
}

/* ---- rewriting ---- */

static const struct {
    const char *match, *rewrite, *path, *want;
} rewrites[] = {
  /* As Envoy does: nothing is tidied. */
    {"prefix: /api",                        "/",     "/api/x",      "//x"       },
    {"prefix: /api/",                       "/",     "/api/x",      "/x"        },
    {"prefix: /api",                        "/v1",   "/api",        "/v1"       },
    {"prefix: /api",                        "/v1",   "/api?q=/api", "/v1?q=/api"},
    {"prefix: /",                           "/v1/",  "/",           "/v1/"      },
    {"prefix: ''",                          "/v1",   "/x",          "/v1/x"     },
    {"prefix: /API, case_sensitive: false", "/v1",   "/api/X",      "/v1/X"     },
    {"path: /a",                            "/b",    "/a",          "/b"        },
    {"path: /a",                            "/b",    "/a?q#f",      "/b?q#f"    },
    {"path: /A, case_sensitive: false",     "/b?x=", "/a?q",        "/b?x=?q"   },
};

T(route_match, prefix_rewrite)
{
    for (size_t i = 0; i < ARRAY_LEN(rewrites); i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml,
                 "[{name: v, domains: ['*'], routes: [{match: {%s}, route: {cluster: c, "
                 "prefix_rewrite: '%s'}}]}]",
                 rewrites[i].match, rewrites[i].rewrite);
        struct snap *s = build(yaml);
        T_ASSERT(s != NULL);
        struct sv path = sv_str(rewrites[i].path), got = SV_NONE;
        const struct m_route *r = route_match(s->route_configs[0], SV("h"), path).route;
        T_ASSERT(r != NULL, "%s", yaml);
        struct arena *a = arena_new(256, SIZE_MAX);
        T_ASSERT(a != NULL);
        T_EXPECT(route_rewrite_path(r, path, a, &got) == OK);
        T_EXPECT_SV(got, sv_str(rewrites[i].want), yaml);
        T_EXPECT(got.p != NULL && got.p[got.n] == '\0');
        arena_free(&a);
        a = arena_new(256, 1);
        T_ASSERT(a != NULL);
        T_EXPECT_EQ(route_rewrite_path(r, path, a, &got), E_NOMEM, "a full arena");
        arena_free(&a);
        snap_drop(&s);
    }
}
