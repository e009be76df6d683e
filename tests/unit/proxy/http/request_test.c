/* What becomes of a request before any filter sees it. */
#include "tests/support/t.h"
#include "tests/unit/proxy/http/site.h"
#include <stdio.h>

static struct sv ask(const char *headers)
{
    char text[1024];
    snprintf(text, sizeof text, "GET /p HTTP/1.1\r\nhost: h\r\n%s\r\n", headers);
    return site_say(text);
}

/* ---- headers that are for this connection only ---- */

/* left: the header lines that the filter sees, without Host and x-forwarded-proto. */
T(request, hop_by_hop_and_internal_headers)
{
    static const struct {
        const char *name, *in, *left;
        bool edge;
    } rows[] = {
        {"kept",                 "a: 1\r\nB: 2\r\n",                                                            "a: 1\nb: 2\n",   false},
        {"connection",           "connection: keep-alive\r\na: 1\r\n",                                          "a: 1\n",         false},
        {"keep-alive",           "keep-alive: timeout=5\r\n",                                                   "",               false},
        {"proxy-connection",     "proxy-connection: keep-alive\r\n",                                            "",               false},
        {"h2c is not offered",   "connection: upgrade\r\nupgrade: h2c\r\n",                                     "",               false},
        {"nominated",            "connection: X-One, x-two\r\nx-one: 1\r\nx-two: 2\r\nx-three: 3\r\n",
         "x-three: 3\n",                                                                                                          false},
        {"in several lines",     "connection: x-one\r\nconnection: x-two\r\nx-one: 1\r\nx-two: 2\r\n",
         "",                                                                                                                      false},
        {"nominated with close", "connection: keep-alive, x-one\r\nx-one: 1\r\n",                               "",               false},
        {"nobody there",         "connection: x-one, ,\r\na: 1\r\n",                                            "a: 1\n",         false},
        {"te",                   "te: gzip\r\n",                                                                "",               false},
        {"te: trailers",         "te: trailers\r\n",                                                            "te: trailers\n", false},
        {"te among others",      "te: gzip, Trailers\r\n",                                                      "te: trailers\n", false},
        {"nominated te",         "connection: te\r\nte: trailers\r\n",                                          "te: trailers\n", false},
        {"internal",
         "x-envoy-internal: true\r\nx-envoy-max-retries: 3\r\nx-envoy-retry-on: 5xx\r\n",                       "",
         false                                                                                                                         },
        {"time-outs",
         "x-envoy-upstream-rq-timeout-ms: 1\r\nx-envoy-upstream-rq-per-try-timeout-ms: 1\r\n"
         "x-envoy-expected-rq-timeout-ms: 1\r\n",                                                               "",               false},
        {"traces",               "x-envoy-force-trace: 1\r\nx-envoy-ip-tags: a\r\nx-envoy-original-url: /\r\n",
         "",                                                                                                                      false},
        {"a service's own",      "x-envoy-original-path: /o\r\nx-envoy-decorator-operation: d\r\n",
         "x-envoy-original-path: /o\nx-envoy-decorator-operation: d\n",                                                           false},
        {"not from the edge",    "x-envoy-original-path: /o\r\nx-envoy-decorator-operation: d\r\n",
         "x-forwarded-for: 1.2.3.4\nx-envoy-external-address: 1.2.3.4\n",                                                         true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char left[1024] = "";
        site_reset();
        site.conf.use_remote_address = rows[i].edge;
        T_ASSERT(site_open(), "%s", rows[i].name);
        ask(rows[i].in);
        T_EXPECT_EQ(site.requests, 1, rows[i].name);
        struct sv rest = sv_str(site.seen), line;
        for (bool first = true; sv_split(&rest, '\n', &line) && line.n > 0; first = false)
            if (!first && !sv_starts(line, SV("host: ")) &&
                !sv_starts(line, SV("x-forwarded-proto: ")))
                snprintf(left + strlen(left), sizeof left - strlen(left), "%.*s\n", SVF(line));
        T_EXPECT_SV(sv_str(left), sv_str(rows[i].left), rows[i].name);
        site_close();
    }
}

/* ---- the client's address ---- */

T(request, forwarded_for)
{
    static const struct {
        const char *name;
        bool edge, skip;
        uint32_t hops;
        const char *peer, *in, *xff, *client;
    } rows[] = {
        {"nothing known",    false, false, 0, "1.2.3.4",     "",                                    NULL,                       "1.2.3.4"    },
        {"the last",         false, false, 0, "1.2.3.4",     "9.9.9.9, 8.8.8.8",                    "9.9.9.9, 8.8.8.8",         "8.8.8.8"    },
        {"one hop more",     false, false, 1, "1.2.3.4",     "9.9.9.9, 8.8.8.8",                    "9.9.9.9, 8.8.8.8",
         "9.9.9.9"                                                                                                                           },
        {"too few",          false, false, 2, "1.2.3.4",     "9.9.9.9, 8.8.8.8",                    "9.9.9.9, 8.8.8.8",         "1.2.3.4"    },
        {"no address",       false, false, 0, "1.2.3.4",     "unknown",                             "unknown",                  "1.2.3.4"    },
        {"IPv6",             false, false, 0, "1.2.3.4",     "2001:db8::1",                         "2001:db8::1",              "2001:db8::1"},
        {"two lines",        false, false, 1, "1.2.3.4",     "9.9.9.9\r\nx-forwarded-for: 8.8.8.8",
         "9.9.9.9,8.8.8.8",                                                                                                     "9.9.9.9"    },
        {"edge",             true,  false, 0, "1.2.3.4",     "",                                    "1.2.3.4",                  "1.2.3.4"    },
        {"edge appends",     true,  false, 0, "1.2.3.4",     "9.9.9.9",                             "9.9.9.9,1.2.3.4",          "1.2.3.4"    },
        {"trusted proxy",    true,  false, 1, "1.2.3.4",     "9.9.9.9, 8.8.8.8",                    "9.9.9.9, 8.8.8.8,1.2.3.4",
         "8.8.8.8"                                                                                                                           },
        {"two of them",      true,  false, 2, "1.2.3.4",     "9.9.9.9, 8.8.8.8",                    "9.9.9.9, 8.8.8.8,1.2.3.4",
         "9.9.9.9"                                                                                                                           },
        {"more than it has", true,  false, 3, "1.2.3.4",     "9.9.9.9, 8.8.8.8",
         "9.9.9.9, 8.8.8.8,1.2.3.4",                                                                                            "1.2.3.4"    },
        {"appends nothing",  true,  true,  0, "1.2.3.4",     "9.9.9.9",                             "9.9.9.9",                  "1.2.3.4"    },
        {"nor adds",         true,  true,  0, "1.2.3.4",     "",                                    NULL,                       "1.2.3.4"    },
        {"from this host",   true,  false, 0, "127.0.0.1",   "",                                    "10.0.0.7",                 "127.0.0.1"  },
        {"IPv6 peer",        true,  false, 0, "2001:db8::2", "9.9.9.9",                             "9.9.9.9,2001:db8::2",
         "2001:db8::2"                                                                                                                       },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char line[128] = "";
        site_reset();
        site.conf.use_remote_address = rows[i].edge;
        site.conf.skip_xff_append = rows[i].skip;
        site.conf.xff_hops = rows[i].hops;
        T_EXPECT(addr_parse_ip(sv_str(rows[i].peer), 99, &site.meta.remote) == OK);
        T_ASSERT(site_open(), "%s", rows[i].name);
        if (rows[i].in[0] != '\0')
            snprintf(line, sizeof line, "x-forwarded-for: %s\r\n", rows[i].in);
        ask(line);
        struct sv xff = site_saw("x-forwarded-for");
        T_EXPECT((xff.p == NULL) == (rows[i].xff == NULL), "%s", rows[i].name);
        if (rows[i].xff != NULL)
            T_EXPECT_SV(xff, sv_str(rows[i].xff), rows[i].name);
        T_EXPECT_SV(sv_str(site.client_ip), sv_str(rows[i].client), rows[i].name);
        T_EXPECT_SV(site_saw("x-envoy-external-address"),
                    rows[i].edge ? sv_str(rows[i].client) : SV(""), rows[i].name);
        site_close();
    }
}

T(request, forwarded_proto)
{
    static const struct {
        bool edge;
        uint32_t hops;
        const char *in, *want;
    } rows[] = {
        {false, 0, "",                             "http" },
        {false, 0, "x-forwarded-proto: https\r\n", "https"},
        {true,  0, "x-forwarded-proto: https\r\n", "http" },
        {true,  1, "x-forwarded-proto: https\r\n", "https"},
        {true,  1, "",                             "http" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        site_reset();
        site.conf.use_remote_address = rows[i].edge;
        site.conf.xff_hops = rows[i].hops;
        T_ASSERT(site_open());
        ask(rows[i].in);
        T_EXPECT_SV(site_saw("x-forwarded-proto"), sv_str(rows[i].want), rows[i].in);
        site_close();
    }
}

/* ---- request ids ---- */

T(request, request_ids)
{
    static const struct {
        const char *name;
        bool generate, edge, preserve, given;
        char want; /* g: the given one, f: a fresh one, 0: none */
    } rows[] = {
        {"off",            false, false, false, false, 0  },
        {"off, given",     false, true,  false, true,  'g'},
        {"missing",        true,  false, false, false, 'f'},
        {"given",          true,  false, false, true,  'g'},
        {"edge",           true,  true,  false, true,  'f'},
        {"edge preserves", true,  true,  true,  true,  'g'},
        {"edge, missing",  true,  true,  true,  false, 'f'},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        site_reset();
        site.conf.generate_request_id = rows[i].generate;
        site.conf.use_remote_address = rows[i].edge;
        site.conf.preserve_external_request_id = rows[i].preserve;
        site.conf.always_set_request_id_in_response = true;
        T_ASSERT(site_open());
        struct sv got = ask(rows[i].given ? "x-request-id: mine\r\n" : "");
        struct sv id = site_saw("x-request-id");
        if (rows[i].want == 'g')
            T_EXPECT_SV(id, SV("mine"), rows[i].name);
        else
            T_EXPECT_EQ(id.n, rows[i].want == 'f' ? 36 : 0, rows[i].name);
        char line[64];
        snprintf(line, sizeof line, "x-request-id: %.*s\r\n", SVF(id));
        T_EXPECT((strstr(got.p, line) != NULL) == (rows[i].want != 0), "%s: answered",
                 rows[i].name);
        site_close();
    }
}

/* ---- the target ---- */

/* seen: "path authority" that the filter gets, or NULL and the answer's first line. */
T(request, targets)
{
    static const struct {
        const char *name, *text, *seen, *refusal;
    } rows[] = {
        {"origin form",    "GET /a?b HTTP/1.1\r\nhost: H:8\r\n\r\n",                           "/a?b H:8", NULL                      },
        {"absolute form",  "GET http://x.y/a?b HTTP/1.1\r\nhost: h\r\n\r\n",                   "/a?b x.y", NULL                      },
        {"no host",        "GET /a HTTP/1.1\r\n\r\n",                                          NULL,       "HTTP/1.1 400 Bad Request"},
        {"asterisk",       "OPTIONS * HTTP/1.1\r\nhost: h\r\n\r\n",                            NULL,       "HTTP/1.1 404 Not Found"  },
        {"old version",    "GET /a HTTP/1.0\r\nhost: h\r\n\r\n",                               NULL,
         "HTTP/1.1 426 Upgrade Required"                                                                                             },
        {"nominated host", "GET / HTTP/1.1\r\nhost: h\r\nconnection: host\r\n\r\n",            NULL,
         "HTTP/1.1 400 Bad Request"                                                                                                  },
        {"nominated xff",  "GET / HTTP/1.1\r\nhost: h\r\nconnection: x-forwarded-for\r\n\r\n", NULL,
         "HTTP/1.1 400 Bad Request"                                                                                                  },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        site_reset();
        T_ASSERT(site_open());
        struct sv got = site_say(rows[i].text);
        T_EXPECT((site.requests == 1) == (rows[i].seen != NULL), "%s", rows[i].name);
        if (rows[i].seen != NULL)
            T_EXPECT_SV(sv_of(site.seen, strcspn(site.seen, "\n")), sv_str(rows[i].seen),
                        rows[i].name);
        else
            T_EXPECT_SV(sv_of(got.p, strcspn(got.p, "\r")), sv_str(rows[i].refusal), rows[i].name);
        site_close();
    }
}
