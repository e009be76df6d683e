/* Scalars of the tree to scalars of a message: numbers, booleans, texts, bytes, enums. Called by
 * decode.c; pure. */
#include "config/reflect/decode_int.h"
#include <float.h>
#include <math.h>

enum err decode_fail_memory(struct decode *c, const struct value *v)
{
    return FAIL(c, v, E_NOMEM, "out of memory");
}

static const char *kind_name(const struct value *v)
{
    static const char *const names[] = {
        [VALUE_NULL] = "null",     [VALUE_BOOL] = "a boolean", [VALUE_NUMBER] = "a number",
        [VALUE_STRING] = "a text", [VALUE_LIST] = "a list",    [VALUE_OBJECT] = "an object",
    };
    return names[v->kind];
}

enum err decode_fail_kind(struct decode *c, const struct value *v, const char *wanted)
{
    if (v->kind == VALUE_BOOL || v->kind == VALUE_NUMBER)
        return FAIL(c, v, E_PARSE, "expected %s, not %s (%.*s)%s", wanted, kind_name(v),
                    SHOW(v->text), strcmp(wanted, "a text") == 0 ? "; quote it" : "");
    return FAIL(c, v, E_PARSE, "expected %s, not %s", wanted, kind_name(v));
}

static enum err check_number(struct decode *c, const struct value *v, enum num_err e)
{
    switch (e) {
    case NUM_OK:
        break;
    case NUM_BAD:
        return FAIL(c, v, E_PARSE, "'%.*s' is not a number", SHOW(v->text));
    case NUM_FRACTION:
        return FAIL(c, v, E_PARSE, "%.*s is not a whole number", SHOW(v->text));
    case NUM_RANGE:
        return FAIL(c, v, E_PARSE, "%.*s is out of range", SHOW(v->text));
    }
    return OK;
}

static enum err decode_signed(struct decode *c, const struct value *v, bool wide, void *slot)
{
    int64_t n = 0;
    TRY(check_number(
        c, v, number_i64(v->text, wide ? INT64_MIN : INT32_MIN, wide ? INT64_MAX : INT32_MAX, &n)));
    if (wide)
        *(int64_t *)slot = n;
    else
        *(int32_t *)slot = (int32_t)n;
    return OK;
}

static enum err decode_unsigned(struct decode *c, const struct value *v, bool wide, void *slot)
{
    uint64_t n = 0;
    TRY(check_number(c, v, number_u64(v->text, wide ? UINT64_MAX : UINT32_MAX, &n)));
    if (wide)
        *(uint64_t *)slot = n;
    else
        *(uint32_t *)slot = (uint32_t)n;
    return OK;
}

static enum err decode_real(struct decode *c, const struct value *v, bool wide, void *slot)
{
    double n = 0;
    enum num_err e = number_double(v->text, &n);
    if (e == NUM_OK && !wide && isfinite(n) && fabs(n) > (double)FLT_MAX)
        e = NUM_RANGE;
    TRY(check_number(c, v, e));
    if (wide)
        *(double *)slot = n;
    else
        *(float *)slot = (float)n;
    return OK;
}

static enum err decode_number(struct decode *c, const struct value *v, ProtobufCType type,
                              void *slot)
{
    if (v->kind != VALUE_NUMBER && v->kind != VALUE_STRING)
        return decode_fail_kind(c, v, "a number");
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return decode_signed(c, v, false, slot);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return decode_signed(c, v, true, slot);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return decode_unsigned(c, v, false, slot);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return decode_unsigned(c, v, true, slot);
    default:
        return decode_real(c, v, type == PROTOBUF_C_TYPE_DOUBLE, slot);
    }
}

static enum err decode_bool(struct decode *c, const struct value *v, protobuf_c_boolean *slot)
{
    bool b = v->boolean;
    if (v->kind != VALUE_BOOL && (v->kind != VALUE_STRING || !bool_parse(v->text, &b)))
        return decode_fail_kind(c, v, "true or false");
    *slot = b;
    return OK;
}

enum err decode_string(struct decode *c, const struct value *v, char **slot)
{
    if (v->kind != VALUE_STRING)
        return decode_fail_kind(c, v, "a text");
    if (sv_find(v->text, '\0', 0) != SIZE_MAX)
        return FAIL(c, v, E_PARSE, "a text must not hold NUL");
    if (!utf8_valid(v->text))
        return FAIL(c, v, E_PARSE, "a text must be UTF-8");
    struct sv copy = arena_dup(c->out, v->text);
    if (copy.p == NULL)
        return decode_fail_memory(c, v);
    memcpy(slot, &copy.p, sizeof copy.p);
    return OK;
}

static enum err decode_bytes(struct decode *c, const struct value *v, ProtobufCBinaryData *slot)
{
    if (v->kind != VALUE_STRING)
        return decode_fail_kind(c, v, "a base64 text");
    enum err e = base64_parse(v->text, c->out, slot);
    if (e == E_NOMEM)
        return decode_fail_memory(c, v);
    return e == OK ? OK : FAIL(c, v, E_PARSE, "'%.*s' is not base64", SHOW(v->text));
}

static enum err decode_enum(struct decode *c, const struct value *v,
                            const ProtobufCEnumDescriptor *type, int32_t *slot)
{
    if (v->kind != VALUE_STRING && v->kind != VALUE_NUMBER)
        return decode_fail_kind(c, v, "a name or a number");
    for (unsigned i = 0; i < type->n_value_names; i++) {
        const ProtobufCEnumValueIndex *name = &type->values_by_name[i];
        if (!sv_ieq(v->text, sv_str(name->name)))
            continue;
        *slot = type->values[name->index].value;
        return OK;
    }
    int64_t n = 0;
    enum num_err e = number_i64(v->text, INT32_MIN, INT32_MAX, &n);
    /* A number in a text must be plain: 1.0 is refused there, and taken in JSON. */
    bool plain = v->kind == VALUE_NUMBER || sv_find(v->text, '.', 0) == SIZE_MAX;
    if (e == NUM_OK && plain) {
        /* Any number: rules.c knows which enums are closed. */
        *slot = (int32_t)n;
        return OK;
    }
    if (v->kind == VALUE_NUMBER)
        return check_number(c, v, e);
    if (!c->in->allow_unknown)
        return FAIL(c, v, E_NOTFOUND, "no such value '%.*s' in %s", SHOW(v->text), type->name);
    c->unknown++;
    *slot = 0;
    return OK;
}

enum err decode_scalar(struct decode *c, const struct value *v, const ProtobufCFieldDescriptor *f,
                       void *slot)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return decode_bool(c, v, slot);
    case PROTOBUF_C_TYPE_STRING:
        return decode_string(c, v, slot);
    case PROTOBUF_C_TYPE_BYTES:
        return decode_bytes(c, v, slot);
    case PROTOBUF_C_TYPE_ENUM:
        return decode_enum(c, v, f->descriptor, slot);
    default:
        return decode_number(c, v, f->type, slot);
    }
}
