#pragma once
/* Field masks (google.protobuf.FieldMask) over messages: which fields a dump is to show. Pure. */
#include "base/arena.h"
#include <protobuf-c/protobuf-c.h>

enum { MASK_PATHS_MAX = 32 };

struct mask {
    struct sv path[MASK_PATHS_MAX]; /* a.b.c */
    size_t n;
};

/* Comma-separated paths, empty ones left out. E_LIMIT: too many. */
MUST enum err mask_parse(struct sv text, struct mask *out);
/* A copy of m that has the mask's fields only; it shares memory with m. Paths lead through single
 * messages, and, with through_any, into an Any, which they then must name a field of. E_NOTFOUND: a
 * path does not fit m; E_NOMEM; errors of reflect_any_unpack. */
MUST enum err mask_apply(const struct mask *mask, bool through_any, const ProtobufCMessage *m,
                         struct arena *a, const ProtobufCMessage **out);
