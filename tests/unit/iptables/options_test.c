/* Sources and their precedence, combinations that are refused, and the texts of refusals. */
#include "base/str.h"
#include "iptables/options.h"
#include "tests/support/t.h"

enum { WORDS = 24 };

#define NEEDED "APPMESH_IGNORE_UID=1337", "APPMESH_ENVOY_EGRESS_PORT=15001"

static enum err read_options(struct arena *a, const char *const *env, const char *const *args,
                             struct ipt_options *o, struct diag *d)
{
    const struct ipt_input in = {args, env};
    *d = (struct diag){0};
    return ipt_options_read(a, &in, o, d);
}

/* One option under each of its names, alone, beside what is needed. */
T(options, appmesh_environment)
{
    struct arena *a = arena_new(4096, SIZE_MAX);
    struct ipt_options o;
    struct diag d;
    static const char *const env[WORDS] = {"PATH=/bin",
                                           "APPMESH_START_ENABLED=1",
                                           "APPMESH_ENABLE_IPV6=0",
                                           "APPMESH_IGNORE_UID=1337",
                                           "APPMESH_IGNORE_GID= 1338 ",
                                           "APPMESH_ENVOY_EGRESS_PORT=15001",
                                           "APPMESH_ENVOY_INGRESS_PORT=15000",
                                           "APPMESH_APP_PORTS=8080, 9090",
                                           "APPMESH_EGRESS_IGNORED_IP=10.0.0.1,fd00::1",
                                           "APPMESH_EGRESS_IGNORED_PORTS=2049",
                                           "APPMESH_SOMETHING_ELSE=x"};
    static const char *const none[] = {NULL};
    T_ASSERT(read_options(a, env, none, &o, &d) == OK, "%s: %s", d.path, d.msg);
    T_EXPECT_EQ(o.action, IPT_INSTALL, "action");
    T_EXPECT(!o.disabled && o.uid.set && o.gid.set);
    T_EXPECT_EQ(o.uid.id, 1337, "uid");
    T_EXPECT_EQ(o.gid.id, 1338, "gid");
    T_EXPECT_EQ(o.egress_port, 15001, "egress");
    T_EXPECT_EQ(o.ingress_port, 15000, "ingress");
    T_EXPECT_EQ(o.app_ports.n, 2, "app ports");
    T_EXPECT_EQ(o.egress_ignored_ips.n, 2, "ips");
    T_EXPECT_EQ(o.egress_ignored_ports.n, 1, "ports");
    T_EXPECT_EQ(o.ipv6, IPT_IPV6_OFF, "ipv6");
    arena_free(&a);
}

T(options, ecs_properties_as_arguments_and_as_environment)
{
    static const char *const properties[WORDS] = {
        "IgnoredUID=1337",           "IgnoredGID=1338",    "ProxyIngressPort=15000",
        "ProxyEgressPort=15001",     "AppPorts=8080,9090", "EgressIgnoredIPs=10.0.0.1",
        "EgressIgnoredPorts=22,2049"};
    static const char *const none[] = {NULL};
    for (int as_env = 0; as_env < 2; as_env++) {
        struct arena *a = arena_new(4096, SIZE_MAX);
        struct ipt_options o;
        struct diag d;
        enum err e =
            read_options(a, as_env ? properties : none, as_env ? none : properties, &o, &d);
        T_ASSERT(e == OK, "%s: %s", d.path, d.msg);
        T_EXPECT(o.uid.id == 1337 && o.gid.id == 1338);
        T_EXPECT(o.ingress_port == 15000 && o.egress_port == 15001);
        T_EXPECT(o.app_ports.n == 2 && o.egress_ignored_ips.n == 1 &&
                 o.egress_ignored_ports.n == 2);
        T_EXPECT_EQ(o.ipv6, IPT_IPV6_AUTO, "ECS never says");
        arena_free(&a);
    }
}

T(options, flags)
{
    static const char *const args[WORDS] = {"--ignore-uid=0",
                                            "--egress-port",
                                            "15001",
                                            "--ingress-port=15000",
                                            "--app-ports=*",
                                            "--ingress-ignored-ports=9901",
                                            "--egress-only-ips=10.0.0.0/8",
                                            "--exclude-interfaces=eth1",
                                            "--mode=tproxy",
                                            "--tproxy-mark=0x10",
                                            "--route-table=77",
                                            "--self-calls=proxy",
                                            "--dns-port=15053",
                                            "--drop-invalid",
                                            "--dry-run",
                                            "--clean",
                                            "--backend=legacy",
                                            "--wait=5",
                                            "--log-level=debug",
                                            "--ipv6=on"};
    static const char *const none[] = {NULL};
    struct arena *a = arena_new(4096, SIZE_MAX);
    struct ipt_options o;
    struct diag d;
    T_ASSERT(read_options(a, none, args, &o, &d) == OK, "%s: %s", d.path, d.msg);
    T_EXPECT(o.uid.set && o.uid.id == 0 && !o.gid.set);
    T_EXPECT(o.all_app_ports && o.app_ports.n == 0 && o.ingress_ignored_ports.n == 1);
    T_EXPECT(o.egress_only_ips.n == 1 && o.exclude_interfaces.n == 1);
    T_EXPECT(o.mode == IPT_TPROXY && o.tproxy_mark == 16 && o.route_table == 77);
    T_EXPECT(o.self_calls == IPT_SELF_PROXY && o.dns_port == 15053);
    T_EXPECT(o.drop_invalid && o.dry_run && o.action == IPT_CLEAN);
    T_EXPECT(o.backend == IPT_BACKEND_LEGACY && o.wait_s == 5 && o.ipv6 == IPT_IPV6_ON);
    T_EXPECT_EQ(o.log_level, LOG_DEBUG, "log level");
    arena_free(&a);
}

/* Which of four sources an egress port comes from: two variables, two arguments. */
T(options, precedence)
{
    static const struct {
        const char *row, *env[3], *args[3];
        uint16_t want;
    } rows[] = {
#define MESH "APPMESH_ENVOY_EGRESS_PORT="
#define ECS "ProxyEgressPort="
#define FLAG "--egress-port="
        {"App Mesh alone",              {MESH "1"},          {NULL},              1},
        {"ECS environment over it",     {ECS "2", MESH "1"}, {NULL},              2},
        {"argument over environment",   {MESH "1", ECS "2"}, {ECS "3"},           3},
        {"flag over all, in any place", {ECS "2"},           {FLAG "4", ECS "3"}, 4},
        {"an empty variable is none",   {MESH "1", ECS " "}, {NULL},              1},
        {"an empty property is none",   {MESH "1"},          {ECS},               1},
        {"a loser is not read",         {MESH "x"},          {FLAG "4"},          4},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new(4096, SIZE_MAX);
        const char *args[] = {"--ignore-uid=1", rows[i].args[0], rows[i].args[1], NULL};
        struct ipt_options o = {0};
        struct diag d;
        T_EXPECT_EQ(read_options(a, rows[i].env, args, &o, &d), OK, rows[i].row);
        T_EXPECT_EQ(o.egress_port, rows[i].want, rows[i].row);
        arena_free(&a);
    }
}

T(options, an_empty_list_flag_empties_the_list)
{
    static const char *const env[] = {NEEDED, "APPMESH_EGRESS_IGNORED_IP=10.0.0.1", NULL};
    static const char *const args[] = {"--egress-ignored-ips", "", NULL};
    struct arena *a = arena_new(4096, SIZE_MAX);
    struct ipt_options o;
    struct diag d;
    T_ASSERT(read_options(a, env, args, &o, &d) == OK, "%s", d.msg);
    T_EXPECT_EQ(o.egress_ignored_ips.n, 0, "none left");
    arena_free(&a);
}

/* NAME=VALUE as it is given: a flag or property as an argument, the rest in the environment. */
T(options, refusals_name_the_source_and_the_value)
{
    static const struct {
        const char *given, *msg; /* msg: a part of it */
    } rows[] = {
        {"APPMESH_IGNORE_UID=root",               "\"root\" is not a numeric id"             },
        {"APPMESH_IGNORE_GID=-1",                 "\"-1\" is not a numeric id"               },
        {"APPMESH_ENABLE_IPV6=maybe",             "\"maybe\" is not one of auto, on, off"    },
        {"APPMESH_START_ENABLED=yes",             "\"yes\" is not a boolean"                 },
        {"APPMESH_APP_PORTS=80,x",                "\"x\" is not a port"                      },
        {"APPMESH_EGRESS_IGNORED_IP=10.0.0.0/40", "\"10.0.0.0/40\" has a prefix length"      },
        {"EgressIgnoredPorts=http",               "\"http\" is not a port"                   },
        {"ProxyEgressPort=99999",                 "\"99999\" is not a port"                  },
        {"--egress-port=0",                       "\"0\" is not a port"                      },
        {"--mode=nat",                            "\"nat\" is not one of redirect, tproxy"   },
        {"--ipv6=yes",                            "\"yes\" is not one of auto, on, off"      },
        {"--backend=nftables",                    "not one of auto, nft, legacy"             },
        {"--self-calls=1",                        "not one of direct, proxy"                 },
        {"--wait=0",                              "\"0\" is not a number of seconds (1-3600)"},
        {"--wait=3601",                           "\"3601\""                                 },
        {"--route-table=254",                     "254 is a table of the system"             },
        {"--tproxy-mark=0",                       "\"0\" is not a number"                    },
        {"--iptables=iptables",                   "\"iptables\" is not an absolute path"     },
        {"--iptables=/sbin/nft",                  "\"/sbin/nft\" is not"                     },
        {"--log-level=loud",                      "\"loud\" is not a log level"              },
        {"--dns-port=dns",                        "\"dns\" is not a port"                    },
        {"--exclude-interfaces=a b",              "\"a b\" is not an interface name"         },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new(4096, SIZE_MAX);
        struct ipt_options o;
        struct diag d;
        struct sv given = sv_str(rows[i].given);
        const char *one[] = {rows[i].given, NULL}, *none[] = {NULL};
        bool env = sv_starts(given, SV("APPMESH_"));
        enum err e = read_options(a, env ? one : none, env ? none : one, &o, &d);
        T_EXPECT_EQ(e, E_PARSE, rows[i].given);
        T_EXPECT_SV(sv_str(d.path), sv_of(given.p, sv_find(given, '=', 0)), rows[i].given);
        T_EXPECT(strstr(d.msg, rows[i].msg) != NULL, "%s: %s", rows[i].given, d.msg);
        arena_free(&a);
    }
}

T(options, arguments_that_are_none)
{
    /* clang-format off */
    static const struct {
        const char *args[3];
        enum err e;
        const char *msg;
    } rows[] = {
        {{"--no-such"}, E_NOTFOUND, "unknown flag \"--no-such\" (see --help)"},
        {{"--no-such=1"}, E_NOTFOUND, "unknown flag \"--no-such\" (see --help)"},
        {{"-v"}, E_NOTFOUND, "unknown flag \"-v\" (see --help)"},
        {{"--egress-port"}, E_PARSE, "--egress-port needs a value (PORT)"},
        {{"--egress-port="}, E_PARSE, "--egress-port needs a value (PORT)"},
        {{"--egress-port", " "}, E_PARSE, "--egress-port needs a value (PORT)"},
        {{"--clean=1"}, E_PARSE, "--clean takes no value"},
        {{"--clean", "--clean"}, E_CONFLICT, "--clean is given twice"},
        {{"AppPorts=1", "AppPorts=2"}, E_CONFLICT, "AppPorts is given twice"},
        {{"AppPort=1"}, E_NOTFOUND, "unknown property \"AppPort\" (see --help)"},
        {{"APPMESH_APP_PORTS=1"},
         E_NOTFOUND, "unknown property \"APPMESH_APP_PORTS\" (see --help)"},
        {{"=1"}, E_NOTFOUND, "unknown property \"\" (see --help)"},
        {{"install"}, E_PARSE, "unexpected argument \"install\" (neither a flag nor NAME=VALUE)"},
        {{""}, E_PARSE, "unexpected argument \"\" (neither a flag nor NAME=VALUE)"},
    };
    /* clang-format on */
    static const char *const none[] = {NULL};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new(4096, SIZE_MAX);
        struct ipt_options o;
        struct diag d;
        T_EXPECT_EQ(read_options(a, none, rows[i].args, &o, &d), rows[i].e, rows[i].msg);
        T_EXPECT_SV(sv_str(d.msg), sv_str(rows[i].msg), rows[i].args[0]);
        T_EXPECT_SV(sv_str(d.path), SV(""), rows[i].args[0]);
        arena_free(&a);
    }
}

#define OUT "IgnoredUID=1337 ProxyEgressPort=15001 "
#define IN "ProxyIngressPort=15000 AppPorts=8080 "

T(options, combinations)
{
    static const struct {
        const char *args, *msg; /* msg: a part of the refusal; NULL: none */
    } rows[] = {
        {OUT,                                              NULL                         },
        {"--ignore-gid=1 --egress-port=2",                 NULL                         },
        {OUT IN,                                           NULL                         },
        {OUT IN "--app-ports=15000:15010",                 NULL                         },
        {"--clean",                                        NULL                         },
        {"",                                               "IgnoredUID"                 },
        {"ProxyEgressPort=15001",                          "APPMESH_IGNORE_UID"         },
        {"IgnoredUID=1337",                                "APPMESH_ENVOY_EGRESS_PORT"  },
        {OUT "AppPorts=1",                                 "ProxyIngressPort is missing"},
        {OUT "AppPorts=*",                                 "ProxyIngressPort is missing"},
        {OUT "ProxyIngressPort=1",                         "AppPorts is missing"        },
        {OUT IN "--ingress-port=15001",                    "must differ"                },
        {OUT "--dns-port=15001",                           "must differ"                },
        {OUT IN "--dns-port=15000",                        "must differ"                },
        {OUT IN "--app-ports=80,15001",                    "application port 15001"     },
        {OUT IN "--app-ports=80,15000",                    "application port 15000"     },
        {OUT "--mode=tproxy",                              "--mode tproxy"              },
        {OUT "--self-calls=proxy",                         "--self-calls"               },
        {OUT IN "--ingress-ignored-ports=1",               "--app-ports '*'"            },
        {OUT "--iptables=/sbin/iptables --backend=legacy", "exclude each other"         },
    };
    static const char *const none[] = {NULL};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new(4096, SIZE_MAX);
        const char *args[WORDS] = {NULL};
        size_t n = 0;
        struct ipt_options o;
        struct diag d;
        for (struct sv rest = sv_str(rows[i].args), word; sv_split(&rest, ' ', &word);)
            if (word.n > 0)
                args[n++] = arena_dup(a, word).p;
        enum err e = read_options(a, none, args, &o, &d);
        T_EXPECT_EQ(e, rows[i].msg == NULL ? OK : E_CONFLICT, rows[i].args);
        if (rows[i].msg != NULL)
            T_EXPECT(strstr(d.msg, rows[i].msg) != NULL, "%s: %s", rows[i].args, d.msg);
        arena_free(&a);
    }
}

T(options, start_enabled)
{
    static const struct {
        const char *env[4];
        bool disabled;
    } rows[] = {
        {{NEEDED},                                false},
        {{NEEDED, "APPMESH_START_ENABLED="},      false},
        {{NEEDED, "APPMESH_START_ENABLED=true"},  false},
        {{NEEDED, "APPMESH_START_ENABLED= 0 "},   true },
        {{NEEDED, "APPMESH_START_ENABLED=false"}, true },
        {{"APPMESH_START_ENABLED=0"},             true }, /* and nothing else is needed */
    };
    static const char *const none[] = {NULL};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new(4096, SIZE_MAX);
        struct ipt_options o = {0};
        struct diag d;
        T_EXPECT_EQ(read_options(a, rows[i].env, none, &o, &d), OK, rows[i].env[0]);
        T_EXPECT(o.disabled == rows[i].disabled, "row %zu", i);
        arena_free(&a);
    }
}

/* Even with a broken environment and in the company of any other flag. */
T(options, questions_are_always_answered)
{
    static const char *const env[] = {"APPMESH_APP_PORTS=x", NULL};
    static const char *const help[] = {"--clean", "--version", "--help", NULL};
    static const char *const version[] = {"--clean", "--version", NULL};
    struct arena *a = arena_new(4096, SIZE_MAX);
    struct ipt_options o = {0};
    struct diag d;
    T_EXPECT_EQ(read_options(a, env, help, &o, &d), OK, "help");
    T_EXPECT_EQ(o.action, IPT_HELP, "help");
    T_EXPECT_EQ(read_options(a, env, version, &o, &d), OK, "version");
    T_EXPECT_EQ(o.action, IPT_VERSION, "version");
    arena_free(&a);
}

T(options, help_names_everything)
{
    static const char *const names[] = {
        "--ignore-uid",
        "--ignore-gid",
        "--egress-port",
        "--ingress-port",
        "--app-ports",
        "--egress-ignored-ips",
        "--egress-only-ips",
        "--egress-ignored-ports",
        "--ingress-ignored-ports",
        "--exclude-interfaces",
        "--ipv6 auto|on|off",
        "--mode redirect|tproxy",
        "--tproxy-mark",
        "--route-table",
        "--dry-run",
        "--clean",
        "--drop-invalid",
        "--dns-port",
        "--iptables",
        "--backend",
        "--wait",
        "--help",
        "--version",
        "--log-level",
        "--self-calls",
        "APPMESH_START_ENABLED",
        "APPMESH_ENABLE_IPV6",
        "APPMESH_IGNORE_UID",
        "APPMESH_IGNORE_GID",
        "APPMESH_ENVOY_EGRESS_PORT",
        "APPMESH_APP_PORTS",
        "APPMESH_EGRESS_IGNORED_IP",
        "APPMESH_EGRESS_IGNORED_PORTS",
        "IgnoredUID",
        "IgnoredGID",
        "ProxyIngressPort",
        "ProxyEgressPort",
        "AppPorts",
        "EgressIgnoredIPs",
        "EgressIgnoredPorts",
        "APPMESH_ENVOY_INGRESS_PORT",
    };
    struct str help;
    str_init(&help, 0);
    ipt_options_help(&help);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        T_EXPECT(strstr(help.p, names[i]) != NULL, "%s", names[i]);
    str_fini(&help);
}
