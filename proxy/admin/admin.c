/* The admin listener's life, and the way from a request to its command; see admin.h. */
#include "proxy/admin/admin.h"
#define LOG_COMPONENT LOGC_ADMIN
#include "base/log.h"
#include "proxy/admin/admin_int.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

enum { ACCEPT_RETRY_MS = 100, BACKLOG = 128 };

/* ---- accepting ---- */

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *peer, int n,
                      void *arg)
{
    struct admin *a = arg;
    (void)peer;
    (void)n;
    a->n_conns++;
    if (a->n_conns >= ADMIN_CONNECTIONS_MAX)
        evconnlistener_disable(l);
    admin_conn_open(a, fd);
}

void admin_conn_gone(struct admin *a)
{
    a->n_conns--;
    if (a->listener != NULL && !event_pending(&a->retry, EV_TIMEOUT, NULL))
        evconnlistener_enable(a->listener);
}

/* Descriptors ran out: the listener would be readable again at once, so it rests for a moment. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
    struct admin *a = arg;
    const struct timeval rest = {0, ACCEPT_RETRY_MS * 1000};
    log_warn("admin.accept_failed", "err=%s", strerror(EVUTIL_SOCKET_ERROR()));
    evconnlistener_disable(l);
    event_add(&a->retry, &rest);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct admin *a = arg;
    (void)fd;
    (void)what;
    if (a->n_conns < ADMIN_CONNECTIONS_MAX)
        evconnlistener_enable(a->listener);
}

static enum err start_listening(struct admin *a, const struct addr *bind, struct diag *d)
{
    struct sockaddr_storage ss;
    socklen_t n;
    char text[ADDR_TEXT_MAX];

    addr_format(bind, text, sizeof(text));
    if (addr_to_sockaddr(bind, &ss, &n) != OK)
        return diag_fail(d, E_IO, "cannot bind '%s': not a socket address", text);
    a->listener = evconnlistener_new_bind(
        a->base, on_accept, a, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
        BACKLOG, (struct sockaddr *)&ss, (int)n);
    if (a->listener == NULL)
        return diag_fail(d, E_IO, "cannot bind '%s': %s", text, strerror(errno));
    evconnlistener_set_error_cb(a->listener, on_accept_error);
    n = sizeof(ss);
    if (getsockname(evconnlistener_get_fd(a->listener), (struct sockaddr *)&ss, &n) != 0 ||
        bind->sa.sa_family == AF_UNIX ||
        addr_from_sockaddr((struct sockaddr *)&ss, n, &a->addr) != OK)
        a->addr = *bind;
    return OK;
}

enum err admin_new(struct event_base *base, const struct addr *bind, const struct admin_deps *deps,
                   struct admin **out, struct diag *d)
{
    struct admin *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return diag_fail(d, E_NOMEM, "out of memory");
    a->deps = *deps;
    if (a->deps.clock == NULL)
        a->deps.clock = clock_system();
    a->base = base;
    list_init(&a->conns);
    evtimer_assign(&a->retry, base, on_retry, a);
    enum err e = admin_stats_register(a);
    if (e != OK)
        e = diag_fail(d, e, "admin: %s", err_name(e));
    else
        e = start_listening(a, bind, d);
    if (e != OK) {
        admin_free(&a);
        return e;
    }
    *out = a;
    return OK;
}

void admin_free(struct admin **pa)
{
    struct admin *a = *pa;
    if (a == NULL)
        return;
    if (a->listener != NULL)
        evconnlistener_free(a->listener);
    a->listener = NULL;
    admin_conn_close_all(a);
    event_del(&a->retry);
    free(a);
    *pa = NULL;
}

const struct addr *admin_address(const struct admin *a)
{
    return &a->addr;
}

/* ---- answering ---- */

void admin_refuse(struct admin_reply *re, unsigned code, const char *fmt, ...)
{
    va_list ap;
    re->code = code;
    re->content_type = ADMIN_TEXT;
    str_clear(&re->body);
    va_start(ap, fmt);
    str_vaddf(&re->body, fmt, ap);
    va_end(ap);
}

void admin_check(struct admin_reply *re, enum err e, const struct diag *d)
{
    if (e != OK)
        admin_refuse(re, 500, "%s\n", d != NULL && d->msg[0] != '\0' ? d->msg : err_name(e));
}

static const struct admin_command *find_command(struct sv path)
{
    for (size_t i = 0; i < admin_n_commands; i++) {
        if (sv_eq(path, sv_str(admin_commands[i].path)))
            return &admin_commands[i];
    }
    return NULL;
}

void admin_answer(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    const struct admin_command *c = find_command(rq->path);

    if (c == NULL) {
        admin_refuse(re, 404, "invalid path. ");
        admin_help_text(&re->body);
    } else if (c->mutates && !sv_eq(rq->method, SV("POST"))) {
        admin_refuse(re, 405, "Method %.*s not allowed, POST required.", SVF(rq->method));
    } else {
        log_debug("admin.request", "path=%s", c->path);
        c->run(a, rq, re);
    }
    if (re->body.failed)
        admin_refuse(re, 500, "out of memory\n");
}
