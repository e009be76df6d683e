/* Access to the fields of protobuf-c messages through their descriptors, and making, packing and
 * unpacking messages in arenas. Called by everything in this folder; pure. */
#include "config/reflect/reflect_int.h"
#include "google/protobuf/any.pb-c.h"
#include <stdalign.h>

/* Does key spell name without underscores, with a capital after each? */
static bool spells_camel(const char *name, struct sv key)
{
    size_t at = 0;
    for (bool upper = false; *name != '\0'; name++) {
        if (*name == '_') {
            upper = true;
            continue;
        }
        char c = *name;
        if (upper && c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        upper = false;
        if (at == key.n || key.p[at] != c)
            return false;
        at++;
    }
    return at == key.n;
}

size_t field_find(const ProtobufCMessageDescriptor *type, struct sv key)
{
    for (size_t i = 0; i < type->n_fields; i++) {
        const char *name = type->fields[i].name;
        if (sv_eq(sv_str(name), key) || spells_camel(name, key))
            return i;
    }
    return SIZE_MAX;
}

static bool in_oneof(const ProtobufCFieldDescriptor *f)
{
    return (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/* A scalar without presence counts as set when it differs from zero. */
static bool is_zero(const void *slot, size_t n)
{
    const unsigned char *p = slot;
    for (size_t i = 0; i < n; i++)
        if (p[i] != 0)
            return false;
    return true;
}

bool field_is_set(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    const void *slot = field_peek(m, f);

    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        return field_count(m, f) != 0;
    if (in_oneof(f))
        return *(const uint32_t *)field_quantifier(m, f) == f->id;
    if (f->type == PROTOBUF_C_TYPE_MESSAGE)
        return slot_message(slot) != NULL;
    if (f->type == PROTOBUF_C_TYPE_STRING) {
        const char *s = *(const char *const *)slot;
        return s != NULL && s != f->default_value &&
               (f->label != PROTOBUF_C_LABEL_NONE || s[0] != '\0');
    }
    if (f->label == PROTOBUF_C_LABEL_OPTIONAL)
        return *(const protobuf_c_boolean *)field_quantifier(m, f) != 0;
    if (f->label == PROTOBUF_C_LABEL_REQUIRED)
        return true;
    if (f->type == PROTOBUF_C_TYPE_BYTES)
        return ((const ProtobufCBinaryData *)slot)->len != 0;
    return !is_zero(slot, field_size(f));
}

void field_mark(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    char *quantifier = (char *)m + f->quantifier_offset;

    if (in_oneof(f)) {
        uint32_t id = f->id;
        memcpy(quantifier, &id, sizeof id);
    } else if (f->label == PROTOBUF_C_LABEL_OPTIONAL && f->type != PROTOBUF_C_TYPE_MESSAGE &&
               f->type != PROTOBUF_C_TYPE_STRING) {
        protobuf_c_boolean has = 1;
        memcpy(quantifier, &has, sizeof has);
    }
}

const ProtobufCFieldDescriptor *field_oneof_set(const ProtobufCMessage *m,
                                                const ProtobufCFieldDescriptor *f)
{
    if (!in_oneof(f))
        return NULL;
    uint32_t id = *(const uint32_t *)field_quantifier(m, f);
    return id == 0 ? NULL : protobuf_c_message_descriptor_get_field(m->descriptor, id);
}

bool field_is_map(const ProtobufCFieldDescriptor *f)
{
    if (f->label != PROTOBUF_C_LABEL_REPEATED || f->type != PROTOBUF_C_TYPE_MESSAGE)
        return false;
    /* protobuf-c's descriptors do not tell, but the compiler names the entry message after its
     * field, as in filter_metadata and FilterMetadataEntry, and refuses a declared message of that
     * name beside it. */
    const ProtobufCMessageDescriptor *entry = f->descriptor;
    if (entry->n_fields != 2 || strcmp(entry->fields[0].name, "key") != 0 ||
        strcmp(entry->fields[1].name, "value") != 0)
        return false;
    const char *name = entry->short_name;
    for (const char *p = f->name; *p != '\0'; p++) {
        if (*p == '_')
            continue;
        if (ascii_lower(*p) != ascii_lower(*name))
            return false;
        name++;
    }
    return strcmp(name, "Entry") == 0;
}

size_t field_size(const ProtobufCFieldDescriptor *f)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_ENUM:
        return sizeof(uint32_t);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return sizeof(uint64_t);
    case PROTOBUF_C_TYPE_FLOAT:
        return sizeof(float);
    case PROTOBUF_C_TYPE_DOUBLE:
        return sizeof(double);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    }
    return sizeof(void *);
}

void *field_reserve(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t n,
                    struct arena *a)
{
    void *elements = arena_array(a, n, field_size(f));
    if (elements == NULL)
        return NULL;
    memcpy(field_slot(m, f), &elements, sizeof elements);
    memcpy((char *)m + f->quantifier_offset, &n, sizeof n);
    return elements;
}

ProtobufCMessage *reflect_new(const ProtobufCMessageDescriptor *type, struct arena *a)
{
    ProtobufCMessage *m = arena_zalloc(a, type->sizeof_message);
    if (m != NULL)
        protobuf_c_message_init(type, m);
    return m;
}

/* What protobuf-c allocates from; it cannot say why it failed, so this remembers. */
struct source {
    struct arena *arena;
    bool empty;
};

static void *allocate(void *data, size_t n)
{
    struct source *s = data;
    void *p = arena_alloc(s->arena, n, alignof(max_align_t));
    s->empty |= p == NULL;
    return p;
}

static void release(void *data, void *p)
{
    (void)data;
    (void)p;
}

struct sv reflect_pack(const ProtobufCMessage *m, struct arena *a)
{
    size_t n = protobuf_c_message_get_packed_size(m);
    uint8_t *p = arena_alloc(a, n, 1);
    if (p == NULL)
        return SV_NONE;
    return sv_of((const char *)p, protobuf_c_message_pack(m, p));
}

enum err reflect_unpack(struct sv bytes, const ProtobufCMessageDescriptor *type, struct arena *a,
                        ProtobufCMessage **out, struct diag *d)
{
    struct source source = {.arena = a};
    ProtobufCAllocator allocator = {.alloc = allocate, .free = release, .allocator_data = &source};

    TRY(wire_check(bytes, type, 0, d));
    ProtobufCMessage *m =
        protobuf_c_message_unpack(type, &allocator, bytes.n, (const uint8_t *)bytes.p);
    if (m == NULL && source.empty)
        return diag_fail(d, E_NOMEM, "no memory for a %s", type->name);
    if (m == NULL)
        return diag_fail(d, E_PARSE, "bytes that are no %s", type->name);
    *out = m;
    return OK;
}

enum err reflect_any_pack(const ProtobufCMessage *m, struct arena *a, Google__Protobuf__Any **out)
{
    ProtobufCMessage *any = reflect_new(&google__protobuf__any__descriptor, a);
    struct sv url = arena_printf(a, "type.googleapis.com/%s", m->descriptor->name);
    struct sv bytes = reflect_pack(m, a);
    if (any == NULL || url.p == NULL || bytes.p == NULL)
        return E_NOMEM;
    *out = (Google__Protobuf__Any *)any;
    /* Both are ours to write: arena text and arena bytes. */
    memcpy(&(*out)->type_url, &url.p, sizeof url.p);
    memcpy(&(*out)->value.data, &bytes.p, sizeof bytes.p);
    (*out)->value.len = bytes.n;
    return OK;
}

enum err reflect_any_unpack(const Google__Protobuf__Any *any, struct arena *a,
                            ProtobufCMessage **out, struct diag *d)
{
    const char *url = any->type_url == NULL ? "" : any->type_url;
    const ProtobufCMessageDescriptor *type = reflect_find_url(sv_str(url));
    if (type == NULL)
        return diag_fail(d, E_UNSUPPORTED, "unknown @type '%.200s'", url);
    return reflect_unpack(sv_of((const char *)any->value.data, any->value.len), type, a, out, d);
}
