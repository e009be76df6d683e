/* The statistics registry: names, shards, values; see stats.h. Registration, resets and reading are
 * main's, stat_record a shard owner's. */
#include "proxy/observe/stats_int.h"
#include <stdlib.h>
#include <sys/mman.h>

enum {
    HIST_PAGES = STAT_PAGES_MAX / 16,
    VALUES_MAX = STAT_PAGES_MAX * STAT_PAGE,
    HISTOGRAMS_MAX = HIST_PAGES * STAT_PAGE,
    TEXTS_MAX = 1 << 16,
    NAME_MAX_BYTES = 4096,
};

#define VALUE_MASK (STAT_USED - 1)

/* The page of a histogram's id, in every shard. Those of a registration that failed half-way are
 * used by the next one. */
static enum err pages_reserve(struct stats *s, enum stat_kind kind, size_t id)
{
    size_t p = id >> STAT_PAGE_BITS;
    for (unsigned i = 0; kind == STAT_HISTOGRAM && i < s->n_shards; i++) {
        struct stat_shard *sh = &s->shards[i];
        if (sh->hist_pages[p] == NULL)
            sh->hist_pages[p] = calloc(STAT_PAGE, sizeof(struct histogram *));
        if (sh->hist_pages[p] == NULL)
            return E_NOMEM;
    }
    return OK;
}

/* Address space only: the kernel gives memory to what is written. */
static enum err values_reserve(struct stats *s)
{
    for (unsigned i = 0; i < s->n_shards; i++) {
        void *p = mmap(NULL, VALUES_MAX * sizeof(uint64_t), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED)
            return E_NOMEM;
        s->shards[i].values = p;
    }
    return OK;
}

struct stats *stats_new(unsigned shards)
{
    struct stats *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    BUG_ON(shards == 0);
    s->n_shards = shards;
    s->shards = calloc(shards, sizeof(*s->shards));
    s->names = map_new();
    s->arena = arena_new(16384, SIZE_MAX);
    /* Page 0 exists from the start: id 0 may be written to. */
    if (s->shards == NULL || s->names == NULL || s->arena == NULL || values_reserve(s) != OK ||
        pages_reserve(s, STAT_HISTOGRAM, 0) != OK)
        stats_free(&s);
    return s;
}

static void list_free(struct stat_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        struct stat_entry *e = l->v[i];
        if (e == NULL)
            continue;
        histogram_free(&e->cumulative);
        histogram_free(&e->interval);
        free(e->text);
        free(e);
    }
    free(l->v);
}

static void shard_free(struct stat_shard *sh)
{
    if (sh->values != NULL)
        munmap(sh->values, VALUES_MAX * sizeof(uint64_t));
    for (unsigned p = 0; p < HIST_PAGES; p++) {
        for (unsigned i = 0; sh->hist_pages[p] != NULL && i < STAT_PAGE; i++)
            histogram_free(&sh->hist_pages[p][i]);
        free(sh->hist_pages[p]);
    }
}

void stats_free(struct stats **s)
{
    struct stats *st = *s;
    if (st == NULL)
        return;
    for (unsigned i = 0; st->shards != NULL && i < st->n_shards; i++)
        shard_free(&st->shards[i]);
    free(st->shards);
    map_free(&st->names);
    list_free(&st->values);
    list_free(&st->histograms);
    list_free(&st->texts);
    free(st->sorted);
    arena_free(&st->arena);
    free(st);
    *s = NULL;
}

struct stat_shard *stats_shard(struct stats *s, unsigned i)
{
    BUG_ON(i >= s->n_shards);
    return &s->shards[i];
}

/* ---- registration ---- */

static struct stat_list *list_of(struct stats *s, enum stat_kind kind)
{
    if (kind == STAT_TEXT)
        return &s->texts;
    return kind == STAT_HISTOGRAM ? &s->histograms : &s->values;
}

/* Room for one more entry; index 0 stays empty. */
static enum err list_reserve(struct stat_list *l, size_t max)
{
    if (l->n >= max)
        return E_LIMIT;
    if (l->n < l->room)
        return OK;
    size_t room = l->room == 0 ? 64 : l->room * 2;
    struct stat_entry **v = realloc(l->v, room * sizeof(struct stat_entry *));
    if (v == NULL)
        return E_NOMEM;
    l->v = v;
    l->room = room;
    if (l->n == 0)
        l->v[l->n++] = NULL;
    return OK;
}

static size_t list_max(enum stat_kind kind)
{
    if (kind == STAT_TEXT)
        return TEXTS_MAX;
    return kind == STAT_HISTOGRAM ? HISTOGRAMS_MAX : VALUES_MAX;
}

static enum err entry_add(struct stats *s, struct sv name, enum stat_kind kind, enum stat_unit unit,
                          stat_id *out)
{
    struct stat_list *l = list_of(s, kind);
    TRY(list_reserve(l, list_max(kind)));
    TRY(pages_reserve(s, kind, l->n));
    struct stat_entry *e = calloc(1, sizeof(*e) + name.n);
    if (e == NULL)
        return E_NOMEM;
    e->id = (stat_id)l->n;
    e->kind = (uint8_t)kind;
    e->unit = (uint8_t)unit;
    e->n = name.n;
    memcpy(e->name, name.p, name.n);
    enum err err = map_add(s->names, name, e);
    if (err != OK) {
        free(e);
        return err;
    }
    l->v[l->n++] = e;
    *out = e->id;
    return OK;
}

static enum err entry_register(struct stats *s, struct sv name, enum stat_kind kind,
                               enum stat_unit unit, stat_id *out)
{
    char clean[NAME_MAX_BYTES];

    if (name.n == 0 || name.n > sizeof(clean))
        return E_LIMIT;
    for (size_t i = 0; i < name.n; i++)
        clean[i] = name.p[i] == ':' ? '_' : name.p[i];
    const struct stat_entry *e = map_get(s->names, sv_of(clean, name.n));
    if (e == NULL)
        return entry_add(s, sv_of(clean, name.n), kind, unit, out);
    if (e->kind != kind)
        return E_CONFLICT;
    *out = e->id;
    return OK;
}

enum err stats_counter(struct stats *s, struct sv name, stat_id *out)
{
    return entry_register(s, name, STAT_COUNTER, STAT_UNIT_NONE, out);
}

enum err stats_gauge(struct stats *s, struct sv name, stat_id *out)
{
    return entry_register(s, name, STAT_GAUGE, STAT_UNIT_NONE, out);
}

enum err stats_histogram(struct stats *s, struct sv name, enum stat_unit unit, stat_id *out)
{
    return entry_register(s, name, STAT_HISTOGRAM, unit, out);
}

enum err stats_text(struct stats *s, struct sv name, stat_id *out)
{
    return entry_register(s, name, STAT_TEXT, STAT_UNIT_NONE, out);
}

enum err stats_fixed_tag(struct stats *s, struct sv name, struct sv value)
{
    if (s->n_fixed == STAT_TAGS_FIXED_MAX)
        return E_LIMIT;
    struct stat_tag t = {arena_dup(s->arena, name), arena_dup(s->arena, value)};
    if (t.name.p == NULL || t.value.p == NULL)
        return E_NOMEM;
    s->fixed[s->n_fixed++] = t;
    return OK;
}

/* ---- values ---- */

void stats_text_set(struct stats *s, stat_id id, struct sv value)
{
    if (id == 0 || id >= s->texts.n)
        return;
    char *p = malloc(value.n + 1);
    if (p == NULL)
        return;
    if (value.n > 0)
        memcpy(p, value.p, value.n);
    p[value.n] = '\0';
    free(s->texts.v[id]->text);
    s->texts.v[id]->text = p;
    s->texts.v[id]->text_n = value.n;
}

void stats_gauge_set(struct stats *s, stat_id id, uint64_t value)
{
    uint64_t *v = &s->shards[0].values[id];
    __atomic_store_n(v, value | STAT_USED, __ATOMIC_RELAXED);
}

void stat_record(struct stat_shard *sh, stat_id histogram, uint64_t value)
{
    struct histogram **slot =
        &sh->hist_pages[histogram >> STAT_PAGE_BITS][histogram & (STAT_PAGE - 1)];
    struct histogram *h = *slot;
    if (UNLIKELY(h == NULL)) {
        h = histogram_new();
        if (h == NULL)
            return;
        __atomic_store_n(slot, h, __ATOMIC_RELEASE);
    }
    histogram_record(h, value);
}

/* The shards' values added up, modulo 2^63. *used: one of them was written. */
static uint64_t sum_shards(const struct stats *s, stat_id id, bool *used)
{
    uint64_t sum = 0, all = 0;
    for (unsigned i = 0; i < s->n_shards; i++) {
        uint64_t v = __atomic_load_n(&s->shards[i].values[id], __ATOMIC_RELAXED);
        sum += v;
        all |= v;
    }
    *used = (all & STAT_USED) != 0;
    return sum & VALUE_MASK;
}

uint64_t stat_entry_value(const struct stats *s, const struct stat_entry *e)
{
    bool used;
    uint64_t v = (sum_shards(s, e->id, &used) - e->base) & VALUE_MASK;
    /* One worker's decrement may be read before another's increment: less than nothing is nothing.
     */
    return e->kind == STAT_GAUGE && (v >> 62) != 0 ? 0 : v;
}

uint64_t stats_value(const struct stats *s, stat_id id)
{
    if (id == 0 || id >= s->values.n)
        return 0;
    return stat_entry_value(s, s->values.v[id]);
}

bool stat_is_used(const struct stats *s, const struct stat_entry *e)
{
    bool used;
    if (e->kind == STAT_TEXT)
        return e->text != NULL;
    if (e->kind == STAT_HISTOGRAM)
        return e->cumulative != NULL;
    sum_shards(s, e->id, &used);
    return used;
}

void stats_reset_counters(struct stats *s)
{
    bool used;
    for (size_t i = 1; i < s->values.n; i++) {
        if (s->values.v[i]->kind == STAT_COUNTER)
            s->values.v[i]->base = sum_shards(s, s->values.v[i]->id, &used);
    }
}

/* ---- flush ---- */

static bool entry_merge_ready(struct stat_entry *e)
{
    if (e->cumulative == NULL)
        e->cumulative = histogram_new();
    if (e->cumulative != NULL && e->interval == NULL) {
        e->interval = histogram_new();
        if (e->interval == NULL)
            histogram_free(&e->cumulative);
    }
    return e->cumulative != NULL;
}

static void entry_flush(const struct stats *s, const struct histogram **parts, struct stat_entry *e)
{
    bool any = false;
    for (unsigned i = 0; i < s->n_shards; i++) {
        struct histogram **page = s->shards[i].hist_pages[e->id >> STAT_PAGE_BITS];
        parts[i] = __atomic_load_n(&page[e->id & (STAT_PAGE - 1)], __ATOMIC_ACQUIRE);
        any = any || parts[i] != NULL;
    }
    if (any && entry_merge_ready(e))
        histogram_merge(parts, s->n_shards, e->cumulative, e->interval);
}

void stats_flush(struct stats *s)
{
    const struct histogram **parts = calloc(s->n_shards, sizeof(struct histogram *));
    if (parts == NULL)
        return;
    for (size_t i = 1; i < s->histograms.n; i++)
        entry_flush(s, parts, s->histograms.v[i]);
    free(parts);
}

/* ---- listing ---- */

static unsigned rank(const struct stat_entry *e)
{
    if (e->kind == STAT_TEXT)
        return 0;
    return e->kind == STAT_HISTOGRAM ? 2 : 1;
}

static int by_name(const void *a, const void *b)
{
    const struct stat_entry *x = *(struct stat_entry *const *)a,
                            *y = *(struct stat_entry *const *)b;
    return rank(x) != rank(y) ? (int)rank(x) - (int)rank(y) : sv_cmp(stat_name(x), stat_name(y));
}

static size_t list_append(const struct stat_list *l, struct stat_entry **out, size_t n)
{
    for (size_t i = 1; i < l->n; i++)
        out[n++] = l->v[i];
    return n;
}

enum err stats_sort(struct stats *s)
{
    size_t n = map_count(s->names);
    if (n == s->n_sorted)
        return OK;
    struct stat_entry **v = realloc(s->sorted, n * sizeof(struct stat_entry *));
    if (v == NULL)
        return E_NOMEM;
    s->sorted = v;
    s->n_sorted = list_append(&s->texts, v, 0);
    s->n_sorted = list_append(&s->values, v, s->n_sorted);
    s->n_sorted = list_append(&s->histograms, v, s->n_sorted);
    qsort(v, n, sizeof(struct stat_entry *), by_name);
    return OK;
}

enum err stat_tag_entry(struct stats *s, struct stat_entry *e)
{
    if (e->tags != NULL)
        return OK;
    return tags_extract(stat_name(e), s->fixed, s->n_fixed, s->arena, &e->tags);
}
