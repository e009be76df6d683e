/* Field masks over messages. */
#include "config/reflect/reflect.h"
#include "envoy/admin/v3/config_dump.pb-c.h"
#include "envoy/admin/v3/config_dump_shared.pb-c.h"
#include "proxy/admin/mask.h"
#include "tests/support/t.h"

/* Keeps the rows of wide tables within the line. */
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static ProtobufCMessage *parsed(const char *json, const ProtobufCMessageDescriptor *type,
                                struct arena *a)
{
    struct reflect_text in = {.text = sv_str(json), .syntax = REFLECT_JSON};
    struct diag d = {0};
    ProtobufCMessage *m = NULL;
    T_EXPECT(reflect_parse(&in, type, a, &m, &d) == OK, "%s", d.msg);
    return m;
}

T(mask, parse)
{
    struct mask m;
    T_ASSERT(mask_parse(SV("a,b.c,,d,"), &m) == OK);
    T_EXPECT_EQ(m.n, 3, "");
    T_EXPECT_SV(m.path[1], SV("b.c"), "");
    T_ASSERT(mask_parse(SV(""), &m) == OK && m.n == 0);
    char many[200] = "";
    for (int i = 0; i <= MASK_PATHS_MAX; i++)
        strcat(many, "a,");
    T_EXPECT_EQ(mask_parse(sv_str(many), &m), E_LIMIT, "");
}

static const char bootstrap[] = "{\"bootstrap\":{\"node\":{\"id\":\"n1\",\"cluster\":\"c1\",\"user_"
                                "agent_name\":\"w\"},\"admin\":{\"address\":"
                                "{\"socket_address\":{\"address\":\"127.0.0.1\",\"port_value\":7}}}"
                                ",\"static_resources\":{\"clusters\":[{\"name\":\"x\"}]}},"
                                "\"last_updated\":\"2026-11-24T10:42:21.498Z\"}";

static const char cluster[] =
    "{\"cluster\":{\"@type\":\"type.googleapis.com/"
    "envoy.config.cluster.v3.Cluster\",\"name\":\"up\",\"type\":\"STATIC\","
    "\"load_assignment\":{\"cluster_name\":\"up\"},\"circuit_breakers\":{\"thresholds\":[{"
    "\"priority\":\"HIGH\"}]}},"
    "\"last_updated\":\"2026-11-24T10:42:21.510Z\"}";

/* want NULL: E_NOTFOUND */
static const struct {
    bool any;
    const char *mask, *want;
} rows[] = {
    ROW(false, "bootstrap.node.id", "{\"bootstrap\":{\"node\":{\"id\":\"n1\"}}}"),
    ROW(false, "bootstrap.node.id,bootstrap.node.cluster",
        "{\"bootstrap\":{\"node\":{\"id\":\"n1\",\"cluster\":\"c1\"}}}"),
    ROW(false, "bootstrap.node,bootstrap.node.id",
        "{\"bootstrap\":{\"node\":{\"id\":\"n1\",\"cluster\":\"c1\",\"user_agent_name\":\"w\"}}}"),
    ROW(false, "last_updated", "{\"last_updated\":\"2026-11-24T10:42:21.498Z\"}"),
    ROW(false, "bootstrap.admin.address.socket_address.port_value",
        "{\"bootstrap\":{\"admin\":{\"address\":{\"socket_address\":{\"port_value\":7}}}}}"),
    ROW(false, "bootstrap.admin.address.socket_address.address",
        "{\"bootstrap\":{\"admin\":{\"address\":{\"socket_address\":{\"address\":\"127.0.0.1\"}}}}"
        "}"),
    ROW(false, "bootstrap.static_resources.clusters",
        "{\"bootstrap\":{\"static_resources\":{\"clusters\":[{\"name\":\"x\"}]}}}"),
    ROW(false, "bootstrap.static_resources.clusters.name", NULL),
    ROW(false, "bootstrap.node.id.x", NULL),
    ROW(false, "bootstrap.nope", NULL),
    ROW(false, "bootstrap..node", NULL),
    ROW(false, "bootstrap.node.id,nope", NULL),
    ROW(false, ".", NULL),
    ROW(true, "cluster.name",
        "{\"cluster\":{\"@type\":\"type.googleapis.com/"
        "envoy.config.cluster.v3.Cluster\",\"name\":\"up\"}}"),
    ROW(true, "cluster.load_assignment.cluster_name",
        "{\"cluster\":{\"@type\":\"type.googleapis.com/"
        "envoy.config.cluster.v3.Cluster\",\"load_assignment\":{\"cluster_name\":\"up\"}}}"),
    ROW(true, "cluster.alt_stat_name",
        "{\"cluster\":{\"@type\":\"type.googleapis.com/envoy.config.cluster.v3.Cluster\"}}"),
    ROW(true, "last_updated", "{\"last_updated\":\"2026-11-24T10:42:21.510Z\"}"),
    ROW(true, "cluster", NULL),
    ROW(true, "cluster.nope", NULL),
    ROW(true, "cluster.circuit_breakers.thresholds.priority", NULL),
};

T(mask, apply)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new(4096, SIZE_MAX);
        const ProtobufCMessage *out = NULL;
        struct mask mask;
        struct str before, after, got;
        ProtobufCMessage *m =
            rows[i].any
                ? parsed(cluster,
                         &envoy__admin__v3__clusters_config_dump__static_cluster__descriptor, a)
                : parsed(bootstrap, &envoy__admin__v3__bootstrap_config_dump__descriptor, a);
        str_init(&before, 0);
        str_init(&after, 0);
        str_init(&got, 0);
        T_EXPECT(reflect_print_json(m, 0, &before, NULL) == OK);
        T_ASSERT(mask_parse(sv_str(rows[i].mask), &mask) == OK);
        T_EXPECT_EQ(mask_apply(&mask, rows[i].any, m, a, &out),
                    rows[i].want != NULL ? OK : E_NOTFOUND, rows[i].mask);
        if (out != NULL)
            T_EXPECT(reflect_print_json(out, 0, &got, NULL) == OK);
        T_EXPECT_SV(str_sv(&got), sv_str(rows[i].want), rows[i].mask);
        T_EXPECT(reflect_print_json(m, 0, &after, NULL) == OK);
        T_EXPECT_SV(str_sv(&after), str_sv(&before), "the original is not touched");
        str_fini(&before);
        str_fini(&after);
        str_fini(&got);
        arena_free(&a);
    }
}

T(mask, no_memory)
{
    struct arena *a = arena_new(4096, SIZE_MAX), *full = arena_new(64, 16);
    const ProtobufCMessage *out = NULL;
    struct mask mask;
    T_ASSERT(mask_parse(SV("last_updated"), &mask) == OK);
    T_EXPECT_EQ(
        mask_apply(&mask, false,
                   parsed(bootstrap, &envoy__admin__v3__bootstrap_config_dump__descriptor, a), full,
                   &out),
        E_NOMEM, "");
    arena_free(&full);
    arena_free(&a);
}
