#pragma once
/* What the files of this folder share: the value tree between text and messages, access to fields
 * through descriptors, and the texts of scalars. Not for other folders. */
#include "config/reflect/reflect.h"

/* ---- tree.c: text -> values ---- */

enum value_kind { VALUE_NULL, VALUE_BOOL, VALUE_NUMBER, VALUE_STRING, VALUE_LIST, VALUE_OBJECT };

/* A node of the tree; aliases make it a graph without cycles. Lives in the arena given to
 * tree_read. */
struct value {
    enum value_kind kind;
    bool boolean;
    uint32_t line, column;    /* from 1 */
    struct sv text;           /* of every scalar, NUL-terminated; a number is in decimal */
    struct value_item *first; /* of a list or object, in the order of the text */
};

struct value_item {
    struct sv key; /* NUL-terminated; of objects only. Keys may repeat: the last one counts. */
    uint32_t line, column;
    const struct value *value;
    struct value_item *next;
};

/* The first document of a text. E_PARSE, E_LIMIT, E_NOMEM; d->msg begins with the position. */
MUST enum err tree_read(const struct reflect_text *in, struct arena *a, const struct value **out,
                        struct diag *d);
/* Fails with "FILE:LINE:COLUMN: ..." */
MUST enum err text_fail(const struct reflect_text *in, uint32_t line, uint32_t column, enum err e,
                        struct diag *d, const char *fmt, ...) PRINTF(6, 7);
/* in's limits with the defaults filled in. */
struct reflect_text text_limits(const struct reflect_text *in);

/* ---- scalar.c ---- */

enum yaml_type { YAML_NULL, YAML_BOOL, YAML_INT, YAML_TEXT };
/* What a plain YAML scalar is, by yaml-cpp's rules. Integers outside int32 stay text, as in Envoy.
 */
enum yaml_type yaml_resolve(struct sv plain, bool *boolean, int32_t *integer);

enum num_err { NUM_OK, NUM_BAD, NUM_FRACTION, NUM_RANGE };
/* Decimal numbers, also with fraction and exponent if the value is whole. text is NUL-terminated.
 */
enum num_err number_i64(struct sv text, int64_t min, int64_t max, int64_t *out);
enum num_err number_u64(struct sv text, uint64_t max, uint64_t *out);
/* Also NaN, Infinity and -Infinity. */
enum num_err number_double(struct sv text, double *out);
/* true, t, yes, y, 1 and their opposites, in any case. */
bool bool_parse(struct sv text, bool *out);
/* The shortest of the usual forms that reads back as the same number. */
enum { NUMBER_TEXT = 40 };
void number_print(double v, bool is_float, char out[NUMBER_TEXT]);

/* Either alphabet, padded or not. E_PARSE, E_NOMEM. */
MUST enum err base64_parse(struct sv text, struct arena *a, ProtobufCBinaryData *out);
void base64_print(const ProtobufCBinaryData *in, struct str *out);

bool utf8_valid(struct sv s);
/* Cuts one code point off *s, which must not be empty; UINT32_MAX for a byte that begins none. */
uint32_t utf8_next(struct sv *s);

/* ---- wkt.c: the well-known types ---- */

enum wkt {
    WKT_NONE,
    WKT_ANY,
    WKT_DURATION,
    WKT_TIMESTAMP,
    WKT_WRAPPER,
    WKT_STRUCT,
    WKT_VALUE,
    WKT_LIST,
};
enum wkt wkt_of(const ProtobufCMessageDescriptor *type);

/* Message and text of durations ("-1.5s") and moments (RFC 3339). false: not valid. */
enum { TIME_TEXT = 96 };
bool duration_parse(struct sv text, ProtobufCMessage *out);
bool duration_print(const ProtobufCMessage *m, char out[TIME_TEXT]);
bool timestamp_parse(struct sv text, ProtobufCMessage *out);
bool timestamp_print(const ProtobufCMessage *m, char out[TIME_TEXT]);

/* ---- field.c: messages through descriptors ---- */

/* By either spelling; SIZE_MAX: none. */
size_t field_find(const ProtobufCMessageDescriptor *type, struct sv key);
/* Present, set to something else than the default, or not empty. */
bool field_is_set(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f);
/* Marks a singular field present, or its oneof as set to it. */
void field_mark(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f);
/* The member of f's oneof that is set; NULL: none, or f is in no oneof. */
const ProtobufCFieldDescriptor *field_oneof_set(const ProtobufCMessage *m,
                                                const ProtobufCFieldDescriptor *f);
/* A repeated field of entries with a key and a value. */
bool field_is_map(const ProtobufCFieldDescriptor *f);
/* Bytes of one value in the C structure. */
size_t field_size(const ProtobufCFieldDescriptor *f);
/* Room for n elements, zeroed, in place of what the repeated field held. NULL: no memory. */
MUST void *field_reserve(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t n,
                         struct arena *a);

static inline void *field_slot(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    return (char *)m + f->offset;
}

static inline const void *field_peek(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    return (const char *)m + f->offset;
}

/* The has-flag, the count or the oneof case. */
static inline const void *field_quantifier(const ProtobufCMessage *m,
                                           const ProtobufCFieldDescriptor *f)
{
    return (const char *)m + f->quantifier_offset;
}

static inline size_t field_count(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    return *(const size_t *)field_quantifier(m, f);
}

/* Element i of a repeated field. */
static inline const void *field_element(const ProtobufCMessage *m,
                                        const ProtobufCFieldDescriptor *f, size_t i)
{
    return *(const char *const *)field_peek(m, f) + i * field_size(f);
}

/* The message in a slot; NULL when absent. */
static inline const ProtobufCMessage *slot_message(const void *slot)
{
    return *(const ProtobufCMessage *const *)slot;
}

static inline struct sv slot_string(const void *slot)
{
    return sv_str(*(const char *const *)slot);
}

/* ---- decode.c, wire.c, emit.c ---- */

/* Walks packed bytes as far as protobuf-c would, without building anything: refuses unknown fields
 * and deep nesting, which protobuf-c accepts and recurses into. */
MUST enum err wire_check(struct sv bytes, const ProtobufCMessageDescriptor *type, unsigned depth,
                         struct diag *d);

/* A JSON or YAML text being written. Every value but the root follows emit_key or emit_item. */
struct emit {
    struct str *out;
    bool yaml, pretty;
    unsigned depth; /* open lists and objects */
    bool first;     /* nothing in the innermost one yet */
    enum {
        EMIT_START,
        EMIT_KEY,
        EMIT_DASH,
        EMIT_LINE
    } before; /* what the YAML line holds so far */
};
void emit_begin(struct emit *e, char bracket); /* '{' or '[' */
void emit_end(struct emit *e, char bracket);   /* '}' or ']' */
void emit_key(struct emit *e, struct sv key);
void emit_item(struct emit *e);
void emit_string(struct emit *e, struct sv s);
void emit_word(struct emit *e, const char *word); /* numbers, true, false, null */
