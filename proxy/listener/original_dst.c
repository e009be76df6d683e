/* original_dst: the destination that iptables REDIRECT replaced becomes the connection's local
 * address. Source: envoy.extensions.filters.listener.original_dst.v3.OriginalDst. */
#include "envoy/extensions/filters/listener/original_dst/v3/original_dst.pb-c.h"
#include "net/sock.h"
#include "proxy/listener/listener.h"

static enum err conf(const struct any_view *in, struct model_build *b, const void **out,
                     struct diag *d)
{
    const ProtobufCMessage *msg = NULL;
    TRY(model_unpack(
        b, in, &envoy__extensions__filters__listener__original_dst__v3__original_dst__descriptor,
        &msg, d));
    *out = msg;
    return OK;
}

static void accept_conn(const void *cf, int fd, struct conn_meta *m)
{
    struct addr dst;
    (void)cf;
    if (sock_original_dst(fd, &m->local, &dst) != OK)
        return;
    /* Connection tracking answers for direct connections too: only a changed address was
     * redirected. */
    m->restored = !addr_eq_ip(&dst, &m->local) || addr_port(&dst) != addr_port(&m->local);
    if (m->restored)
        m->local = dst;
}

const struct listener_filter_ops original_dst_filter = {
    .ext = {.name = "envoy.filters.listener.original_dst",
            .type_url = "envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
            .conf = conf},
    .accept = accept_conn,
};
