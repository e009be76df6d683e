/* Messages to JSON and YAML: the writing half of the engine. Called by the admin server and by
 * tools; pure. */
#include "config/reflect/reflect_int.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

struct print {
    struct emit e;
    struct arena *tmp; /* what Anys hold */
    struct diag *d;
    bool defaults;
    unsigned depth;
};

enum {
    /* A message has at most three levels for one of its text, and Anys begin anew. */
    DEPTH_MAX = 4 * REFLECT_MAX_DEPTH,
    ANY_BYTES_MAX = 256 << 20,
};

static enum err print_message(struct print *p, const ProtobufCMessage *m);

/* ---- scalars ---- */

static void print_enum(struct print *p, const ProtobufCEnumDescriptor *type, int32_t value)
{
    char number[16];
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);

    if (known != NULL) {
        emit_string(&p->e, sv_str(known->name));
        return;
    }
    snprintf(number, sizeof number, "%" PRId32, value);
    emit_word(&p->e, number);
}

static void print_real(struct print *p, double v, bool is_float)
{
    char text[NUMBER_TEXT];

    number_print(v, is_float, text);
    if (isfinite(v))
        emit_word(&p->e, text);
    else
        emit_string(&p->e, sv_str(text));
}

static enum err print_bytes(struct print *p, const ProtobufCBinaryData *bytes)
{
    struct str text;

    str_init(&text, 0);
    base64_print(bytes, &text);
    enum err e = str_status(&text);
    if (e == OK)
        emit_string(&p->e, str_sv(&text));
    str_fini(&text);
    return e;
}

/* Digits of an integer, or a boolean's word: what may also be the key of a map. */
static bool word_text(const ProtobufCFieldDescriptor *f, const void *slot, char out[NUMBER_TEXT])
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        snprintf(out, NUMBER_TEXT, "%" PRId32, *(const int32_t *)slot);
        return true;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        snprintf(out, NUMBER_TEXT, "%" PRIu32, *(const uint32_t *)slot);
        return true;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        snprintf(out, NUMBER_TEXT, "%" PRId64, *(const int64_t *)slot);
        return true;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        snprintf(out, NUMBER_TEXT, "%" PRIu64, *(const uint64_t *)slot);
        return true;
    case PROTOBUF_C_TYPE_BOOL:
        snprintf(out, NUMBER_TEXT, "%s", *(const protobuf_c_boolean *)slot ? "true" : "false");
        return true;
    default:
        return false;
    }
}

static enum err print_value(struct print *p, const ProtobufCFieldDescriptor *f, const void *slot)
{
    char text[NUMBER_TEXT];

    if (word_text(f, slot, text)) {
        /* JSON numbers have no room for 64 bits, so those are texts there. */
        if (!p->e.yaml && field_size(f) == sizeof(uint64_t))
            emit_string(&p->e, sv_str(text));
        else
            emit_word(&p->e, text);
        return OK;
    }
    switch (f->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        print_real(p, (double)*(const float *)slot, true);
        return OK;
    case PROTOBUF_C_TYPE_DOUBLE:
        print_real(p, *(const double *)slot, false);
        return OK;
    case PROTOBUF_C_TYPE_ENUM:
        print_enum(p, f->descriptor, *(const int32_t *)slot);
        return OK;
    case PROTOBUF_C_TYPE_BYTES:
        return print_bytes(p, slot);
    case PROTOBUF_C_TYPE_MESSAGE:
        return print_message(p, slot_message(slot));
    default:
        emit_string(&p->e, slot_string(slot));
        return OK;
    }
}

/* ---- fields ---- */

static enum err print_list(struct print *p, const ProtobufCMessage *m,
                           const ProtobufCFieldDescriptor *f)
{
    emit_begin(&p->e, '[');
    for (size_t i = 0; i < field_count(m, f); i++) {
        emit_item(&p->e);
        enum err e = print_value(p, f, field_element(m, f, i));
        if (e != OK) {
            diag_prefix(p->d, "[%zu]", i);
            return e;
        }
    }
    emit_end(&p->e, ']');
    return OK;
}

static enum err print_map(struct print *p, const ProtobufCMessage *m,
                          const ProtobufCFieldDescriptor *f)
{
    const ProtobufCMessageDescriptor *type = f->descriptor;
    const ProtobufCFieldDescriptor *key = &type->fields[0], *value = &type->fields[1];

    emit_begin(&p->e, '{');
    for (size_t i = 0; i < field_count(m, f); i++) {
        const ProtobufCMessage *entry = slot_message(field_element(m, f, i));
        char text[NUMBER_TEXT];
        bool word = word_text(key, field_peek(entry, key), text);
        emit_key(&p->e, word ? sv_str(text) : slot_string(field_peek(entry, key)));
        TRY(print_value(p, value, field_peek(entry, value)));
    }
    emit_end(&p->e, '}');
    return OK;
}

static enum err print_field(struct print *p, const ProtobufCMessage *m,
                            const ProtobufCFieldDescriptor *f)
{
    emit_key(&p->e, sv_str(f->name));
    enum err e = field_is_map(f)                         ? print_map(p, m, f)
                 : f->label == PROTOBUF_C_LABEL_REPEATED ? print_list(p, m, f)
                                                         : print_value(p, f, field_peek(m, f));
    if (e != OK)
        diag_prefix(p->d, "%s", f->name);
    return e;
}

/* A default is printed where absence cannot be told from it. */
static bool has_default(const ProtobufCFieldDescriptor *f)
{
    return f->label == PROTOBUF_C_LABEL_REPEATED ||
           (f->label == PROTOBUF_C_LABEL_NONE && f->type != PROTOBUF_C_TYPE_MESSAGE &&
            (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0);
}

static enum err print_fields(struct print *p, const ProtobufCMessage *m)
{
    const ProtobufCMessageDescriptor *type = m->descriptor;

    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        if (field_is_set(m, f) || (p->defaults && has_default(f)))
            TRY(print_field(p, m, f));
    }
    return OK;
}

/* ---- the well-known types ---- */

/* YAML reads only int32 as numbers in a Value, so others say what they are. */
static void print_number(struct print *p, double v)
{
    char text[NUMBER_TEXT];

    if (!p->e.yaml || !isfinite(v) ||
        (v == trunc(v) && fabs(v) <= INT32_MAX && !(v == 0 && signbit(v)))) {
        print_real(p, v, false);
        return;
    }
    number_print(v, false, text);
    emit_word(&p->e, "!!float");
    str_addc(p->e.out, ' ');
    str_add(p->e.out, sv_str(text));
}

static enum err print_any_value(struct print *p, const ProtobufCMessage *m)
{
    const Google__Protobuf__Value *v = (const Google__Protobuf__Value *)m;
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field(m->descriptor, (unsigned)v->kind_case);

    if (f == NULL || v->kind_case == GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE)
        emit_word(&p->e, "null");
    else if (v->kind_case == GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE)
        print_number(p, v->number_value);
    else
        return print_value(p, f, field_peek(m, f));
    return OK;
}

static enum err print_time(struct print *p, const ProtobufCMessage *m, bool moment)
{
    char text[TIME_TEXT];

    if (!(moment ? timestamp_print(m, text) : duration_print(m, text)))
        return diag_fail(p->d, E_PARSE, "a %s that is out of range", m->descriptor->name);
    emit_string(&p->e, sv_str(text));
    return OK;
}

static enum err print_any(struct print *p, const ProtobufCMessage *m)
{
    const Google__Protobuf__Any *any = (const Google__Protobuf__Any *)m;
    ProtobufCMessage *inner;

    emit_begin(&p->e, '{');
    if (field_is_set(m, &m->descriptor->fields[0]) || any->value.len != 0) {
        TRY(reflect_any_unpack(any, p->tmp, &inner, p->d));
        emit_key(&p->e, SV("@type"));
        emit_string(&p->e, sv_str(any->type_url));
        if (wkt_of(inner->descriptor) == WKT_NONE) {
            TRY(print_fields(p, inner));
        } else {
            emit_key(&p->e, SV("value"));
            TRY(print_message(p, inner));
        }
    }
    emit_end(&p->e, '}');
    return OK;
}

static enum err print_plain(struct print *p, const ProtobufCMessage *m)
{
    emit_begin(&p->e, '{');
    TRY(print_fields(p, m));
    emit_end(&p->e, '}');
    return OK;
}

static enum err print_by_type(struct print *p, const ProtobufCMessage *m)
{
    const ProtobufCFieldDescriptor *first = m->descriptor->fields;

    switch (wkt_of(m->descriptor)) {
    case WKT_NONE:
        break;
    case WKT_ANY:
        return print_any(p, m);
    case WKT_DURATION:
    case WKT_TIMESTAMP:
        return print_time(p, m, wkt_of(m->descriptor) == WKT_TIMESTAMP);
    case WKT_WRAPPER:
        return print_value(p, first, field_peek(m, first));
    case WKT_STRUCT:
        return print_map(p, m, first);
    case WKT_VALUE:
        return print_any_value(p, m);
    case WKT_LIST:
        return print_list(p, m, first);
    }
    return print_plain(p, m);
}

static enum err print_message(struct print *p, const ProtobufCMessage *m)
{
    /* An entry or element that came over the wire without its message. */
    if (m == NULL) {
        emit_word(&p->e, "null");
        return OK;
    }
    if (p->depth == DEPTH_MAX)
        return diag_fail(p->d, E_LIMIT, "more than %d levels of messages", DEPTH_MAX);
    p->depth++;
    enum err e = print_by_type(p, m);
    p->depth--;
    return e;
}

static enum err print_root(struct print *p, const ProtobufCMessage *m, bool end_line)
{
    p->tmp = arena_new(16 << 10, ANY_BYTES_MAX);
    if (p->tmp == NULL)
        return diag_fail(p->d, E_NOMEM, "out of memory");
    enum err e = print_message(p, m);
    if (e == OK && end_line)
        str_addc(p->e.out, '\n');
    arena_free(&p->tmp);
    return e == OK ? str_status(p->e.out) : e;
}

enum err reflect_print_json(const ProtobufCMessage *m, unsigned style, struct str *out,
                            struct diag *d)
{
    struct print p = {
        .e = {.out = out, .pretty = (style & REFLECT_PRETTY) != 0},
        .d = d,
        .defaults = (style & REFLECT_DEFAULTS) != 0,
    };
    return print_root(&p, m, p.e.pretty);
}

enum err reflect_print_yaml(const ProtobufCMessage *m, struct str *out, struct diag *d)
{
    struct print p = {
        .e = {.out = out, .yaml = true},
          .d = d
    };
    return print_root(&p, m, true);
}
