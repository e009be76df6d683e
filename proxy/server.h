#pragma once
/* The process: configuration, main loop, workers, admin, signals. Main thread, except the getters,
 * which return what never changes after start-up. */
#include "proxy/worker.h"

struct dns_resolver;
struct options;

struct stats *server_stats(struct server *s);
struct loop *server_main_loop(struct server *s);
struct dns_resolver *server_dns(struct server *s);
struct alog_writer *server_alog(struct server *s);
unsigned server_worker_count(const struct server *s);
struct worker *server_worker(struct server *s, unsigned i);
uint64_t *server_connection_ids(struct server *s);

/* --mode validate: prints Envoy's verdict; the exit code. */
int server_validate(const struct options *o);
/* Runs the proxy until it is told to end; the exit code of the process. */
int server_run(const struct options *o);
