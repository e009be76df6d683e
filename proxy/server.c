/* The process from options to exit code; see server.h. */
#define LOG_COMPONENT LOGC_MAIN
#include "proxy/server.h"
#include "base/log.h"
#include "config/load.h"
#include "net/sock.h"
#include "proxy/admin/admin.h"
#include "proxy/options.h"
#include "proxy/registry.h"
#include "proxy/server_int.h"
#include <stdio.h>
#include <stdlib.h>

enum { MAIN_CHUNK = 8 * 1024 };

struct stats *server_stats(struct server *s)
{
    return s->stats;
}

struct loop *server_main_loop(struct server *s)
{
    return &s->loop;
}

struct dns_resolver *server_dns(struct server *s)
{
    return s->dns;
}

struct alog_writer *server_alog(struct server *s)
{
    return s->alog;
}

unsigned server_worker_count(const struct server *s)
{
    return s->n_workers;
}

struct worker *server_worker(struct server *s, unsigned i)
{
    return &s->workers[i];
}

uint64_t *server_connection_ids(struct server *s)
{
    return &s->connection_ids;
}

static enum err make(struct server *s, const struct options *o)
{
    s->opts = o;
    s->started_us = clock_mono_us(clock_system());
    s->started_wall_us = clock_wall_us(clock_system());
    s->n_workers = o->concurrency;
    s->state = SERVER_PRE_INITIALIZING;
    timer_init(&s->drain_deadline, NULL);
    timer_init(&s->drain_end, NULL);
    timer_init(&s->flush, NULL);
    TRY(loop_init(&s->loop, clock_system(), MAIN_CHUNK));
    s->stats = stats_new(s->n_workers + 1);
    s->alog = alog_writer_new(s->n_workers, o->file_flush_interval_ms,
                              (size_t)o->file_flush_min_kb * 1024);
    s->workers = aligned_alloc(64, s->n_workers * ((sizeof(struct worker) + 63) & ~(size_t)63));
    if (s->stats == NULL || s->alog == NULL || s->workers == NULL)
        return E_NOMEM;
    memset(s->workers, 0, s->n_workers * sizeof(struct worker));
    TRY(server_stats_register(s));
    TRY(dns_resolver_new(&s->loop, &s->dns));
    return server_signals_start(s);
}

static void release(struct server *s)
{
    admin_free(&s->admin);
    for (unsigned i = 0; s->workers != NULL && i < s->n_workers; i++)
        if (s->workers[i].server != NULL)
            worker_stop(&s->workers[i]);
    /* Leases and reports that the workers sent last. */
    if (s->loop.mail != NULL)
        mailbox_drain(s->loop.mail);
    for (size_t i = 0; i < s->n_listeners; i++)
        listener_free(&s->listeners[i]);
    free(s->listeners);
    generation_drop(&s->gen);
    snap_drop(&s->snap);
    dns_resolver_free(&s->dns);
    alog_writer_free(&s->alog);
    server_signals_stop(s); /* no sooner: a signal must not end us before the logs are written */
    loop_fini(&s->loop);
    stats_free(&s->stats);
    free(s->workers);
}

static enum err load(struct server *s, const struct options *o, struct diag *d)
{
    struct load_input in = options_load_input(o);
    struct addr ip;
    sock_host_ip(o->local_address_v6, &ip);
    size_t n = addr_format_ip(&ip, s->local_ip, sizeof(s->local_ip));
    s->env = (struct env){.stats = s->stats,
                          .alog = s->alog,
                          .node_id = sv_str(o->service_node),
                          .node_cluster = sv_str(o->service_cluster),
                          .local_ip = sv_of(s->local_ip, n)};
    return load_snapshot(&in, &proxy_registry, &s->env, &s->snap, d);
}

static void explain(const struct options *o, const struct diag *d)
{
    char text[1024];
    load_explain(d, text, sizeof(text));
    log_critical("main.config_failed", "error initializing configuration '%s': %s", o->config_path,
                 text);
}

/* Checks everything short of binding, and says so. */
int server_validate(const struct options *o)
{
    struct load_input in = options_load_input(o);
    struct stats *stats = stats_new(1);
    struct env env = {.stats = stats};
    if (stats == NULL)
        return 1;
    int code = load_validate(&in, &proxy_registry, &env, stdout);
    stats_free(&stats);
    return code;
}

int server_run(const struct options *o)
{
    struct server *s = calloc(1, sizeof(*s));
    struct diag d = {{0}, {0}};
    if (s == NULL)
        return 1;
    enum err e = make(s, o);
    if (e != OK) {
        log_critical("main.start_failed", "err=%s", err_name(e));
        s->exit_code = 1;
    } else if ((e = load(s, o, &d)) != OK || (e = server_start(s, &d)) != OK) {
        explain(o, &d);
        s->exit_code = 1;
    } else {
        loop_enter(&s->loop);
        loop_leave(&s->loop);
        if (o->mode == OPTIONS_INIT_ONLY)
            server_exit_now(s);
        loop_run(&s->loop);
    }
    int code = s->exit_code;
    release(s);
    free(s);
    return code;
}
