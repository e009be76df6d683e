#pragma once
/* A connection on a loop with its other end in the test's hands, and a record of what it was told.
 * The pair keeps the bounds of messages (SEQPACKET), which shows the calls that were made. */
#include "net/conn.h"
#include "tests/support/t.h"

struct rig {
    struct loop loop;
    struct conn conn;
    int peer;      /* -1: closed */
    char told[64]; /* c: connected, r: readable, d: drained, b: broken */
    int error;     /* of connected */
    char acts;     /* what to do inside the callback of this letter */
    void (*act)(struct rig *r);
    bool swallow; /* readable takes all there is */
    size_t taken;
    enum err end; /* what the last receive said */
};

/* type: SOCK_STREAM or SOCK_SEQPACKET. Both ends do not block. */
MUST bool rig_open(struct rig *r, int type);
/* The connection is one that is being made to that address. */
MUST bool rig_connect(struct rig *r, const struct addr *to);
void rig_close(struct rig *r);
/* Runs what is ready, until nothing is. */
void rig_run(struct rig *r);
/* Waits for the next event, 10 s at most. */
void rig_wait(struct rig *r);
void rig_send(struct rig *r, struct sv bytes);
void rig_head(struct rig *r, struct sv bytes);
/* What the peer gets with one receive: "" when nothing is there, "<end>" at the end. */
struct sv rig_peer_recv(struct rig *r);
