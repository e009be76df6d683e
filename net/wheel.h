#pragma once
/* A hierarchical timer wheel of 1 ms resolution: O(1) arm and cancel, no allocation, no system
 * call. Sans-I/O: the owner calls wheel_advance with the time and sleeps until wheel_next. One
 * thread. */
#include "base/list.h"

struct wheel;
struct timer {
    struct link link;            /* private */
    uint64_t due_ms;             /* private */
    void (*fn)(struct timer *t); /* container_of gives the owner */
};

struct wheel *wheel_new(uint64_t now_ms); /* NULL: no memory */
void wheel_free(struct wheel **w);        /* armed timers are forgotten */

void timer_init(struct timer *t, void (*fn)(struct timer *t));
static inline bool timer_armed(const struct timer *t)
{
    return list_linked(&t->link);
}
/* (Re)arms to fire at the first advance with now >= due_ms. A time that has passed counts as due at
 * once. What a callback arms for a time within the running advance fires in the next one, so that a
 * timer fires at most once in an advance and no callback can hold it up for ever. */
void wheel_arm(struct wheel *w, struct timer *t, uint64_t due_ms);
void wheel_cancel(struct wheel *w, struct timer *t); /* harmless when not armed */
/* Fires everything due, in order of due time up to 1 ms; callbacks may arm and cancel any timer,
 * but not advance. A now_ms before the last one counts as the last one. */
void wheel_advance(struct wheel *w, uint64_t now_ms);
/* The earliest time anything may be due (never later than the true one; may be earlier by a wheel
 * level's granularity), or UINT64_MAX. Cheap: two bit scans. */
uint64_t wheel_next(const struct wheel *w);
