/* Answers on the wire: framing by status, method, version and length; local replies; connections
 * that go on or end. */
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"
#include "tests/unit/proxy/http/site.h"
#include <stdio.h>

#define GET "GET / HTTP/1.1\r\nhost: h\r\n\r\n"
#define GET_CLOSE "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"
#define GET_10 "GET / HTTP/1.0\r\nhost: h\r\n\r\n"
#define GET_10_KEEP "GET / HTTP/1.0\r\nhost: h\r\nconnection: keep-alive\r\n\r\n"
#define HEAD "HEAD / HTTP/1.1\r\nhost: h\r\n\r\n"
#define OK_11 "HTTP/1.1 200 OK\r\n"
#define CHUNKED "transfer-encoding: chunked\r\n\r\n"

/* clang-format off: one case a line */
static const struct {
    const char *name, *request;
    struct answer answer;
    const char *wire;
} frames[] = {
    {"length",
     GET,                      {.status = 200, .length = "2", .body = "ok"},
     OK_11 "content-length: 2\r\n\r\nok"                                                                                         },
    {"no length",        GET,  {.status = 200, .body = "ok"},                                OK_11 CHUNKED "2\r\nok\r\n0\r\n\r\n"},
    {"no body",          GET,  {.status = 200},                                              OK_11 "content-length: 0\r\n\r\n"   },
    {"unknown code",
     GET,                      {.status = 299, .length = "0"},
     "HTTP/1.1 299 Unknown\r\ncontent-length: 0\r\n\r\n"                                                                         },
    {"trailers",
     GET,                      {.status = 200, .body = "ok", .trailer = "v"},
     OK_11 CHUNKED "2\r\nok\r\n0\r\nt: v\r\n\r\n"                                                                                },
    {"nowhere to put",
     GET,                      {.status = 200, .length = "2", .body = "ok", .trailer = "v"},
     OK_11 "content-length: 2\r\n\r\nok"                                                                                         },
    {"HEAD",             HEAD, {.status = 200, .length = "2"},                               OK_11 "content-length: 2\r\n\r\n"   },
    {"HEAD, no length",  HEAD, {.status = 200},                                              OK_11 CHUNKED                       },
    {"HEAD, body",
     HEAD,                     {.status = 200, .length = "2", .body = "ok"},
     OK_11 "content-length: 2\r\n\r\n"                                                                                           },
    {"HEAD, trailers",   HEAD, {.status = 200, .body = "ok", .trailer = "v"},                OK_11 CHUNKED                       },
    {"204",              GET,  {.status = 204},                                              "HTTP/1.1 204 No Content\r\n\r\n"   },
    {"204 with length",  GET,  {.status = 204, .length = "2"},                               "HTTP/1.1 204 No Content\r\n\r\n"   },
    {"304",              GET,  {.status = 304},                                              "HTTP/1.1 304 Not Modified\r\n\r\n" },
    {"304 with length",
     GET,                      {.status = 304, .length = "9"},
     "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n"                                                                    },
    {"close",
     GET_CLOSE,                {.status = 200, .length = "2", .body = "ok"},
     OK_11 "content-length: 2\r\nconnection: close\r\n\r\nok<end>"                                                               },
    {"close, no length",
     GET_CLOSE,                {.status = 200, .body = "ok"},
     OK_11 "connection: close\r\n" CHUNKED "2\r\nok\r\n0\r\n\r\n<end>"                                                           },
    {"1.0",
     GET_10,                   {.status = 200, .length = "2", .body = "ok"},
     "HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok<end>"                                                  },
    {"1.0, no length",
     GET_10,                   {.status = 200, .body = "ok"},
     "HTTP/1.0 200 OK\r\nconnection: close\r\n\r\nok<end>"                                                                       },
    {"1.0 keeps",
     GET_10_KEEP,              {.status = 200, .length = "2", .body = "ok"},
     "HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nok"                                                  },
    {"1.0 cannot keep",
     GET_10_KEEP,              {.status = 200, .body = "ok"},
     "HTTP/1.0 200 OK\r\nconnection: close\r\n\r\nok<end>"                                                                       },
    {"cut off",
     GET,                      {.status = 200, .body = "ok", .reset = true},
     OK_11 CHUNKED "2\r\nok\r\n<end>"                                                                                            },
};
/* clang-format on */

T(h1_server, frames)
{
    for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
        site_reset();
        site.conf.accept_http_10 = true;
        site.conf.enable_trailers = true;
        site.answer = frames[i].answer;
        T_ASSERT(site_open());
        struct sv got = site_say(frames[i].request);
        T_EXPECT_SV(got, sv_str(frames[i].wire), frames[i].name);
        site_close();
    }
}

T(h1_server, names_itself)
{
    static const struct {
        enum server_header how;
        const char *via, *lines;
    } rows[] = {
        {SERVER_OVERWRITE,        "",  "server: envoy\r\n"          },
        {SERVER_APPEND_IF_ABSENT, "",  "server: envoy\r\n"          },
        {SERVER_PASS_THROUGH,     "",  ""                           },
        {SERVER_PASS_THROUGH,     "v", "via: v\r\n"                 },
        {SERVER_OVERWRITE,        "v", "server: envoy\r\nvia: v\r\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char want[128];
        site_reset();
        site.conf.server_header = rows[i].how;
        site.conf.via = sv_str(rows[i].via);
        T_ASSERT(site_open());
        snprintf(want, sizeof want, OK_11 "content-length: 2\r\n%s\r\nok", rows[i].lines);
        T_EXPECT_SV(site_say(GET), sv_str(want), rows[i].lines);
        T_EXPECT_SV(site_saw("via"), sv_str(rows[i].via), "the origin is told too");
        site_close();
    }
}

/* ---- local replies ---- */

T(local_reply, plain_and_grpc)
{
    static const struct {
        const char *name, *type;
        struct reply reply;
        const char *wire;
    } rows[] = {
        {"body",
         "text/html",              {.code = 503, .body = SV("why")},
         "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 3\r\ncontent-type: "
         "text/plain\r\n\r\nwhy"                                                                                             },
        {"none",     "text/html",  {.code = 404},                       "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"},
        {"location",
         "text/html",              {.code = 301, .location = SV("/n")},
         "HTTP/1.1 301 Moved Permanently\r\nlocation: /n\r\ncontent-length: 0\r\n\r\n"                                       },
        {"overload",
         "text/html",              {.code = 503, .overloaded = true},
         "HTTP/1.1 503 Service Unavailable\r\nx-envoy-overloaded: true\r\ncontent-length: "
         "0\r\n\r\n"                                                                                                         },
        {"gRPC",
         "application/grpc",       {.code = 503, .body = SV("a b%\n")},
         OK_11 "content-type: application/grpc\r\ngrpc-status: 14\r\ngrpc-message: a b%25%0A\r\n"
               "content-length: 0\r\n\r\n"                                                                                   },
        {"proto",
         "application/grpc+proto", {.code = 404},
         OK_11 "content-type: application/grpc\r\ngrpc-status: 12\r\ncontent-length: 0\r\n\r\n"                              },
        {"web",
         "application/grpc-web",   {.code = 404},
         "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"                                                               },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[128];
        site_reset();
        site.answer.local = rows[i].reply;
        T_ASSERT(site_open());
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\nhost: h\r\ncontent-type: %s\r\n\r\n",
                 rows[i].type);
        T_EXPECT_SV(site_say(text), sv_str(rows[i].wire), rows[i].name);
        site_close();
    }
}

T(local_reply, grpc_status_of_codes)
{
    static const struct {
        unsigned code, status;
    } rows[] = {
        {400, 13},
        {401, 16},
        {403, 7 },
        {404, 12},
        {429, 14},
        {502, 14},
        {503, 14},
        {504, 14},
        {200, 2 },
        {405, 2 },
        {500, 2 },
        {408, 2 },
    };
    site_reset();
    T_ASSERT(site_open());
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char line[32];
        site.answer.local = (struct reply){.code = rows[i].code};
        struct sv got =
            site_say("GET / HTTP/1.1\r\nhost: h\r\ncontent-type: application/grpc\r\n\r\n");
        snprintf(line, sizeof line, "grpc-status: %u\r\n", rows[i].status);
        T_EXPECT(strstr(got.p, line) != NULL, "%u: %s", rows[i].code, got.p);
    }
    site_close();
}

/* ---- connections ---- */

T(hcm, requests_one_after_the_other)
{
    site_reset();
    site.conf.enable_trailers = true;
    T_ASSERT(site_open());
    T_EXPECT(site_say(GET GET GET).n == 3 * strlen(frames[0].wire), "pipelined");
    T_EXPECT_EQ(site.requests, 3, "requests");
    site_say("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nab");
    T_EXPECT_EQ(site.requests, 3, "half a body");
    T_EXPECT_SV(site_say("cd" GET),
                SV(OK_11 "content-length: 2\r\n\r\nok" OK_11 "content-length: 2\r\n\r\nok"),
                "the rest");
    T_EXPECT_SV(sv_str(site.body), SV("abcd"), "body");
    site.body[0] = '\0';
    site_say("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n"
             "T: v\r\n\r\n");
    T_EXPECT_SV(sv_str(site.body), SV("xyz"), "chunked body");
    T_EXPECT_SV(sv_str(site.trailers), SV("t: v"), "trailers");
    T_EXPECT(site.requests == 6 && !site.closed);
    site_close();
}

/* A head may come in pieces of any size. */
T(hcm, byte_by_byte)
{
    static const char text[] = GET;
    site_reset();
    T_ASSERT(site_open());
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        T_EXPECT_EQ(site.requests, 0, "early");
        char one[2] = {text[i], '\0'};
        struct sv got = site_say(one);
        T_EXPECT_SV(got, i + 2 < sizeof text ? SV("") : sv_str(frames[0].wire), "answer");
    }
    T_EXPECT_EQ(site.requests, 1, "requests");
    site_close();
}

T(hcm, idle_connections_end)
{
    site_reset();
    site.conf.idle_ms = 1000;
    site.conf.drain_ms = 100;
    T_ASSERT(site_open());
    site_say(GET);
    plane_advance(999);
    T_EXPECT(!site.closed);
    plane_advance(1);
    T_EXPECT(!site.closed, "a request may be on its way");
    plane_advance(100);
    T_EXPECT(site.closed);
    site_close();
}

/* Whichever allocation fails while a request is served: the client gets its answer, a refusal or
 * the end, and nothing is lost or freed twice. Returns how many there are. */
static size_t serve_without_memory(const char *head)
{
    size_t nth = 0, made;
    do {
        site_reset();
        site.conf.use_remote_address = true;
        site.conf.generate_request_id = true;
        site.conf.server_header = SERVER_OVERWRITE;
        site.conf.via = SV("v");
        site.answer = (struct answer){.status = 200, .body = "ok"};
        if (!site_open())
            return 0;
        failmalloc_at(++nth);
        bool told = site_say(head).n > 0;
        if (!told && !site.closed)
            told = site_say("half").n > 0;
        made = failmalloc_count();
        failmalloc_at(0);
        T_EXPECT(told || site.closed, "%zu: nothing happened", nth);
        T_EXPECT(made >= nth || site.requests == 1, "%zu: none failed", nth);
        site_close();
    } while (made >= nth && nth < 200);
    return nth;
}

#define POST                                                                                       \
    "POST / HTTP/1.1\r\nhost: h\r\nx-forwarded-for: 9.9.9.9\r\nvia: w\r\ncontent-length: 4\r\n"

T(hcm, a_request_without_memory)
{
    char big[10000];
    size_t n = serve_without_memory(POST "\r\n");
    T_EXPECT(n > 1 && n < 200, "%zu runs", n);
    snprintf(big, sizeof big, POST "big: %0*d\r\n\r\n", 9000, 0);
    size_t more = serve_without_memory(big);
    T_EXPECT(more > n && more < 200, "%zu runs: its head has a block of its own", more);
}
