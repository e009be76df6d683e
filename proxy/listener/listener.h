#pragma once
/* Listeners: bound sockets (main), accepting and choosing a filter chain (workers).
 * Source: envoy.config.listener.v3.Listener. */
#include "proxy/conn_meta.h"
#include "proxy/worker.h"

/* A listener filter looks at a new connection before its filter chain is chosen. */
struct listener_filter_ops {
    struct model_ext ext; /* first: the registry's tables hold these */
    /* Fills m from the socket. Worker. */
    void (*accept)(const void *conf, int fd, struct conn_meta *m);
};
extern const struct listener_filter_ops original_dst_filter;

/* clang-format off: one name a line */
#define LISTENER_COUNTERS(X)                                                                       \
    X(downstream_cx_destroy)                                                                       \
    X(downstream_cx_overflow)                                                                      \
    X(downstream_cx_overload_reject)                                                               \
    X(downstream_cx_total)                                                                         \
    X(downstream_cx_transport_socket_connect_timeout)                                              \
    X(downstream_global_cx_overflow)                                                               \
    X(downstream_listener_filter_error)                                                            \
    X(downstream_listener_filter_remote_close)                                                     \
    X(downstream_pre_cx_timeout)                                                                   \
    X(extension_config_missing)                                                                    \
    X(network_extension_config_missing)                                                            \
    X(no_filter_chain_match)
/* clang-format on */
/* clang-format off: one name a line */
#define LISTENER_GAUGES(X)                                                                         \
    X(downstream_cx_active)                                                                        \
    X(downstream_pre_cx_active)
/* clang-format on */

struct listener_stats {
/* clang-format off */
#define X(name) stat_id name;
    LISTENER_COUNTERS(X)
    LISTENER_GAUGES(X)
#undef X
    /* clang-format on */
    stat_id downstream_cx_length_ms, accepted_per_event; /* histograms */
};

/* One m_listener at run time, shared by the workers. */
struct listener {
    const struct m_listener *m;
    struct addr address; /* as bound: the port is never 0 */
    char text[ADDR_TEXT_MAX];
    char stat_name[ADDR_TEXT_MAX * 2];
    struct listener_stats st;
    struct listener_port *ports; /* one per worker */
    unsigned n_ports;
};

/* Binds m for every worker and registers its statistics. d says why not, in Envoy's words. Main. */
MUST enum err listener_open(const struct m_listener *m, struct stats *st, unsigned workers,
                            struct listener **out, struct diag *d);
/* Main, after the workers stopped. */
void listener_free(struct listener **l);

/* Worker: starts accepting. all: every listener of the process, to recognise connections to
 * ourselves. */
MUST enum err listener_start(struct listener *l, struct worker *w, struct listener *const *all,
                             size_t n_all);
/* Worker: accepts what is queued and then stops. No connection that was established is lost: new
 * ones are held off first (sock_listen_mute), and the socket is closed a moment later. */
void listener_stop(struct listener *l, struct worker *w);
/* Worker: whether the listening socket is still open. */
bool listener_accepts(const struct listener *l, const struct worker *w);
