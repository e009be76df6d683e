#pragma once
/* One request to an upstream host, as the router sees it: codec-neutral. The HTTP/1 pool implements
 * it; other codecs plug in behind the same calls.
 *
 * Life: upstream_start -> (ready) -> upstream_send_* / events -> done, or upstream_cancel, or the
 * reset event. After `done`, `reset` or upstream_cancel the request is detached: nothing more is
 * called. Worker's thread. */
#include "net/h1.h"
#include "proxy/upstream/cluster.h"

/* Why an upstream request ended before its answer did. Texts as Envoy's local replies have them. */
enum upstream_reset {
    UPR_NONE,
    UPR_OVERFLOW,
    UPR_LOCAL_CONNECTION_FAILURE,
    UPR_REMOTE_CONNECTION_FAILURE,
    UPR_CONNECTION_TIMEOUT,
    UPR_CONNECTION_TERMINATION,
    UPR_REMOTE_RESET,
    UPR_LOCAL_RESET,
    UPR_PROTOCOL_ERROR,
};
const char *upstream_reset_text(enum upstream_reset r); /* "connection termination" */
/* What a refused connect is called in logs: "delayed_connect_error:_Connection_refused". Returns
 * its length. */
size_t upstream_connect_error(int error, char *out, size_t room);

struct up_request;
struct up_conn;
struct pool;

struct up_events {
    /* A connection is there: send the head now. */
    void (*ready)(struct up_request *rq);
    /* An interim answer (1xx) was received and dropped. */
    void (*interim)(struct up_request *rq, unsigned status);
    /* head lives in the arena given at the start. end: no body follows. */
    void (*headers)(struct up_request *rq, struct h1_head *head, bool end);
    void (*data)(struct up_request *rq, struct sv bytes);
    /* The answer is complete. trailers is NULL or not empty. The last event. */
    void (*done)(struct up_request *rq, struct headers *trailers);
    /* The last event. failure: "" or what the socket said. */
    void (*reset)(struct up_request *rq, enum upstream_reset why, struct sv failure);
    /* What was queued towards the host is gone: send on. */
    void (*drained)(struct up_request *rq);
};

struct up_request {
    const struct up_events *events;
    struct arena *arena;   /* for the answer's head */
    enum h1_method method; /* frames the answer */
    /* private */
    struct link link; /* pool.pending */
    struct pool *pool;
    struct up_conn *uc;
    bool pending, sent_all;
    uint64_t wire_sent, wire_received; /* final, once detached */
};

/* What goes out as the request's head. */
struct up_head {
    struct sv method, path;
    const struct headers
        *headers; /* host included, framing headers excluded or included as `framing` says */
    enum h1_framing framing; /* CHUNKED: transfer-encoding is added here */
    bool end;                /* no body */
};

/* Starts on host h. rq->events, arena and method are set. OK: the ready event came or will come
 * (*ready_now says which: then no event is called for it). E_LIMIT: refused by a breaker (the
 * statistics say which). E_IO/E_NOMEM. */
MUST enum err upstream_start(struct wcluster *wc, struct host *h, unsigned priority,
                             struct up_request *rq, bool *ready_now);
/* Each may find the connection broken: then reset follows from the loop, never from inside. */
void upstream_send_head(struct up_request *rq, const struct up_head *head);
void upstream_send_data(struct up_request *rq, struct sv bytes, bool end);
/* trailers may be NULL; ends a chunked request. */
void upstream_send_end(struct up_request *rq, const struct headers *trailers);
/* Bytes that the host has not taken yet. */
size_t upstream_queued(const struct up_request *rq);
/* Stops and restarts receiving the answer. */
void upstream_pause(struct up_request *rq);
void upstream_resume(struct up_request *rq);
/* Gives up: detached on return, the connection is closed unless the exchange was over. */
void upstream_cancel(struct up_request *rq, bool timed_out);

struct host *upstream_host(const struct up_request *rq); /* NULL once detached */
/* The connection's own address, or NULL before it is connected. */
const struct addr *upstream_local(const struct up_request *rq);
/* Both counted since the request began on its connection. */
uint64_t upstream_wire_sent(const struct up_request *rq);
uint64_t upstream_wire_received(const struct up_request *rq);
