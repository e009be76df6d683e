/* A look over packed bytes before protobuf-c unpacks them. protobuf-c keeps unknown fields silently
 * and recurses as deep as the bytes ask; what a management server sends must do neither. Called by
 * field.c. */
#include "config/reflect/reflect_int.h"

struct cursor {
    const uint8_t *p, *end;
};

static bool read_varint(struct cursor *c, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && c->p < c->end; shift += 7) {
        uint8_t b = *c->p++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if ((b & 0x80) == 0) {
            *out = v;
            return true;
        }
    }
    return false;
}

/* The value behind a tag. Length-prefixed bytes are given back, other wire types give an empty
 * view. */
static bool read_value(struct cursor *c, unsigned wire_type, struct sv *out)
{
    uint64_t n;

    *out = SV_NONE;
    switch (wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        return read_varint(c, &n);
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        n = 8;
        break;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        n = 4;
        break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        if (!read_varint(c, &n))
            return false;
        break;
    default:
        return false;
    }
    if (n > (uint64_t)(c->end - c->p))
        return false;
    if (wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
        *out = sv_of((const char *)c->p, (size_t)n);
    c->p += n;
    return true;
}

static enum err check_field(struct cursor *c, const ProtobufCMessageDescriptor *type,
                            unsigned depth, struct diag *d)
{
    uint64_t tag;
    struct sv inner;

    if (!read_varint(c, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
        return diag_fail(d, E_PARSE, "a broken tag in a %s", type->name);
    unsigned id = (unsigned)(tag >> 3);
    if (!read_value(c, tag & 7, &inner))
        return diag_fail(d, E_PARSE, "a broken value of field %u in a %s", id, type->name);
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(type, id);
    if (f == NULL)
        return diag_fail(d, E_NOTFOUND, "no such field %u in %s", id, type->name);
    if (f->type == PROTOBUF_C_TYPE_STRING && !utf8_valid(inner)) {
        enum err e = diag_fail(d, E_PARSE, "text that is not UTF-8");
        diag_prefix(d, "%s", f->name);
        return e;
    }
    if (f->type != PROTOBUF_C_TYPE_MESSAGE || (tag & 7) != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
        return OK;
    enum err e = wire_check(inner, f->descriptor, depth + 1, d);
    if (e != OK)
        diag_prefix(d, "%s", f->name);
    return e;
}

enum err wire_check(struct sv bytes, const ProtobufCMessageDescriptor *type, unsigned depth,
                    struct diag *d)
{
    if (depth > REFLECT_MAX_DEPTH)
        return diag_fail(d, E_LIMIT, "more than %d levels of nesting", REFLECT_MAX_DEPTH);
    if (bytes.n == 0)
        return OK;
    const uint8_t *p = (const uint8_t *)bytes.p;
    struct cursor c = {p, p + bytes.n};
    while (c.p < c.end)
        TRY(check_field(&c, type, depth, d));
    return OK;
}
