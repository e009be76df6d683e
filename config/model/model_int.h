#pragma once
/* Shared by the files of config/model only. */
#include "config/model/model.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb-c.h"
#include "envoy/config/route/v3/route.pb-c.h"

/* Puts the field's name in front of a failure's path and passes the failure on. */
static inline enum err model_at(enum err e, struct diag *d, const char *field)
{
    if (e != OK)
        diag_prefix(d, "%s", field);
    return e;
}

/* model.c */

/* E_NOMEM, said in d. */
MUST enum err model_no_memory(struct diag *d);
/* A map that ends with the snapshot. */
MUST enum err model_map_new(struct model_build *b, struct map **out, struct diag *d);
/* IPv4 dotted quad or IPv6, without brackets and zone. */
bool model_is_ip(const char *text);
enum model_names { MODEL_LITERAL, MODEL_NAME_ALLOWED };
/* A socket address; d->path is relative to m. */
MUST enum err model_address(const Envoy__Config__Core__V3__Address *m, enum model_names names,
                            struct m_address *out, struct diag *d);
static inline uint32_t model_u32(const Google__Protobuf__UInt32Value *v, uint32_t dflt)
{
    return v == NULL ? dflt : v->value;
}
static inline bool model_bool(const Google__Protobuf__BoolValue *v, bool dflt)
{
    return v == NULL ? dflt : v->value != 0;
}

/* model_cluster.c: fills snap->clusters. */
MUST enum err model_add_clusters(struct model_build *b,
                                 const Envoy__Config__Bootstrap__V3__Bootstrap__StaticResources *m,
                                 struct diag *d);

/* model_listener.c: fills snap->listeners; the clusters must be there. */
MUST enum err model_add_listeners(struct model_build *b,
                                  const Envoy__Config__Bootstrap__V3__Bootstrap__StaticResources *m,
                                  struct diag *d);

/* model_route.c: fills snap->route_configs from those that conf callbacks had built. */
MUST enum err model_close_route_configs(struct model_build *b, struct diag *d);

/* model_action.c: one route of a route configuration. */
struct model_route_ctx {
    struct model_build *b;
    bool validate_clusters;
};
MUST enum err model_route(const struct model_route_ctx *x, const Envoy__Config__Route__V3__Route *m,
                          struct m_route *r, struct diag *d);

/* model_ext.c */

/* The empty view for NULL. */
struct any_view model_any(const Google__Protobuf__Any *any);
MUST enum err model_admin_logs(struct model_build *b, const Envoy__Config__Bootstrap__V3__Admin *m,
                               struct diag *d);
/* Envoy's rule that a chain ends with its only terminal filter. kind: "network" or "http". */
MUST enum err model_check_terminal(const struct m_ext *f, const char *kind, bool last,
                                   struct diag *d);
