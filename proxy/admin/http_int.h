#pragma once
/* One connection of the admin server. Private to http.c (reading) and http_reply.c (writing). */
#include "proxy/admin/admin_int.h"
#include <event2/buffer.h>

enum conn_state { CONN_HEAD, CONN_BODY, CONN_LINGER };

struct admin_conn {
    struct link link;
    struct admin *admin;
    struct bufferevent *bev;
    struct event deadline;
    uint64_t opened_ms;
    enum conn_state state;
    bool close_after; /* the answer being sent is the last */
    bool broken;      /* no memory for the answer: to be closed when the callback ends */
    void (*after)(void *arg);
    /* the request being read */
    struct arena *arena;
    uint64_t begun_ms;
    struct h1_parser parser;
    struct h1_head head;
    struct h1_body body;
    bool is_form;
    struct sv method, target;
    struct str form;
    uint64_t body_bytes;
};

static inline uint64_t admin_conn_now_ms(const struct admin_conn *c)
{
    return clock_mono_ms(c->admin->deps.clock);
}

static inline struct stat_shard *admin_conn_shard(const struct admin_conn *c)
{
    return stats_shard(c->admin->deps.stats, 0);
}

/* The connection is closed ms from now, unless this is called again. */
void admin_conn_arm(struct admin_conn *c, unsigned ms);
/* Forgets the request that was read. */
void admin_conn_request_end(struct admin_conn *c);
void admin_conn_put(struct admin_conn *c, const char *p, size_t n);
/* What is said without asking a command: errors of the protocol. last: the connection ends with it.
 */
void admin_conn_reply_locally(struct admin_conn *c, unsigned code, bool with_body, bool last);
/* Takes the body's memory. */
void admin_conn_reply(struct admin_conn *c, struct admin_reply *re);
