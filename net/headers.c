/* Header lists: append, look up, replace, remove and write out. Used by both HTTP codecs, the
 * filters and the router; runs on whichever thread owns the list's arena. */
#include "net/headers.h"
#include "net/headers_int.h"

/* Enough for nearly every request, what the proxy adds included: 24 slots of 24 bytes. */
enum { FIRST_CAP = 24 };

static uint64_t bit_of(unsigned id)
{
    return UINT64_C(1) << id;
}

void headers_init(struct headers *h, struct arena *a)
{
    *h = (struct headers){.arena = a};
}

enum hdr_id hdr_lookup(const char *lower_name, size_t n)
{
    return n == 0 ? HDR_OTHER : hdr_lookup_inline(lower_name, n);
}

struct sv hdr_name(enum hdr_id id)
{
    if ((unsigned)id >= HDR_COUNT)
        return SV_NONE;
    return sv_of(hdr_table.entries[id].text, hdr_table.entries[id].len);
}

bool headers_grow(struct headers *h)
{
    if (h->cap > UINT32_MAX / 2)
        return false;
    uint32_t cap = h->cap == 0 ? FIRST_CAP : h->cap * 2;
    struct header *v = arena_alloc(h->arena, cap * sizeof *v, _Alignof(struct header));
    if (v == NULL)
        return false;
    if (h->n != 0)
        memcpy(v, h->v, h->n * sizeof *v);
    h->v = v;
    h->cap = cap;
    return true;
}

struct header *headers_slot(struct headers *h)
{
    struct header *s = headers_slot_inline(h);
    if (s != NULL)
        *s = (struct header){.name = ""};
    return s;
}

struct header *headers_get(const struct headers *h, enum hdr_id id)
{
    if (!headers_has(h, id))
        return NULL;
    for (uint32_t i = 0; i < h->n; i++) {
        if (h->v[i].id == id)
            return &h->v[i];
    }
    return NULL;
}

static bool is_named(const struct header *e, enum hdr_id id, struct sv lower_name)
{
    return e->id == id && (id != HDR_OTHER || sv_eq(header_name(e), lower_name));
}

struct header *headers_find(const struct headers *h, struct sv lower_name)
{
    enum hdr_id id = hdr_lookup(lower_name.p, lower_name.n);
    if (id != HDR_OTHER)
        return headers_get(h, id);
    for (uint32_t i = 0; headers_has(h, id) && i < h->n; i++) {
        if (is_named(&h->v[i], id, lower_name))
            return &h->v[i];
    }
    return NULL;
}

/* The texts of well-known names are static, so a list never keeps the caller's view of one. */
static enum err append(struct headers *h, enum hdr_id id, struct sv name, struct sv value)
{
    if (name.n == 0 || name.n > UINT16_MAX || value.n > UINT32_MAX)
        return E_LIMIT;
    struct header *e = headers_slot_inline(h);
    if (e == NULL)
        return E_NOMEM;
    *e = (struct header){.name = name.p,
                         .value = value.p,
                         .value_len = (uint32_t)value.n,
                         .name_len = (uint16_t)name.n,
                         .id = (uint8_t)id};
    h->present |= bit_of(id);
    return OK;
}

enum err headers_add(struct headers *h, enum hdr_id id, struct sv value)
{
    return append(h, id, hdr_name(id), value);
}

enum err headers_add_named(struct headers *h, struct sv lower_name, struct sv value)
{
    enum hdr_id id = hdr_lookup(lower_name.p, lower_name.n);
    return append(h, id, id == HDR_OTHER ? lower_name : hdr_name(id), value);
}

/* Removes the matching headers from index `from` on, in one pass. */
static size_t remove_from(struct headers *h, uint32_t from, enum hdr_id id, struct sv lower_name)
{
    uint32_t kept = from;
    uint64_t present = 0;
    for (uint32_t i = 0; i < h->n; i++) {
        if (i >= from && is_named(&h->v[i], id, lower_name))
            continue;
        present |= bit_of(h->v[i].id);
        if (i >= from) {
            if (kept != i)
                h->v[kept] = h->v[i];
            kept++;
        }
    }
    size_t removed = h->n - kept;
    h->n = kept;
    h->present = present;
    return removed;
}

static enum err set(struct headers *h, enum hdr_id id, struct sv name, struct sv value)
{
    struct header *e = id == HDR_OTHER ? headers_find(h, name) : headers_get(h, id);
    if (e == NULL)
        return append(h, id, name, value);
    if (value.n > UINT32_MAX)
        return E_LIMIT;
    e->name = name.p;
    e->value = value.p;
    e->value_len = (uint32_t)value.n;
    e->flags = 0;
    remove_from(h, (uint32_t)(e - h->v) + 1, id, name);
    return OK;
}

enum err headers_set(struct headers *h, enum hdr_id id, struct sv value)
{
    return set(h, id, hdr_name(id), value);
}

enum err headers_set_named(struct headers *h, struct sv lower_name, struct sv value)
{
    enum hdr_id id = hdr_lookup(lower_name.p, lower_name.n);
    return set(h, id, id == HDR_OTHER ? lower_name : hdr_name(id), value);
}

size_t headers_remove(struct headers *h, enum hdr_id id)
{
    return headers_remove_set(h, bit_of(id));
}

size_t headers_remove_named(struct headers *h, struct sv lower_name)
{
    enum hdr_id id = hdr_lookup(lower_name.p, lower_name.n);
    if (!headers_has(h, id))
        return 0;
    return remove_from(h, 0, id, lower_name);
}

size_t headers_remove_set(struct headers *h, uint64_t ids)
{
    ids &= h->present & ~bit_of(HDR_OTHER);
    if (ids == 0)
        return 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < h->n; i++) {
        if ((ids >> h->v[i].id) & 1)
            continue;
        if (kept != i)
            h->v[kept] = h->v[i];
        kept++;
    }
    size_t removed = h->n - kept;
    h->n = kept;
    h->present &= ~ids;
    return removed;
}

static const char *moved(const char *p, const char *old, size_t n, const char *fresh)
{
    uintptr_t at = (uintptr_t)p - (uintptr_t)old;
    return at < n ? fresh + at : p;
}

void headers_rebase(struct headers *h, const char *old, size_t n, const char *fresh)
{
    for (uint32_t i = 0; i < h->n; i++) {
        h->v[i].name = moved(h->v[i].name, old, n, fresh);
        h->v[i].value = moved(h->v[i].value, old, n, fresh);
    }
}

bool headers_list_next(struct sv *rest, struct sv *item)
{
    while (rest->n != 0) {
        size_t cut = 0;
        while (cut < rest->n && rest->p[cut] != ',')
            cut++;
        struct sv part = sv_of(rest->p, cut);
        *rest = sv_skip(*rest, cut + 1);
        while (part.n != 0 && (part.p[0] == ' ' || part.p[0] == '\t'))
            part = sv_skip(part, 1);
        while (part.n != 0 && (part.p[part.n - 1] == ' ' || part.p[part.n - 1] == '\t'))
            part.n--;
        if (part.n != 0) {
            *item = part;
            return true;
        }
    }
    *item = SV_NONE;
    return false;
}

/* ": " and CRLF */
enum { LINE_EXTRA = 4 };

size_t headers_size(const struct headers *h)
{
    size_t n = 0;
    for (uint32_t i = 0; i < h->n; i++)
        n += (size_t)h->v[i].name_len + h->v[i].value_len + LINE_EXTRA;
    return n;
}

static size_t line_bytes(const struct header *e)
{
    return (size_t)e->name_len + e->value_len + LINE_EXTRA;
}

static char *put(char *out, const char *p, size_t n)
{
    if (n != 0)
        memcpy(out, p, n);
    return out + n;
}

char *headers_write(const struct headers *h, char *out)
{
    for (uint32_t i = 0; i < h->n;) {
        const struct header *e = &h->v[i++];
        if (e->flags & HDR_RAW) {
            size_t run = line_bytes(e);
            for (; i < h->n && (h->v[i].flags & HDR_RAW) && h->v[i].name == e->name + run; i++)
                run += line_bytes(&h->v[i]);
            out = put(out, e->name, run);
            continue;
        }
        out = put(out, e->name, e->name_len);
        out = put(out, ": ", 2);
        out = put(out, e->value, e->value_len);
        out = put(out, "\r\n", 2);
    }
    return out;
}
