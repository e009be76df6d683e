/* Timer wheel; see wheel.h. The owner's thread only.
 *
 * Times are numbers of eleven base-64 digits, which covers all 64 bits. A timer stands on the level
 * of the highest digit in which its time differs from `now`, in the slot named by its own digit
 * there:
 *
 *   level 2  | 0 .. 63 |  4096 ms a slot      now = ..  5 : 20 : 07
 *   level 1  | 0 .. 63 |    64 ms a slot      due = ..  5 : 31 : 40   -> level 1, slot 31
 *   level 0  | 0 .. 63 |     1 ms a slot
 *
 * All slots in use lie ahead of now's digit on their level, and a lower level is always due before
 * a higher one, so the lowest bit of the lowest level in use is the next slot. When now reaches its
 * first moment, its timers move to lower levels or fire. Between such moments no timer changes its
 * place, so a cancelled timer still finds its slot from its time and now. */
#include "net/wheel.h"
#include <stdlib.h>

enum { DIGIT_BITS = 6, SLOTS = 64, LEVELS = 11 };

struct wheel {
    uint64_t now;
    uint64_t
        floor; /* what is armed for no later goes to ready: now, or the target while advancing */
    uint32_t levels; /* bit: slots[level] holds timers */
    uint64_t used[LEVELS];
    struct link slots[LEVELS][SLOTS];
    struct link ready; /* due when they were armed: they fire in the next advance */
    bool advancing;
};

struct wheel *wheel_new(uint64_t now_ms)
{
    struct wheel *w = malloc(sizeof *w);
    if (w == NULL)
        return NULL;
    w->now = w->floor = now_ms;
    w->levels = 0;
    w->advancing = false;
    list_init(&w->ready);
    for (size_t level = 0; level < LEVELS; level++) {
        w->used[level] = 0;
        for (size_t slot = 0; slot < SLOTS; slot++)
            list_init(&w->slots[level][slot]);
    }
    return w;
}

void wheel_free(struct wheel **w)
{
    free(*w);
    *w = NULL;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    list_init(&t->link);
    t->due_ms = 0;
    t->fn = fn;
}

/* Where a time later than now belongs. */
static void locate(const struct wheel *w, uint64_t due, unsigned *level, unsigned *slot)
{
    *level = (63u - (unsigned)__builtin_clzll(due ^ w->now)) / DIGIT_BITS;
    *slot = (unsigned)(due >> (*level * DIGIT_BITS)) % SLOTS;
}

static void place(struct wheel *w, struct timer *t)
{
    unsigned level, slot;

    locate(w, t->due_ms, &level, &slot);
    list_push_back(&w->slots[level][slot], &t->link);
    w->used[level] |= (uint64_t)1 << slot;
    w->levels |= 1u << level;
}

static void mark_empty(struct wheel *w, unsigned level, unsigned slot)
{
    w->used[level] &= ~((uint64_t)1 << slot);
    if (w->used[level] == 0)
        w->levels &= ~(1u << level);
}

void wheel_arm(struct wheel *w, struct timer *t, uint64_t due_ms)
{
    wheel_cancel(w, t);
    t->due_ms = due_ms;
    if (due_ms <= w->floor)
        list_push_back(&w->ready, &t->link);
    else
        place(w, t);
}

void wheel_cancel(struct wheel *w, struct timer *t)
{
    unsigned level, slot;

    if (!timer_armed(t))
        return;
    list_unlink(&t->link);
    if (t->due_ms <= w->now)
        return; /* it was ready or about to fire */
    locate(w, t->due_ms, &level, &slot);
    if (list_empty(&w->slots[level][slot]))
        mark_empty(w, level, slot);
}

/* The first moment of the earliest slot in use; false when there is none. */
static bool first_slot(const struct wheel *w, unsigned *level, unsigned *slot, uint64_t *start)
{
    if (w->levels == 0)
        return false;
    *level = (unsigned)__builtin_ctz(w->levels);
    *slot = (unsigned)__builtin_ctzll(w->used[*level]);
    /* now with this digit replaced and all lower ones zero. The top digit has only 4 bits. */
    unsigned shift = *level * DIGIT_BITS;
    uint64_t above = shift + DIGIT_BITS >= 64 ? 0 : ~(uint64_t)0 << (shift + DIGIT_BITS);
    *start = (w->now & above) | (uint64_t)*slot << shift;
    return true;
}

static void fire_all(struct link *due)
{
    struct link *l;

    /* One at a time from the list: a callback may cancel or re-arm those behind it. */
    while ((l = list_pop_front(due)) != NULL) {
        struct timer *t = list_entry(l, struct timer, link);
        t->fn(t);
    }
}

/* now has reached the slot: its timers fire or move to lower levels. */
static void open_slot(struct wheel *w, unsigned level, unsigned slot)
{
    struct link opened, due, *l;

    list_init(&opened);
    list_init(&due);
    list_splice_back(&opened, &w->slots[level][slot]);
    mark_empty(w, level, slot);
    while ((l = list_pop_front(&opened)) != NULL) {
        struct timer *t = list_entry(l, struct timer, link);
        if (t->due_ms == w->now)
            list_push_back(&due, l);
        else
            place(w, t);
    }
    fire_all(&due);
}

void wheel_advance(struct wheel *w, uint64_t now_ms)
{
    struct link due;
    unsigned level, slot;
    uint64_t start;

    BUG_ON(w->advancing);
    w->advancing = true;
    if (now_ms > w->floor)
        w->floor = now_ms;
    list_init(&due);
    list_splice_back(&due, &w->ready);
    fire_all(&due);
    while (first_slot(w, &level, &slot, &start) && start <= w->floor) {
        w->now = start;
        open_slot(w, level, slot);
    }
    w->now = w->floor;
    w->advancing = false;
}

uint64_t wheel_next(const struct wheel *w)
{
    unsigned level, slot;
    uint64_t start;

    if (!list_empty(&w->ready))
        return w->now;
    return first_slot(w, &level, &slot, &start) ? start : UINT64_MAX;
}
