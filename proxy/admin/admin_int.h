#pragma once
/* Inside of the admin listener: requests, answers, commands and connections. Main thread. */
#include "base/list.h"
#include "base/str.h"
#include "net/h1.h"
#include "proxy/admin/admin.h"
#include "proxy/observe/stats.h"
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/listener.h>

enum { ADMIN_PARAMS_MAX = 32 };

struct admin_query_param {
    struct sv name, value; /* percent-decoded */
};

/* One request, its body read. Everything lies in arena, which ends with the answer. */
struct admin_request {
    struct arena *arena;
    struct sv method, path;                           /* path normalised, without the query */
    struct admin_query_param param[ADMIN_PARAMS_MAX]; /* as given, further ones are not looked at */
    size_t n_params;
};

/* What a command answers. Set up as 200, text/plain, empty. */
struct admin_reply {
    unsigned code;
    const char *content_type;
    struct str body;
    void (*after)(void *arg); /* called with the deps' arg once the answer has been sent */
};

#define ADMIN_TEXT "text/plain; charset=UTF-8"
#define ADMIN_BARE_TEXT "text/plain"
#define ADMIN_HTML "text/html; charset=UTF-8"
#define ADMIN_JSON "application/json"

struct admin_param {
    const char *name, *help;
    const char *const *choices; /* NULL-terminated; NULL: free text */
    bool flag;                  /* counts by being there */
};

struct admin_command {
    const char *path, *help;
    bool mutates; /* POST only */
    const struct admin_param *params;
    size_t n_params;
    void (*run)(struct admin *a, const struct admin_request *rq, struct admin_reply *re);
};

/* Statistics of the listener itself, in main's shard. */
struct admin_stats {
    stat_id cx_total, cx_active, cx_destroy, http1_total, http1_active, protocol_error, rx_bytes,
        tx_bytes;
    stat_id rq_total, rq_http1_total, rq_active, rq_completed, rq_class[6];
    stat_id listener_cx_total, listener_cx_active, listener_cx_destroy, listener_completed,
        listener_class[6];
    stat_id cx_length_ms, listener_cx_length_ms, rq_time; /* histograms */
};

struct admin {
    struct admin_deps deps;
    struct event_base *base;
    struct evconnlistener *listener;
    struct event retry; /* accepting again after descriptors ran out */
    struct addr addr;
    struct link conns;
    unsigned n_conns;
    struct admin_stats st;
};

/* admin.c: what the request asks for. Never fails: lack of memory is a 500. */
void admin_answer(struct admin *a, const struct admin_request *rq, struct admin_reply *re);
/* The text of /help. */
void admin_help_text(struct str *out);
/* The table of commands, in the order of their paths. */
extern const struct admin_command admin_commands[];
extern const size_t admin_n_commands;

/* request.c: target as sent, form: a urlencoded body that stands for the query (empty: there is
 * none). E_NOMEM; E_PARSE: not a path. */
MUST enum err admin_request_parse(struct sv target, struct sv form, struct admin_request *rq);
/* The first value of that name; p is NULL when it was not given. */
struct sv admin_query(const struct admin_request *rq, const char *name);
bool admin_query_has(const struct admin_request *rq, const char *name);

/* http.c: a connection that was accepted; closes it when there is no memory. */
void admin_conn_open(struct admin *a, evutil_socket_t take_fd);
void admin_conn_close_all(struct admin *a);
/* For tests: of the connection that link (of admin.conns) is in, its deadline and the bytes not
 * sent yet. */
struct event *admin_conn_deadline(struct link *link);
size_t admin_conn_pending(struct link *link);
/* admin.c: called when a connection is gone. */
void admin_conn_gone(struct admin *a);

/* stats.c */
MUST enum err admin_stats_register(struct admin *a);
void admin_stats_opened(struct admin *a);
void admin_stats_closed(struct admin *a, uint64_t open_ms);
void admin_stats_request(struct admin *a);
void admin_stats_answered(struct admin *a, unsigned code, uint64_t took_ms);

/* Fails the request: a text, nothing else. */
void admin_refuse(struct admin_reply *re, unsigned code, const char *fmt, ...) PRINTF(3, 4);
/* 500 unless e is OK. */
void admin_check(struct admin_reply *re, enum err e, const struct diag *d);

/* The commands. */
#define ADMIN_RUN(name)                                                                            \
    void name(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
ADMIN_RUN(admin_run_home);
ADMIN_RUN(admin_run_help);
ADMIN_RUN(admin_run_stats);
ADMIN_RUN(admin_run_prometheus);
ADMIN_RUN(admin_run_clusters);
ADMIN_RUN(admin_run_listeners);
ADMIN_RUN(admin_run_config_dump);
ADMIN_RUN(admin_run_logging);
ADMIN_RUN(admin_run_server_info);
ADMIN_RUN(admin_run_ready);
ADMIN_RUN(admin_run_memory);
ADMIN_RUN(admin_run_quit);
ADMIN_RUN(admin_run_reset_counters);
ADMIN_RUN(admin_run_reopen_logs);
ADMIN_RUN(admin_run_health_fail);
ADMIN_RUN(admin_run_health_ok);
ADMIN_RUN(admin_run_drain);
ADMIN_RUN(admin_run_hot_restart_version);
