#pragma once
/* Network filters: what runs on a downstream connection after a filter chain was chosen. The last
 * one is terminal and owns the bytes. Worker's thread. */
#include "net/conn.h"
#include "proxy/conn_meta.h"
#include "proxy/worker.h"

struct downstream;

struct net_filter_ops {
    struct model_ext ext; /* first: the registry's tables hold these */
    size_t state_size;
    /* Main, before publishing: register what carries the listener's name. May be NULL. */
    enum err (*bind)(const void *conf, struct sv listener, uint32_t buffer_limit, struct stats *st);
    /* The connection is open; events follow. st is zeroed. May end with downstream_done at once. */
    void (*open)(void *st, const void *conf, struct downstream *d);
    void (*readable)(void *st);
    void (*drained)(void *st);
    void (*broken)(void *st);
    void (*abort)(void *st); /* cut it now: downstream_done must follow */
    /* Draining: close if idle for quiet_ms; true when it did. NULL: never idle. */
    bool (*close_if_idle)(void *st, uint64_t quiet_ms);
};

/* What the terminal filter calls once it closed the connection. */
void downstream_done(struct downstream *d);

struct downstream {
    struct conn conn;
    struct link link; /* worker.downstreams */
    struct reap reap;
    struct worker *w;
    struct lease *lease;
    const struct m_filter_chain *chain;
    const struct net_filter_ops *ops;
    struct conn_meta meta;
    uint32_t buffer_limit;
    void (*on_done)(struct downstream *d); /* the listener's bookkeeping */
    void *owner;
    _Alignas(16) unsigned char state[]; /* of the terminal filter */
};

extern const struct net_filter_ops hcm_filter, tcp_proxy_filter;
