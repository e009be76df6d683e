/* Loading: files, --config-yaml, node overrides, the verdict of --mode validate, the samples. */
#include "base/log.h"
#include "base/str.h"
#include "config/load.h"
#include "config/reflect/reflect.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb-c.h"
#include "tests/support/t.h"
#include "tests/unit/config/fake_registry.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of files, gone with files_fini. */
struct files {
    char dir[32];
    char path[16][64];
    size_t n;
};

static void files_init(struct files *f)
{
    *f = (struct files){.dir = "/tmp/weft_load_XXXXXX"};
    T_ASSERT(mkdtemp(f->dir) != NULL);
}

static const char *files_add(struct files *f, const char *name, const char *text)
{
    struct str text_path;
    str_init(&text_path, 0);
    str_addf(&text_path, "%s/%s", f->dir, name);
    char *path = f->path[f->n++];
    T_EXPECT(text_path.n < sizeof f->path[0]);
    memcpy(path, text_path.p, text_path.n + 1);
    str_fini(&text_path);
    FILE *out = fopen(path, "we");
    T_EXPECT(out != NULL && fputs(text, out) >= 0 && fclose(out) == 0, "cannot write %s", path);
    return path;
}

static void files_fini(struct files *f)
{
    while (f->n > 0)
        (void)unlink(f->path[--f->n]);
    (void)rmdir(f->dir);
}

static enum err load(const struct load_input *in, struct snap **out, struct diag *d)
{
    return load_snapshot(in, &fake_registry, NULL, out, d);
}

static const Envoy__Config__Core__V3__Node *node_of(const struct snap *s)
{
    return (const Envoy__Config__Core__V3__Node *)s->node;
}

static const Envoy__Config__Core__V3__Node *bootstrap_node(const struct snap *s)
{
    return ((const Envoy__Config__Bootstrap__V3__Bootstrap *)s->bootstrap)->node;
}

/* ---- files ---- */

T(load, syntax_by_name)
{
    static const struct {
        const char *name, *text, *want; /* want: part of the refusal, or NULL */
    } rows[] = {
        ROW("a.yaml", "node:\n  id: x\n", NULL),
        ROW("a.yml", "node:\n  id: x\n", NULL),
        ROW("A.YAML", "node:\n  id: x\n", NULL),
        ROW("flow.yaml", "{node: {id: x}}", NULL),
        ROW("flow.yml", "{node: {id: x}}", NULL),
        ROW("flow.conf", "{node: {id: x}}", "flow.conf:1:2"),
        ROW("a.json", "{\"node\": {\"id\": \"x\"}}", NULL),
        ROW("b.json", "node:\n  id: x\n", "b.json:1:1"),
        ROW("a.conf", "node:\n  id: x\n", NULL),
        ROW("b", " {\"node\": {\"id\": \"x\"}}", NULL),
        ROW("a.pb", "", "a.pb: protobuf files are unsupported"),
        ROW("a.pb_text", "node {}", "a.pb_text: protobuf files are unsupported"),
        ROW("empty.yaml", "", "empty.yaml:1:1"),
        ROW("bad.yaml", "node: [", "bad.yaml:"),
        ROW("field.yaml", "nodes: {}\n", "no such field 'nodes'"),
        ROW("rule.yaml", "stats_flush_interval: 0s\n",
            "BootstrapValidationError.StatsFlushInterval"),
    };
    struct files f;
    files_init(&f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct load_input in = {.path = files_add(&f, rows[i].name, rows[i].text)};
        struct snap *s = NULL;
        struct diag d = {0};
        enum err e = load(&in, &s, &d);
        T_EXPECT((e == OK) == (rows[i].want == NULL), "%s: %s", rows[i].name, d.msg);
        T_EXPECT(e == OK || strstr(d.msg, rows[i].want) != NULL, "%s: said %s", rows[i].name,
                 d.msg);
        if (e == OK)
            T_EXPECT_SV(sv_str(node_of(s)->id), SV("x"), rows[i].name);
        snap_drop(&s);
    }
    files_fini(&f);
}

T(load, refused_inputs)
{
    static const struct {
        struct load_input in;
        const char *want;
    } rows[] = {
        {{.path = ""},
         "At least one of --config-path or --config-yaml or Options::configProto() should be "
         "non-empty"                                                          },
        {{.path = NULL},              "At least one of --config-path"         },
        {{.path = "/nowhere/x.yaml"}, "Invalid path: /nowhere/x.yaml"         },
        {{.path = "/tmp"},            "Invalid path: /tmp"                    },
        {{.path = "/dev/null"},       "Invalid path: /dev/null"               },
        {{.yaml = "foo: 1"},          "--config-yaml:1:1: no such field 'foo'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct snap *s = NULL;
        struct diag d = {0};
        T_EXPECT(load(&rows[i].in, &s, &d) != OK && strstr(d.msg, rows[i].want) != NULL,
                 "said '%s', want '%s'", d.msg, rows[i].want);
    }
}

T(load, unknown_fields_allowed)
{
    struct load_input in = {.yaml = "{foo: 1, node: {id: x, bar: 2}}", .allow_unknown = true};
    struct snap *s = NULL;
    struct diag d = {0};
    T_ASSERT(load(&in, &s, &d) == OK, "%s", d.msg);
    T_EXPECT_SV(sv_str(node_of(s)->id), SV("x"), "id");
    snap_drop(&s);
}

/* ---- merging and overrides ---- */

T(load, merge)
{
    struct files f;
    files_init(&f);
    struct load_input in = {
        .path =
            files_add(&f, "a.yaml",
                      "node: {id: file, cluster: c}\nstatic_resources: {clusters: [{name: a}]}\n"),
        .yaml = "{node: {id: text}, static_resources: {clusters: [{name: b}]}}",
    };
    struct snap *s = NULL;
    struct diag d = {0};
    T_ASSERT(load(&in, &s, &d) == OK, "%s", d.msg);
    T_EXPECT_SV(sv_str(node_of(s)->id), SV("text"), "scalars replace");
    T_EXPECT_SV(sv_str(node_of(s)->cluster), SV("c"), "others stay");
    T_ASSERT(s->n_clusters == 2, "lists append");
    T_EXPECT_SV(s->clusters[1].name, SV("b"), "the file's come first");
    snap_drop(&s);
    files_fini(&f);
}

T(load, node_overrides)
{
    struct load_input in = {
        .yaml = "node: {id: a, cluster: b, locality: {region: r, zone: z}}",
        .node_id = "A",
        .node_cluster = "",
        .node_zone = "Z",
    };
    struct snap *s = NULL;
    struct diag d = {0};
    T_ASSERT(load(&in, &s, &d) == OK, "%s", d.msg);
    T_EXPECT_SV(sv_str(node_of(s)->id), SV("A"), "id");
    T_EXPECT_SV(sv_str(node_of(s)->cluster), SV("b"), "empty is not given");
    T_ASSERT(node_of(s)->locality != NULL);
    T_EXPECT_SV(sv_str(node_of(s)->locality->zone), SV("Z"), "zone");
    T_EXPECT_SV(sv_str(node_of(s)->locality->region), SV("r"), "region");
    T_EXPECT_SV(sv_str(node_of(s)->user_agent_name), SV("envoy"), "user agent");
    T_EXPECT_SV(sv_str(bootstrap_node(s)->id), SV("a"), "the bootstrap keeps its own");
    T_EXPECT_SV(sv_str(bootstrap_node(s)->locality->zone), SV("z"), "the bootstrap keeps its own");
    snap_drop(&s);

    in = (struct load_input){.yaml = "{}", .node_zone = "Z", .node_cluster = "C"};
    T_ASSERT(load(&in, &s, &d) == OK, "%s", d.msg);
    T_EXPECT_SV(sv_str(node_of(s)->cluster), SV("C"), "made up");
    T_EXPECT_SV(sv_str(node_of(s)->locality->zone), SV("Z"), "made up");
    T_EXPECT(bootstrap_node(s) != NULL && bootstrap_node(s)->locality == NULL);
    snap_drop(&s);
}

/* ---- the verdict ---- */

static int validate(const struct load_input *in, char *out, size_t room)
{
    FILE *f = fmemopen(out, room, "w");
    T_EXPECT(f != NULL);
    int code = f == NULL ? -1 : load_validate(in, &fake_registry, NULL, f);
    if (f != NULL)
        (void)fclose(f);
    return code;
}

T(load, validate)
{
    struct files f;
    char out[256] = "", want[128];
    files_init(&f);
    struct load_input in = {.path = files_add(&f, "a.yaml", "{}")};
    T_EXPECT_EQ(validate(&in, out, sizeof out), 0, "accepted");
    snprintf(want, sizeof want, "configuration '%s' OK\n", in.path);
    T_EXPECT_SV(sv_str(out), sv_str(want), "verdict");

    in = (struct load_input){.yaml = "{}"};
    T_EXPECT_EQ(validate(&in, out, sizeof out), 0, "accepted");
    T_EXPECT_SV(sv_str(out), SV("configuration '' OK\n"), "verdict");

    log_set_all(LOG_OFF); /* the reason goes to the log */
    in = (struct load_input){.path = files_add(&f, "b.yaml", "a: b")};
    out[0] = '\0';
    T_EXPECT_EQ(validate(&in, out, sizeof out), 1, "refused");
    T_EXPECT_SV(sv_str(out), SV(""), "nothing on stdout");
    files_fini(&f);
}

T(load, explain)
{
    char out[64];
    load_explain(&(struct diag){.path = "a[0].b", .msg = "wrong"}, out, sizeof out);
    T_EXPECT_SV(sv_str(out), SV("wrong (a[0].b)"), "with a path");
    load_explain(&(struct diag){.msg = "wrong"}, out, sizeof out);
    T_EXPECT_SV(sv_str(out), SV("wrong"), "without");
}

/* ---- samples ---- */

static const struct {
    const char *file;
    size_t listeners, clusters, route_configs;
} samples[] = {
    {"front-proxy.yaml", 1, 3, 1},
    {"sidecar.yaml",     2, 4, 2},
    {"egress.yaml",      2, 3, 1},
};

T(load, samples)
{
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", WEFT_SAMPLES, samples[i].file);
        struct load_input in = {.path = path};
        struct snap *s = NULL;
        struct diag d = {0};
        T_ASSERT(load(&in, &s, &d) == OK, "%s: %s (%s)", path, d.msg, d.path);
        T_EXPECT_EQ(s->n_listeners, samples[i].listeners, samples[i].file);
        T_EXPECT_EQ(s->n_clusters, samples[i].clusters, samples[i].file);
        T_EXPECT_EQ(s->n_route_configs, samples[i].route_configs, samples[i].file);
        T_EXPECT(s->admin.present, "%s", samples[i].file);
        snap_drop(&s);
    }
}
