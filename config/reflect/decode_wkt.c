/* The well-known types, whose texts do not follow from their fields. Called by decode.c; pure. */
#include "config/reflect/decode_int.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/struct.pb-c.h"

static enum err decode_time(struct decode *c, const struct value *v, ProtobufCMessage *m,
                            bool moment)
{
    if (v->kind == VALUE_OBJECT)
        return decode_object(c, v, m, SV_NONE);
    if (v->kind != VALUE_STRING)
        return decode_fail_kind(c, v,
                                moment ? "a time such as \"2026-01-02T03:04:05Z\""
                                       : "a duration such as \"1.5s\"");
    if (moment ? timestamp_parse(v->text, m) : duration_parse(v->text, m))
        return OK;
    return FAIL(c, v, E_PARSE, "'%.*s' is not a %s", SHOW(v->text),
                moment ? "time such as \"2026-01-02T03:04:05Z\""
                       : "duration: seconds, with up to nine decimals, and an 's'");
}

static enum err decode_wrapper(struct decode *c, const struct value *v, ProtobufCMessage *m)
{
    const ProtobufCFieldDescriptor *f = &m->descriptor->fields[0];
    return v->kind == VALUE_OBJECT ? decode_object(c, v, m, SV_NONE)
                                   : decode_value(c, v, f, field_slot(m, f));
}

/* The member of google.protobuf.Value that a kind of value belongs in. */
static unsigned value_member(enum value_kind kind)
{
    static const unsigned members[] = {
        [VALUE_NULL] = GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE,
        [VALUE_BOOL] = GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE,
        [VALUE_NUMBER] = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE,
        [VALUE_STRING] = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE,
        [VALUE_LIST] = GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE,
        [VALUE_OBJECT] = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE,
    };
    return members[kind];
}

static enum err decode_any_value(struct decode *c, const struct value *v, ProtobufCMessage *m)
{
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field(m->descriptor, value_member(v->kind));

    field_mark(m, f);
    if (v->kind == VALUE_NULL) {
        ((Google__Protobuf__Value *)m)->null_value = GOOGLE__PROTOBUF__NULL_VALUE__NULL_VALUE;
        return OK;
    }
    return decode_value(c, v, f, field_slot(m, f));
}

/* The last item with a key; NULL: none. */
static const struct value_item *find_item(const struct value *v, struct sv key)
{
    const struct value_item *found = NULL;
    for (const struct value_item *i = v->first; i != NULL; i = i->next)
        if (sv_eq(i->key, key))
            found = i;
    return found;
}

/* The content of an Any of a well-known type stands in "value"; that of others beside "@type". */
static enum err decode_any_content(struct decode *c, const struct value *v, ProtobufCMessage *m)
{
    if (wkt_of(m->descriptor) == WKT_NONE)
        return decode_object(c, v, m, SV("@type"));
    for (const struct value_item *i = v->first; i != NULL; i = i->next)
        if (!sv_eq(i->key, SV("@type")) && !sv_eq(i->key, SV("value")))
            TRY(decode_unknown(c, i, m->descriptor));
    const struct value_item *content = find_item(v, SV("value"));
    if (content == NULL)
        return OK;
    return decode_message(c, content->value, m);
}

/* Builds the message beside the tree, and keeps its packed bytes. */
static enum err pack_content(struct decode *c, const struct value *v,
                             const ProtobufCMessageDescriptor *type, Google__Protobuf__Any *any)
{
    struct arena *out = c->out;
    ProtobufCMessage *m = reflect_new(type, c->tmp);
    if (m == NULL)
        return decode_fail_memory(c, v);
    c->out = c->tmp;
    enum err e = decode_any_content(c, v, m);
    c->out = out;
    TRY(e);
    struct sv bytes = reflect_pack(m, out);
    if (bytes.p == NULL)
        return decode_fail_memory(c, v);
    any->value.len = bytes.n;
    memcpy(&any->value.data, &bytes.p, sizeof bytes.p);
    return OK;
}

static enum err decode_any(struct decode *c, const struct value *v, ProtobufCMessage *m)
{
    Google__Protobuf__Any *any = (Google__Protobuf__Any *)m;

    if (v->kind != VALUE_OBJECT)
        return decode_fail_kind(c, v, "an object with @type");
    if (v->first == NULL)
        return OK;
    const struct value_item *name = find_item(v, SV("@type"));
    if (name == NULL)
        return FAIL(c, v, E_PARSE, "@type is missing");
    TRY(decode_string(c, name->value, &any->type_url));
    struct sv url = sv_str(any->type_url);
    size_t slash = sv_rfind(url, '/');
    if (slash == SIZE_MAX || slash == 0)
        return FAIL(c, name->value, E_PARSE,
                    "@type '%.*s' must be a type URL, such as type.googleapis.com/NAME", SHOW(url));
    const ProtobufCMessageDescriptor *type = reflect_find_url(url);
    if (type == NULL)
        return FAIL(c, name->value, E_UNSUPPORTED, "unknown @type '%.200s'", any->type_url);
    return pack_content(c, v, type, any);
}

enum err decode_wkt(struct decode *c, const struct value *v, ProtobufCMessage *m, enum wkt wkt)
{
    switch (wkt) {
    case WKT_NONE:
        break;
    case WKT_ANY:
        return decode_any(c, v, m);
    case WKT_DURATION:
    case WKT_TIMESTAMP:
        return decode_time(c, v, m, wkt == WKT_TIMESTAMP);
    case WKT_WRAPPER:
        return decode_wrapper(c, v, m);
    case WKT_STRUCT:
        return decode_map(c, v, m, &m->descriptor->fields[0]);
    case WKT_VALUE:
        return decode_any_value(c, v, m);
    case WKT_LIST:
        if (v->kind != VALUE_LIST)
            return decode_fail_kind(c, v, "a list");
        return decode_repeated(c, v, m, &m->descriptor->fields[0]);
    }
    return E_INTERNAL;
}
