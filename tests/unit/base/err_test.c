/* Diagnostics, error names, and BUG_ON, which must end the process with its place on stderr. */
#include "base/err.h"
#include "tests/support/t.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

T(err, names_are_distinct)
{
    static const enum err all[] = {
        OK,        E_NOMEM,    E_AGAIN,    E_PARSE,       E_LIMIT, E_PROTO,   E_CLOSED,
        E_TIMEOUT, E_NOTFOUND, E_CONFLICT, E_UNSUPPORTED, E_IO,    E_INTERNAL};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        T_EXPECT(strlen(err_name(all[i])) > 0);
        for (size_t k = 0; k < i; k++)
            T_EXPECT(strcmp(err_name(all[i]), err_name(all[k])) != 0, "%s twice", err_name(all[i]));
    }
    T_EXPECT_SV(sv_str(err_name(E_LIMIT)), SV("limit"), "limit");
    T_EXPECT_SV(sv_str(err_name((enum err)7)), SV("unknown"), "no such code");
}

T(err, diag_is_filled_and_passed_on)
{
    struct diag d = {.path = "old", .msg = "old"};
    T_EXPECT_EQ(diag_fail(&d, E_LIMIT, "%d of %s", 3, "four"), E_LIMIT, "code");
    T_EXPECT_SV(sv_str(d.msg), SV("3 of four"), "msg");
    T_EXPECT_SV(sv_str(d.path), SV(""), "path");
    T_EXPECT_EQ(diag_fail(NULL, E_PARSE, "%s", "nobody reads this"), E_PARSE, "no diag");
}

T(err, diag_may_quote_itself)
{
    struct diag d;
    T_EXPECT_EQ(diag_fail(&d, E_PARSE, "inner"), E_PARSE, "first");
    T_EXPECT_EQ(diag_fail(&d, E_PARSE, "outer: %s", d.msg), E_PARSE, "second");
    T_EXPECT_SV(sv_str(d.msg), SV("outer: inner"), "msg");
}

T(err, diag_is_cut_to_fit)
{
    struct diag d;
    T_EXPECT_EQ(diag_fail(&d, E_PARSE, "%700d", 1), E_PARSE, "long");
    T_EXPECT_EQ(strlen(d.msg), sizeof d.msg - 1, "msg");
    diag_prefix(&d, "%150d", 1);
    diag_prefix(&d, "%150d", 2);
    T_EXPECT_EQ(strlen(d.path), sizeof d.path - 1, "path");
    T_EXPECT_SV(sv_of(d.path + 149, 3), SV("2. "), "the newest stays whole");
    diag_prefix(&d, "%300d", 3);
    T_EXPECT_EQ(strlen(d.path), sizeof d.path - 1, "path of one element");
}

T(err, path_grows_at_the_front)
{
    struct diag d;
    T_EXPECT_EQ(diag_fail(&d, E_PARSE, "no"), E_PARSE, "fail");
    diag_prefix(&d, "port_value");
    T_EXPECT_SV(sv_str(d.path), SV("port_value"), "first");
    diag_prefix(&d, "address");
    T_EXPECT_SV(sv_str(d.path), SV("address.port_value"), "dot");
    diag_prefix(&d, "[%d]", 4);
    diag_prefix(&d, "listeners");
    T_EXPECT_SV(sv_str(d.path), SV("listeners[4].address.port_value"), "index");
    diag_prefix(NULL, "nothing");
}

static enum err tried(enum err e, int *after)
{
    TRY(e);
    ++*after;
    return OK;
}

T(err, try_returns_early)
{
    int after = 0;
    T_EXPECT_EQ(tried(E_PROTO, &after), E_PROTO, "fails");
    T_EXPECT_EQ(after, 0, "not reached");
    T_EXPECT_EQ(tried(OK, &after), OK, "goes on");
    T_EXPECT_EQ(after, 1, "reached");
}

/* Runs BUG_ON(broken) in a child; returns its wait status and what it said. */
static int status_of_bug(bool broken, char *said, size_t room)
{
    int pipe_fds[2], status = 0;

    if (pipe(pipe_fds) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        dup2(pipe_fds[1], STDERR_FILENO);
        BUG_ON(broken);
        _exit(0);
    }
    close(pipe_fds[1]);
    size_t n = 0;
    ssize_t got;
    while (n < room - 1 && (got = read(pipe_fds[0], said + n, room - 1 - n)) > 0)
        n += (size_t)got;
    said[n] = '\0';
    close(pipe_fds[0]);
    return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

T(err, bug_aborts_and_says_where)
{
    char said[256] = "";
    int status = status_of_bug(true, said, sizeof said);
    T_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "status %d", status);
    T_EXPECT(strstr(said, "tests/unit/base/err_test.c:") != NULL, "%s", said);
    T_EXPECT(strstr(said, ": broken\n") != NULL, "%s", said);
    T_EXPECT_EQ(status_of_bug(false, said, sizeof said), 0, "no bug");
    T_EXPECT_SV(sv_str(said), SV(""), "no bug");
}
