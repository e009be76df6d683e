#pragma once
/* Which route a request takes: a pure function of a route configuration, the host and the path.
 * No heap, no locks, nothing copied but the lower-cased host (on the stack). Any thread. */
#include "config/model/model.h"

struct route_hit {
    const struct m_vhost *vhost; /* NULL: no domain fits the host */
    const struct m_route *route; /* NULL: no route of the virtual host fits the path */
};

/* host: the Host or :authority as received; a port in it counts. Domains are tried as Envoy does:
 * exact, longest "*.suffix", longest "prefix.*", "*"; the star never stands for nothing.
 * path: the request target with its query, which is not compared; the first route to fit wins. */
struct route_hit route_match(const struct m_route_config *rc, struct sv host, struct sv path);

/* The two steps of route_match alone. */
const struct m_vhost *route_find_vhost(const struct m_route_config *rc, struct sv host);
const struct m_route *route_find(const struct m_vhost *v, struct sv path);

/* One of the route's clusters by weight. random: any 64-bit number, used only when there are
 * several. The route's action is M_ACTION_ROUTE. */
const struct m_weighted_cluster *route_pick_cluster(const struct m_route *r, uint64_t random);

/* The path to send upstream: the matched part replaced by prefix_rewrite, the rest and the query
 * kept. The route has one (has_prefix_rewrite) and matched this path. E_NOMEM: the arena's cap. */
MUST enum err route_rewrite_path(const struct m_route *r, struct sv path, struct arena *a,
                                 struct sv *out);
