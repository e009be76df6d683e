/* Downstream connections; see downstream.h. */
#include "proxy/network/downstream.h"
#include <stdlib.h>
#include <unistd.h>

static void on_readable(struct conn *c)
{
    struct downstream *d = container_of(c, struct downstream, conn);
    d->ops->readable(d->state);
}

static void on_drained(struct conn *c)
{
    struct downstream *d = container_of(c, struct downstream, conn);
    d->ops->drained(d->state);
}

static void on_broken(struct conn *c)
{
    struct downstream *d = container_of(c, struct downstream, conn);
    d->ops->broken(d->state);
}

static const struct conn_ops ops = {
    .readable = on_readable, .drained = on_drained, .broken = on_broken};

static void free_downstream(struct reap *r)
{
    struct downstream *d = container_of(r, struct downstream, reap);
    lease_put(&d->lease);
    free(d);
}

void downstream_done(struct downstream *d)
{
    list_unlink(&d->link);
    d->w->n_downstreams--;
    d->on_done(d);
    d->reap.free_fn = free_downstream;
    loop_reap_later(&d->w->loop, &d->reap);
}

enum err downstream_open(struct worker *w, const struct downstream_want *want)
{
    const struct m_ext *last = &want->chain->filters[want->chain->n_filters - 1];
    const struct net_filter_ops *filter = const_container_of(last->ext, struct net_filter_ops, ext);
    struct downstream *d = calloc(1, sizeof(*d) + filter->state_size);
    if (d == NULL) {
        close(want->fd);
        return E_NOMEM;
    }
    enum err e = conn_open(&d->conn, &w->loop, want->fd, false, &ops);
    if (e != OK) {
        free(d);
        return e;
    }
    list_init(&d->reap.link);
    d->w = w;
    d->lease = lease_get(w);
    d->chain = want->chain;
    d->ops = filter;
    d->meta = *want->meta;
    d->meta.filter_chain = want->chain->name;
    d->buffer_limit = want->buffer_limit;
    d->on_done = want->on_done;
    d->owner = want->owner;
    list_push_back(&w->downstreams, &d->link);
    w->n_downstreams++;
    filter->open(d->state, last->conf, d);
    return OK;
}
