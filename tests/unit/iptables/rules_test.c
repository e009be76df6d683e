/* Options to rules: each row's rules, as iptables-restore would be fed in a clean namespace,
 * against a file in golden/. WEFT_GOLDEN_UPDATE=1 rewrites the files, for a look at the difference.
 */
#include "base/str.h"
#include "iptables/plan.h"
#include "iptables/rules.h"
#include "tests/support/t.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORDS = 16, GOLDEN_MAX = 65536 };

#define BASE "--ignore-uid=1337", "--egress-port=15001"
#define INBOUND BASE, "--ingress-port=15000"
/* 40 ports: three chunks. */
#define PORTS_40                                                                                   \
    "8001,8002,8003,8004,8005,8006,8007,8008,8009,8010,8011,8012,8013,8014,8015,8016,8017,8018,"   \
    "8019,8020,8021,8022,8023,8024,8025,8026,8027,8028,8029,8030,8031,8032,8033,8034,8035,8036,"   \
    "8037,8038,8039,8040"

static const struct {
    const char *name, *args[WORDS];
} rows[] = {
    {"egress_only",         {BASE}                                                                  },
    {"gid_only",            {"--ignore-gid=1338", "--egress-port=15001"}                            },
    {"uid_and_gid",         {BASE, "--ignore-gid=1338"}                                             },
    {"ecs_task",
     {"IgnoredUID=1337", "ProxyIngressPort=15000", "ProxyEgressPort=15001", "AppPorts=9080",
      "EgressIgnoredIPs=169.254.170.2,169.254.169.254", "EgressIgnoredPorts=22"}                    },
    {"ignored",
     {INBOUND, "--app-ports=8080", "--egress-ignored-ports=2049,3306:3310",
      "--egress-ignored-ips=10.0.0.0/8,192.0.2.1,fd00:1::/64,0.0.0.0/0"}                            },
    {"forty_ports",         {INBOUND, "--app-ports=" PORTS_40}                                      },
    {"ranges_count_twice",
     {INBOUND, "--app-ports=1:2,3:4,5:6,7:8,9:10,11:12,13:14,20,21:23,30:31,32:33,40,41,42,43,44,"
               "45,46,47,48,49,50"}                                                                 },
    {"all_but_listed",      {INBOUND, "--app-ports=*", "--ingress-ignored-ports=9901,20:30"}        },
    {"only_ips",            {BASE, "--egress-only-ips=10.0.0.0/8,fd00::/8"}                         },
    {"only_ips_one_family", {BASE, "--egress-only-ips=10.0.0.0/8"}                                  },
    {"interfaces",          {INBOUND, "--app-ports=80", "--exclude-interfaces=eth1,tap+"}           },
    {"drop_invalid",        {BASE, "--drop-invalid"}                                                },
    {"self_calls",          {INBOUND, "--ignore-gid=1338", "--app-ports=8080", "--self-calls=proxy"}},
    {"dns",                 {BASE, "--dns-port=15053"}                                              },
    {"tproxy",              {INBOUND, "--app-ports=8080,8081", "--mode=tproxy"}                     },
    {"everything",
     {INBOUND, "--app-ports=*", "--mode=tproxy", "--tproxy-mark=0xab", "--route-table=77",
      "--self-calls=proxy", "--dns-port=15053", "--drop-invalid", "--exclude-interfaces=eth1",
      "--egress-ignored-ports=22", "--egress-ignored-ips=10.9.0.0/16",
      "--egress-only-ips=10.0.0.0/8"}                                                               },
};

static void golden_path(const char *name, char *out, size_t room)
{
    snprintf(out, room, "%s/%s.txt", GOLDEN_DIR, name);
}

/* Empty when there is no such file. */
static size_t read_golden(const char *name, char *out)
{
    char path[512];
    golden_path(name, path, sizeof(path));
    FILE *f = fopen(path, "r");
    size_t n = f == NULL ? 0 : fread(out, 1, GOLDEN_MAX, f);
    if (f != NULL)
        fclose(f);
    return n;
}

static void write_golden(const char *name, const struct str *text)
{
    char path[512];
    golden_path(name, path, sizeof(path));
    FILE *f = fopen(path, "w");
    T_ASSERT(f != NULL, "%s", path);
    fwrite(text->p, 1, text->n, f);
    fclose(f);
}

static enum err build(struct arena *a, const char *const *args, enum ipt_family f,
                      struct ipt_set *out)
{
    static const char *const none[] = {NULL};
    struct ipt_options o;
    struct diag d = {0};
    const struct ipt_input in = {args, none};
    enum err e = ipt_options_read(a, &in, &o, &d);
    T_EXPECT(e == OK, "%s: %s", d.path, d.msg);
    return e == OK ? ipt_rules_build(&o, f, a, out) : e;
}

/* Both families' plans from nothing. */
static void print_rules(struct arena *a, const char *const *args, struct str *out)
{
    for (enum ipt_family f = 0; f < IPT_FAMILIES; f++) {
        struct ipt_set nothing, want;
        ipt_set_init(&nothing, a);
        T_ASSERT(build(a, args, f, &want) == OK);
        str_addf(out, "# %s\n", ipt_family_name(f));
        ipt_plan(&nothing, &want, out);
    }
}

T(rules, golden)
{
    static char golden[GOLDEN_MAX];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new(65536, SIZE_MAX);
        struct str got;
        str_init(&got, 0);
        print_rules(a, rows[i].args, &got);
        if (getenv("WEFT_GOLDEN_UPDATE") != NULL)
            write_golden(rows[i].name, &got);
        T_EXPECT_SV(str_sv(&got), sv_of(golden, read_golden(rows[i].name, golden)), rows[i].name);
        str_fini(&got);
        arena_free(&a);
    }
}

/* A plan from nothing as iptables-save would print its outcome. */
static void as_saved(const struct str *plan, struct str *out)
{
    for (struct sv rest = str_sv(plan), line; sv_split(&rest, '\n', &line);) {
        if (sv_starts(line, SV("-I OUTPUT ")))
            str_addf(out, "-A OUTPUT %.*s\n", SVF(sv_skip(line, strlen("-I OUTPUT 1 "))));
        else
            str_addf(out, "%.*s\n", SVF(line));
    }
}

T(rules, once_read_back_nothing_is_left_to_do)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new(65536, SIZE_MAX);
        struct ipt_set nothing, want;
        struct ipt_state state = {0};
        struct str plan, saved, again;
        struct diag d = {0};
        str_init(&plan, 0);
        str_init(&saved, 0);
        str_init(&again, 0);
        ipt_set_init(&nothing, a);
        T_ASSERT(build(a, rows[i].args, IPT_V4, &want) == OK);
        ipt_plan(&nothing, &want, &plan);
        as_saved(&plan, &saved);
        enum err e = ipt_state_read(a, str_sv(&saved), &state, &d);
        T_ASSERT(e == OK, "%s: %s", rows[i].name, d.msg);
        ipt_plan(&state.ours, &want, &again);
        T_EXPECT_SV(str_sv(&again), SV(""), rows[i].name);
        T_EXPECT_EQ(state.foreign, 0, rows[i].name);
        T_EXPECT(ipt_set_similar(&state.ours, &want), "%s", rows[i].name);
        str_fini(&plan);
        str_fini(&saved);
        str_fini(&again);
        arena_free(&a);
    }
}

T(rules, no_multiport_takes_more_than_fifteen)
{
    struct arena *a = arena_new(65536, SIZE_MAX);
    size_t rules = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ipt_set want;
        T_ASSERT(build(a, rows[i].args, IPT_V4, &want) == OK);
        for (size_t r = 0; r < want.n; r++) {
            size_t at = sv_search(want.rules[r].text, SV("--dports "));
            if (at == SIZE_MAX)
                continue;
            struct sv rest = sv_skip(want.rules[r].text, at + 9), list = SV_NONE;
            T_ASSERT(sv_split(&rest, ' ', &list));
            size_t n = 1;
            for (size_t c = 0; c < list.n; c++)
                n += list.p[c] == ',' || list.p[c] == ':';
            T_EXPECT(n <= 15, "%s: %.*s", rows[i].name, SVF(list));
            rules++;
        }
    }
    T_EXPECT(rules > 40, "%zu multiport rules seen", rules);
    arena_free(&a);
}

T(rules, a_full_arena_is_no_memory)
{
    struct arena *a = arena_new(65536, SIZE_MAX);
    static const char *const none[] = {NULL};
    struct ipt_options o;
    const struct ipt_input in = {rows[ARRAY_LEN(rows) - 1].args, none};
    T_ASSERT(ipt_options_read(a, &in, &o, NULL) == OK);
    enum err last = E_NOMEM;
    for (size_t cap = 256; cap <= 65536; cap += 256) {
        struct arena *small = arena_new(256, cap);
        struct ipt_set want;
        last = ipt_rules_build(&o, IPT_V4, small, &want);
        T_EXPECT(last == OK || last == E_NOMEM, "cap %zu: %d", cap, (int)last);
        arena_free(&small);
    }
    T_EXPECT_EQ(last, OK, "enough memory in the end");
    arena_free(&a);
}
