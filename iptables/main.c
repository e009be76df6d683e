/* weft-iptables: reads its options, prepares the job, and shows it (--dry-run) or carries it out.
 * Short-lived, one thread. Exit status: 0 done or nothing to do, 1 the rules could not be applied,
 * 2 wrong use. */
#define LOG_COMPONENT LOGC_IPTABLES
#include "iptables/apply.h"
#include "iptables/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { EXIT_APPLY = 1, EXIT_USAGE = 2 };
enum { ARENA_CHUNK = 64 << 10, ARENA_CAP = 256 << 20 };

extern char **environ;

/* Whoever started us without the three standard descriptors must not find pipes of ours in their
 * place. */
static void open_standard_fds(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

static int print(const struct str *text)
{
    struct sv rest = str_sv(text);
    if (str_status(text) != OK)
        return EXIT_APPLY;
    while (rest.n > 0) {
        ssize_t n = write(STDOUT_FILENO, rest.p, rest.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return EXIT_APPLY;
        rest = sv_skip(rest, (size_t)n);
    }
    return 0;
}

static int complain(const struct diag *d, int status)
{
    fprintf(stderr, "weft-iptables: %s%s%s\n", d->path, d->path[0] == '\0' ? "" : ": ", d->msg);
    return status;
}

static int answer(enum ipt_action question)
{
    struct str text;
    str_init(&text, 0);
    if (question == IPT_HELP)
        ipt_options_help(&text);
    else
        str_add(&text, SV("weft-iptables " WEFT_VERSION "\n"));
    int status = print(&text);
    str_fini(&text);
    return status;
}

static int show(const struct ipt_job *j)
{
    struct str text;
    str_init(&text, 0);
    ipt_job_show(j, &text);
    int status = print(&text);
    str_fini(&text);
    return status;
}

/* The part that one run at a time may do: looking, changing, looking again. */
static int change(const struct ipt_options *o, struct arena *a)
{
    struct ipt_job job;
    struct diag d = {0};
    int lock = -1;
    enum err e = ipt_lock(o->wait_s * 1000, &lock, &d);
    if (e == E_TIMEOUT)
        return complain(&d, EXIT_APPLY);
    if (e != OK) /* every change is checked afterwards, so going on is safe */
        log_warn("iptables.no_lock", "reason=\"%s\"", d.msg);
    e = ipt_job_prepare(o, a, &job, &d);
    if (e == OK)
        e = ipt_job_apply(&job, &d);
    if (lock >= 0)
        close(lock);
    return e == OK ? 0 : complain(&d, EXIT_APPLY);
}

static int work(const struct ipt_options *o, struct arena *a)
{
    struct ipt_job job;
    struct diag d = {0};
    if (o->disabled && o->action == IPT_INSTALL) {
        log_info("iptables.disabled", "reason=\"APPMESH_START_ENABLED is 0\" rules=untouched");
        return 0;
    }
    if (!o->dry_run)
        return change(o, a);
    return ipt_job_prepare(o, a, &job, &d) == OK ? show(&job) : complain(&d, EXIT_APPLY);
}

static int run_with(struct arena *a, char **argv)
{
    struct ipt_options o;
    struct diag d = {0};
    const struct ipt_input in = {(const char *const *)(argv + 1), (const char *const *)environ};
    if (ipt_options_read(a, &in, &o, &d) != OK)
        return complain(&d, EXIT_USAGE);
    if (o.action == IPT_HELP || o.action == IPT_VERSION)
        return answer(o.action);
    log_set_all(o.log_level);
    return work(&o, a);
}

int main(int argc, char **argv)
{
    open_standard_fds();
    signal(SIGPIPE, SIG_IGN);
    struct arena *a = arena_new(ARENA_CHUNK, ARENA_CAP);
    int status = EXIT_APPLY;
    if (a != NULL && argc > 0 && log_open(NULL, NULL) == OK)
        status = run_with(a, argv);
    arena_free(&a);
    log_close();
    return status;
}
