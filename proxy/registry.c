/* Every extension that weft implements, in explicit lists: no constructors, no hidden order. */
#include "proxy/registry.h"
#include "proxy/http/hcm.h"
#include "proxy/listener/listener.h"
#include "proxy/network/filter.h"
#include "proxy/observe/loggers.h"

static const struct model_ext *const listener_filters[] = {&original_dst_filter.ext, NULL};
static const struct model_ext *const network_filters[] = {&hcm_filter.ext, &tcp_proxy_filter.ext,
                                                          NULL};
static const struct model_ext *const http_filters[] = {&router_filter.ext, NULL};

const struct model_registry proxy_registry = {
    .listener_filters = listener_filters,
    .network_filters = network_filters,
    .http_filters = http_filters,
    .access_loggers = access_loggers,
};
