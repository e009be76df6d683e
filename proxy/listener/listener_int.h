#pragma once
/* Shared by the files of proxy/listener only. */
#include "proxy/listener/listener.h"
#include "proxy/network/downstream.h"

/* One worker's listening socket. */
struct listener_port {
    struct event event;
    struct timer retry; /* after running out of descriptors; then the close after muting */
    int fd;
    struct listener *l;
    struct worker *w;
    struct listener *const *all;
    size_t n_all;
    bool stopping;
    stat_id cx_total, cx_active;
};
