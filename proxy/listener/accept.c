/* Accepting connections and choosing their filter chain; worker threads. */
#define LOG_COMPONENT LOGC_CONNECTION
#include "base/log.h"
#include "net/sock.h"
#include "proxy/listener/listener_int.h"
#include <errno.h>
#include <unistd.h>

enum {
    ACCEPT_BATCH = 32, /* then other connections get their turn */
    RETRY_MS = 100,    /* without descriptors: wait for some to be closed */
    MUTE_MS = 20,      /* handshakes under way when SYNs are held off end within it */
};

static void done(struct downstream *d)
{
    struct listener_port *p = d->owner;
    struct stat_shard *sh = p->w->stats;
    stat_inc(sh, p->l->st.downstream_cx_destroy);
    stat_dec(sh, p->l->st.downstream_cx_active);
    stat_dec(sh, p->cx_active);
    stat_record(sh, p->l->st.downstream_cx_length_ms,
                (p->w->loop.now_us - d->meta.start_us) / 1000);
}

/* A connection that ends at one of our own ports would be proxied to ourselves, again and again. */
static bool leads_to_us(const struct listener_port *p, const struct conn_meta *m)
{
    if (!m->restored)
        return false;
    for (size_t i = 0; i < p->n_all; i++)
        if (addr_port(&p->all[i]->address) == addr_port(&m->local) &&
            (addr_is_any(&p->all[i]->address) || addr_eq_ip(&p->all[i]->address, &m->local)))
            return sock_ip_is_local(&m->local);
    return false;
}

static const struct m_filter_chain *choose_chain(const struct m_listener *m,
                                                 const struct conn_meta *meta)
{
    const struct m_filter_chain *any = NULL;
    uint16_t port = addr_port(&meta->local);
    for (size_t i = 0; i < m->n_chains; i++) {
        if (m->chains[i].destination_port == port)
            return &m->chains[i];
        if (m->chains[i].destination_port == 0)
            any = &m->chains[i];
    }
    return any != NULL ? any : m->default_chain;
}

static bool describe(struct listener_port *p, int fd, const struct addr *peer, struct conn_meta *m)
{
    const struct m_listener *ml = p->l->m;
    *m = (struct conn_meta){.remote = *peer, .direct_remote = *peer};
    m->id = __atomic_fetch_add(p->w->next_connection_id, 1, __ATOMIC_RELAXED);
    m->start_us = p->w->loop.now_us;
    m->inbound = ml->direction == M_DIR_INBOUND;
    m->local = p->l->address;
    if (addr_is_any(&p->l->address) && sock_local(fd, &m->local) != OK)
        return false;
    addr_unmap(&m->local);
    for (size_t i = 0; i < ml->n_listener_filters; i++) {
        const struct listener_filter_ops *ops =
            const_container_of(ml->listener_filters[i].ext, struct listener_filter_ops, ext);
        ops->accept(ml->listener_filters[i].conf, fd, m);
    }
    return true;
}

static void take(struct listener_port *p, int fd, const struct addr *peer)
{
    struct stat_shard *sh = p->w->stats;
    struct conn_meta meta;
    if (!describe(p, fd, peer, &meta)) {
        close(fd);
        return;
    }
    if (leads_to_us(p, &meta)) {
        log_warn("listener.loop_refused", "listener=%.*s address=%s", SVF(p->l->m->name),
                 p->l->text);
        stat_inc(sh, p->l->st.downstream_listener_filter_error);
        close(fd);
        return;
    }
    const struct m_filter_chain *chain = choose_chain(p->l->m, &meta);
    if (chain == NULL || chain->n_filters == 0) {
        if (chain == NULL)
            stat_inc(sh, p->l->st.no_filter_chain_match);
        close(fd);
        return;
    }
    stat_inc(sh, p->l->st.downstream_cx_total);
    stat_inc(sh, p->l->st.downstream_cx_active);
    stat_inc(sh, p->cx_total);
    stat_inc(sh, p->cx_active);
    struct downstream_want want = {.fd = fd,
                                   .chain = chain,
                                   .meta = &meta,
                                   .buffer_limit = p->l->m->per_connection_buffer_limit_bytes,
                                   .on_done = done,
                                   .owner = p};
    if (downstream_open(p->w, &want) != OK) {
        stat_inc(sh, p->l->st.downstream_cx_destroy);
        stat_dec(sh, p->l->st.downstream_cx_active);
        stat_dec(sh, p->cx_active);
    }
}

/* Accepts up to max; false when the queue is empty or nothing can be accepted now. */
static bool accept_some(struct listener_port *p, unsigned max)
{
    for (unsigned i = 0; i < max; i++) {
        struct sockaddr_storage ss;
        socklen_t n = sizeof(ss);
        struct addr peer;
        int fd = accept4(p->fd, (struct sockaddr *)&ss, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            if (addr_from_sockaddr((struct sockaddr *)&ss, n, &peer) == OK) {
                /* A listener for both families: who came by IPv4 has an IPv4 address. */
                addr_unmap(&peer);
                take(p, fd, &peer);
            } else {
                close(fd);
            }
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            log_warn("listener.accept_failed", "listener=%.*s err=%s", SVF(p->l->m->name),
                     strerror(errno));
            if (!p->stopping) {
                event_del(&p->event);
                loop_arm(&p->w->loop, &p->retry, RETRY_MS);
            }
        }
        return false;
    }
    return true;
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    struct listener_port *p = arg;
    (void)fd;
    (void)what;
    loop_enter(&p->w->loop);
    accept_some(p, ACCEPT_BATCH);
    loop_leave(&p->w->loop);
}

static void close_port(struct listener_port *p)
{
    if (p->fd < 0)
        return;
    while (accept_some(p, ACCEPT_BATCH)) {
    }
    event_del(&p->event);
    close(p->fd);
    p->fd = -1;
}

static void retry_or_close(struct timer *t)
{
    struct listener_port *p = container_of(t, struct listener_port, retry);
    if (p->stopping)
        close_port(p);
    else
        event_add(&p->event, NULL);
}

enum err listener_start(struct listener *l, struct worker *w, struct listener *const *all,
                        size_t n_all)
{
    struct listener_port *p = &l->ports[w->index];
    p->l = l;
    p->w = w;
    p->all = all;
    p->n_all = n_all;
    timer_init(&p->retry, retry_or_close);
    event_assign(&p->event, w->loop.base, p->fd, EV_READ | EV_PERSIST, on_accept, p);
    return event_add(&p->event, NULL) == 0 ? OK : E_IO;
}

void listener_stop(struct listener *l, struct worker *w)
{
    struct listener_port *p = &l->ports[w->index];
    if (p->fd < 0 || p->stopping)
        return;
    p->stopping = true;
    sock_listen_mute(p->fd);
    loop_arm(&w->loop, &p->retry, MUTE_MS);
}

bool listener_accepts(const struct listener *l, const struct worker *w)
{
    return l->ports[w->index].fd >= 0;
}
