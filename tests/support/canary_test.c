/* Faults on purpose. Each build of this file (one per fault, tests/support/CMakeLists.txt) must be
 * reported as a failure by ctest, or the checks that all other tests rely on are blind. FAULT 0 has
 * none and must pass: it shows that the others fail for their fault. */
#include "tests/support/t.h"
#include <pthread.h>
#include <stdlib.h>

enum fault { NONE, CHECK, LEAK, OVERRUN, UNDEFINED, RACE };

static int shared;

static void *count_up(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++)
        shared++;
    return NULL;
}

static void race_threads(void)
{
    pthread_t other;
    T_ASSERT(pthread_create(&other, NULL, count_up, NULL) == 0);
    count_up(NULL);
    pthread_join(other, NULL);
}

/* Through volatile, so that neither the compiler nor its warnings see what happens. */
static void commit_fault(volatile int fault)
{
    const volatile int big = 0x7fffffff;
    char *volatile block = malloc(8);
    T_ASSERT(block != NULL);
    if (fault == OVERRUN)
        block[fault * 4] = 1;
    if (fault == UNDEFINED)
        T_EXPECT(big + fault != 0);
    if (fault == RACE)
        race_threads();
    if (fault != LEAK)
        free(block);
    block = NULL;
    T_EXPECT(fault != CHECK, "a false statement");
}

T(canary, fault)
{
    commit_fault(FAULT);
}
