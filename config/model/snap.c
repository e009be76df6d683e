/* The life of a snapshot: an atomic count; the arena goes with the last holder. Any thread may take
 * and drop, but the last drop runs the arena's callbacks and must be on main. */
#include "config/model/model.h"

struct snap *snap_take(struct snap *s)
{
    uint32_t before = __atomic_fetch_add(&s->refs, 1, __ATOMIC_RELAXED);
    BUG_ON(before == 0 || before == UINT32_MAX);
    return s;
}

void snap_drop(struct snap **snap)
{
    struct snap *s = *snap;
    if (s == NULL)
        return;
    *snap = NULL;
    /* Release: our reads are over; acquire: so are everybody's when we free. */
    uint32_t before = __atomic_fetch_sub(&s->refs, 1, __ATOMIC_ACQ_REL);
    BUG_ON(before == 0);
    if (before > 1)
        return;
    struct arena *arena = s->arena; /* holds *s */
    arena_free(&arena);
}
