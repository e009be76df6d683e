/* The machine's clock goes forward; the fake one stands still until moved. */
#include "base/clock.h"
#include "tests/support/t.h"
#include <time.h>

T(clock, system_goes_forward)
{
    const struct clock *c = clock_system();
    uint64_t last = clock_mono_us(c);
    for (int i = 0; i < 1000; i++) {
        uint64_t now = clock_mono_us(c);
        T_ASSERT(now >= last);
        last = now;
    }
    T_EXPECT(clock_mono_ms(c) >= last / 1000);
    /* Seconds since 1970 from another source bracket ours. */
    uint64_t before = (uint64_t)time(NULL), wall = clock_wall_us(c), after = (uint64_t)time(NULL);
    /* time(2) may lag by one tick of the coarse clock. */
    T_EXPECT(wall / 1000000 >= before && wall / 1000000 <= after + 1);
}

T(clock, fake_stands_until_told)
{
    struct fake_clock f;
    fake_clock_init(&f, 5000, 1700000000000000);
    T_EXPECT_EQ(clock_mono_us(&f.base), 5000, "mono");
    T_EXPECT_EQ(clock_mono_ms(&f.base), 5, "mono ms");
    T_EXPECT_EQ(clock_wall_us(&f.base), 1700000000000000, "wall");
    fake_clock_advance_ms(&f, 250);
    T_EXPECT_EQ(clock_mono_us(&f.base), 255000, "mono after");
    T_EXPECT_EQ(clock_wall_us(&f.base), 1700000000250000, "wall after");
    f.wall = 1;
    T_EXPECT_EQ(clock_wall_us(&f.base), 1, "set by hand");
}
