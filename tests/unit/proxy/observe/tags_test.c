/* Tag extraction; each row is what a real Envoy 1.40 made of the name on its Prometheus page. */
#include "tests/support/t.h"
#include "proxy/observe/tags.h"
#include "tests/support/failmalloc.h"

/* Keeps the rows of wide tables within the line. */
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

#define TAIL ".http_local_rate_limit.enabled"

/* want: the name left, then each tag as name=value. */
static const struct {
    const char *name, *want;
} rows[] = {
    ROW("server.live", "server.live"),
    ROW("cluster_manager.cluster_added", "cluster_manager.cluster_added"),
    ROW("cluster.a.upstream_rq_200", "cluster.upstream_rq response_code=200 cluster_name=a"),
    ROW("cluster.a.upstream_rq_2xx", "cluster.upstream_rq_xx response_code_class=2 cluster_name=a"),
    ROW("cluster.up.stream.external.upstream_rq_503",
        "cluster.stream.external.upstream_rq response_code=503 cluster_name=up"),
    ROW("cluster.dead.version", "cluster.version cluster_name=dead"),
    ROW("http.ingress.downstream_rq_5xx",
        "http.downstream_rq_xx response_code_class=5 http_conn_manager_prefix=ingress"),
    ROW("http.web.site.downstream_rq_total",
        "http.site.downstream_rq_total http_conn_manager_prefix=web"),
    ROW("http.ingress.rds.my.route.version_text",
        "http.rds.version_text rds_route_config=my.route http_conn_manager_prefix=ingress"),
    ROW("http.ing.ress.rds.my.route.update_attempt",
        "http.ress.rds.my.route.update_attempt http_conn_manager_prefix=ing"),
    ROW("http.h.scoped_rds.sc.update_attempt",
        "http.scoped_rds.update_attempt scoped_rds_config=sc http_conn_manager_prefix=h"),
    ROW("http.h.rds.bad/name.version", "http.rds.bad/name.version http_conn_manager_prefix=h"),
    ROW("http.ing.fault.aborts_injected",
        "http.fault.aborts_injected http_conn_manager_prefix=ing"),
    ROW("tcp.t.p.downstream_cx_total", "tcp.p.downstream_cx_total tcp_prefix=t"),
    ROW("listener.admin.downstream_cx_total", "listener.admin.downstream_cx_total"),
    ROW("listener.admin.main_thread.downstream_cx_total",
        "listener.admin.main_thread.downstream_cx_total"),
    ROW("listener.127.0.0.1_18081.downstream_cx_total",
        "listener.downstream_cx_total listener_address=127.0.0.1_18081"),
    ROW("listener.127.0.0.1_18081.http.ing.ress.downstream_rq_2xx",
        "listener.http.ress.downstream_rq_xx response_code_class=2 http_conn_manager_prefix=ing "
        "listener_address=127.0.0.1_18081"),
    ROW("listener.127.0.0.1_18081.worker_12.downstream_cx_active",
        "listener.worker.downstream_cx_active worker_id=12 listener_address=127.0.0.1_18081"),
    ROW("listener.my.lis.worker_0.downstream_cx_total",
        "listener.lis.worker_0.downstream_cx_total listener_address=my"),
    ROW("listener.127.0.0.1_18085.ssl.ciphers.ECDHE-RSA-AES128-GCM-SHA256",
        "listener.ssl.ciphers ssl_cipher=ECDHE-RSA-AES128-GCM-SHA256 "
        "listener_address=127.0.0.1_18085"),
    ROW("listener.127.0.0.1_18085.ssl.versions.TLSv1.2",
        "listener.ssl.versions ssl_version=TLSv1.2 listener_address=127.0.0.1_18085"),
    ROW("cluster.tls.ssl.ciphers.X-Y", "cluster.ssl.ciphers cipher_suite=X-Y cluster_name=tls"),
    ROW("cluster.tls.ssl.curves.X25519", "cluster.ssl.curves ssl_curve=X25519 cluster_name=tls"),
    ROW("cluster.tls.ssl.sigalgs.rsa_pss_rsae_sha256",
        "cluster.ssl.sigalgs ssl_sigalg=rsa_pss_rsae_sha256 cluster_name=tls"),
    ROW("listener.127.0.0.1_18085.ssl.certificate.c.expiration_unix_time_seconds",
        "listener.ssl.certificate.expiration_unix_time_seconds tls_certificate=c "
        "listener_address=127.0.0.1_18085"),
    ROW("server.worker_0.watchdog_miss", "server.worker.watchdog_miss worker_id=0"),
    ROW("thread_local_cluster_manager.worker_2.clusters_inflated",
        "thread_local_cluster_manager.worker.clusters_inflated worker_id=2"),
    ROW("connection_limit.cll.limited_connections",
        "connection_limit.limited_connections connection_limit_prefix=cll"),
    ROW("local_rate_limit.nlr.rate_limited",
        "local_rate_limit.rate_limited local_network_ratelimit_prefix=nlr"),
    ROW("rbb.rbac.allowed", "rbac.allowed rbac_prefix=rbb"),
    ROW("solo" TAIL, "http_local_rate_limit.enabled local_http_ratelimit_prefix=solo"),
    ROW("cluster.a.b" TAIL, "cluster.b" TAIL " cluster_name=a"),
    ROW("cluster.a.grpc.svc.meth" TAIL,
        "cluster.grpc" TAIL " grpc_bridge_method=meth grpc_bridge_service=svc cluster_name=a"),
    ROW("cluster.a.grpc.svc" TAIL, "cluster.grpc.enabled grpc_bridge_method=http_local_rate_limit "
                                   "grpc_bridge_service=svc cluster_name=a"),
    ROW("cluster.a.b.grpc.svc.meth" TAIL, "cluster.b.grpc.svc.meth" TAIL " cluster_name=a"),
    ROW("cluster.a.ext_authz.x" TAIL,
        "cluster.ext_authz" TAIL " cluster_name=a ext_authz_prefix=x"),
    ROW("cluster.a.zone.z1.z2" TAIL, "cluster.zone.z1.z2" TAIL " cluster_name=a"),
    ROW("cluster.a.upstream_rq_200" TAIL, "cluster.upstream_rq_200" TAIL " cluster_name=a"),
    ROW("cluster.a.ssl.versions.X" TAIL, "cluster.ssl.versions.X" TAIL " cluster_name=a"),
    ROW("http.h" TAIL, "http" TAIL " http_conn_manager_prefix=h"),
    ROW("http.h.user_agent.ua" TAIL,
        "http.user_agent" TAIL " http_user_agent=ua http_conn_manager_prefix=h"),
    ROW("http.h.fault.dc" TAIL,
        "http.fault" TAIL " fault_downstream_cluster=dc http_conn_manager_prefix=h"),
    ROW("http.h.rbac.p" TAIL, "http.rbac" TAIL " rbac_http_prefix=p http_conn_manager_prefix=h"),
    ROW("http.h.ext_authz.e" TAIL,
        "http.ext_authz" TAIL " ext_authz_prefix=e http_conn_manager_prefix=h"),
    ROW("vhost.v" TAIL, "vhost" TAIL " virtual_host=v"),
    ROW("vhost.v.vcluster.c" TAIL, "vhost.vcluster" TAIL " virtual_cluster=c virtual_host=v"),
    ROW("vhost.v.w.vcluster.c" TAIL, "vhost.w.vcluster.c" TAIL " virtual_host=v"),
    ROW("vhost.v.route.r" TAIL, "vhost.route" TAIL " virtual_host=v route=r"),
    ROW("udp.u" TAIL, "udp" TAIL " udp_prefix=u"),
    ROW("ratelimit.r" TAIL, "ratelimit" TAIL " ratelimit_prefix=r"),
    ROW("auth.clientssl.a" TAIL, "auth.clientssl" TAIL " clientssl_prefix=a"),
    ROW("sds.s" TAIL, "sds" TAIL " xds_resource_name=s"),
    ROW("listener.admin" TAIL, "listener.admin" TAIL),
    ROW("listener.adminx" TAIL, "listener" TAIL " listener_address=adminx"),
    ROW("listener.foo.bar" TAIL, "listener.bar" TAIL " listener_address=foo"),
    ROW("listener.[__1]_80" TAIL, "listener" TAIL " listener_address=[__1]_80"),
    ROW("listener.lds_ingress_0.0.0.0_15000" TAIL,
        "listener.0.0.0_15000" TAIL " listener_address=lds_ingress_0"),
    ROW("listener.0.0.0.0_15000" TAIL, "listener" TAIL " listener_address=0.0.0.0_15000"),
    ROW("listener.admin.worker_1" TAIL, "listener.admin.worker" TAIL " worker_id=1"),
    ROW("listener.admin.http.admin" TAIL,
        "listener.admin.http" TAIL " http_conn_manager_prefix=admin"),
    ROW("listener.1.2.3.4_5.http.h.worker_2" TAIL,
        "listener.http.worker_2" TAIL " http_conn_manager_prefix=h listener_address=1.2.3.4_5"),
    ROW("listener_manager.worker_0.x" TAIL, "listener_manager.worker.x" TAIL " worker_id=0"),
    ROW("x.worker_1" TAIL, "x.worker_1" TAIL),
    ROW("rbac.r" TAIL, "rbac.r" TAIL),
};

static struct sv shown(const struct stat_tags *t, struct arena *a)
{
    struct sv s = t->name;
    for (size_t i = 0; i < t->n; i++) {
        struct sv name = t->tag[i].name;
        if (sv_starts(name, SV("envoy.")))
            name = sv_skip(name, 6);
        s = arena_printf(a, "%.*s %.*s=%.*s", SVF(s), SVF(name), SVF(t->tag[i].value));
    }
    return s;
}

T(tags, as_envoy)
{
    struct arena *a = arena_new(4096, SIZE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct stat_tags *t = NULL;
        T_ASSERT(tags_extract(sv_str(rows[i].name), NULL, 0, a, &t) == OK);
        T_EXPECT_SV(shown(t, a), sv_str(rows[i].want), rows[i].name);
    }
    arena_free(&a);
}

/* Seen: the fixed tag stands behind general tags and before those of a subtree. */
T(tags, fixed_tags_stand_in_the_middle)
{
    static const struct stat_tag fixed[] = {
        {{"appmesh.mesh", 12}, {"m", 1}}
    };
    struct arena *a = arena_new(4096, SIZE_MAX);
    const struct stat_tags *t = NULL;

    T_ASSERT(tags_extract(SV("cluster.c.upstream_rq_200"), fixed, 1, a, &t) == OK);
    T_EXPECT_SV(shown(t, a),
                SV("cluster.upstream_rq response_code=200 appmesh.mesh=m cluster_name=c"), "");
    arena_free(&a);
}

T(tags, odd_names)
{
    static const char *const names[] = {"a",
                                        ".",
                                        "..",
                                        "cluster.",
                                        "cluster..",
                                        "http",
                                        "_rq_2xx",
                                        "_rq_200",
                                        "listener.",
                                        "listener..",
                                        "listener.1.2.3",
                                        "listener.1_",
                                        ".ssl.versions.",
                                        "rbac",
                                        "x.rbac"};
    struct arena *a = arena_new(4096, SIZE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct stat_tags *t = NULL;
        T_EXPECT(tags_extract(sv_str(names[i]), NULL, 0, a, &t) == OK);
        T_EXPECT(t->name.n <= strlen(names[i]), "%s", names[i]);
    }
    arena_free(&a);
}

T(tags, no_memory)
{
    struct arena *a = arena_new(4096, 64);
    const struct stat_tags *t = NULL;
    T_EXPECT_EQ(tags_extract(sv_str(rows[2].name), NULL, 0, a, &t), E_NOMEM, "");
    T_EXPECT(t == NULL);
    arena_free(&a);
}
