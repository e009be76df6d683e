/* protobuf's MergeFrom over descriptors. Called by the program that lays --config-yaml over -c;
 * pure. */
#include "config/reflect/reflect_int.h"

static const ProtobufCMessage *entry_at(const ProtobufCMessage *m,
                                        const ProtobufCFieldDescriptor *f, size_t i)
{
    return slot_message(field_element(m, f, i));
}

/* Have two map entries the same key? Keys are texts or integers. */
static bool same_key(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    const ProtobufCFieldDescriptor *key = &a->descriptor->fields[0];
    const void *x = field_peek(a, key), *y = field_peek(b, key);

    if (key->type == PROTOBUF_C_TYPE_STRING)
        return sv_eq(slot_string(x), slot_string(y));
    return memcmp(x, y, field_size(key)) == 0;
}

/* The place of an entry with the key of `entry` among the first n; n when there is none. */
static size_t find_entry(const ProtobufCMessage *const *entries, size_t n,
                         const ProtobufCMessage *entry)
{
    size_t i = 0;
    while (i < n && !same_key(entries[i], entry))
        i++;
    return i;
}

static enum err merge_map(ProtobufCMessage *dst, const ProtobufCMessage *src,
                          const ProtobufCFieldDescriptor *f, struct arena *a)
{
    size_t before = field_count(dst, f), more = field_count(src, f), n = before;
    const void *old = before == 0 ? NULL : field_element(dst, f, 0);
    const ProtobufCMessage **entries = field_reserve(dst, f, before + more, a);

    if (entries == NULL)
        return E_NOMEM;
    if (before != 0)
        memcpy(entries, old, before * sizeof *entries);
    for (size_t i = 0; i < more; i++) {
        const ProtobufCMessage *entry = entry_at(src, f, i);
        size_t at = find_entry(entries, n, entry);
        entries[at] = entry;
        n += at == n;
    }
    memcpy((char *)dst + f->quantifier_offset, &n, sizeof n);
    return OK;
}

static enum err merge_list(ProtobufCMessage *dst, const ProtobufCMessage *src,
                           const ProtobufCFieldDescriptor *f, struct arena *a)
{
    size_t before = field_count(dst, f), more = field_count(src, f), size = field_size(f);
    const void *old = before == 0 ? NULL : field_element(dst, f, 0);
    char *elements = field_reserve(dst, f, before + more, a);

    if (elements == NULL)
        return E_NOMEM;
    if (before != 0)
        memcpy(elements, old, before * size);
    memcpy(elements + before * size, field_element(src, f, 0), more * size);
    return OK;
}

static enum err merge_field(ProtobufCMessage *dst, const ProtobufCMessage *src,
                            const ProtobufCFieldDescriptor *f, struct arena *a)
{
    if (field_is_map(f))
        return merge_map(dst, src, f, a);
    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        return merge_list(dst, src, f, a);
    if (f->type == PROTOBUF_C_TYPE_MESSAGE && field_is_set(dst, f)) {
        ProtobufCMessage *inner;
        memcpy(&inner, field_slot(dst, f), sizeof inner);
        return reflect_merge(inner, slot_message(field_peek(src, f)), a);
    }
    /* The old member of a oneof needs no clearing: nothing but its case says that it is there. */
    memcpy(field_slot(dst, f), field_peek(src, f), field_size(f));
    field_mark(dst, f);
    return OK;
}

enum err reflect_merge(ProtobufCMessage *dst, const ProtobufCMessage *src, struct arena *a)
{
    const ProtobufCMessageDescriptor *type = dst->descriptor;

    BUG_ON(type != src->descriptor);
    for (unsigned i = 0; i < type->n_fields; i++)
        if (field_is_set(src, &type->fields[i]))
            TRY(merge_field(dst, src, &type->fields[i], a));
    return OK;
}
