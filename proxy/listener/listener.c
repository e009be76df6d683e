/* Binding and statistics of listeners; main thread. See listener.h. */
#define LOG_COMPONENT LOGC_CONNECTION
#include "proxy/listener/listener.h"
#include "base/log.h"
#include "net/sock.h"
#include "proxy/listener/listener_int.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static enum err reg(struct listener *l, struct stats *st, const char *name, enum stat_kind kind,
                    stat_id *out)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "listener.%s.%s", l->stat_name, name);
    if (n < 0 || (size_t)n >= sizeof(text))
        return E_LIMIT;
    struct sv full = sv_of(text, (size_t)n);
    return kind == STAT_COUNTER ? stats_counter(st, full, out)
           : kind == STAT_GAUGE ? stats_gauge(st, full, out)
                                : stats_histogram(st, full, STAT_UNIT_MS, out);
}

static enum err statistics(struct listener *l, struct stats *st)
{
#define X(name) TRY(reg(l, st, #name, STAT_COUNTER, &l->st.name));
    LISTENER_COUNTERS(X)
#undef X
#define X(name) TRY(reg(l, st, #name, STAT_GAUGE, &l->st.name));
    LISTENER_GAUGES(X)
#undef X
    TRY(reg(l, st, "connections_accepted_per_socket_event", STAT_HISTOGRAM,
            &l->st.accepted_per_event));
    TRY(reg(l, st, "downstream_cx_length_ms", STAT_HISTOGRAM, &l->st.downstream_cx_length_ms));
    for (unsigned i = 0; i < l->n_ports; i++) {
        char name[64];
        snprintf(name, sizeof(name), "worker_%u.downstream_cx_total", i);
        TRY(reg(l, st, name, STAT_COUNTER, &l->ports[i].cx_total));
        snprintf(name, sizeof(name), "worker_%u.downstream_cx_active", i);
        TRY(reg(l, st, name, STAT_GAUGE, &l->ports[i].cx_active));
    }
    return OK;
}

static enum err bind_one(struct listener *l, unsigned i, struct diag *d)
{
    const struct m_listener *m = l->m;
    struct sock_listen_opts o = {.reuse_port = m->reuse_port && l->n_ports > 0,
                                 .ipv6_only = !m->address.ipv4_compat,
                                 .backlog = (int)m->tcp_backlog};
    if (sock_listen(&l->address, &o, &l->ports[i].fd) != OK) {
        int why = errno;
        addr_format(&l->address, l->text, sizeof(l->text));
        return diag_fail(d, E_IO, "cannot bind '%s': %s", l->text, strerror(why));
    }
    /* Port 0: the first socket chooses, the others join it. */
    if (addr_port(&l->address) == 0)
        return sock_local(l->ports[i].fd, &l->address);
    return OK;
}

static enum err bind_all(struct listener *l, struct diag *d)
{
    for (unsigned i = 0; i < l->n_ports; i++) {
        if (i > 0 && !l->m->reuse_port) {
            /* One queue for all workers. */
            l->ports[i].fd = dup(l->ports[0].fd);
            if (l->ports[i].fd < 0)
                return diag_fail(d, E_IO, "cannot share a listening socket: %s", strerror(errno));
            continue;
        }
        TRY(bind_one(l, i, d));
    }
    return OK;
}

static void names(struct listener *l)
{
    addr_format(&l->address, l->text, sizeof(l->text));
    struct sv name = l->m->stat_prefix.n > 0 ? l->m->stat_prefix : sv_str(l->text);
    size_t n = name.n < sizeof(l->stat_name) - 1 ? name.n : sizeof(l->stat_name) - 1;
    memcpy(l->stat_name, name.p, n);
    for (size_t i = 0; i < n; i++)
        if (l->stat_name[i] == ':')
            l->stat_name[i] = '_';
}

static enum err bind_filters(struct listener *l, const struct m_filter_chain *c, struct stats *st)
{
    for (size_t i = 0; c != NULL && i < c->n_filters; i++) {
        const struct net_filter_ops *ops =
            const_container_of(c->filters[i].ext, struct net_filter_ops, ext);
        if (ops->bind != NULL)
            TRY(ops->bind(c->filters[i].conf, sv_str(l->stat_name),
                          l->m->per_connection_buffer_limit_bytes, st));
    }
    return OK;
}

enum err listener_open(const struct m_listener *m, struct stats *st, unsigned workers,
                       struct listener **out, struct diag *d)
{
    struct listener *l = calloc(1, sizeof(*l));
    enum err e = E_NOMEM;
    if (l == NULL)
        return diag_fail(d, E_NOMEM, "out of memory");
    l->m = m;
    l->n_ports = workers;
    l->ports = calloc(workers, sizeof(*l->ports));
    if (l->ports == NULL)
        goto fail;
    for (unsigned i = 0; i < workers; i++)
        l->ports[i].fd = -1;
    if ((e = addr_parse_ip(m->address.host, m->address.port, &l->address)) != OK) {
        e = diag_fail(d, e, "malformed IP address: %.*s", SVF(m->address.host));
        goto fail;
    }
    if ((e = bind_all(l, d)) != OK)
        goto fail;
    names(l);
    if ((e = statistics(l, st)) != OK)
        goto fail;
    for (size_t i = 0; e == OK && i < m->n_chains; i++)
        e = bind_filters(l, &m->chains[i], st);
    if (e == OK)
        e = bind_filters(l, m->default_chain, st);
    if (e != OK)
        goto fail;
    *out = l;
    return OK;
fail:
    listener_free(&l);
    return e;
}

void listener_free(struct listener **lp)
{
    struct listener *l = *lp;
    *lp = NULL;
    if (l == NULL)
        return;
    for (unsigned i = 0; l->ports != NULL && i < l->n_ports; i++)
        if (l->ports[i].fd >= 0)
            close(l->ports[i].fd);
    free(l->ports);
    free(l);
}
