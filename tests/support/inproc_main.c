/* Runs the tests of a T_INPROC build one after the other in this process: for ThreadSanitizer and
 * debuggers, which Criterion's process per test defeats. Main thread.
 *
 *   unit_x [pattern]     pattern: shell wildcards over "suite/name" */
#include "tests/support/t.h"
#include <fnmatch.h>
#include <stdlib.h>

struct t_case *t_cases;
int t_failures;
_Thread_local int t_abort;

/* Constructors put each case in front: turn the list round, into the order of the source. */
static void sort_cases(void)
{
    struct t_case *left = t_cases;

    t_cases = NULL;
    while (left != NULL) {
        struct t_case *next = left->next;
        left->next = t_cases;
        t_cases = left;
        left = next;
    }
}

static bool chosen(const struct t_case *c, const char *pattern)
{
    char name[256];

    if (pattern == NULL)
        return true;
    snprintf(name, sizeof name, "%s/%s", c->suite, c->name);
    return fnmatch(pattern, name, 0) == 0;
}

int main(int argc, char **argv)
{
    const char *pattern = argc > 1 ? argv[1] : NULL;
    unsigned tested = 0, failed = 0;

    sort_cases();
    for (const struct t_case *c = t_cases; c != NULL; c = c->next) {
        if (!chosen(c, pattern))
            continue;
        int before = t_failures;
        c->run();
        tested++;
        if (t_failures != before) {
            failed++;
            fprintf(stderr, "[FAIL] %s/%s\n", c->suite, c->name);
        }
    }
    fflush(stderr);
    printf("Tested: %u | Passed: %u | Failed: %u\n", tested, tested - failed, failed);
    /* Nothing tested is a mistake of the caller, not a success. */
    return failed != 0 || tested == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
