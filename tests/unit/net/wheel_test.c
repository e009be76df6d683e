/* Timer wheel: stories about its contract, then random steps against a plain array of due times. */
#include "base/rng.h"
#include "net/wheel.h"
#include "tests/support/t.h"

#define HOUR_MS ((uint64_t)3600 * 1000)
#define DAY_MS (24 * HOUR_MS)

/* A timer that counts how often it fired. */
struct probe {
    struct timer t;
    unsigned fired;
    unsigned turn; /* how many had fired before it */
};

static unsigned turns;

static void note(struct timer *t)
{
    struct probe *p = container_of(t, struct probe, t);
    T_EXPECT(!timer_armed(t), "armed while it fires");
    p->fired++;
    p->turn = turns++;
}

static void probe_init(struct probe *p)
{
    *p = (struct probe){0};
    timer_init(&p->t, note);
}

T(wheel, fires_once_when_due)
{
    static const struct {
        const char *name;
        uint64_t start, delay;
    } rows[] = {
        {"next tick",          0,                1               },
        {"same slot digit",    0,                64              },
        {"one level up",       5,                63              },
        {"two levels up",      63,               4096            },
        {"a minute",           123456789,        60000           },
        {"five hours",         987654321,        5 * HOUR_MS     },
        {"a day",              1,                DAY_MS          },
        {"a hundred days",     4095,             100 * DAY_MS    },
        {"ten thousand years", 77,               3650000 * DAY_MS},
        {"across 2^32",        UINT32_MAX,       1               },
        {"to the end of time", 12,               UINT64_MAX - 12 },
        {"from near the end",  UINT64_MAX - 100, 99              },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct wheel *w = wheel_new(rows[i].start);
        struct probe p;
        uint64_t due = rows[i].start + rows[i].delay;
        T_ASSERT(w != NULL);
        probe_init(&p);
        T_EXPECT(wheel_next(w) == UINT64_MAX && !timer_armed(&p.t), "%s", rows[i].name);
        wheel_arm(w, &p.t, due);
        T_EXPECT(timer_armed(&p.t) && wheel_next(w) <= due, "%s", rows[i].name);
        wheel_advance(w, due - 1);
        T_EXPECT_EQ(p.fired, 0, rows[i].name);
        T_EXPECT(wheel_next(w) == due, "%s: exact at the last moment", rows[i].name);
        wheel_advance(w, due);
        T_EXPECT_EQ(p.fired, 1, rows[i].name);
        T_EXPECT(!timer_armed(&p.t) && wheel_next(w) == UINT64_MAX, "%s", rows[i].name);
        wheel_advance(w, UINT64_MAX);
        T_EXPECT_EQ(p.fired, 1, rows[i].name);
        wheel_free(&w);
        T_EXPECT(w == NULL);
    }
}

T(wheel, sleeping_until_next_wakes_few_times)
{
    struct wheel *w = wheel_new(1000);
    struct probe p;
    unsigned wakes = 0;
    uint64_t due = 1000 + 30 * DAY_MS + 12345, now = 0;

    T_ASSERT(w != NULL);
    probe_init(&p);
    wheel_arm(w, &p.t, due);
    while (p.fired == 0 && wakes < 100) {
        now = wheel_next(w);
        T_ASSERT(now <= due);
        wheel_advance(w, now);
        wakes++;
    }
    T_EXPECT(now == due && wakes <= 6, "%u wakes", wakes);
    wheel_free(&w);
}

T(wheel, fires_in_order)
{
    static const uint64_t due[] = {500, 3, 4096, 64, 63, 500, 70, 4095, 2, 100000, 65};
    struct probe v[ARRAY_LEN(due)];
    struct wheel *w = wheel_new(0);

    T_ASSERT(w != NULL);
    turns = 0;
    for (size_t i = 0; i < ARRAY_LEN(due); i++) {
        probe_init(&v[i]);
        wheel_arm(w, &v[i].t, due[i]);
    }
    wheel_advance(w, DAY_MS);
    for (size_t i = 0; i < ARRAY_LEN(due); i++) {
        T_EXPECT_EQ(v[i].fired, 1, "fired");
        for (size_t k = 0; k < ARRAY_LEN(due); k++)
            T_EXPECT(due[i] >= due[k] || v[i].turn < v[k].turn, "%zu and %zu", i, k);
    }
    wheel_free(&w);
}

T(wheel, past_is_due_at_once)
{
    struct wheel *w = wheel_new(1000);
    struct probe p;

    T_ASSERT(w != NULL);
    probe_init(&p);
    wheel_arm(w, &p.t, 5);
    T_EXPECT_EQ(p.fired, 0, "never inside arm");
    T_EXPECT(wheel_next(w) <= 1000);
    wheel_advance(w, 1000);
    T_EXPECT_EQ(p.fired, 1, "same moment");
    wheel_arm(w, &p.t, 1000);
    wheel_advance(w, 900);
    T_EXPECT_EQ(p.fired, 2, "a clock that went back");
    wheel_arm(w, &p.t, 950);
    wheel_advance(w, 900);
    T_EXPECT_EQ(p.fired, 3, "the wheel did not go back with it");
    wheel_arm(w, &p.t, 950);
    wheel_cancel(w, &p.t);
    wheel_advance(w, 1001);
    T_EXPECT_EQ(p.fired, 3, "cancelled");
    T_EXPECT(wheel_next(w) == UINT64_MAX);
    wheel_free(&w);
}

T(wheel, cancels_and_rearms)
{
    struct wheel *w = wheel_new(0);
    struct probe a, b;

    T_ASSERT(w != NULL);
    probe_init(&a);
    probe_init(&b);
    wheel_cancel(w, &a.t);
    wheel_arm(w, &a.t, 5000);
    wheel_arm(w, &b.t, 5000);
    wheel_cancel(w, &a.t);
    wheel_cancel(w, &a.t);
    T_EXPECT(!timer_armed(&a.t) && wheel_next(w) <= 5000, "the other one keeps the slot");
    wheel_arm(w, &b.t, 10);
    T_EXPECT(wheel_next(w) == 10, "earlier");
    wheel_arm(w, &b.t, 20);
    T_EXPECT(wheel_next(w) == 20, "later");
    wheel_advance(w, 19);
    T_EXPECT_EQ(b.fired, 0, "not at the old time");
    wheel_advance(w, 6000);
    T_EXPECT_EQ(b.fired, 1, "once");
    T_EXPECT_EQ(a.fired, 0, "cancelled");
    wheel_free(&w);
}

/* Callbacks that act on the wheel: what they do is set by the test. */
struct actor {
    struct probe p;
    struct wheel *w;
    struct actor *other;
    uint64_t rearm; /* arm this one for then, 0: do not */
    bool cancel_other;
};

static void act(struct timer *t)
{
    struct actor *a = container_of(t, struct actor, p.t);
    note(t);
    if (a->cancel_other)
        wheel_cancel(a->w, &a->other->p.t);
    else if (a->other != NULL)
        wheel_arm(a->w, &a->other->p.t, a->rearm);
    else if (a->rearm != 0)
        wheel_arm(a->w, t, a->rearm);
}

static void actor_init(struct actor *a, struct wheel *w)
{
    *a = (struct actor){.w = w};
    timer_init(&a->p.t, act);
}

T(wheel, callbacks_may_cancel)
{
    /* The second stands in the same slot, in a later one of the same advance, or was late like the
     * first. */
    static const uint64_t rows[][2] = {
        {100, 100 },
        {100, 101 },
        {100, 9000},
        {1,   2   }
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct wheel *w = wheel_new(50);
        struct actor a, b;
        T_ASSERT(w != NULL);
        actor_init(&a, w);
        actor_init(&b, w);
        a.other = &b;
        a.cancel_other = true;
        wheel_arm(w, &a.p.t, rows[i][0]);
        wheel_arm(w, &b.p.t, rows[i][1]);
        wheel_advance(w, 10000);
        T_EXPECT_EQ(a.p.fired, 1, "first");
        T_EXPECT_EQ(b.p.fired, 0, "second");
        T_EXPECT(wheel_next(w) == UINT64_MAX);
        wheel_free(&w);
    }
}

T(wheel, callbacks_may_arm)
{
    struct wheel *w = wheel_new(0);
    struct actor a, b;

    T_ASSERT(w != NULL);
    actor_init(&a, w);
    actor_init(&b, w);
    a.other = &b;
    a.rearm = 700;
    wheel_arm(w, &a.p.t, 100);
    wheel_arm(w, &b.p.t, 100);
    wheel_advance(w, 699);
    T_EXPECT_EQ(b.p.fired, 0, "moved out of the slot that fires");
    wheel_advance(w, 700);
    T_EXPECT_EQ(b.p.fired, 1, "later");
    wheel_free(&w);
}

T(wheel, a_timer_fires_once_in_an_advance)
{
    static const uint64_t rearms[] = {1, 100, 500, 1000};
    for (size_t i = 0; i < ARRAY_LEN(rearms); i++) {
        struct wheel *w = wheel_new(0);
        struct actor a;
        T_ASSERT(w != NULL);
        actor_init(&a, w);
        a.rearm = rearms[i];
        wheel_arm(w, &a.p.t, 100);
        for (unsigned advances = 1; advances <= 3; advances++) {
            wheel_advance(w, 1000);
            T_EXPECT_EQ(a.p.fired, advances, "fired");
            T_EXPECT(timer_armed(&a.p.t) && wheel_next(w) <= 1000);
        }
        wheel_cancel(w, &a.p.t);
        T_EXPECT(wheel_next(w) == UINT64_MAX);
        wheel_free(&w);
    }
}

T(wheel, long_gaps_cost_nothing)
{
    struct wheel *w = wheel_new(0);
    struct probe p;

    T_ASSERT(w != NULL);
    probe_init(&p);
    /* A loop over single milliseconds or empty slots would not come back from this. */
    for (uint64_t i = 1; i <= 1000; i++) {
        wheel_arm(w, &p.t, i << 53);
        wheel_advance(w, i << 53);
    }
    T_EXPECT_EQ(p.fired, 1000, "fired");
    wheel_free(&w);
}

/* The model: due times in an array, 0 for not armed. */
enum { TIMERS = 200, STEPS = 30000 };
static struct probe probes[TIMERS];
static uint64_t due_at[TIMERS];
static uint64_t fired_last; /* due time of the latest to fire in this advance */
static uint64_t model_now;

static void note_model(struct timer *t)
{
    size_t i = (size_t)(container_of(t, struct probe, t) - probes);
    T_EXPECT(due_at[i] != 0 && due_at[i] <= model_now, "timer %zu fired at the wrong time", i);
    T_EXPECT(due_at[i] >= fired_last, "timer %zu out of order", i);
    fired_last = due_at[i];
    due_at[i] = 0;
}

static uint64_t earliest_in_model(void)
{
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < TIMERS; i++)
        if (due_at[i] != 0 && due_at[i] < first)
            first = due_at[i];
    return first;
}

/* Mostly short, sometimes very long. */
static uint64_t random_span(struct rng *r)
{
    return rng_below(r, (uint64_t)1 << rng_below(r, 45));
}

static void random_advance(struct wheel *w, struct rng *r)
{
    uint64_t before = model_now;

    /* Now and then exactly to what the wheel asks for. */
    uint64_t next = wheel_next(w);
    if (next != UINT64_MAX && next > model_now && rng_below(r, 2) == 0)
        model_now = next;
    else
        model_now += random_span(r) / 8;
    fired_last = 0;
    wheel_advance(w, model_now);
    T_ASSERT(earliest_in_model() > model_now, "left behind between %llu and %llu",
             (unsigned long long)before, (unsigned long long)model_now);
}

static void random_step(struct wheel *w, struct rng *r)
{
    size_t i = rng_below(r, TIMERS);

    switch (rng_below(r, 8)) {
    case 0:
        random_advance(w, r);
        break;
    case 1:
    case 2:
        wheel_cancel(w, &probes[i].t);
        due_at[i] = 0;
        break;
    default:
        due_at[i] = model_now + 1 + random_span(r);
        wheel_arm(w, &probes[i].t, due_at[i]);
        break;
    }
    for (size_t k = 0; k < TIMERS; k++)
        T_ASSERT(timer_armed(&probes[k].t) == (due_at[k] != 0), "timer %zu", k);
    uint64_t first = earliest_in_model(), next = wheel_next(w);
    T_ASSERT(next <= first && (next == UINT64_MAX) == (first == UINT64_MAX));
    T_ASSERT(next > model_now, "the owner would spin");
}

T(wheel, behaves_like_an_array)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct rng r;
        rng_seed(&r, seed);
        model_now = rng_below(&r, (uint64_t)1 << 40);
        struct wheel *w = wheel_new(model_now);
        T_ASSERT(w != NULL);
        for (size_t i = 0; i < TIMERS; i++) {
            timer_init(&probes[i].t, note_model);
            due_at[i] = 0;
        }
        for (size_t step = 0; step < STEPS; step++)
            random_step(w, &r);
        model_now = UINT64_MAX;
        fired_last = 0;
        wheel_advance(w, UINT64_MAX);
        T_EXPECT(earliest_in_model() == UINT64_MAX, "all fired at the end");
        wheel_free(&w);
    }
}
