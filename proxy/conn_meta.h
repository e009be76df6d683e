#pragma once
/* What is known of one downstream connection apart from its bytes. Filled by the listener and its
 * filters, read by network filters, the HTTP layer and upstream (original destination). Lives as
 * long as the connection; its worker only. */
#include "net/addr.h"

struct conn_meta {
    uint64_t id;
    uint64_t start_us, start_wall_us;
    struct addr local;         /* after restoring: where the client wanted to go */
    struct addr remote;        /* the client as filters see it */
    struct addr direct_remote; /* the peer of the socket */
    bool restored;             /* local came from the redirect, not from the socket */
    bool inbound;              /* the listener's traffic_direction */
    struct sv filter_chain;
};
