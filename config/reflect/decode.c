/* Values to messages: the reading half of the engine. It walks the tree and the descriptors
 * together and puts the field path in front of an error on the way out. Called by whoever has a
 * text; pure. */
#include "base/map.h"
#include "config/reflect/decode_int.h"

/* One list or object deeper, until --c->depth. */
static enum err enter(struct decode *c, const struct value *v)
{
    if (c->depth == c->in->max_depth)
        return FAIL(c, v, E_LIMIT, "more than %u levels of nesting", c->in->max_depth);
    c->depth++;
    return OK;
}

/* Each look at an item costs. */
static enum err spend(struct decode *c, const struct value *v)
{
    if (c->values_left == 0)
        return FAIL(c, v, E_LIMIT, "more than %zu values", c->in->max_values);
    c->values_left--;
    return OK;
}

enum err decode_value(struct decode *c, const struct value *v, const ProtobufCFieldDescriptor *f,
                      void *slot)
{
    if (f->type != PROTOBUF_C_TYPE_MESSAGE)
        return decode_scalar(c, v, f, slot);
    ProtobufCMessage *m = reflect_new(f->descriptor, c->out);
    if (m == NULL)
        return decode_fail_memory(c, v);
    TRY(decode_message(c, v, m));
    memcpy(slot, &m, sizeof m);
    return OK;
}

/* Null as an element stands for the default. */
static enum err decode_default(struct decode *c, const struct value *v,
                               const ProtobufCFieldDescriptor *f, void *slot)
{
    static const char empty[] = "";
    const void *p = empty;

    if (f->type == PROTOBUF_C_TYPE_MESSAGE)
        p = reflect_new(f->descriptor, c->out);
    if (p == NULL)
        return decode_fail_memory(c, v);
    if (f->type == PROTOBUF_C_TYPE_MESSAGE || f->type == PROTOBUF_C_TYPE_STRING)
        memcpy(slot, &p, sizeof p);
    return OK;
}

static bool takes_null(const ProtobufCFieldDescriptor *f)
{
    return f->type == PROTOBUF_C_TYPE_MESSAGE && wkt_of(f->descriptor) == WKT_VALUE;
}

static enum err decode_element(struct decode *c, const struct value *v,
                               const ProtobufCFieldDescriptor *f, void *slot)
{
    if (v->kind == VALUE_NULL && !takes_null(f))
        return decode_default(c, v, f, slot);
    return decode_value(c, v, f, slot);
}

static enum err decode_entry(struct decode *c, const struct value_item *item,
                             const ProtobufCMessageDescriptor *type, ProtobufCMessage **out)
{
    const struct value key = {
        .kind = VALUE_STRING, .line = item->line, .column = item->column, .text = item->key};
    ProtobufCMessage *entry = reflect_new(type, c->out);
    if (entry == NULL)
        return decode_fail_memory(c, &key);
    *out = entry;
    TRY(decode_value(c, &key, &type->fields[0], field_slot(entry, &type->fields[0])));
    return decode_element(c, item->value, &type->fields[1], field_slot(entry, &type->fields[1]));
}

/* The items of an object by key, the last of equal keys. */
static enum err index_items(struct decode *c, const struct value *v, struct map *keys)
{
    for (struct value_item *item = v->first; item != NULL; item = item->next) {
        TRY(spend(c, v));
        if (map_set(keys, item->key, item, NULL) != OK)
            return decode_fail_memory(c, v);
    }
    return OK;
}

static enum err decode_entries(struct decode *c, const struct value *v, const struct map *keys,
                               ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    size_t at = 0, i = 0;
    struct sv key;
    void *item;
    ProtobufCMessage **entries = field_reserve(m, f, map_count(keys), c->out);

    if (entries == NULL)
        return decode_fail_memory(c, v);
    for (; map_next(keys, &at, &key, &item); i++) {
        enum err e = decode_entry(c, item, f->descriptor, &entries[i]);
        if (e != OK) {
            diag_prefix(c->d, "[%.*s]", SHOW(key));
            return e;
        }
    }
    return OK;
}

enum err decode_map(struct decode *c, const struct value *v, ProtobufCMessage *m,
                    const ProtobufCFieldDescriptor *f)
{
    if (v->kind != VALUE_OBJECT)
        return decode_fail_kind(c, v, "an object");
    TRY(enter(c, v));
    struct map *keys = map_new();
    enum err e = keys == NULL ? decode_fail_memory(c, v) : index_items(c, v, keys);
    if (e == OK)
        e = decode_entries(c, v, keys, m, f);
    map_free(&keys);
    c->depth--;
    return e;
}

/* A list within a list of anything but lists counts as its elements, as Envoy's parser has it. */
static bool is_nested(const struct value *v, const ProtobufCFieldDescriptor *f)
{
    if (v->kind != VALUE_LIST)
        return false;
    enum wkt wkt = f->type == PROTOBUF_C_TYPE_MESSAGE ? wkt_of(f->descriptor) : WKT_NONE;
    return wkt != WKT_VALUE && wkt != WKT_LIST;
}

static enum err count_elements(struct decode *c, const struct value *list,
                               const ProtobufCFieldDescriptor *f, size_t *n)
{
    TRY(enter(c, list));
    for (const struct value_item *i = list->first; i != NULL; i = i->next) {
        TRY(spend(c, i->value));
        if (is_nested(i->value, f))
            TRY(count_elements(c, i->value, f, n));
        else
            ++*n;
    }
    c->depth--;
    return OK;
}

/* *at: the place of the next element. */
static enum err decode_elements(struct decode *c, const struct value *list,
                                const ProtobufCFieldDescriptor *f, char *elements, size_t *at)
{
    TRY(enter(c, list));
    for (const struct value_item *i = list->first; i != NULL; i = i->next) {
        if (is_nested(i->value, f)) {
            TRY(decode_elements(c, i->value, f, elements, at));
            continue;
        }
        enum err e = decode_element(c, i->value, f, elements + *at * field_size(f));
        if (e != OK) {
            diag_prefix(c->d, "[%zu]", *at);
            return e;
        }
        ++*at;
    }
    c->depth--;
    return OK;
}

enum err decode_repeated(struct decode *c, const struct value *v, ProtobufCMessage *m,
                         const ProtobufCFieldDescriptor *f)
{
    /* A value that is no list stands for a list of itself. */
    struct value_item only = {.value = v};
    const struct value one = {
        .kind = VALUE_LIST, .line = v->line, .column = v->column, .first = &only};
    const struct value *list = v->kind == VALUE_LIST ? v : &one;
    size_t n = 0, at = 0;

    TRY(count_elements(c, list, f, &n));
    if (n == 0)
        return OK;
    char *elements = field_reserve(m, f, n, c->out);
    return elements == NULL ? decode_fail_memory(c, v) : decode_elements(c, list, f, elements, &at);
}

static enum err decode_singular(struct decode *c, const struct value_item *item,
                                ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    const ProtobufCFieldDescriptor *other = field_oneof_set(m, f);
    if (other != NULL)
        return text_fail(c->in, item->line, item->column, E_PARSE, c->d,
                         "'%s' and '%s' exclude each other", other->name, f->name);
    TRY(decode_value(c, item->value, f, field_slot(m, f)));
    field_mark(m, f);
    return OK;
}

static enum err decode_field(struct decode *c, const struct value_item *item, ProtobufCMessage *m,
                             const ProtobufCFieldDescriptor *f)
{
    enum err e;

    if (item->value->kind == VALUE_NULL && !takes_null(f))
        return OK;
    if (field_is_map(f))
        e = decode_map(c, item->value, m, f);
    else if (f->label == PROTOBUF_C_LABEL_REPEATED)
        e = decode_repeated(c, item->value, m, f);
    else
        e = decode_singular(c, item, m, f);
    if (e != OK)
        diag_prefix(c->d, "%s", f->name);
    return e;
}

enum err decode_unknown(struct decode *c, const struct value_item *item,
                        const ProtobufCMessageDescriptor *type)
{
    if (!c->in->allow_unknown)
        return text_fail(c->in, item->line, item->column, E_NOTFOUND, c->d,
                         "no such field '%.*s' in %s", SHOW(item->key), type->name);
    c->unknown++;
    return OK;
}

/* skip: a key that is none of the message's fields, or the empty view. */
enum err decode_object(struct decode *c, const struct value *v, ProtobufCMessage *m, struct sv skip)
{
    const ProtobufCMessageDescriptor *type = m->descriptor;

    if (v->kind != VALUE_OBJECT)
        return decode_fail_kind(c, v, "an object");
    TRY(enter(c, v));
    const struct value_item **chosen =
        ARENA_ARRAY(c->tmp, const struct value_item *, type->n_fields);
    if (chosen == NULL)
        return decode_fail_memory(c, v);
    for (const struct value_item *item = v->first; item != NULL; item = item->next) {
        TRY(spend(c, v));
        size_t i = field_find(type, item->key);
        if (i != SIZE_MAX)
            chosen[i] = item;
        else if (skip.n == 0 || !sv_eq(item->key, skip))
            TRY(decode_unknown(c, item, type));
    }
    for (size_t i = 0; i < type->n_fields; i++)
        if (chosen[i] != NULL)
            TRY(decode_field(c, chosen[i], m, &type->fields[i]));
    c->depth--;
    return OK;
}

enum err decode_message(struct decode *c, const struct value *v, ProtobufCMessage *m)
{
    enum wkt wkt = wkt_of(m->descriptor);
    return wkt == WKT_NONE ? decode_object(c, v, m, SV_NONE) : decode_wkt(c, v, m, wkt);
}

enum err reflect_parse(const struct reflect_text *in, const ProtobufCMessageDescriptor *type,
                       struct arena *a, ProtobufCMessage **out, struct diag *d)
{
    const struct reflect_text limits = text_limits(in);
    struct decode c = {.in = &limits, .out = a, .d = d, .values_left = limits.max_values};
    const struct value *root = NULL;
    ProtobufCMessage *m = reflect_new(type, a);

    c.tmp = arena_new(64 << 10, SIZE_MAX);
    enum err e = m == NULL || c.tmp == NULL
                     ? diag_fail(d, E_NOMEM, "%s:1:1: out of memory", limits.file)
                     : tree_read(&limits, c.tmp, &root, d);
    if (e == OK)
        e = decode_message(&c, root, m);
    arena_free(&c.tmp);
    if (e != OK)
        return e;
    *out = m;
    if (in->unknown != NULL)
        *in->unknown = c.unknown;
    return OK;
}
