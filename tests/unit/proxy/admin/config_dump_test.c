/* /config_dump: parts, one kind of resource, names, masks, and refusals in a real Envoy 1.40's
 * words. */
#include "site.h"
#include <stdio.h>

/* Keeps the rows of wide tables within the line. */
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

#define HEAD "{\n \"configs\": [\n"
#define TAIL "\n ]\n}\n"
#define BOOTSTRAP_NODE "    \"node\": {\n     \"id\": \"n1\",\n     \"cluster\": \"c1\"\n    }"
#define T_BOOTSTRAP "   \"@type\": \"type.googleapis.com/envoy.admin.v3.BootstrapConfigDump\""
#define BOOTSTRAP                                                                                  \
    "  {\n" T_BOOTSTRAP ",\n   \"bootstrap\": {\n" BOOTSTRAP_NODE ",\n    \"admin\": {\n     "     \
    "\"address\": {\n      \"socket_address\": {\n       \"address\": \"127.0.0.1\",\n       "     \
    "\"port_value\": 0\n      }\n     }\n    }\n   },\n   \"last_updated\": "                      \
    "\"2026-11-24T10:42:21.498Z\"\n  }"
#define ANY_CLUSTER "\"@type\": \"type.googleapis.com/envoy.config.cluster.v3.Cluster\""
#define T_STATIC                                                                                   \
    "   \"@type\": \"type.googleapis.com/envoy.admin.v3.ClustersConfigDump.StaticCluster\""
#define LIST_EMPTY                                                                                 \
    "  {\n" T_STATIC ",\n   \"cluster\": {\n    " ANY_CLUSTER ",\n    \"name\": \"empty\",\n    "  \
    "\"type\": \"STATIC\"\n   },\n   \"last_updated\": \"2026-11-24T10:42:21.509Z\"\n  }"
#define LIST_UP                                                                                    \
    "  {\n" T_STATIC ",\n   \"cluster\": {\n    " ANY_CLUSTER ",\n    \"name\": \"up\",\n    "     \
    "\"type\": \"STATIC\",\n    \"circuit_breakers\": {\n     \"thresholds\": [\n      {\n       " \
    "\"priority\": \"HIGH\"\n      }\n     ]\n    },\n    \"load_assignment\": {\n     "           \
    "\"cluster_name\": \"up\"\n    }\n   },\n   \"last_updated\": \"2026-11-24T10:42:21.510Z\"\n " \
    " }"
#define NAMES_OF(name)                                                                             \
    "  {\n" T_STATIC ",\n   \"cluster\": {\n    " ANY_CLUSTER ",\n    \"name\": \"" name           \
    "\"\n   }\n  }"
#define BARE(type) "  {\n   \"@type\": \"type.googleapis.com/envoy.admin.v3." type "\"\n  }"

static const struct {
    const char *query;
    unsigned code;
    const char *want;
} rows[] = {
    ROW("?resource=static_clusters", 200, HEAD LIST_EMPTY ",\n" LIST_UP TAIL),
    ROW("?resource=static_clusters&name_regex=u.*", 200, HEAD LIST_UP TAIL),
    ROW("?resource=static_clusters&name_regex=u", 200, "{}\n"),
    ROW("?resource=static_clusters&mask=cluster.name", 200,
        HEAD NAMES_OF("empty") ",\n" NAMES_OF("up") TAIL),
    ROW("?resource=static_listeners", 200, "{}\n"),
    ROW("?resource=dynamic_listeners", 200, "{}\n"),
    ROW("?mask=bootstrap.node", 200,
        HEAD "  {\n" T_BOOTSTRAP ",\n   \"bootstrap\": {\n" BOOTSTRAP_NODE "\n   }\n  }" TAIL),
    ROW("?mask=last_updated", 200,
        HEAD "  {\n" T_BOOTSTRAP ",\n   \"last_updated\": \"2026-11-24T10:42:21.498Z\"\n  }" TAIL),
    ROW("?mask=static_clusters&name_regex=nope", 200, HEAD BARE("ClustersConfigDump") TAIL),
    ROW("?name_regex=nope", 200,
        HEAD BOOTSTRAP
        ",\n" BARE("ClustersConfigDump") ",\n" BARE("ListenersConfigDump") ",\n" BARE(
            "ScopedRoutesConfigDump") ",\n" BARE("RoutesConfigDump") ",\n" BARE("SecretsConfigDump")
            TAIL),
    ROW("?resource=foo", 404, "foo not found in config dump"),
    ROW("?resource=dynamic_secrets", 404, "dynamic_secrets not found in config dump"),
    ROW("?resource=bootstrap", 400,
        "bootstrap is not a repeated field. Use ?mask=bootstrap to get only this field"),
    ROW("?resource=version_info", 400,
        "version_info is not a repeated field. Use ?mask=version_info to get only this field"),
    ROW("?mask=foo", 400, "FieldMask foo could not be successfully applied to any configs."),
    ROW("?mask=bootstrap,static_clusters", 400,
        "FieldMask bootstrap,static_clusters could not be successfully applied to any configs."),
    ROW("?resource=static_clusters&mask=name,nope", 400,
        "FieldMask paths: \"name\"\npaths: \"nope\"\n could not be successfully used."),
    ROW("?name_regex=(", 400,
        "INVALID_ARGUMENT: Error while parsing name_regex from (: missing ): ("),
};

T(admin_config_dump, answers)
{
    struct site s;
    site_open(&s);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char target[200];
        snprintf(target, sizeof(target), "/config_dump%s", rows[i].query);
        site_expect(&s, "GET", target, rows[i].code, rows[i].want);
        T_EXPECT_SV(site_header(&s, "content-type: "),
                    rows[i].code == 200 ? SV("application/json") : SV("text/plain"), rows[i].query);
    }
    site_close(&s);
}

T(admin_config_dump, all_of_it)
{
    struct site s;
    struct sv body;
    site_open(&s);
    T_EXPECT_EQ(site_ask(&s, "GET", "/config_dump", &body), 200, "");
    T_EXPECT(sv_starts(
        body,
        SV(HEAD BOOTSTRAP
           ",\n  {\n   \"@type\": "
           "\"type.googleapis.com/envoy.admin.v3.ClustersConfigDump\",\n"
           "   \"static_clusters\": [\n    {\n     \"cluster\": {\n      " ANY_CLUSTER ",\n")));
    T_EXPECT(sv_ends(body, SV(BARE("SecretsConfigDump") TAIL)));
    site_close(&s);
}

T(admin_config_dump, limits_and_memory)
{
    struct site s;
    struct str many;
    struct sv body;
    site_open(&s);
    str_init(&many, 0);
    str_add(&many, SV("/config_dump?mask="));
    for (int i = 0; i < 40; i++)
        str_add(&many, SV("bootstrap,"));
    T_EXPECT_EQ(site_ask(&s, "GET", many.p, &body), 400, "");
    T_EXPECT_SV(body, SV("FieldMask has more than 32 paths"), "");
    str_fini(&many);
    s.no_memory = true;
    T_EXPECT_EQ(site_ask(&s, "GET", "/config_dump", &body), 500, "");
    site_close(&s);
}
