/* The test's admin server; see site.h. */
#include "site.h"
#include "config/reflect/reflect.h"
#include "envoy/admin/v3/config_dump.pb-c.h"
#include "envoy/admin/v3/config_dump_shared.pb-c.h"
#include "envoy/admin/v3/server_info.pb-c.h"
#include "envoy/config/cluster/v3/cluster.pb-c.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { QUIET_TURNS = 20, TURNS_MAX = 20000 };

static enum admin_state on_state(void *arg)
{
    return ((struct site *)arg)->state;
}

static void on_refresh(void *arg)
{
    ((struct site *)arg)->refreshes++;
}

static ProtobufCMessage *on_server_info(void *arg, struct arena *a)
{
    struct site *s = arg;
    Envoy__Admin__V3__ServerInfo *m = ARENA_NEW(a, Envoy__Admin__V3__ServerInfo);
    if (m == NULL || s->no_memory)
        return NULL;
    envoy__admin__v3__server_info__init(m);
    m->version = "abc/1.0/Clean/RELEASE/x";
    m->hot_restart_version = "disabled";
    return &m->base;
}

static void on_clusters(void *arg, void (*each)(void *ctx, const struct admin_cluster *c),
                        void *ctx)
{
    struct site *s = arg;
    struct admin_host hosts[SITE_HOSTS] = {
        {.address = SV("127.0.0.1:18082"),
         .hostname = SV("hh"),
         .region = SV("r"),
         .zone = SV("z"),
         .sub_zone = SV("s"),
         .weight = 1,
         .cx_total = 3,
         .rq_active = 2},
        {.address = SV("[::1]:18083"),
         .weight = 3,
         .canary = true,
         .priority = 1,
         .health_flags = ADMIN_FAILED_ACTIVE_HC | ADMIN_FAILED_EDS_HEALTH        },
    };
    struct admin_limits usual = {1024, 1024, 1024, 3};
    if (s->no_clusters)
        return;
    T_EXPECT(addr_parse(hosts[0].address, &hosts[0].addr) == OK);
    T_EXPECT(addr_parse(hosts[1].address, &hosts[1].addr) == OK);
    each(ctx,
         &(struct admin_cluster){
             .name = SV("empty"), .observability_name = SV("altname"), .limits = {usual, usual}
    });
    each(ctx, &(struct admin_cluster){
                  .name = SV("up.stream"),
                  .observability_name = SV("up.stream"),
                  .added_via_api = true,
                  .limits = {{7, 1024, 1024, 2}, {1024, 1024, 9, 3}},
                  .hosts = hosts,
                  .n_hosts = SITE_HOSTS
    });
}

static void on_listeners(void *arg, void (*each)(void *ctx, const struct admin_listener *l),
                         void *ctx)
{
    static const struct {
        const char *name, *address;
    } all[] = {
        {"l1", "127.0.0.1:18081"},
        {"l1", "127.0.0.1:18084"},
        {"l2", "[::1]:18085"    }
    };
    (void)arg;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct admin_listener l = {.name = sv_str(all[i].name), .address = sv_str(all[i].address)};
        T_EXPECT(addr_parse(l.address, &l.addr) == OK);
        each(ctx, &l);
    }
}

static enum err parse_part(const char *json, const ProtobufCMessageDescriptor *type,
                           struct arena *a, ProtobufCMessage **out)
{
    struct reflect_text in = {.text = sv_str(json), .syntax = REFLECT_JSON};
    return reflect_parse(&in, type, a, out, NULL);
}

static enum err on_config_dump(void *arg, struct arena *a, ProtobufCMessage *const **out, size_t *n)
{
    struct site *s = arg;
    ProtobufCMessage **parts = ARENA_ARRAY(a, ProtobufCMessage *, 4);
    if (parts == NULL || s->no_memory)
        return E_NOMEM;
    TRY(parse_part("{\"bootstrap\":{\"node\":{\"id\":\"n1\",\"cluster\":\"c1\"},\"admin\":{"
                   "\"address\":{\"socket_address\":"
                   "{\"address\":\"127.0.0.1\",\"port_value\":0}}}},\"last_updated\":\"2026-11-"
                   "24T10:42:21.498Z\"}",
                   &envoy__admin__v3__bootstrap_config_dump__descriptor, a, &parts[0]));
    TRY(parse_part("{\"static_clusters\":["
                   "{\"cluster\":{\"@type\":\"type.googleapis.com/"
                   "envoy.config.cluster.v3.Cluster\",\"name\":\"empty\","
                   "\"type\":\"STATIC\"},\"last_updated\":\"2026-11-24T10:42:21.509Z\"},"
                   "{\"cluster\":{\"@type\":\"type.googleapis.com/"
                   "envoy.config.cluster.v3.Cluster\",\"name\":\"up\","
                   "\"type\":\"STATIC\",\"load_assignment\":{\"cluster_name\":\"up\"},\"circuit_"
                   "breakers\":{\"thresholds\":"
                   "[{\"priority\":\"HIGH\"}]}},\"last_updated\":\"2026-11-24T10:42:21.510Z\"}]}",
                   &envoy__admin__v3__clusters_config_dump__descriptor, a, &parts[1]));
    TRY(parse_part("{\"version_info\":\"\"}", &envoy__admin__v3__listeners_config_dump__descriptor,
                   a, &parts[2]));
    TRY(parse_part("{}", &envoy__admin__v3__routes_config_dump__descriptor, a, &parts[3]));
    *out = parts;
    *n = 4;
    return OK;
}

static void on_quit(void *arg)
{
    ((struct site *)arg)->quits++;
}

static void on_drain(void *arg, bool graceful, bool skip_exit, bool inbound_only)
{
    struct site *s = arg;
    s->drains++;
    s->graceful = graceful;
    s->skip_exit = skip_exit;
    s->inbound_only = inbound_only;
}

static void on_health(void *arg, bool fail)
{
    ((struct site *)arg)->health_failed = fail;
}

static void on_reopen(void *arg)
{
    ((struct site *)arg)->reopens++;
}

void site_open(struct site *s)
{
    struct addr bind;
    struct diag d = {0};

    signal(SIGPIPE, SIG_IGN);
    memset(s, 0, sizeof(*s));
    str_init(&s->answer, 0);
    fake_clock_init(&s->clock, 5000000,
                    UINT64_C(1795515807) * 1000000); /* Tue, 24 Nov 2026 10:23:27 GMT */
    s->base = event_base_new();
    s->stats = stats_new(2);
    T_EXPECT(s->base != NULL && s->stats != NULL);
    T_EXPECT(addr_parse(SV("127.0.0.1:0"), &bind) == OK);
    struct admin_deps deps = {.stats = s->stats,
                              .clock = &s->clock.base,
                              .arg = s,
                              .state = on_state,
                              .refresh = on_refresh,
                              .server_info = on_server_info,
                              .clusters = on_clusters,
                              .listeners = on_listeners,
                              .config_dump = on_config_dump,
                              .quit = on_quit,
                              .drain = on_drain,
                              .health = on_health,
                              .reopen_logs = on_reopen};
    T_EXPECT(admin_new(s->base, &bind, &deps, &s->admin, &d) == OK, "%s", d.msg);
    T_EXPECT(addr_port(admin_address(s->admin)) != 0);
}

void site_close(struct site *s)
{
    admin_free(&s->admin);
    T_EXPECT(s->admin == NULL);
    stats_free(&s->stats);
    event_base_free(s->base);
    str_fini(&s->answer);
}

int site_connect(const struct site *s)
{
    struct sockaddr_storage ss;
    socklen_t n;
    T_EXPECT(addr_to_sockaddr(admin_address(s->admin), &ss, &n) == OK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    T_EXPECT(fd >= 0 && connect(fd, (struct sockaddr *)&ss, n) == 0);
    T_EXPECT(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    return fd;
}

void site_turn(struct site *s)
{
    event_base_loop(s->base, EVLOOP_NONBLOCK);
}

struct sv site_talk(struct site *s, struct sv bytes)
{
    char buf[65536];
    int fd = site_connect(s);
    unsigned quiet = 0;

    str_clear(&s->answer);
    for (unsigned turn = 0; turn < TURNS_MAX && quiet < QUIET_TURNS; turn++) {
        if (bytes.n > 0) {
            ssize_t sent = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
            bytes = sv_skip(bytes, sent > 0 ? (size_t)sent : 0);
        }
        site_turn(s);
        ssize_t got = recv(fd, buf, sizeof(buf), 0);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            break;
        quiet = got > 0 || bytes.n > 0 ? 0 : quiet + 1;
        if (got > 0)
            str_add(&s->answer, sv_of(buf, (size_t)got));
    }
    close(fd);
    site_turn(s);
    return str_sv(&s->answer);
}

struct sv site_header(const struct site *s, const char *name)
{
    struct sv rest = str_sv(&s->answer), line;
    while (sv_split(&rest, '\n', &line) && line.n > 1) {
        if (sv_starts(line, sv_str(name)))
            return sv_trim(sv_skip(line, strlen(name)));
    }
    return SV_NONE;
}

/* Takes the chunk framing out of text, in place. */
static struct sv join_chunks(char *p, size_t n)
{
    size_t from = 0, to = 0;
    for (;;) {
        uint64_t size = 0;
        struct sv rest = sv_of(p + from, n - from), line;
        if (!sv_split(&rest, '\n', &line) || sv_hex64(sv_trim(line), &size) != OK)
            return SV("bad chunks");
        from += line.n + 1;
        if (size == 0 || size > n - from)
            return sv_of(p, to);
        memmove(p + to, p + from, (size_t)size);
        to += (size_t)size;
        from += (size_t)size + 2;
    }
}

unsigned site_ask(struct site *s, const char *method, const char *target, struct sv *body)
{
    struct str request;
    uint32_t code = 0;

    str_init(&request, 0);
    str_addf(&request, "%s %s HTTP/1.1\r\nhost: x\r\n\r\n", method, target);
    struct sv all = site_talk(s, str_sv(&request));
    str_fini(&request);
    size_t head = sv_search(all, SV("\r\n\r\n"));
    if (head == SIZE_MAX || sv_u32(sv_of(all.p + 9, 3), &code) != OK)
        return 0;
    *body = site_header(s, "transfer-encoding: ").n > 0
                ? join_chunks(s->answer.p + head + 4, all.n - head - 4)
                : sv_skip(all, head + 4);
    return code;
}

void site_expect(struct site *s, const char *method, const char *target, unsigned code,
                 const char *body)
{
    struct sv got = SV("no answer");
    T_EXPECT_EQ(site_ask(s, method, target, &got), code, target);
    T_EXPECT_SV(got, sv_str(body), target);
}
