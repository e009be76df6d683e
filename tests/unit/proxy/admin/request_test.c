/* Paths and queries of admin requests; the paths were tried on a real Envoy 1.40. */
#include "proxy/admin/admin_int.h"
#include "tests/support/t.h"

T(admin_request, paths)
{
    static const struct {
        const char *target, *want;
    } rows[] = {
        {"/",                  "/"                },
        {"/ready",             "/ready"           },
        {"/ready?x",           "/ready"           },
        {"//ready",            "/ready"           },
        {"/ready/",            "/ready/"          },
        {"/READY",             "/READY"           },
        {"/%72eady",           "/ready"           },
        {"/help/../ready",     "/ready"           },
        {"/a/./b",             "/a/b"             },
        {"/a/.",               "/a/"              },
        {"/a/..",              "/"                },
        {"/../../a",           "/a"               },
        {"/a//..//b",          "/b"               },
        {"/stats\\prometheus", "/stats/prometheus"},
        {"/%2e%2E/x",          "/x"               },
        {"/a%2fb",             "/a%2fb"           },
        {"/a%",                "/a%"              },
        {"/a%4",               "/a%4"             },
        {"/?",                 "/"                },
        {"///",                "/"                },
    };
    struct arena *a = arena_new(4096, SIZE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct admin_request rq = {.arena = a};
        T_ASSERT(admin_request_parse(sv_str(rows[i].target), SV_NONE, &rq) == OK);
        T_EXPECT_SV(rq.path, sv_str(rows[i].want), rows[i].target);
    }
    arena_free(&a);
}

T(admin_request, queries)
{
    struct arena *a = arena_new(4096, SIZE_MAX);
    struct admin_request rq = {.arena = a};

    T_ASSERT(admin_request_parse(SV("/x?a=1&b&c=&a=2&%64=%2B+%zz&&e=f=g?h"), SV_NONE, &rq) == OK);
    T_EXPECT_EQ(rq.n_params, 6, "empty ones are left out");
    T_EXPECT_SV(admin_query(&rq, "a"), SV("1"), "first counts");
    T_EXPECT(admin_query_has(&rq, "b") && admin_query(&rq, "b").n == 0);
    T_EXPECT(admin_query_has(&rq, "c") && admin_query(&rq, "c").n == 0);
    T_EXPECT_SV(admin_query(&rq, "d"), SV("++%zz"), "decoded, a plus stays");
    T_EXPECT_SV(admin_query(&rq, "e"), SV("f=g?h"), "");
    T_EXPECT(!admin_query_has(&rq, "f"));

    T_ASSERT(admin_request_parse(SV("/x?a=1"), SV("a=form"), &rq) == OK);
    T_EXPECT_SV(admin_query(&rq, "a"), SV("form"), "a form stands for the query");
    arena_free(&a);
}

T(admin_request, limits)
{
    char target[4096] = "/x?";
    struct arena *a = arena_new(4096, SIZE_MAX);
    struct admin_request rq = {.arena = a};
    for (int i = 0; i < 100; i++)
        strcat(target, "p=1&");
    T_ASSERT(admin_request_parse(sv_str(target), SV_NONE, &rq) == OK);
    T_EXPECT_EQ(rq.n_params, ADMIN_PARAMS_MAX, "further ones are not looked at");
    T_EXPECT_EQ(admin_request_parse(SV("x"), SV_NONE, &rq), E_PARSE, "no path");
    T_EXPECT_EQ(admin_request_parse(SV(""), SV_NONE, &rq), E_PARSE, "empty");
    arena_free(&a);

    a = arena_new(64, 16);
    rq.arena = a;
    T_EXPECT_EQ(admin_request_parse(SV("/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), SV_NONE, &rq),
                E_NOMEM, "");
    T_EXPECT_EQ(admin_request_parse(SV("/?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), SV_NONE, &rq),
                E_NOMEM, "");
    arena_free(&a);
}

/* The help text and the lookups rely on it. */
T(admin_commands, are_in_order)
{
    for (size_t i = 1; i < admin_n_commands; i++)
        T_EXPECT(strcmp(admin_commands[i - 1].path, admin_commands[i].path) < 0, "%s",
                 admin_commands[i].path);
}
