#pragma once
/* The reflection engine: messages to and from YAML, JSON and the wire, over the descriptors that
 * protoc-c generates. It knows no particular message but the well-known types.
 *
 * Every message it makes lies in an arena of the caller: arena_free releases it, and
 * protobuf_c_message_free_unpacked must not be called on it. Pure, any thread; one call at a time
 * per arena.
 *
 * Text rules are Envoy's, seen in 1.40: field names in snake_case or lowerCamelCase, the last of
 * two spellings or duplicate keys counts, null is absent, numbers may be strings, a single value
 * stands for a list of one, and YAML scalars resolve as yaml-cpp resolves them.
 * tests/unit/config/reflect_decode_test.c lists them all. */
#include "base/arena.h"
#include "base/str.h"
#include "google/protobuf/any.pb-c.h"

enum reflect_syntax { REFLECT_YAML, REFLECT_JSON };

enum {
    REFLECT_MAX_BYTES = 64 << 20,
    REFLECT_MAX_DEPTH = 100,
    REFLECT_MAX_VALUES = 1 << 20,
};

/* A text to be parsed. Zero in a limit means its default above. */
struct reflect_text {
    struct sv text;
    const char *file; /* for error messages; NULL: "<text>" */
    enum reflect_syntax syntax;
    /* Fields and enum names nobody knows are skipped and counted, instead of refused. */
    bool allow_unknown;
    size_t max_bytes;
    unsigned max_depth; /* of nesting, in the text and with its aliases expanded */
    /* Scalars, lists and objects, counted again each time an alias repeats them. */
    size_t max_values;
    size_t *unknown; /* may be NULL; set to the number of fields skipped, on OK */
};

/* The message a text means, its first document; `type` is the type it must have.
 *
 * On failure d->path is the field path and d->msg "FILE:LINE:COL: reason" (see reflect_explain).
 * E_PARSE: not YAML or JSON, or not such a message; E_LIMIT: one of the limits; E_NOTFOUND: an
 * unknown field or enum name; E_UNSUPPORTED: an unknown @type; E_NOMEM. */
MUST enum err reflect_parse(const struct reflect_text *in, const ProtobufCMessageDescriptor *type,
                            struct arena *a, ProtobufCMessage **out, struct diag *d);

/* Puts the field path behind the position: "FILE:LINE:COL: PATH: reason". Fits any diag; file as
 * above. */
void reflect_explain(const struct diag *d, const char *file, struct str *out);

/* Flags. PRETTY: one space of indentation a level and a newline at the end, as Envoy's admin
 * prints. DEFAULTS: also fields that have their default value; absent messages and oneofs never. */
enum reflect_style { REFLECT_PRETTY = 1, REFLECT_DEFAULTS = 2 };

/* Names as in the .proto, fields in the order of their numbers, 64-bit integers as strings, Any
 * opened. style: enum reflect_style flags. E_UNSUPPORTED: an Any of an unknown type; E_PARSE: an
 * Any or a nesting that cannot be read; the text so far stays in out. */
MUST enum err reflect_print_json(const ProtobufCMessage *m, unsigned style, struct str *out,
                                 struct diag *d);
/* Block style; what it prints, reflect_parse reads back as an equal message. */
MUST enum err reflect_print_yaml(const ProtobufCMessage *m, struct str *out, struct diag *d);

/* An empty message of a type; NULL without memory. */
MUST ProtobufCMessage *reflect_new(const ProtobufCMessageDescriptor *type, struct arena *a);

/* protobuf's MergeFrom: set scalars replace, messages merge, lists append, map entries replace by
 * key, a set oneof member replaces the other. Both of one type. dst may share memory with src
 * afterwards, so both must live in arenas that end together. On failure dst is half merged. */
MUST enum err reflect_merge(ProtobufCMessage *dst, const ProtobufCMessage *src, struct arena *a);

/* From the wire. Refused: what does not parse (E_PARSE), fields nobody knows (E_NOTFOUND, named by
 * message and number), nesting deeper than REFLECT_MAX_DEPTH (E_LIMIT). */
MUST enum err reflect_unpack(struct sv bytes, const ProtobufCMessageDescriptor *type,
                             struct arena *a, ProtobufCMessage **out, struct diag *d);
/* To the wire; p is NULL without memory. */
MUST struct sv reflect_pack(const ProtobufCMessage *m, struct arena *a);

/* The types that may stand in an Any. Message name as in envoy.config.listener.v3.Listener; NULL:
 * unknown. */
const ProtobufCMessageDescriptor *reflect_find_type(struct sv name);
/* The same by type URL: what follows the last '/', which something must precede. */
const ProtobufCMessageDescriptor *reflect_find_url(struct sv type_url);
/* A message in an Any and back. */
MUST enum err reflect_any_pack(const ProtobufCMessage *m, struct arena *a,
                               Google__Protobuf__Any **out);
/* E_UNSUPPORTED: unknown type, named; otherwise as reflect_unpack. */
MUST enum err reflect_any_unpack(const Google__Protobuf__Any *any, struct arena *a,
                                 ProtobufCMessage **out, struct diag *d);
