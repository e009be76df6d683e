/* malloc, calloc and realloc that fail when told to; see failmalloc.h. The linker puts the __wrap
 * names in the place of the plain ones (--wrap). */
#include "tests/support/failmalloc.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

enum { RUNS_MAX = 10000 };

static _Thread_local size_t count, fail_at;

static bool fails(void)
{
    return ++count == fail_at;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

void failmalloc_at(size_t nth)
{
    count = 0;
    fail_at = nth;
}

size_t failmalloc_count(void)
{
    return count;
}

size_t failmalloc_each(void (*scenario)(bool failing))
{
    failmalloc_at(0);
    scenario(false);
    size_t all = count;

    if (all > RUNS_MAX)
        return 0;
    for (size_t nth = 1; nth <= all; nth++) {
        failmalloc_at(nth);
        scenario(true);
    }
    failmalloc_at(0);
    return all;
}
