#pragma once
/* Opening and closing downstream connections: the border between the listener and the network
 * filters. */
#include "proxy/network/filter.h"

struct downstream_want {
    int fd;
    const struct m_filter_chain *chain;
    const struct conn_meta *meta;
    uint32_t buffer_limit;
    void (*on_done)(struct downstream *d); /* once, when the connection is closed */
    void *owner;
};
/* Takes the descriptor. E_NOMEM or E_IO: it is closed and on_done is not called. */
MUST enum err downstream_open(struct worker *w, const struct downstream_want *want);
