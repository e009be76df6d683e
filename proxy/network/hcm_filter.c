/* The HTTP connection manager as a network filter. */
#include "proxy/http/hcm.h"
#include "proxy/network/filter.h"

static void closed(struct hcm *h)
{
    downstream_done(container_of(h->c, struct downstream, conn));
}

static const struct hcm_owner owner = {.closed = closed};

static void open_hcm(void *st, const void *conf, struct downstream *d)
{
    hcm_open(st, conf, d->w, &d->conn, &d->meta, &owner);
}

static void readable(void *st)
{
    hcm_readable(st);
}

static void drained(void *st)
{
    hcm_drained(st);
}

static void broken(void *st)
{
    hcm_broken(st);
}

static void cut(void *st)
{
    hcm_abort(st);
}

static bool close_if_idle(void *st, uint64_t quiet_ms)
{
    return hcm_close_if_idle(st, quiet_ms);
}

const struct net_filter_ops hcm_filter = {
    .ext = {.name = "envoy.filters.network.http_connection_manager",
            .type_url = "envoy.extensions.filters.network.http_connection_manager.v3."
                        "HttpConnectionManager", .terminal = true,
            .conf = hcm_conf},
    .state_size = sizeof(struct hcm),
    .bind = hcm_conf_bind,
    .open = open_hcm,
    .readable = readable,
    .drained = drained,
    .broken = broken,
    .abort = cut,
    .close_if_idle = close_if_idle,
};
