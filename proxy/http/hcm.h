#pragma once
/* The HTTP connection manager: one downstream connection speaking HTTP/1, its streams and their
 * filter chain. Source:
 * envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.
 *
 * hcm_conf is immutable and shared; struct hcm is one connection; struct stream one request.
 * Worker's thread. Another codec plugs in beside h1_server.c: streams know only struct hcm's codec
 * calls. */
#include "net/conn.h"
#include "net/h1.h"
#include "proxy/conn_meta.h"
#include "proxy/observe/loggers.h"
#include "proxy/observe/stream_info.h"
#include "proxy/upstream/upstream.h"

struct stream;
struct hcm;

/* ---- HTTP filters ---- */

enum hstep {
    H_CONTINUE,
    H_STOP, /* the filter answered, or will go on by itself */
};

struct http_filter_ops {
    struct model_ext ext; /* first: the registry's tables hold these */
    size_t state_size;
    /* A NULL callback passes through. st is zeroed memory in the stream's arena. */
    enum err (*open)(void *st, const void *conf, struct stream *s);
    enum hstep (*req_headers)(void *st, struct stream *s, bool end);
    enum hstep (*req_data)(void *st, struct stream *s, struct sv bytes, bool end);
    enum hstep (*req_trailers)(void *st, struct stream *s, struct headers *trailers);
    enum hstep (*res_headers)(void *st, struct stream *s, struct h1_head *head, bool end);
    /* Terminal filters only: the client took what was queued for it. */
    void (*res_drained)(void *st, struct stream *s);
    /* Terminal filters only: the stream's route time-out is over. */
    void (*timed_out)(void *st, struct stream *s);
    void (*close)(void *st, struct stream *s); /* exactly once */
};

struct http_filter {
    const struct http_filter_ops *ops;
    const void *conf;
    uint32_t state_at; /* offset of its state in stream.states */
};

/* ---- configuration ---- */

/* clang-format off: one name a line */
#define HCM_COUNTERS(X)                                                                            \
    X(downstream_cx_delayed_close_timeout)                                                         \
    X(downstream_cx_destroy)                                                                       \
    X(downstream_cx_destroy_active_rq)                                                             \
    X(downstream_cx_destroy_local)                                                                 \
    X(downstream_cx_destroy_local_active_rq)                                                       \
    X(downstream_cx_destroy_remote)                                                                \
    X(downstream_cx_destroy_remote_active_rq)                                                      \
    X(downstream_cx_drain_close)                                                                   \
    X(downstream_cx_http1_total)                                                                   \
    X(downstream_cx_http2_total)                                                                   \
    X(downstream_cx_http3_total)                                                                   \
    X(downstream_cx_idle_timeout)                                                                  \
    X(downstream_cx_max_duration_reached)                                                          \
    X(downstream_cx_max_requests_reached)                                                          \
    X(downstream_cx_overload_disable_keepalive)                                                    \
    X(downstream_cx_protocol_error)                                                                \
    X(downstream_cx_rx_bytes_total)                                                                \
    X(downstream_cx_ssl_total)                                                                     \
    X(downstream_cx_total)                                                                         \
    X(downstream_cx_tx_bytes_total)                                                                \
    X(downstream_cx_upgrades_total)                                                                \
    X(downstream_flow_control_paused_reading_total)                                                \
    X(downstream_flow_control_resumed_reading_total)                                               \
    X(downstream_rq_1xx)                                                                           \
    X(downstream_rq_2xx)                                                                           \
    X(downstream_rq_3xx)                                                                           \
    X(downstream_rq_4xx)                                                                           \
    X(downstream_rq_5xx)                                                                           \
    X(downstream_rq_completed)                                                                     \
    X(downstream_rq_failed_path_normalization)                                                     \
    X(downstream_rq_header_timeout)                                                                \
    X(downstream_rq_http1_total)                                                                   \
    X(downstream_rq_http2_total)                                                                   \
    X(downstream_rq_http3_total)                                                                   \
    X(downstream_rq_idle_timeout)                                                                  \
    X(downstream_rq_max_duration_reached)                                                          \
    X(downstream_rq_non_relative_path)                                                             \
    X(downstream_rq_overload_close)                                                                \
    X(downstream_rq_response_before_rq_complete)                                                   \
    X(downstream_rq_rx_reset)                                                                      \
    X(downstream_rq_timeout)                                                                       \
    X(downstream_rq_too_large)                                                                     \
    X(downstream_rq_total)                                                                         \
    X(downstream_rq_tx_reset)                                                                      \
    X(downstream_rq_ws_on_non_ws_route)                                                            \
    X(no_cluster)                                                                                  \
    X(no_route)                                                                                    \
    X(rq_direct_response)                                                                          \
    X(rq_redirect)                                                                                 \
    X(rq_reset_after_downstream_response_started)                                                  \
    X(rq_total)                                                                                    \
    X(rs_too_large)
/* clang-format on */
/* clang-format off: one name a line */
#define HCM_GAUGES(X)                                                                              \
    X(downstream_cx_active)                                                                        \
    X(downstream_cx_http1_active)                                                                  \
    X(downstream_cx_http2_active)                                                                  \
    X(downstream_cx_http1_soft_drain)                                                              \
    X(downstream_cx_http3_active)                                                                  \
    X(downstream_cx_rx_bytes_buffered)                                                             \
    X(downstream_cx_ssl_active)                                                                    \
    X(downstream_cx_tx_bytes_buffered)                                                             \
    X(downstream_cx_upgrades_active)                                                               \
    X(downstream_rq_active)
/* clang-format on */

struct hcm_stats {
/* clang-format off */
#define X(name) stat_id name;
    HCM_COUNTERS(X)
    HCM_GAUGES(X)
#undef X
    /* clang-format on */
    stat_id downstream_cx_length_ms, downstream_rq_time; /* histograms */
    stat_id listener_completed, listener_class[6];       /* listener.<addr>.http.<prefix>. */
};

/* Order as in the proto's ServerHeaderTransformation. */
enum server_header { SERVER_OVERWRITE, SERVER_APPEND_IF_ABSENT, SERVER_PASS_THROUGH };

struct hcm_conf {
    struct sv stat_prefix, server_name, via, user_agent, node_id;
    struct sv local_ip; /* of this host, for x-forwarded-for */
    enum server_header server_header;
    const struct m_route_config *routes;
    const struct http_filter *filters;
    size_t n_filters, states_size;
    const struct access_logger *logs;
    size_t n_logs;
    struct h1_limits limits;
    uint64_t idle_ms, stream_idle_ms, request_ms, request_headers_ms, drain_ms, delayed_close_ms;
    uint64_t max_connection_ms;
    uint32_t max_requests; /* 0: no limit */
    uint32_t xff_hops;
    uint32_t buffer_limit;
    struct sv default_host_10;
    bool use_remote_address, skip_xff_append, generate_request_id, preserve_external_request_id;
    bool always_set_request_id_in_response, accept_http_10, allow_absolute_url, enable_trailers;
    struct hcm_stats st;
};

/* Converts the message; statistics are registered through b->env (proxy/env.h). */
enum err hcm_conf(const struct any_view *in, struct model_build *b, const void **out,
                  struct diag *d);
/* Adds the statistics that carry the listener's name, before the configuration is published. */
MUST enum err hcm_conf_bind(const void *conf, struct sv listener, uint32_t buffer_limit,
                            struct stats *st);

/* ---- connections ---- */

struct hcm_owner {
    /* The connection is finished and closed: release it. Last call. */
    void (*closed)(struct hcm *h);
};

enum hcm_state {
    HCM_OPEN,
    HCM_FLUSH,  /* answered for the last time, the rest is on its way out */
    HCM_LINGER, /* FIN sent; what still comes in is thrown away */
    HCM_CLOSED,
};

struct hcm {
    struct conn *c; /* the owner's */
    const struct hcm_owner *owner;
    const struct hcm_conf *conf;
    struct worker *w;
    const struct conn_meta *meta;
    struct stream *stream; /* the one being read or answered, or NULL */
    enum hcm_state state;
    bool close_after;   /* no further request */
    bool spoke;         /* a first byte came */
    bool soft_drain;    /* past its maximal duration */
    bool linger;        /* the client may still be sending when we close */
    struct timer timer; /* the earliest of the deadlines below */
    uint64_t idle_since_ms, opened_ms, close_by_ms;
    char *stash; /* bytes that cannot be used yet */
    uint32_t stash_n;
    uint32_t requests;
    struct reap next; /* a buffered request is waiting for its turn */
    uint64_t rx_counted, tx_counted;
};

/* c is open; events reach the manager through the four calls below. */
void hcm_open(struct hcm *h, const struct hcm_conf *conf, struct worker *w, struct conn *c,
              const struct conn_meta *meta, const struct hcm_owner *owner);
void hcm_readable(struct hcm *h);
void hcm_drained(struct hcm *h);
void hcm_broken(struct hcm *h);
/* Cuts the connection now (shutdown). owner->closed is called. */
void hcm_abort(struct hcm *h);
/* Draining: closes h if it has been idle for quiet_ms; true when it did or is about to. */
bool hcm_close_if_idle(struct hcm *h, uint64_t quiet_ms);

/* ---- streams ---- */

struct stream {
    struct hcm *h;
    struct worker *w;
    const struct hcm_conf *conf;
    struct arena *arena;
    struct lease *lease;
    struct reap reap;
    struct h1_parser parser;
    struct h1_head req;
    struct h1_body body;
    struct headers req_trailers;
    struct sv path, authority, method;
    unsigned char *states; /* of the filters */
    struct stream_info info;
    struct addr up_addr, up_local;                         /* copies for info */
    uint64_t last_active_ms, request_due_ms, route_due_ms; /* 0: none */
    uint64_t idle_ms; /* stream idle time-out, a route may change it */
    bool begun;       /* the head is complete and was counted */
    bool req_done;    /* the whole request has been received */
    bool head_sent, res_done, res_chunked, res_no_body;
    bool filters_closed, ended, is_head;
    bool is_internal;
    bool route_timer_waits; /* the route time-out starts with the end of the request */
    uint64_t route_timeout_ms;
    const struct m_vhost *vhost;
};

/* What a local reply carries beside its code. */
struct reply {
    unsigned code;
    struct sv body;
    struct sv details;
    uint32_t flags;     /* enum response_flag, added */
    struct sv location; /* empty: none */
    bool overloaded;    /* x-envoy-overloaded: true */
};
/* Answers from here; if a head was already sent the stream is reset instead. */
void stream_reply(struct stream *s, const struct reply *r);

/* For the terminal filter: the answer of an upstream. headers are the stream's to change. */
void stream_res_headers(struct stream *s, struct h1_head *head, bool end);
void stream_res_data(struct stream *s, struct sv bytes);
void stream_res_done(struct stream *s, struct headers *trailers);
/* The answer cannot be completed: the client's connection is cut. */
void stream_res_reset(struct stream *s, uint32_t flags, struct sv details);
/* Bytes the client has not taken yet. */
static inline size_t stream_queued(const struct stream *s)
{
    return conn_queued(s->h->c);
}
/* The terminal filter cannot take more of the request, or can again. */
void stream_pause_request(struct stream *s);
void stream_resume_request(struct stream *s);
void stream_touch(struct stream *s);
/* Starts the route time-out now or with the request's end. */
void stream_set_route_timeout(struct stream *s, uint64_t ms);
void stream_set_idle_timeout(struct stream *s, uint64_t ms);

extern const struct http_filter_ops router_filter;
