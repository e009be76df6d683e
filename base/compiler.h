#pragma once
/* Attributes and assertions that every file may use.
 *
 * BUG_ON is for our own mistakes and stays on in release builds; DCHECK only in debug builds.
 * Input of a peer or of a file is never checked with either: it gets an error (base/err.h).
 */
#include <stddef.h>
#include <stdint.h>

#define MUST __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* The same for a pointer to const. */
#define const_container_of(ptr, type, member)                                                      \
    ((const type *)(const void *)((const char *)(ptr)-offsetof(type, member)))

/* Prints file, line and expression to stderr, then aborts. */
_Noreturn void bug_fail(const char *file, int line, const char *expr);

#define BUG_ON(cond)                                                                               \
    do {                                                                                           \
        if (UNLIKELY(cond))                                                                        \
            bug_fail(__FILE__, __LINE__, #cond);                                                   \
    } while (0)

#ifdef NDEBUG
#define DCHECK(cond) ((void)0)
#else
#define DCHECK(cond) BUG_ON(!(cond))
#endif
