#pragma once
/* Time as a parameter: code that needs the time takes a struct clock, so tests can set it.
 * mono_ms counts from an arbitrary start; wall_us is microseconds since the Unix epoch. */
#include "base/compiler.h"

struct clock {
    uint64_t (*mono_us)(const struct clock *c);
    uint64_t (*wall_us)(const struct clock *c);
};

/* The machine's clocks. */
const struct clock *clock_system(void);

static inline uint64_t clock_mono_us(const struct clock *c)
{
    return c->mono_us(c);
}

static inline uint64_t clock_mono_ms(const struct clock *c)
{
    return c->mono_us(c) / 1000;
}

static inline uint64_t clock_wall_us(const struct clock *c)
{
    return c->wall_us(c);
}

/* A clock that stands still until told. */
struct fake_clock {
    struct clock base;
    uint64_t mono, wall; /* us */
};
void fake_clock_init(struct fake_clock *f, uint64_t mono_us, uint64_t wall_us);
void fake_clock_advance_ms(struct fake_clock *f, uint64_t ms);
