/* Field masks; see mask.h. */
#include "proxy/admin/mask.h"
#include "config/reflect/reflect.h"
#include "google/protobuf/any.pb-c.h"

enum err mask_parse(struct sv text, struct mask *out)
{
    struct sv path;

    out->n = 0;
    while (sv_split(&text, ',', &path)) {
        if (path.n == 0)
            continue;
        if (out->n == MASK_PATHS_MAX)
            return E_LIMIT;
        out->path[out->n++] = path;
    }
    return OK;
}

static size_t value_size(const ProtobufCFieldDescriptor *f)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return sizeof(uint64_t);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    default:
        return sizeof(uint32_t);
    }
}

/* Puts f of m back to what it is in an empty message. */
static void clear_field(ProtobufCMessage *m, const ProtobufCMessage *empty,
                        const ProtobufCFieldDescriptor *f)
{
    char *to = (char *)m;
    const char *from = (const char *)empty;

    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
        memcpy(to + f->quantifier_offset, from + f->quantifier_offset, sizeof(size_t));
        memcpy(to + f->offset, from + f->offset, sizeof(void *));
    } else if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        /* Its members share one place: only the case tells whether f is there. */
        uint32_t set;
        memcpy(&set, to + f->quantifier_offset, sizeof(set));
        if (set == f->id)
            memset(to + f->quantifier_offset, 0, sizeof(set));
    } else {
        memcpy(to + f->offset, from + f->offset, value_size(f));
        if (f->label == PROTOBUF_C_LABEL_OPTIONAL && f->type != PROTOBUF_C_TYPE_MESSAGE &&
            f->type != PROTOBUF_C_TYPE_STRING)
            memset(to + f->quantifier_offset, 0, sizeof(protobuf_c_boolean));
    }
}

/* What the mask says of one field: nothing, all of it, or the paths below it. */
struct below {
    bool whole;
    struct mask rest;
};

static void find_below(const struct mask *mask, const char *name, struct below *out)
{
    *out = (struct below){0};
    for (size_t i = 0; i < mask->n; i++) {
        struct sv rest = mask->path[i], first;
        sv_split(&rest, '.', &first);
        if (!sv_eq(first, sv_str(name)))
            continue;
        if (rest.p == NULL)
            out->whole = true;
        else
            out->rest.path[out->rest.n++] = rest;
    }
}

static bool is_any(const ProtobufCFieldDescriptor *f)
{
    return f->type == PROTOBUF_C_TYPE_MESSAGE &&
           f->descriptor == &google__protobuf__any__descriptor;
}

/* Paths into an Any are checked when it is opened: its type is not known before. */
static bool path_fits(const ProtobufCMessageDescriptor *type, struct sv path, bool through_any)
{
    struct sv rest = path, name;

    while (sv_split(&rest, '.', &name)) {
        const ProtobufCFieldDescriptor *f = NULL;
        for (unsigned i = 0; i < type->n_fields && f == NULL; i++) {
            if (sv_eq(sv_str(type->fields[i].name), name))
                f = &type->fields[i];
        }
        if (f == NULL)
            return false;
        if (through_any && is_any(f))
            return f->label != PROTOBUF_C_LABEL_REPEATED && rest.p != NULL;
        if (rest.p == NULL)
            return true;
        if (f->type != PROTOBUF_C_TYPE_MESSAGE || f->label == PROTOBUF_C_LABEL_REPEATED)
            return false;
        type = f->descriptor;
    }
    return false;
}

static enum err apply_to_any(const struct mask *mask, const ProtobufCMessage *any, struct arena *a,
                             const ProtobufCMessage **out)
{
    ProtobufCMessage *inner = NULL;
    const ProtobufCMessage *trimmed = NULL;
    Google__Protobuf__Any *packed = NULL;

    TRY(reflect_any_unpack((const Google__Protobuf__Any *)(const void *)any, a, &inner, NULL));
    TRY(mask_apply(mask, true, inner, a, &trimmed));
    TRY(reflect_any_pack(trimmed, a, &packed));
    *out = &packed->base;
    return OK;
}

/* Below a single message field that is set. Depth is that of the mask's paths, which fit m. */
static enum err apply_below(const struct mask *mask, bool through_any, ProtobufCMessage *m,
                            const ProtobufCFieldDescriptor *f, struct arena *a)
{
    const ProtobufCMessage *inner, *trimmed = NULL;
    uint32_t set = f->id;

    if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        memcpy(&set, (char *)m + f->quantifier_offset, sizeof(set));
    memcpy(&inner, (char *)m + f->offset, sizeof(inner));
    if (set != f->id || inner == NULL)
        return OK;
    if (through_any && is_any(f))
        TRY(apply_to_any(mask, inner, a, &trimmed));
    else
        TRY(mask_apply(mask, through_any, inner, a, &trimmed));
    memcpy((char *)m + f->offset, &trimmed, sizeof(trimmed));
    return OK;
}

enum err mask_apply(const struct mask *mask, bool through_any, const ProtobufCMessage *m,
                    struct arena *a, const ProtobufCMessage **out)
{
    const ProtobufCMessageDescriptor *type = m->descriptor;
    ProtobufCMessage *copy = arena_zalloc(a, type->sizeof_message), *empty = reflect_new(type, a);

    if (copy == NULL || empty == NULL)
        return E_NOMEM;
    for (size_t i = 0; i < mask->n; i++) {
        if (!path_fits(type, mask->path[i], through_any))
            return E_NOTFOUND;
    }
    memcpy(copy, m, type->sizeof_message);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        struct below b;
        find_below(mask, f->name, &b);
        if (b.whole)
            continue;
        if (b.rest.n == 0)
            clear_field(copy, empty, f);
        else
            TRY(apply_below(&b.rest, through_any, copy, f, a));
    }
    *out = copy;
    return OK;
}
