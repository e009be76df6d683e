/* Child processes: input, outputs, exit codes, signals, deadlines, environment. */
#include "iptables/run.h"
#include "tests/support/t.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static enum err run_shell(const char *script, struct sv input, uint32_t timeout_ms, struct str *out,
                          struct diag *d)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    const struct run r = {"/bin/sh", argv, input, timeout_ms};
    signal(SIGPIPE, SIG_IGN);
    *d = (struct diag){0};
    return run_program(&r, out, d);
}

T(run, outcomes)
{
    /* clang-format off */
    static const struct {
        const char *row, *script;
        enum err e;
        const char *out, *msg;
    } rows[] = {
        {"success", "echo hello", OK, "hello\n", ""},
        {"noise is no failure", "echo warning >&2; echo x", OK, "x\n", ""},
        {"failure with a reason", "echo a; echo 'no such' >&2; echo table >&2; exit 3", E_IO, "a\n",
         "sh exited with 3: no such table"},
        {"failure without one", "exit 1", E_IO, "", "sh exited with 1: "},
        {"a signal", "kill -TERM $$", E_IO, "", "sh was ended by signal 15: "},
        {"plain signals", "kill -PIPE $$", E_IO, "", "sh was ended by signal 13: "},
    };
    /* clang-format on */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str out;
        struct diag d;
        str_init(&out, 0);
        T_EXPECT_EQ(run_shell(rows[i].script, SV(""), 20000, &out, &d), rows[i].e, rows[i].row);
        T_EXPECT_SV(str_sv(&out), sv_str(rows[i].out), rows[i].row);
        T_EXPECT_SV(sv_str(d.msg), sv_str(rows[i].msg), rows[i].row);
        str_fini(&out);
    }
}

/* More than a pipe holds, in both directions at once. */
T(run, much_input_comes_back)
{
    struct str in, out;
    struct diag d;
    str_init(&in, 0);
    str_init(&out, 0);
    for (int i = 0; i < 100000; i++)
        str_addf(&in, "line %d\n", i);
    T_EXPECT_EQ(run_shell("cat", str_sv(&in), 20000, &out, &d), OK, d.msg);
    T_EXPECT(sv_eq(str_sv(&in), str_sv(&out)), "%zu of %zu bytes", out.n, in.n);
    str_fini(&in);
    str_fini(&out);
}

T(run, a_child_that_does_not_read_is_no_failure)
{
    struct str in;
    struct diag d;
    str_init(&in, 0);
    for (int i = 0; i < 100000; i++)
        str_add(&in, SV("0123456789"));
    T_EXPECT_EQ(run_shell("exit 0", str_sv(&in), 20000, NULL, &d), OK, d.msg);
    str_fini(&in);
}

T(run, a_long_complaint_is_cut)
{
    struct diag d;
    T_EXPECT_EQ(run_shell("yes complaint | head -n 20000 >&2; exit 2", SV(""), 20000, NULL, &d),
                E_IO, "");
    T_EXPECT(strlen(d.msg) > 300 && strlen(d.msg) < 500, "%zu bytes", strlen(d.msg));
}

T(run, too_much_output_is_an_error)
{
    struct str out;
    struct diag d;
    str_init(&out, 1000);
    T_EXPECT_EQ(run_shell("yes | head -n 20000", SV(""), 20000, &out, &d), E_LIMIT, d.msg);
    str_fini(&out);
}

T(run, a_child_that_hangs_is_killed)
{
    struct diag d;
    T_EXPECT_EQ(run_shell("exec sleep 60", SV(""), 50, NULL, &d), E_TIMEOUT, d.msg);
    T_EXPECT_SV(sv_str(d.msg), SV("sh did not end within 50 ms"), "message");
}

T(run, nothing_of_our_environment_but_the_lock_file)
{
    struct str out;
    struct diag d;
    str_init(&out, 0);
    setenv("XTABLES_LOCKFILE", "/tmp/lock", 1);
    setenv("XTABLES_LIBDIR", "/tmp/evil", 1);
    setenv("LD_LIBRARY_PATH", "/tmp/evil", 1);
    T_EXPECT_EQ(run_shell("echo \"$XTABLES_LOCKFILE|$XTABLES_LIBDIR|$LD_LIBRARY_PATH|$LC_ALL\"",
                          SV(""), 20000, &out, &d),
                OK, d.msg);
    T_EXPECT_SV(str_sv(&out), SV("/tmp/lock|||C\n"), "environment");
    str_fini(&out);
}

T(run, a_missing_program_is_named)
{
    const char *argv[] = {"nothing", NULL};
    const struct run r = {"/nonexistent/nothing", argv, SV_NONE, 1000};
    struct diag d = {0};
    T_EXPECT_EQ(run_program(&r, NULL, &d), E_IO, "error");
    T_EXPECT_SV(sv_str(d.msg), SV("cannot run /nonexistent/nothing: No such file or directory"),
                "message");
}

T(run, programs_are_found_in_the_fixed_folders_only)
{
    char path[64];
    setenv("PATH", "/tmp", 1);
    T_EXPECT_EQ(run_find("sh", path, sizeof(path)), OK, "sh");
    T_EXPECT(path[0] == '/' && access(path, X_OK) == 0, "%s", path);
    T_EXPECT_EQ(run_find("no-such-program-here", path, sizeof(path)), E_NOTFOUND, "missing");
    T_EXPECT_EQ(run_find("sh", path, 4), E_NOTFOUND, "no room");
}
