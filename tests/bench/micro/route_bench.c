/* What route selection costs: ns per request. One thread, no sockets, tables made by hand.
 *
 * By hand, from the top of the tree, after a build in build/:
 *   gcc -std=gnu17 -D_GNU_SOURCE -O2 -g -DNDEBUG -I. -isystem build/config/proto \
 *       tests/bench/micro/route_bench.c proxy/http/route_match.c base/arena.c base/clock.c
 * base/err.c \ base/map.c base/rng.c base/sv.c -lxxhash -o /tmp/route_bench && /tmp/route_bench
 * Instructions: valgrind --tool=callgrind --toggle-collect=route_match route_bench 1000 exact,
 * and divide the total by 1000 (likewise any, suffix, miss; --toggle-collect=route_pick_cluster
 * weighted). */
#include "proxy/http/route_match.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { HOSTS = 32, ROUTES = 6, WILDCARDS = 8, DEFAULT_OPS = 2000000, REPEATS = 7 };

struct bench {
    struct m_route routes[ROUTES];
    struct m_vhost vhost;
    struct m_wildcard suffixes[WILDCARDS];
    struct m_weighted_cluster clusters[3];
    struct m_route_config mesh; /* names and wildcards, as in a mesh */
    struct m_route_config all;  /* "*" alone, as in a sidecar's ingress */
    char names[HOSTS][32], tails[WILDCARDS][32];
    struct arena *arena;
    unsigned long sink;
};

static const char *const prefixes[ROUTES] = {"/static/", "/login", "/api/v2/",
                                             "/api/v1/", "/api/",  "/"};

static void set_up(struct bench *b)
{
    b->clusters[0] = (struct m_weighted_cluster){SV("a"), 80, 0};
    b->clusters[1] = (struct m_weighted_cluster){SV("b"), 15, 1};
    b->clusters[2] = (struct m_weighted_cluster){SV("c"), 5, 2};
    for (int i = 0; i < ROUTES; i++)
        b->routes[i] = (struct m_route){
            .match = M_MATCH_PREFIX,
            .match_text = sv_str(prefixes[i]),
            .clusters = b->clusters,
            .n_clusters = 3,
            .total_weight = 100,
            .has_prefix_rewrite = true,
            .prefix_rewrite = SV("/"),
        };
    b->vhost = (struct m_vhost){.name = SV("v"), .routes = b->routes, .n_routes = ROUTES};
    b->mesh = (struct m_route_config){
        .exact = map_new(), .suffixes = b->suffixes, .n_suffixes = WILDCARDS};
    b->all.any = &b->vhost;
    if (b->mesh.exact == NULL)
        abort();
    for (int i = 0; i < HOSTS; i++) {
        snprintf(b->names[i], sizeof b->names[i], "orders-%d.prod.mesh.local", i);
        if (map_add(b->mesh.exact, sv_str(b->names[i]), &b->vhost) != OK)
            abort();
    }
    for (int i = 0; i < WILDCARDS; i++) {
        snprintf(b->tails[i], sizeof b->tails[i], ".zone-%d.mesh.local", i);
        b->suffixes[i] = (struct m_wildcard){sv_str(b->tails[i]), &b->vhost};
    }
}

static void count(struct bench *b, const struct m_route_config *rc, struct sv host)
{
    struct route_hit hit = route_match(rc, host, SV("/api/v1/orders/8431?expand=items"));
    b->sink += hit.route == NULL ? 1 : hit.route->match_text.n;
}

static void exact(struct bench *b, unsigned i)
{
    count(b, &b->mesh, sv_str(b->names[i % HOSTS]));
}

static void any(struct bench *b, unsigned i)
{
    (void)i;
    count(b, &b->all, SV("orders-7.prod.mesh.local"));
}

static void suffix(struct bench *b, unsigned i)
{
    (void)i;
    count(b, &b->mesh, SV("orders.zone-5.mesh.local"));
}

static void miss(struct bench *b, unsigned i)
{
    (void)i;
    count(b, &b->mesh, SV("elsewhere.example.com:8080"));
}

static void weighted(struct bench *b, unsigned i)
{
    b->sink += route_pick_cluster(&b->routes[0], i * 2654435761U)->cluster_index;
}

static void rewrite(struct bench *b, unsigned i)
{
    struct sv out;
    if (i % 64 == 0) {
        arena_free(&b->arena);
        b->arena = arena_new(16384, SIZE_MAX);
        if (b->arena == NULL)
            abort();
    }
    if (route_rewrite_path(&b->routes[3], SV("/api/v1/orders/8431?expand=items"), b->arena, &out) ==
        OK)
        b->sink += out.n;
}

static const struct {
    const char *name;
    void (*run)(struct bench *b, unsigned i);
} benches[] = {
    {"exact",    exact   },
    {"any",      any     },
    {"suffix",   suffix  },
    {"miss",     miss    },
    {"weighted", weighted},
    {"rewrite",  rewrite },
};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The best of several repeats: what disturbs only ever adds. */
static void measure(struct bench *b, size_t at, unsigned ops)
{
    double best = 0;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double start = now_ns();
        for (unsigned i = 0; i < ops; i++)
            benches[at].run(b, i);
        double ns = (now_ns() - start) / ops;
        best = repeat == 0 || ns < best ? ns : best;
    }
    printf("%-10s %7.1f ns\n", benches[at].name, best);
}

/* route_bench [OPS [NAME]] */
int main(int argc, char **argv)
{
    static struct bench b;
    unsigned ops = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : DEFAULT_OPS;
    set_up(&b);
    for (size_t i = 0; i < ARRAY_LEN(benches); i++)
        if (argc < 3 || strcmp(argv[2], benches[i].name) == 0)
            measure(&b, i, ops == 0 ? 1 : ops);
    arena_free(&b.arena);
    map_free(&b.mesh.exact);
    return b.sink == 0;
}
