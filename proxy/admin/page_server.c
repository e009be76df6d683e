/* Pages about the process, and those that make it do something. */
#include "config/reflect/reflect.h"
#include "proxy/admin/admin_int.h"
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

void admin_run_server_info(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    struct diag d = {0};
    ProtobufCMessage *m = a->deps.server_info(a->deps.arg, rq->arena);

    re->content_type = ADMIN_JSON;
    if (m == NULL)
        admin_check(re, E_NOMEM, NULL);
    else
        admin_check(re, reflect_print_json(m, REFLECT_PRETTY | REFLECT_DEFAULTS, &re->body, &d),
                    &d);
}

void admin_run_ready(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    static const char *const names[] = {
        [ADMIN_LIVE] = "LIVE",
        [ADMIN_DRAINING] = "DRAINING",
        [ADMIN_PRE_INITIALIZING] = "PRE_INITIALIZING",
        [ADMIN_INITIALIZING] = "INITIALIZING",
    };
    enum admin_state state = a->deps.state(a->deps.arg);
    (void)rq;
    re->code = state == ADMIN_LIVE ? 200 : 503;
    str_addf(&re->body, "%s\n", names[state]);
}

/* Resident bytes, or 0 when /proc cannot be read. */
static uint64_t resident_bytes(void)
{
    unsigned long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f == NULL)
        return 0;
    int n = fscanf(f, "%lu %lu", &size, &resident);
    fclose(f);
    return n == 2 ? (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* Envoy's fields, from glibc's allocator, which has neither unmapped pages nor caches it tells the
 * size of. */
void admin_run_memory(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    struct mallinfo2 m = mallinfo2();
    (void)a;
    (void)rq;
    re->content_type = ADMIN_JSON;
    str_addf(
        &re->body,
        "{\n \"allocated\": \"%zu\",\n \"heap_size\": \"%zu\",\n \"pageheap_unmapped\": \"0\",\n"
        " \"pageheap_free\": \"%zu\",\n \"total_thread_cache\": \"0\",\n"
        " \"total_physical_bytes\": \"%" PRIu64 "\"\n}\n",
        m.uordblks + m.hblkhd, m.arena + m.hblkhd, m.fordblks, resident_bytes());
}

void admin_run_hot_restart_version(struct admin *a, const struct admin_request *rq,
                                   struct admin_reply *re)
{
    (void)a;
    (void)rq;
    str_add(&re->body, SV("disabled"));
}

static void say_ok(struct admin_reply *re)
{
    str_add(&re->body, SV("OK\n"));
}

void admin_run_quit(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    (void)rq;
    re->after = a->deps.quit;
    say_ok(re);
}

void admin_run_reset_counters(struct admin *a, const struct admin_request *rq,
                              struct admin_reply *re)
{
    (void)rq;
    stats_reset_counters(a->deps.stats);
    say_ok(re);
}

void admin_run_reopen_logs(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    (void)rq;
    a->deps.reopen_logs(a->deps.arg);
    say_ok(re);
}

void admin_run_health_fail(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    (void)rq;
    a->deps.health(a->deps.arg, true);
    say_ok(re);
}

void admin_run_health_ok(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    (void)rq;
    a->deps.health(a->deps.arg, false);
    say_ok(re);
}

void admin_run_drain(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    a->deps.drain(a->deps.arg, admin_query_has(rq, "graceful"), admin_query_has(rq, "skip_exit"),
                  admin_query_has(rq, "inboundonly"));
    say_ok(re);
}
