#pragma once
/* HTTP/1 connections of one worker to one host at one priority: one request at a time each, most
 * recently used first. Created on demand, retired when the host leaves its cluster. Worker's
 * thread. */
#include "net/conn.h"
#include "proxy/upstream/upstream.h"

struct pool {
    struct link link; /* wcluster.pools */
    struct wcluster *wc;
    struct cluster *c;
    struct worker *w;
    struct host *host;
    uint8_t priority;
    bool retired;
    struct link idle, busy, connecting; /* struct up_conn.link */
    struct link pending;                /* struct up_request.link */
    uint32_t n_pending, n_connecting, n_conns;
    struct reap reap;
};

enum up_state { UP_CONNECTING, UP_IDLE, UP_BUSY, UP_CLOSED };

struct up_conn {
    struct conn conn;
    struct link link;
    struct reap reap;
    struct pool *pool;
    struct up_request *rq;
    enum up_state state;
    bool close_after; /* the answer or a limit says so */
    bool head_done;   /* the answer's head is complete */
    bool sent_chunked;
    bool have_local;
    bool cancelled;     /* the request's owner closes it and wants no event */
    struct timer timer; /* connect time-out, then idle time-out */
    struct timer max_age;
    uint64_t created_us, idle_since_ms;
    uint64_t sent_base, received_base; /* conn counters when rq began */
    uint64_t rx_counted, tx_counted;   /* already in the statistics */
    uint32_t requests;
    struct h1_parser parser;
    struct h1_head head;
    struct h1_body body;
    struct headers trailers;
    char *stash; /* an incomplete head or trailer block */
    uint32_t stash_n;
    struct addr local;
};

/* The pool of a host, made if missing. NULL: no memory. */
struct pool *pool_get(struct wcluster *wc, struct host *h, unsigned priority);
/* Idle connections close now, busy ones after their request; pending ones are reset. Frees itself
 * when empty. */
void pool_retire(struct pool *p);

/* ---- between pool.c and h1_client.c ---- */
extern const struct conn_ops h1_client_ops;
void h1_client_begin(struct up_conn *uc, struct up_request *rq);
/* The exchange on uc is over: hand it to the next request, keep it idle or close it. */
void pool_release(struct up_conn *uc);
/* Closes and forgets uc; its request, if any, gets reset(why). */
void pool_close_conn(struct up_conn *uc, enum upstream_reset why, struct sv failure, bool local);
void pool_connected(struct up_conn *uc, int error);
