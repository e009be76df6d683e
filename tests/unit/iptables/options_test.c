/* Sources and their precedence, combinations that are refused, and the texts of refusals. */
#include "base/str.h"
#include "iptables/options.h"
#include "tests/support/t.h"

enum { WORDS = 24 };

#define NEEDED "APPMESH_IGNORE_UID=1337", "APPMESH_ENVOY_EGRESS_PORT=15001"
#define INBOUND "APPMESH_ENVOY_INGRESS_PORT=15000", "APPMESH_APP_PORTS=8080"

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

/* Which of four sources an egress port comes from. */
T(options, precedence)
{
    static const struct {
        const char *row, *env[WORDS], *args[WORDS];
        uint16_t want;
    } rows[] = {
        {"App Mesh alone",                    {"APPMESH_ENVOY_EGRESS_PORT=1"}, {NULL},               1},
        {"ECS environment over App Mesh",
         {"ProxyEgressPort=2", "APPMESH_ENVOY_EGRESS_PORT=1"},
         {NULL},
         2                                                                                            },
        {"argument over environment",
         {"APPMESH_ENVOY_EGRESS_PORT=1", "ProxyEgressPort=2"},
         {"ProxyEgressPort=3"},
         3                                                                                            },
        {"flag over all, wherever it stands",
         {"ProxyEgressPort=2"},
         {"--egress-port=4", "ProxyEgressPort=3"},
         4                                                                                            },
        {"an empty variable is none",
         {"APPMESH_ENVOY_EGRESS_PORT=1", "ProxyEgressPort= "},
         {NULL},
         1                                                                                            },
        {"an empty property is none",         {"APPMESH_ENVOY_EGRESS_PORT=1"}, {"ProxyEgressPort="}, 1},
        {"a loser is not read",               {"APPMESH_ENVOY_EGRESS_PORT=x"}, {"--egress-port=4"},  4},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new(4096, SIZE_MAX);
        const char *args[WORDS + 1] = {"--ignore-uid=1"};
        struct ipt_options o = {0};
        struct diag d;
        memcpy(args + 1, rows[i].args, sizeof(rows[i].args));
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

T(options, refusals_name_the_source_and_the_value)
{
    static const struct {
        const char *env[WORDS], *args[WORDS];
        enum err e;
        const char *path, *msg; /* msg: a part of it */
    } rows[] = {
        {{"APPMESH_IGNORE_UID=root"},
         {NULL},
         E_PARSE,                                                                             "APPMESH_IGNORE_UID",
         "\"root\" is not a numeric id"                                                                                                                            },
        {{"APPMESH_IGNORE_GID=-1"},                 {NULL},                       E_PARSE,    "APPMESH_IGNORE_GID",        "\"-1\""                                },
        {{"APPMESH_ENABLE_IPV6=maybe"},
         {NULL},
         E_PARSE,                                                                             "APPMESH_ENABLE_IPV6",
         "\"maybe\" is not one of auto"                                                                                                                            },
        {{"APPMESH_START_ENABLED=yes"},
         {NULL},
         E_PARSE,                                                                             "APPMESH_START_ENABLED",
         "\"yes\" is not a boolean"                                                                                                                                },
        {{"APPMESH_APP_PORTS=80,x"},                {NULL},                       E_PARSE,    "APPMESH_APP_PORTS",         "\"x\" is not a port"                   },
        {{"APPMESH_EGRESS_IGNORED_IP=10.0.0.0/40"},
         {NULL},
         E_PARSE,                                                                             "APPMESH_EGRESS_IGNORED_IP",
         "/40"                                                                                                                                                     },
        {{"EgressIgnoredPorts=http"},               {NULL},                       E_PARSE,    "EgressIgnoredPorts",        "\"http\""                              },
        {{NULL},                                    {"ProxyEgressPort=99999"},    E_PARSE,    "ProxyEgressPort",           "\"99999\" is not a port"               },
        {{NULL},                                    {"--egress-port", "0"},       E_PARSE,    "--egress-port",             "\"0\" is not a port"                   },
        {{NULL},                                    {"--mode=nat"},               E_PARSE,    "--mode",                    "\"nat\" is not one of redirect, tproxy"},
        {{NULL},                                    {"--ipv6=yes"},               E_PARSE,    "--ipv6",                    "not one of auto, on, off"              },
        {{NULL},                                    {"--backend=nftables"},       E_PARSE,    "--backend",                 "not one of auto, nft, legacy"          },
        {{NULL},                                    {"--self-calls=1"},           E_PARSE,    "--self-calls",              "direct, proxy"                         },
        {{NULL},                                    {"--wait=0"},                 E_PARSE,    "--wait",                    "(1-3600)"                              },
        {{NULL},                                    {"--wait=3601"},              E_PARSE,    "--wait",                    "\"3601\""                              },
        {{NULL},                                    {"--route-table=254"},        E_PARSE,    "--route-table",             "254 is a table of the system"          },
        {{NULL},                                    {"--tproxy-mark=0"},          E_PARSE,    "--tproxy-mark",             "\"0\" is not a number"                 },
        {{NULL},                                    {"--iptables=iptables"},      E_PARSE,    "--iptables",                "absolute path"                         },
        {{NULL},                                    {"--iptables=/sbin/nft"},     E_PARSE,    "--iptables",                "\"/sbin/nft\""                         },
        {{NULL},                                    {"--log-level=loud"},         E_PARSE,    "--log-level",               "\"loud\" is not a log level"           },
        {{NULL},                                    {"--dns-port=dns"},           E_PARSE,    "--dns-port",                "\"dns\""                               },
        {{NULL},                                    {"--exclude-interfaces=a b"}, E_PARSE,    "--exclude-interfaces",      "\"a b\""                               },
        {{NULL},                                    {"--no-such"},                E_NOTFOUND, "",                          "unknown flag \"--no-such\""            },
        {{NULL},                                    {"-v"},                       E_NOTFOUND, "",                          "unknown flag \"-v\""                   },
        {{NULL},                                    {"--egress-port"},            E_PARSE,    "",                          "--egress-port needs a value (PORT)"    },
        {{NULL},                                    {"--egress-port="},           E_PARSE,    "",                          "--egress-port needs a value (PORT)"    },
        {{NULL},                                    {"--clean=1"},                E_PARSE,    "",                          "--clean takes no value"                },
        {{NULL},                                    {"--clean", "--clean"},       E_CONFLICT, "",                          "--clean is given twice"                },
        {{NULL},                                    {"AppPorts=1", "AppPorts=2"}, E_CONFLICT, "",                          "AppPorts is given twice"               },
        {{NULL},                                    {"AppPort=1"},                E_NOTFOUND, "",                          "unknown property \"AppPort\""          },
        {{NULL},                                    {"=1"},                       E_NOTFOUND, "",                          "unknown property \"\""                 },
        {{NULL},                                    {"install"},                  E_PARSE,    "",                          "unexpected argument \"install\""       },
        {{NULL},                                    {""},                         E_PARSE,    "",                          "unexpected argument \"\""              },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new(4096, SIZE_MAX);
        struct ipt_options o;
        struct diag d;
        T_EXPECT_EQ(read_options(a, rows[i].env, rows[i].args, &o, &d), rows[i].e, rows[i].msg);
        T_EXPECT_SV(sv_str(d.path), sv_str(rows[i].path), rows[i].msg);
        T_EXPECT(strstr(d.msg, rows[i].msg) != NULL, "got '%s', want '%s'", d.msg, rows[i].msg);
        arena_free(&a);
    }
}

T(options, combinations)
{
    static const struct {
        const char *row, *env[WORDS], *args[WORDS];
        enum err e;
        const char *msg; /* a part of it; NULL: none */
    } rows[] = {
        {"the least",                  {NEEDED},                            {NULL},                                OK,         NULL                                           },
        {"group instead of user",      {NULL},                              {"--ignore-gid=1", "--egress-port=2"}, OK,         NULL                                           },
        {"both directions",            {NEEDED, INBOUND},                   {NULL},                                OK,         NULL                                           },
        {"nothing",                    {NULL},                              {NULL},                                E_CONFLICT, "IgnoredUID"                                   },
        {"nobody ignored",             {"APPMESH_ENVOY_EGRESS_PORT=15001"}, {NULL},                                E_CONFLICT, "IgnoredUID"                                   },
        {"no egress port",
         {"APPMESH_IGNORE_UID=1"},
         {NULL},
         E_CONFLICT,                                                                                                           "APPMESH_ENVOY_EGRESS_PORT"                    },
        {"app ports alone",            {NEEDED},                            {"AppPorts=1"},                        E_CONFLICT, "ProxyIngressPort is missing"                  },
        {"all app ports alone",
         {NEEDED},
         {"AppPorts=*"},
         E_CONFLICT,                                                                                                           "ProxyIngressPort is missing"                  },
        {"ingress port alone",         {NEEDED},                            {"ProxyIngressPort=1"},                E_CONFLICT, "AppPorts is missing"                          },
        {"one port for both",
         {NEEDED, INBOUND},
         {"--ingress-port=15001"},
         E_CONFLICT,                                                                                                           "must differ"                                  },
        {"DNS on the egress port",     {NEEDED},                            {"--dns-port=15001"},                  E_CONFLICT, "must differ"                                  },
        {"DNS on the ingress port",
         {NEEDED, INBOUND},
         {"--dns-port=15000"},
         E_CONFLICT,                                                                                                           "must differ"                                  },
        {"own port as app port",
         {NEEDED, INBOUND},
         {"--app-ports=80,15001"},
         E_CONFLICT,                                                                                                           "application port 15001 is a port of the proxy"},
        {"own port in a range",        {NEEDED, INBOUND},                   {"--app-ports=15000:15010"},           OK,         NULL                                           },
        {"tproxy without inbound",     {NEEDED},                            {"--mode=tproxy"},                     E_CONFLICT, "--mode tproxy"                                },
        {"self calls without inbound",
         {NEEDED},
         {"--self-calls=proxy"},
         E_CONFLICT,                                                                                                           "--self-calls"                                 },
        {"ignored ports without *",
         {NEEDED, INBOUND},
         {"--ingress-ignored-ports=1"},
         E_CONFLICT,                                                                                                           "--app-ports '*'"                              },
        {"program and backend",
         {NEEDED},
         {"--iptables=/sbin/iptables", "--backend=nft"},
         E_CONFLICT,                                                                                                           "exclude each other"                           },
        {"cleaning needs nothing",     {NULL},                              {"--clean"},                           OK,         NULL                                           },
        {"switched off needs nothing", {"APPMESH_START_ENABLED=0"},         {NULL},                                OK,         NULL                                           },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new(4096, SIZE_MAX);
        struct ipt_options o;
        struct diag d;
        T_EXPECT_EQ(read_options(a, rows[i].env, rows[i].args, &o, &d), rows[i].e, rows[i].row);
        if (rows[i].msg != NULL)
            T_EXPECT(strstr(d.msg, rows[i].msg) != NULL, "%s: %s", rows[i].row, d.msg);
        arena_free(&a);
    }
}

T(options, start_enabled)
{
    static const struct {
        const char *env[WORDS];
        bool disabled;
    } rows[] = {
        {{NEEDED},                                false},
        {{NEEDED, "APPMESH_START_ENABLED="},      false},
        {{NEEDED, "APPMESH_START_ENABLED=true"},  false},
        {{NEEDED, "APPMESH_START_ENABLED= 0 "},   true },
        {{NEEDED, "APPMESH_START_ENABLED=false"}, true },
    };
    static const char *const none[] = {NULL};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new(4096, SIZE_MAX);
        struct ipt_options o = {0};
        struct diag d;
        T_EXPECT_EQ(read_options(a, rows[i].env, none, &o, &d), OK, "");
        T_EXPECT_EQ(o.disabled, rows[i].disabled,
                    rows[i].env[2] == NULL ? "unset" : rows[i].env[2]);
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
