#pragma once
/* A registry as the data plane's, whose conf callbacks only unpack and check their messages, so
 * that config/ can be tested alone. */
#include "config/model/model.h"

/* What the connection manager's stand-in leaves in m_ext.conf. */
struct fake_hcm {
    const struct m_route_config *routes;
    const struct m_ext *filters, *logs;
    size_t n_filters, n_logs;
};
/* tcp_proxy's. */
struct fake_tcp {
    const struct m_weighted_cluster *clusters;
    uint32_t n_clusters;
};

extern const struct model_registry fake_registry;
/* Without any extension. */
extern const struct model_registry empty_registry;

/* Parses a bootstrap, checks its values and builds it with the fake registry in an arena of cap
 * bytes. */
MUST enum err fake_build(const char *yaml, size_t cap, struct snap **out, struct diag *d);

/* Only parses; NULL, and a failed check, when it is no bootstrap. */
ProtobufCMessage *fake_parse(const char *yaml, struct arena *a);

/* A table of bootstraps that fit a template with one %s. want: a part of the message, or NULL when
 * the bootstrap is accepted; path: the end of the field path, or NULL. */
struct fake_case {
    const char *name, *text, *want, *path;
};
/* A row of a table; unlike bare braces it is not padded to the width of the longest. */
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
void fake_check(const struct fake_case *c, const char *before, const char *after);
