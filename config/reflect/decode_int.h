#pragma once
/* What the three halves of the reading side share: decode.c (messages), decode_scalar.c and
 * decode_wkt.c. */
#include "config/reflect/reflect_int.h"

struct decode {
    const struct reflect_text *in;
    struct arena *out; /* of the message */
    struct arena *tmp; /* of the tree, and of what an Any holds before it is packed */
    struct diag *d;
    unsigned depth;     /* of lists and objects, aliases expanded */
    size_t values_left; /* spent again on each visit: aliases multiply values */
    size_t unknown;
};

/* At most this much of a wrong text is shown. */
enum { SHOWN = 64 };
#define SHOW(s) ((s).n > SHOWN ? SHOWN : (int)(s).n), (s).p

#define FAIL(c, v, e, ...) text_fail((c)->in, (v)->line, (v)->column, (e), (c)->d, __VA_ARGS__)

MUST enum err decode_fail_memory(struct decode *c, const struct value *v);
/* "expected ..., not a number (5)" */
MUST enum err decode_fail_kind(struct decode *c, const struct value *v, const char *wanted);
/* A key that is no field: refused, or counted. */
MUST enum err decode_unknown(struct decode *c, const struct value_item *item,
                             const ProtobufCMessageDescriptor *type);

/* A scalar into its place. */
MUST enum err decode_scalar(struct decode *c, const struct value *v,
                            const ProtobufCFieldDescriptor *f, void *slot);
/* A scalar or message into its place, which a singular field, an element or half an entry may be.
 */
MUST enum err decode_value(struct decode *c, const struct value *v,
                           const ProtobufCFieldDescriptor *f, void *slot);
MUST enum err decode_string(struct decode *c, const struct value *v, char **slot);
MUST enum err decode_message(struct decode *c, const struct value *v, ProtobufCMessage *m);
/* An object as the fields of m. skip: a key that is none of them, or the empty view. */
MUST enum err decode_object(struct decode *c, const struct value *v, ProtobufCMessage *m,
                            struct sv skip);
/* An object as the entries of a map field; a list as a repeated field. */
MUST enum err decode_map(struct decode *c, const struct value *v, ProtobufCMessage *m,
                         const ProtobufCFieldDescriptor *f);
MUST enum err decode_repeated(struct decode *c, const struct value *v, ProtobufCMessage *m,
                              const ProtobufCFieldDescriptor *f);
/* A message of a well-known type. */
MUST enum err decode_wkt(struct decode *c, const struct value *v, ProtobufCMessage *m,
                         enum wkt wkt);
