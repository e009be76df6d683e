/* The machine's clocks, and a clock that tests move by hand. Any thread. */
#include "base/clock.h"
#include <time.h>

static uint64_t now_us(clockid_t id)
{
    struct timespec ts;
    BUG_ON(clock_gettime(id, &ts) != 0);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static uint64_t system_mono(const struct clock *c)
{
    (void)c;
    return now_us(CLOCK_MONOTONIC);
}

static uint64_t system_wall(const struct clock *c)
{
    (void)c;
    return now_us(CLOCK_REALTIME);
}

const struct clock *clock_system(void)
{
    static const struct clock machine = {.mono_us = system_mono, .wall_us = system_wall};
    return &machine;
}

static const struct fake_clock *fake_of(const struct clock *c)
{
    /* base is the first member, so the pointers are the same. */
    return (const struct fake_clock *)(const void *)c;
}

static uint64_t fake_mono(const struct clock *c)
{
    return fake_of(c)->mono;
}

static uint64_t fake_wall(const struct clock *c)
{
    return fake_of(c)->wall;
}

void fake_clock_init(struct fake_clock *f, uint64_t mono_us, uint64_t wall_us)
{
    *f = (struct fake_clock){
        .base = {.mono_us = fake_mono, .wall_us = fake_wall},
        .mono = mono_us,
        .wall = wall_us,
    };
}

void fake_clock_advance_ms(struct fake_clock *f, uint64_t ms)
{
    f->mono += ms * 1000;
    f->wall += ms * 1000;
}
