#pragma once
/* An admin server on a loopback port inside the test, fed with made-up clusters, listeners and
 * configuration. The client and the server share the thread: talk() turns the event loop until the
 * answer is there. */
#include "base/arena.h"
#include "proxy/admin/admin.h"
#include "tests/support/t.h"

enum { SITE_HOSTS = 2 };

struct site {
    struct event_base *base;
    struct stats *stats;
    struct admin *admin;
    struct fake_clock clock;
    enum admin_state state;
    bool no_memory; /* callbacks that may fail do */
    bool no_clusters;
    /* what was asked for */
    unsigned quits, reopens, refreshes, drains;
    bool health_failed, graceful, skip_exit, inbound_only;
    struct str answer; /* of the last talk */
};

void site_open(struct site *s);
void site_close(struct site *s);
/* A connected, non-blocking client socket. */
int site_connect(const struct site *s);
/* Turns the loop once. */
void site_turn(struct site *s);
/* Sends bytes and reads until the server closes or has been quiet for some turns. The answer, valid
 * until the next. */
struct sv site_talk(struct site *s, struct sv bytes);
/* One request for target on a connection of its own; returns the status, the body goes to *body
 * (chunks joined). */
unsigned site_ask(struct site *s, const char *method, const char *target, struct sv *body);
/* Expects status and body. */
void site_expect(struct site *s, const char *method, const char *target, unsigned code,
                 const char *body);
/* The value of a header of the last answer, or the empty view. name with its colon and blank. */
struct sv site_header(const struct site *s, const char *name);
