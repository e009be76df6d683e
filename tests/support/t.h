#pragma once
/* The face of the unit test framework. T(suite, name) { ... } defines a test; the T_ checks print
 * the two values and go on (EXPECT) or stop the test (ASSERT).
 *
 * By default it maps to Criterion (one process per test). With -DT_INPROC tests register in a list
 * run by tests/support/inproc_main.c in one process, which ThreadSanitizer and debuggers need. */
#include "base/sv.h"

#ifdef T_INPROC
#include <stdio.h>
struct t_case {
    const char *suite, *name;
    void (*run)(void);
    struct t_case *next;
};
extern struct t_case *t_cases;
extern int t_failures;
extern _Thread_local int t_abort;
#define T(suite_, name_)                                                                           \
    static void suite_##_##name_##_run(void);                                                      \
    static struct t_case suite_##_##name_##_case = {#suite_, #name_, suite_##_##name_##_run, 0};   \
    __attribute__((constructor)) static void suite_##_##name_##_add(void)                          \
    {                                                                                              \
        suite_##_##name_##_case.next = t_cases;                                                    \
        t_cases = &suite_##_##name_##_case;                                                        \
    }                                                                                              \
    static void suite_##_##name_##_run(void)
#define T_EXPECT(cond, ...)                                                                        \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            t_failures++;                                                                          \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #cond);                             \
            fprintf(stderr, "" __VA_ARGS__);                                                       \
            fputc('\n', stderr);                                                                   \
        }                                                                                          \
    } while (0)
#define T_ASSERT(cond, ...)                                                                        \
    do {                                                                                           \
        int before_ = t_failures;                                                                  \
        T_EXPECT(cond, __VA_ARGS__);                                                               \
        if (t_failures != before_)                                                                 \
            return;                                                                                \
    } while (0)
#else
#include <criterion/criterion.h>
#define T(suite_, name_) Test(suite_, name_, .timeout = 100)
#define T_EXPECT(...) cr_expect(__VA_ARGS__)
#define T_ASSERT(...) cr_assert(__VA_ARGS__)
#endif

/* Views compared as text; row: a label for table tests, or "". */
#define T_EXPECT_SV(got, want, row)                                                                \
    do {                                                                                           \
        struct sv got_ = (got), want_ = (want);                                                    \
        T_EXPECT(sv_eq(got_, want_), "%s: got '%.*s', want '%.*s'", (row), SVF(got_), SVF(want_)); \
    } while (0)
#define T_EXPECT_EQ(got, want, row)                                                                \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
        T_EXPECT(got_ == want_, "%s: got %lld, want %lld", (row), got_, want_);                    \
    } while (0)
