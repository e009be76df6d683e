#pragma once
/* Failing allocations: a scenario is run once to count its allocations, then once for each of them,
 * which fails. The test adds tests/support/failmalloc.c to its sources and
 *   target_link_options(unit_x PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)
 * Allocations inside shared libraries are not touched. Counters are per thread. */
#include <stdbool.h>
#include <stddef.h>

/* failing: one allocation will fail, so the scenario must accept E_NOMEM and NULL, and clean up. It
 * does the same in every run. Returns how many allocations there are, 0 when there are too many to
 * try. */
size_t failmalloc_each(void (*scenario)(bool failing));

/* The nth allocation from now fails (1: the next one); 0: none does. */
void failmalloc_at(size_t nth);
/* Allocations since failmalloc_at. */
size_t failmalloc_count(void);
