#pragma once
/* A connection manager on a socket pair. The test is the client; the one filter of the chain notes
 * the request it is given and answers as the test wants. */
#include "proxy/http/hcm.h"
#include "tests/unit/proxy/plane.h"

struct answer {
    struct reply local; /* code != 0: the answer is weft's own */
    unsigned status;    /* else one as of an upstream */
    const char *length; /* content-length; NULL: none */
    const char *body;
    const char *trailer; /* value of "t"; NULL: none */
    bool reset;          /* the body is cut off */
};

struct site {
    struct hcm_conf conf;
    struct conn_meta meta;
    struct conn conn;
    struct hcm hcm;
    int client; /* -1: closed */
    bool closed;
    struct answer answer;
    /* What the filter saw: "path authority\n", then "name: value\n" for each header. */
    char seen[2048], body[256], trailers[128], client_ip[ADDR_TEXT_MAX];
    unsigned opened, requests, closed_filters;
};
extern struct site site;

/* Before site_open: the defaults, which add nothing to requests and answers. */
void site_reset(void);
MUST bool site_open(void);
void site_close(void);
/* Sends, runs, and returns all that came back without its date line. "<end>" behind it says that
 * the connection was closed. */
struct sv site_say(const char *text);
/* Value of a header that the filter saw; p NULL: it is not there. */
struct sv site_saw(const char *name);
