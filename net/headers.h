#pragma once
/* An HTTP header list: views into a head block or an arena, well-known names as small integers.
 *
 * Names are stored lower-cased. Order is kept. Lookups by id test one bit, then scan small
 * integers: no string is compared for a well-known name. Lists live in an arena; nothing here
 * frees. Thread: whoever owns the arena. */
#include "base/arena.h"

/* Well-known names; HDR_OTHER is any other. The table of texts is in headers.c, in this order. */
enum hdr_id {
    HDR_OTHER,
    HDR_HOST,
    HDR_CONNECTION,
    HDR_KEEP_ALIVE,
    HDR_PROXY_CONNECTION,
    HDR_TRANSFER_ENCODING,
    HDR_CONTENT_LENGTH,
    HDR_TE,
    HDR_TRAILER,
    HDR_UPGRADE,
    HDR_EXPECT,
    HDR_DATE,
    HDR_SERVER,
    HDR_USER_AGENT,
    HDR_CONTENT_TYPE,
    HDR_ACCEPT,
    HDR_COOKIE,
    HDR_LOCATION,
    HDR_VIA,
    HDR_PROXY_AUTHENTICATE,
    HDR_PROXY_AUTHORIZATION,
    HDR_GRPC_STATUS,
    HDR_X_FORWARDED_FOR,
    HDR_X_FORWARDED_PROTO,
    HDR_X_FORWARDED_PORT,
    HDR_X_FORWARDED_HOST,
    HDR_X_FORWARDED_CLIENT_CERT,
    HDR_X_REQUEST_ID,
    HDR_X_CLIENT_TRACE_ID,
    HDR_X_ENVOY_INTERNAL,
    HDR_X_ENVOY_EXTERNAL_ADDRESS,
    HDR_X_ENVOY_EXPECTED_RQ_TIMEOUT_MS,
    HDR_X_ENVOY_UPSTREAM_SERVICE_TIME,
    HDR_X_ENVOY_UPSTREAM_RQ_TIMEOUT_MS,
    HDR_X_ENVOY_UPSTREAM_RQ_PER_TRY_TIMEOUT_MS,
    HDR_X_ENVOY_UPSTREAM_RQ_TIMEOUT_ALT_RESPONSE,
    HDR_X_ENVOY_UPSTREAM_ALT_STAT_NAME,
    HDR_X_ENVOY_UPSTREAM_CANARY,
    HDR_X_ENVOY_ATTEMPT_COUNT,
    HDR_X_ENVOY_MAX_RETRIES,
    HDR_X_ENVOY_RETRY_ON,
    HDR_X_ENVOY_RETRY_GRPC_ON,
    HDR_X_ENVOY_RETRIABLE_STATUS_CODES,
    HDR_X_ENVOY_RETRIABLE_HEADER_NAMES,
    HDR_X_ENVOY_HEDGE_ON_PER_TRY_TIMEOUT,
    HDR_X_ENVOY_UPSTREAM_STREAM_DURATION_MS,
    HDR_X_ENVOY_IP_TAGS,
    HDR_X_ENVOY_FORCE_TRACE,
    HDR_X_ENVOY_ORIGINAL_URL,
    HDR_X_ENVOY_ORIGINAL_PATH,
    HDR_X_ENVOY_OVERLOADED,
    HDR_X_ENVOY_DECORATOR_OPERATION,
    HDR_X_ENVOY_DOWNSTREAM_SERVICE_CLUSTER,
    HDR_X_ENVOY_DOWNSTREAM_SERVICE_NODE,
    HDR_COUNT
};
_Static_assert(HDR_COUNT <= 64, "headers.present is a 64-bit set");

struct header {
    const char *name; /* lower case */
    const char *value;
    uint32_t value_len;
    uint16_t name_len;
    uint8_t id; /* enum hdr_id */
    /* HDR_RAW: name .. value .. CRLF lie in memory exactly as "name: value\r\n" starting at name,
     * so a serialiser may copy the whole line (and a run of such lines) in one piece. */
    uint8_t flags;
};
enum { HDR_RAW = 1 };

struct headers {
    struct header *v; /* in `arena` */
    uint32_t n, cap;
    uint64_t present; /* bit id: at least one header of that id (HDR_OTHER included) */
    struct arena *arena;
};

void headers_init(struct headers *h, struct arena *a);
/* The id of a lower-case name. */
enum hdr_id hdr_lookup(const char *lower_name, size_t n);
struct sv hdr_name(enum hdr_id id);

static inline bool headers_has(const struct headers *h, enum hdr_id id)
{
    return (h->present >> id) & 1;
}
static inline struct sv header_value(const struct header *h)
{
    return sv_of(h->value, h->value_len);
}
static inline struct sv header_name(const struct header *h)
{
    return sv_of(h->name, h->name_len);
}

/* Raw append of a slot, all zero; NULL when the arena is full. For the parser. */
MUST struct header *headers_slot(struct headers *h);
/* First header of that id or NULL; id is not HDR_OTHER. */
struct header *headers_get(const struct headers *h, enum hdr_id id);
/* First header with that name; name is lower case. */
struct header *headers_find(const struct headers *h, struct sv lower_name);
/* Views are kept, not copied: they must live as long as the arena. */
MUST enum err headers_add(struct headers *h, enum hdr_id id, struct sv value);
MUST enum err headers_add_named(struct headers *h, struct sv lower_name, struct sv value);
/* Replaces the first and removes further ones, or adds. */
MUST enum err headers_set(struct headers *h, enum hdr_id id, struct sv value);
MUST enum err headers_set_named(struct headers *h, struct sv lower_name, struct sv value);
/* Removes all of that id / name, keeping order; returns how many. One pass. */
size_t headers_remove(struct headers *h, enum hdr_id id);
size_t headers_remove_named(struct headers *h, struct sv lower_name);
/* Removes all whose id is in the set (bit HDR_OTHER is ignored); nothing is touched when none is
 * present. */
size_t headers_remove_set(struct headers *h, uint64_t ids);
/* Every name and value that points into [old, old+n) moves to the same offset of fresh. */
void headers_rebase(struct headers *h, const char *old, size_t n, const char *fresh);
/* Cuts the next element off *rest, a comma-separated field value such as Connection's: blanks
 * around it are taken off and empty elements skipped. False (and *item empty) when none is left.
 * Quotes mean nothing here. */
bool headers_list_next(struct sv *rest, struct sv *item);
/* Bytes that headers_write needs at most. */
size_t headers_size(const struct headers *h);
/* Writes "name: value\r\n" for each into out (headers_size bytes of room); returns the end. Runs of
 * HDR_RAW headers that are contiguous in memory are copied at once. */
char *headers_write(const struct headers *h, char *out);
