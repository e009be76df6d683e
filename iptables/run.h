#pragma once
/* Runs one program to its end: no shell, an argument vector, a fixed environment, a deadline. Main
 * thread only. */
#include "base/str.h"

/* NULL-terminated directories that programs are looked for in; the caller's PATH is not asked. */
extern const char *const run_path[];

struct run {
    const char *program;     /* absolute */
    const char *const *argv; /* NULL-terminated, with argv[0] */
    struct sv input;         /* for its standard input */
    uint32_t timeout_ms;     /* then it is killed */
};

/* Absolute path of an executable file of that name in run_path, into out. E_NOTFOUND. */
MUST enum err run_find(const char *name, char *out, size_t room);

/* OK when the program exited with 0; its standard output is appended to out (may be NULL).
 * Otherwise E_IO or E_TIMEOUT, and d says what it printed to standard error. SIGPIPE must be
 * ignored. */
MUST enum err run_program(const struct run *r, struct str *out, struct diag *d);
