/* Signals, on main: SIGTERM drains, SIGINT ends at once, SIGUSR1 reopens logs, SIGHUP is refused,
 * SIGCHLD collects the orphans that fall to PID 1. */
#define LOG_COMPONENT LOGC_MAIN
#include "base/log.h"
#include "proxy/server_int.h"
#include <signal.h>
#include <sys/wait.h>

static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1, SIGHUP, SIGCHLD};

void server_reopen_logs(struct server *s)
{
    log_info("main.reopen_logs", "log and access logs are reopened");
    if (log_reopen() != OK)
        log_error("main.reopen_failed", "the log file cannot be opened again");
    alog_reopen(s->alog);
}

static void reap_children(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct server *s = arg;
    (void)what;
    loop_enter(&s->loop);
    switch (number) {
    case SIGTERM:
        log_warn("main.sigterm", "draining, then exit");
        server_drain_and_exit(s);
        break;
    case SIGINT:
        log_warn("main.sigint", "exit without draining");
        server_exit_now(s);
        break;
    case SIGUSR1:
        server_reopen_logs(s);
        break;
    case SIGCHLD:
        reap_children();
        break;
    default:
        log_warn("main.sighup", "ignored: configuration is not read again on SIGHUP");
    }
    loop_leave(&s->loop);
}

enum err server_signals_start(struct server *s)
{
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        evsignal_assign(&s->signals[i], s->loop.base, numbers[i], on_signal, s);
        if (event_add(&s->signals[i], NULL) != 0)
            return E_IO;
    }
    return OK;
}

void server_signals_stop(struct server *s)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (event_initialized(&s->signals[i]))
            event_del(&s->signals[i]);
}
