/* Child processes; see run.h. */
#include "iptables/run.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHUNK = 16384, ERROR_MAX = 400 };

#define RUN_PATH "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
const char *const run_path[] = {"/usr/sbin",       "/usr/bin",       "/sbin", "/bin",
                                "/usr/local/sbin", "/usr/local/bin", NULL};

/* The parent's side of a child. */
struct child {
    pid_t pid;
    int fds[3]; /* its stdin, stdout, stderr; -1 once closed */
    struct sv input;
    struct str *out;
    char error[ERROR_MAX + 1]; /* the beginning of what it complained */
    size_t error_n;
};

enum err run_find(const char *name, char *out, size_t room)
{
    for (size_t i = 0; run_path[i] != NULL; i++) {
        int n = snprintf(out, room, "%s/%s", run_path[i], name);
        if (n > 0 && (size_t)n < room && access(out, X_OK) == 0)
            return OK;
    }
    return E_NOTFOUND;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* The child gets plain defaults for signals and nothing of our environment but the lock file's
 * place, which a read-only root file system needs. */
static int spawn_with(const struct run *r, posix_spawn_file_actions_t *acts, pid_t *pid)
{
    char path[] = "PATH=" RUN_PATH, locale[] = "LC_ALL=C", lock[512] = "";
    const char *lock_file = getenv("XTABLES_LOCKFILE");
    bool has_lock = lock_file != NULL && strlen(lock_file) < sizeof(lock) - 32;
    if (has_lock)
        snprintf(lock, sizeof(lock), "XTABLES_LOCKFILE=%s", lock_file);
    char *env[] = {path, locale, has_lock ? lock : NULL, NULL};

    posix_spawnattr_t attr;
    sigset_t defaults;
    int rc = posix_spawnattr_init(&attr);
    if (rc != 0)
        return rc;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attr, &defaults);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
    /* posix_spawn takes char *const[] for history's sake and does not write to the strings. */
    union {
        const char *const *in;
        char *const *out;
    } argv = {.in = r->argv};
    rc = posix_spawn(pid, r->program, acts, &attr, argv.out, env);
    posix_spawnattr_destroy(&attr);
    return rc;
}

static int spawn_on_pipes(const struct run *r, int pipes[3][2], pid_t *pid)
{
    posix_spawn_file_actions_t acts;
    int rc = posix_spawn_file_actions_init(&acts);
    if (rc != 0)
        return rc;
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = posix_spawn_file_actions_adddup2(&acts, pipes[i][i == 0 ? 0 : 1], i);
    if (rc == 0)
        rc = spawn_with(r, &acts, pid);
    posix_spawn_file_actions_destroy(&acts);
    return rc;
}

/* Makes the pipes and the child; on failure nothing is left open. */
static enum err start(const struct run *r, struct child *c, struct diag *d)
{
    int pipes[3][2] =
        {
            {-1, -1},
            {-1, -1},
            {-1, -1}
    },
        rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = pipe2(pipes[i], O_CLOEXEC) == 0 ? 0 : errno;
    if (rc == 0)
        rc = spawn_on_pipes(r, pipes, &c->pid);
    for (int i = 0; i < 3; i++) {
        int mine = i == 0 ? 1 : 0;
        close_fd(&pipes[i][1 - mine]);
        if (rc != 0)
            close_fd(&pipes[i][mine]);
        else
            fcntl(pipes[i][mine], F_SETFL, O_NONBLOCK);
        c->fds[i] = pipes[i][mine];
    }
    return rc == 0 ? OK : diag_fail(d, E_IO, "cannot run %s: %s", r->program, strerror(rc));
}

static void feed(struct child *c)
{
    ssize_t n = c->input.n == 0 ? 0 : write(c->fds[0], c->input.p, c->input.n);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        c->input = sv_skip(c->input, (size_t)n);
    if (n < 0 || c->input.n == 0) /* it closed its end, or has everything */
        close_fd(&c->fds[0]);
}

static void drain(struct child *c, int which)
{
    char chunk[CHUNK];
    ssize_t n = read(c->fds[which], chunk, sizeof(chunk));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        close_fd(&c->fds[which]);
        return;
    }
    if (which == 1 && c->out != NULL)
        str_add(c->out, sv_of(chunk, (size_t)n));
    if (which == 2) {
        size_t room = ERROR_MAX - c->error_n, take = (size_t)n < room ? (size_t)n : room;
        memcpy(c->error + c->error_n, chunk, take);
        c->error_n += take;
    }
}

/* Until both outputs are closed. E_TIMEOUT at the deadline. */
static enum err converse(struct child *c, uint64_t deadline_ms)
{
    while (c->fds[1] >= 0 || c->fds[2] >= 0) {
        struct pollfd p[3] = {
            {.fd = c->fds[0], .events = POLLOUT},
            {.fd = c->fds[1], .events = POLLIN },
            {.fd = c->fds[2], .events = POLLIN }
        };
        uint64_t now = clock_mono_ms(clock_system());
        if (now >= deadline_ms)
            return E_TIMEOUT;
        if (poll(p, 3, (int)(deadline_ms - now)) < 0 && errno != EINTR)
            return E_IO;
        if (p[0].revents != 0)
            feed(c);
        if (p[1].revents != 0)
            drain(c, 1);
        if (p[2].revents != 0)
            drain(c, 2);
    }
    return OK;
}

/* The complaint as one line, for the log. */
static struct sv complaint(struct child *c)
{
    for (size_t i = 0; i < c->error_n; i++)
        if (c->error[i] == '\n')
            c->error[i] = ' ';
    return sv_trim(sv_of(c->error, c->error_n));
}

static enum err reap(const struct run *r, struct child *c, struct diag *d)
{
    int status = 0;
    const char *name = base_name(r->program);
    struct sv error = complaint(c);
    while (waitpid(c->pid, &status, 0) < 0)
        if (errno != EINTR)
            return diag_fail(d, E_IO, "cannot wait for %s: %s", name, strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return OK;
    if (WIFEXITED(status))
        return diag_fail(d, E_IO, "%s exited with %d: %.*s", name, WEXITSTATUS(status), SVF(error));
    return diag_fail(d, E_IO, "%s was ended by signal %d: %.*s", name, WTERMSIG(status),
                     SVF(error));
}

enum err run_program(const struct run *r, struct str *out, struct diag *d)
{
    struct child c = {.input = r->input, .out = out};
    TRY(start(r, &c, d));
    enum err e = converse(&c, clock_mono_ms(clock_system()) + r->timeout_ms);
    if (e != OK)
        kill(c.pid, SIGKILL);
    for (int i = 0; i < 3; i++)
        close_fd(&c.fds[i]);
    enum err ended = reap(r, &c, d);
    if (e == E_TIMEOUT)
        return diag_fail(d, e, "%s did not end within %u ms", base_name(r->program), r->timeout_ms);
    if (e != OK || ended != OK)
        return ended != OK ? ended : e;
    if (out != NULL && str_status(out) != OK)
        return diag_fail(d, E_LIMIT, "%s printed too much", base_name(r->program));
    return OK;
}
