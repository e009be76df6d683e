#pragma once
/* A pool with an origin whose every move is the test's: it accepts, reads and answers when told. */
#include "proxy/upstream/pool.h"
#include "tests/unit/proxy/plane.h"

/* One request and what became of it. */
struct ask {
    struct up_request rq;
    bool now;      /* a connection was there at once */
    char got[256]; /* "status ", body, "(trailers)"; "1xx " before it for an interim answer */
    bool done, was_reset;
    enum upstream_reset why;
    char failure[96];
};

struct origin {
    struct m_cluster model; /* to be changed between origin_init and origin_open */
    struct m_endpoint endpoint;
    struct addr at;
    int listener;
    struct wcluster *wc;
    struct host *host;
    unsigned held; /* references on it that the test has */
};
extern struct origin origin;

MUST bool origin_init(void);
MUST bool origin_open(void);
/* All of the pool's are gone by then, or are cut now. */
void origin_close(void);

/* GET / with host h. */
MUST enum err ask_start(struct ask *a);
void ask_free(struct ask *a);
/* Runs until the request has its end, 10 s at most for each event. */
void ask_wait(const struct ask *a);

/* The next connection, or -1 when there is none within 10 s. */
int origin_accept(void);
bool origin_has_caller(void);
/* The next request on it; "" at its end. */
struct sv origin_read(int fd);
void origin_say(int fd, struct sv bytes);
