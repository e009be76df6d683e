/* /config_dump: the configuration that runs, in parts; all of it, one kind of resource, chosen
 * names, chosen fields. */
#include "config/reflect/reflect.h"
#include "google/protobuf/any.pb-c.h"
#include "proxy/admin/admin_int.h"
#include "proxy/admin/mask.h"
#include "proxy/observe/text_match.h"

struct dump {
    const struct admin_request *rq;
    struct admin_reply *re;
    struct sv resource, mask_text;
    struct mask mask;
    struct text_match *names; /* NULL: all */
    struct str *out;
    bool any; /* something was printed */
};

/* Lists of resources that Envoy has and that are always empty here: asked for, they are no mistake.
 */
static const char *const empty_lists[] = {
    "dynamic_active_clusters",
    "dynamic_warming_clusters",
    "dynamic_listeners",
    "dynamic_route_configs",
    "inline_scoped_route_configs",
    "dynamic_scoped_route_configs",
    "static_clusters",
    "static_listeners",
    "static_route_configs",
};

static void refuse(struct dump *d, unsigned code)
{
    d->re->code = code;
    d->re->content_type = ADMIN_BARE_TEXT;
    str_clear(d->out);
}

/* Parts of Envoy's dump that have nothing in them here, and the part each stands behind. */
static const struct {
    const char *after, *type;
} empty_parts[] = {
    {"envoy.admin.v3.ListenersConfigDump", "envoy.admin.v3.ScopedRoutesConfigDump"},
    {"envoy.admin.v3.RoutesConfigDump",    "envoy.admin.v3.SecretsConfigDump"     },
};

/* ---- printing ---- */

/* The message's JSON, moved in by two, with its type as first member. */
static enum err print_part(struct dump *d, const char *type, const ProtobufCMessage *m)
{
    struct str json;
    struct diag why = {0};
    enum err e = OK;

    str_init(&json, 0);
    if (m != NULL)
        e = reflect_print_json(m, REFLECT_PRETTY, &json, &why);
    struct sv rest = str_sv(&json), line;
    str_add(d->out, d->any ? SV(",\n  {\n") : SV("{\n \"configs\": [\n  {\n"));
    str_addf(d->out, "   \"@type\": \"type.googleapis.com/%s\"", type);
    bool members = rest.n > sizeof("{}\n") - 1;
    if (members)
        str_addc(d->out, ',');
    str_addc(d->out, '\n');
    /* Without the braces of the outermost object, which stand on lines of their own. */
    for (bool first = true; members && sv_split(&rest, '\n', &line); first = false) {
        if (!first && line.n > 0 && line.p[0] == ' ')
            str_addf(d->out, "  %.*s\n", SVF(line));
    }
    str_add(d->out, SV("  }"));
    d->any = true;
    str_fini(&json);
    if (e != OK)
        admin_check(d->re, e, &why);
    return e;
}

static void print_end(struct dump *d)
{
    str_add(d->out, d->any ? SV("\n ]\n}\n") : SV("{}\n"));
}

/* ---- names ---- */

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type,
                                                  struct sv name)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (sv_eq(sv_str(type->fields[i].name), name))
            return &type->fields[i];
    }
    return NULL;
}

/* The resource in an element such as ClustersConfigDump.StaticCluster: what its Any holds. NULL:
 * none. */
static enum err resource_of(const ProtobufCMessage *element, struct arena *a,
                            const ProtobufCMessage **out)
{
    *out = NULL;
    for (unsigned i = 0; i < element->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &element->descriptor->fields[i];
        const Google__Protobuf__Any *any;
        ProtobufCMessage *inner = NULL;
        if (f->type != PROTOBUF_C_TYPE_MESSAGE ||
            f->descriptor != &google__protobuf__any__descriptor ||
            f->label == PROTOBUF_C_LABEL_REPEATED)
            continue;
        memcpy(&any, (const char *)element + f->offset, sizeof(any));
        if (any == NULL)
            return OK;
        TRY(reflect_any_unpack(any, a, &inner, NULL));
        *out = inner;
        return OK;
    }
    return OK;
}

/* Whether an element's resource has a wanted name; one without a name is always wanted. */
static enum err name_wanted(const struct dump *d, const ProtobufCMessage *element, bool *out)
{
    const ProtobufCMessage *resource = NULL;
    const char *name = NULL;

    *out = true;
    if (d->names == NULL)
        return OK;
    TRY(resource_of(element, d->rq->arena, &resource));
    if (resource == NULL)
        return OK;
    const ProtobufCFieldDescriptor *f = find_field(resource->descriptor, SV("name"));
    if (f == NULL)
        f = find_field(resource->descriptor, SV("cluster_name"));
    if (f == NULL || f->type != PROTOBUF_C_TYPE_STRING)
        return OK;
    memcpy(&name, (const char *)resource + f->offset, sizeof(name));
    *out = text_match_is(d->names, sv_str(name));
    return OK;
}

struct elements {
    ProtobufCMessage **v;
    size_t n;
};

static struct elements elements_of(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    struct elements e;
    memcpy(&e.n, (const char *)m + f->quantifier_offset, sizeof(e.n));
    memcpy(&e.v, (const char *)m + f->offset, sizeof(e.v));
    return e;
}

/* A part's lists of resources, reduced to the wanted names; the part itself is not touched. */
static enum err choose_names(const struct dump *d, const ProtobufCMessage **part)
{
    const ProtobufCMessageDescriptor *type = (*part)->descriptor;
    ProtobufCMessage *copy = arena_zalloc(d->rq->arena, type->sizeof_message);

    if (copy == NULL)
        return E_NOMEM;
    memcpy(copy, *part, type->sizeof_message);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        if (f->label != PROTOBUF_C_LABEL_REPEATED || f->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        struct elements all = elements_of(copy, f), kept = {0};
        kept.v = ARENA_ARRAY(d->rq->arena, ProtobufCMessage *, all.n + 1);
        if (kept.v == NULL)
            return E_NOMEM;
        for (size_t k = 0; k < all.n; k++) {
            bool wanted;
            TRY(name_wanted(d, all.v[k], &wanted));
            if (wanted)
                kept.v[kept.n++] = all.v[k];
        }
        memcpy((char *)copy + f->quantifier_offset, &kept.n, sizeof(kept.n));
        memcpy((char *)copy + f->offset, &kept.v, sizeof(kept.v));
    }
    *part = copy;
    return OK;
}

/* ---- the two ways to ask ---- */

static enum err dump_empty_part(struct dump *d, const char *after)
{
    for (size_t i = 0; i < ARRAY_LEN(empty_parts); i++) {
        if (sv_eq(sv_str(empty_parts[i].after), sv_str(after)))
            TRY(print_part(d, empty_parts[i].type, NULL));
    }
    return OK;
}

/* A part as far as the mask and the names want it. */
static enum err dump_part(struct dump *d, const ProtobufCMessage *m)
{
    const char *type = m->descriptor->name;

    if (d->names != NULL)
        TRY(choose_names(d, &m));
    if (d->mask.n == 0) {
        TRY(print_part(d, type, m));
        return dump_empty_part(d, type);
    }
    /* Parts differ in their fields: those the mask does not fit are left out. */
    enum err e = mask_apply(&d->mask, false, m, d->rq->arena, &m);
    if (e == E_NOTFOUND)
        return OK;
    TRY(e);
    return print_part(d, type, m);
}

static enum err dump_all(struct dump *d, ProtobufCMessage *const *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        TRY(dump_part(d, parts[i]));
    if (d->mask.n > 0 && !d->any) {
        refuse(d, 400);
        str_addf(d->out, "FieldMask %.*s could not be successfully applied to any configs.",
                 SVF(d->mask_text));
        return OK;
    }
    print_end(d);
    return OK;
}

static void refuse_mask(struct dump *d)
{
    refuse(d, 400);
    str_add(d->out, SV("FieldMask "));
    for (size_t i = 0; i < d->mask.n; i++)
        str_addf(d->out, "paths: \"%.*s\"\n", SVF(d->mask.path[i]));
    str_add(d->out, SV(" could not be successfully used."));
}

static enum err dump_list(struct dump *d, const ProtobufCMessage *part,
                          const ProtobufCFieldDescriptor *f)
{
    struct elements all = elements_of(part, f);

    for (size_t i = 0; i < all.n; i++) {
        const ProtobufCMessage *m = all.v[i];
        bool wanted;
        TRY(name_wanted(d, m, &wanted));
        if (!wanted)
            continue;
        enum err e = d->mask.n > 0 ? mask_apply(&d->mask, true, m, d->rq->arena, &m) : OK;
        if (e == E_NOTFOUND) {
            refuse_mask(d);
            return OK;
        }
        TRY(e);
        TRY(print_part(d, m->descriptor->name, m));
    }
    print_end(d);
    return OK;
}

static bool is_empty_list(struct sv name)
{
    for (size_t i = 0; i < ARRAY_LEN(empty_lists); i++) {
        if (sv_eq(name, sv_str(empty_lists[i])))
            return true;
    }
    return false;
}

static enum err dump_resource(struct dump *d, ProtobufCMessage *const *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const ProtobufCFieldDescriptor *f = find_field(parts[i]->descriptor, d->resource);
        if (f == NULL)
            continue;
        if (f->label == PROTOBUF_C_LABEL_REPEATED && f->type == PROTOBUF_C_TYPE_MESSAGE)
            return dump_list(d, parts[i], f);
        refuse(d, 400);
        str_addf(d->out, "%.*s is not a repeated field. Use ?mask=%.*s to get only this field",
                 SVF(d->resource), SVF(d->resource));
        return OK;
    }
    if (is_empty_list(d->resource)) {
        print_end(d);
        return OK;
    }
    refuse(d, 404);
    str_addf(d->out, "%.*s not found in config dump", SVF(d->resource));
    return OK;
}

/* ---- the page ---- */

/* False: refused. */
static bool read_params(struct dump *d)
{
    struct sv pattern = admin_query(d->rq, "name_regex");
    struct diag why = {0};

    d->resource = admin_query(d->rq, "resource");
    d->mask_text = admin_query(d->rq, "mask");
    if (mask_parse(d->mask_text, &d->mask) != OK) {
        refuse(d, 400);
        str_addf(d->out, "FieldMask has more than %d paths", MASK_PATHS_MAX);
        return false;
    }
    if (pattern.n == 0)
        return true;
    enum err e = text_match_new(pattern, true, &d->names, &why);
    if (e == E_PARSE) {
        refuse(d, 400);
        str_addf(d->out, "INVALID_ARGUMENT: Error while parsing name_regex from %.*s: %s",
                 SVF(pattern), why.msg);
    } else {
        admin_check(d->re, e, &why);
    }
    return e == OK;
}

void admin_run_config_dump(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    struct dump d = {.rq = rq, .re = re, .out = &re->body};
    ProtobufCMessage *const *parts = NULL;
    size_t n = 0;

    re->content_type = ADMIN_JSON;
    if (!read_params(&d))
        return;
    enum err e = a->deps.config_dump(a->deps.arg, rq->arena, &parts, &n);
    if (e == OK)
        e = d.resource.n > 0 ? dump_resource(&d, parts, n) : dump_all(&d, parts, n);
    /* A failure to print has said why already. */
    if (e != OK && re->code == 200)
        admin_check(re, e, NULL);
    text_match_free(&d.names);
}
