/* The parser makes no heap call of its own, and bears a heap that fails under its arena. */
#include "net/h1.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"

static const struct h1_limits limits = {.max_head_bytes = 61440, .max_headers = 100};
static const char REQUEST[] = "POST http://h?q HTTP/1.1\r\nHost: a_b:80\r\nx_y:z\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n";

/* Head and body, `step` bytes more at each call. */
static enum err read_message(struct arena *arena, size_t step)
{
    char data[sizeof REQUEST];
    memcpy(data, REQUEST, sizeof data);
    struct h1_parser p;
    struct h1_head head;
    struct headers trailers;
    headers_init(&head.headers, arena);
    headers_init(&trailers, arena);
    h1_parser_init(&p, false, &limits);
    enum err e = E_AGAIN;
    for (size_t n = step; e == E_AGAIN; n += step)
        e = h1_parse_request(&p, data, n < sizeof data - 1 ? n : sizeof data - 1, &head);
    if (e != OK)
        return e;
    struct h1_body body;
    size_t at = head.head_bytes, used;
    struct sv piece;
    h1_body_init(&body, &head, &limits, &trailers);
    for (; !body.done && e == OK; at += used)
        e = h1_body_next(&body, data + at, sizeof data - 1 - at, &used, &piece);
    return e;
}

T(h1_heap, no_call_of_its_own)
{
    struct arena *arena = arena_new(65536, SIZE_MAX);
    T_ASSERT(arena != NULL && arena_alloc(arena, 1, 1) != NULL, "no memory");
    failmalloc_at(0);
    T_EXPECT_EQ(read_message(arena, sizeof REQUEST), OK, "whole");
    T_EXPECT_EQ(read_message(arena, 1), OK, "byte by byte");
    T_EXPECT_EQ(failmalloc_count(), 0, "heap calls");
    arena_free(&arena);
}

static void scenario(bool failing)
{
    struct arena *arena = arena_new(128, SIZE_MAX);
    enum err e = arena == NULL ? E_NOMEM : read_message(arena, 7);
    T_EXPECT(e == OK || (failing && e == E_NOMEM), "%d", (int)e);
    if (arena != NULL)
        arena_free(&arena);
}

T(h1_heap, every_allocation_fails_once)
{
    T_EXPECT(failmalloc_each(scenario) >= 2, "arena and slots");
}
