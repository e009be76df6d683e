/* Loads a bootstrap: see load.h. Called by the proxy's main at start-up, on the main thread; the
 * only code of config/ that opens the configuration file. */
#define LOG_COMPONENT LOGC_MAIN
#include "config/load.h"
#include "base/log.h"
#include "config/reflect/reflect.h"
#include "config/reflect/rules.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb-c.h"
#include <stdlib.h>
#include <sys/stat.h>

enum { ARENA_CHUNK = 64 << 10 };

/* Management servers and operators know proxies of our kind by this name. */
#define USER_AGENT "envoy"

static bool given(const char *s)
{
    return s != NULL && s[0] != '\0';
}

/* ---- text ---- */

static bool ends_with(const char *path, const char *extension)
{
    struct sv p = sv_str(path), e = sv_str(extension);
    return p.n >= e.n && sv_ieq(sv_skip(p, p.n - e.n), e);
}

static enum err choose_syntax(const char *path, struct sv text, enum reflect_syntax *out,
                              struct diag *d)
{
    if (ends_with(path, ".pb") || ends_with(path, ".pb_text"))
        return diag_fail(d, E_UNSUPPORTED, "%s: protobuf files are unsupported, use YAML or JSON",
                         path);
    if (ends_with(path, ".yaml") || ends_with(path, ".yml"))
        *out = REFLECT_YAML;
    else if (ends_with(path, ".json"))
        *out = REFLECT_JSON;
    else
        *out = sv_starts(sv_trim(text), SV("{")) ? REFLECT_JSON : REFLECT_YAML;
    return OK;
}

/* *out is malloc'd. */
static enum err read_all(FILE *f, const char *path, char **out, size_t *n_out, struct diag *d)
{
    struct stat st;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
        return diag_fail(d, E_PARSE, "Invalid path: %s", path);
    if (st.st_size > LOAD_FILE_MAX)
        return diag_fail(d, E_LIMIT, "%s: larger than %d bytes", path, LOAD_FILE_MAX);
    size_t size = (size_t)st.st_size;
    char *p = malloc(size + 1);
    if (p == NULL)
        return diag_fail(d, E_NOMEM, "out of memory");
    size_t n = fread(p, 1, size, f);
    if (ferror(f) != 0) {
        free(p);
        return diag_fail(d, E_IO, "unable to read file: %s", path);
    }
    *out = p;
    *n_out = n;
    return OK;
}

static enum err parse(const struct load_input *in, const char *file, struct sv text,
                      enum reflect_syntax syntax, struct arena *a, ProtobufCMessage **out,
                      struct diag *d)
{
    struct reflect_text t = {
        .text = text, .file = file, .syntax = syntax, .allow_unknown = in->allow_unknown};
    return reflect_parse(&t, &envoy__config__bootstrap__v3__bootstrap__descriptor, a, out, d);
}

static enum err parse_file(const struct load_input *in, struct arena *a, ProtobufCMessage **out,
                           struct diag *d)
{
    FILE *f = fopen(in->path, "re");
    if (f == NULL)
        return diag_fail(d, E_NOTFOUND, "Invalid path: %s", in->path);
    char *p = NULL;
    size_t n = 0;
    enum reflect_syntax syntax = REFLECT_YAML;
    enum err e = read_all(f, in->path, &p, &n, d);
    (void)fclose(f);
    if (e == OK)
        e = choose_syntax(in->path, sv_of(p, n), &syntax, d);
    if (e == OK)
        e = parse(in, in->path, sv_of(p, n), syntax, a, out, d);
    free(p);
    return e;
}

/* The file with the text merged over it. */
static enum err parse_both(const struct load_input *in, struct arena *a, ProtobufCMessage **out,
                           struct diag *d)
{
    if (!given(in->path) && !given(in->yaml))
        return diag_fail(d, E_NOTFOUND,
                         "At least one of --config-path or --config-yaml or "
                         "Options::configProto() should be non-empty");
    ProtobufCMessage *base = NULL, *over = NULL;
    if (given(in->path))
        TRY(parse_file(in, a, &base, d));
    if (given(in->yaml))
        TRY(parse(in, "--config-yaml", sv_str(in->yaml), REFLECT_YAML, a, &over, d));
    if (base != NULL && over != NULL && reflect_merge(base, over, a) != OK)
        return diag_fail(d, E_NOMEM, "out of memory");
    *out = base != NULL ? base : over;
    return OK;
}

/* ---- node ---- */

static enum err set_text(struct arena *a, const char *value, char **field)
{
    if (!given(value))
        return OK;
    struct sv copy = arena_dup(a, sv_str(value));
    if (copy.p == NULL)
        return E_NOMEM;
    *field = (char *)(uintptr_t)copy.p;
    return OK;
}

/* In a locality of its own: after a merge both nodes may hold the same one. */
static enum err set_zone(struct arena *a, const char *zone, Envoy__Config__Core__V3__Node *n)
{
    if (!given(zone))
        return OK;
    ProtobufCMessage *l = reflect_new(&envoy__config__core__v3__locality__descriptor, a);
    if (l == NULL)
        return E_NOMEM;
    if (n->locality != NULL)
        TRY(reflect_merge(l, &n->locality->base, a));
    n->locality = (Envoy__Config__Core__V3__Locality *)l;
    return set_text(a, zone, &n->locality->zone);
}

/* The bootstrap keeps its own values, as config_dump shows the file's; *out has the overrides. */
static enum err make_node(const struct load_input *in, struct arena *a,
                          Envoy__Config__Bootstrap__V3__Bootstrap *m, ProtobufCMessage **out)
{
    const ProtobufCMessageDescriptor *type = &envoy__config__core__v3__node__descriptor;
    if (m->node == NULL)
        m->node = (Envoy__Config__Core__V3__Node *)reflect_new(type, a);
    ProtobufCMessage *copy = reflect_new(type, a);
    if (m->node == NULL || copy == NULL)
        return E_NOMEM;
    TRY(set_text(a, USER_AGENT, &m->node->user_agent_name));
    TRY(reflect_merge(copy, &m->node->base, a));
    Envoy__Config__Core__V3__Node *n = (Envoy__Config__Core__V3__Node *)copy;
    TRY(set_text(a, in->node_id, &n->id));
    TRY(set_text(a, in->node_cluster, &n->cluster));
    TRY(set_zone(a, in->node_zone, n));
    *out = copy;
    return OK;
}

/* ---- the whole ---- */

/* The caller frees the arena when this fails. */
static enum err load_messages(const struct load_input *in, struct arena *a, struct model_input *out,
                              struct diag *d)
{
    ProtobufCMessage *m = NULL, *node = NULL;
    TRY(parse_both(in, a, &m, d));
    TRY(rules_check(m, d));
    if (make_node(in, a, (Envoy__Config__Bootstrap__V3__Bootstrap *)m, &node) != OK)
        return diag_fail(d, E_NOMEM, "out of memory");
    out->bootstrap = m;
    out->node = node;
    return OK;
}

enum err load_snapshot(const struct load_input *in, const struct model_registry *registry,
                       void *env, struct snap **out, struct diag *d)
{
    struct arena *a = arena_new(ARENA_CHUNK, LOAD_ARENA_MAX);
    if (a == NULL)
        return diag_fail(d, E_NOMEM, "out of memory");
    struct model_input build = {.take_arena = a, .registry = registry, .env = env};
    enum err e = load_messages(in, a, &build, d);
    if (e != OK) {
        arena_free(&a);
        return e;
    }
    return model_build_input(&build, out, d);
}

void load_explain(const struct diag *d, char *out, size_t room)
{
    if (d->path[0] == '\0')
        snprintf(out, room, "%s", d->msg);
    else
        snprintf(out, room, "%s (%s)", d->msg, d->path);
}

int load_validate(const struct load_input *in, const struct model_registry *registry, void *env,
                  FILE *out)
{
    struct diag d = {0};
    struct snap *s = NULL;
    const char *path = in->path == NULL ? "" : in->path;
    if (load_snapshot(in, registry, env, &s, &d) != OK) {
        char text[sizeof d.msg + sizeof d.path + 4];
        load_explain(&d, text, sizeof text);
        log_critical("error initializing configuration", "'%s': %s", path, text);
        return 1;
    }
    snap_drop(&s);
    fprintf(out, "configuration '%s' OK\n", path);
    return fflush(out) == 0 ? 0 : 1;
}
