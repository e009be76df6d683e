/* Header lists: names and their hash, add, set, remove, find, write. */
#include "net/headers.h"
#include "net/headers_int.h"
#include "tests/support/t.h"
#include "tests/unit/net/h1_split.h"
#include <stdio.h>
#include <stdlib.h>

static struct arena *arena;
static struct headers list;

static void start(void)
{
    arena = arena_new(4096, SIZE_MAX);
    headers_init(&list, arena);
}

/* Ends the test, which leaves the list with this text ("name: value\n" each, all of them copied).
 */
static void finish(const char *want, const char *row)
{
    char *text = h1_headers_text(&list);
    T_EXPECT_SV(sv_str(text), sv_str(want), row);
    free(text);
    arena_free(&arena);
}

static void add(const char *name, const char *value)
{
    T_EXPECT_EQ(headers_add_named(&list, sv_str(name), sv_str(value)), OK, name);
}

T(headers, every_known_name_has_its_id)
{
    for (int id = HDR_OTHER + 1; id < HDR_COUNT; id++) {
        struct sv name = hdr_name((enum hdr_id)id);
        /* An exact copy, so that a read past its end is seen. */
        char *copy = malloc(name.n);
        T_ASSERT(name.n != 0 && copy != NULL, "id %d has no name", id);
        memcpy(copy, name.p, name.n);
        T_EXPECT_EQ(hdr_lookup(copy, name.n), id, name.p);
        for (size_t i = 0; i < name.n; i++) { /* any other byte makes it another name */
            copy[i] ^= 1;
            T_EXPECT(hdr_lookup(copy, name.n) != (enum hdr_id)id, "%s", name.p);
            copy[i] ^= 1;
        }
        T_EXPECT(hdr_lookup(copy, name.n - 1) != (enum hdr_id)id, "%s", name.p);
        free(copy);
    }
    T_EXPECT_SV(hdr_name(HDR_X_ENVOY_DOWNSTREAM_SERVICE_NODE),
                SV("x-envoy-downstream-service-node"), "last");
    T_EXPECT_SV(hdr_name(HDR_OTHER), SV(""), "other");
    T_EXPECT_SV(hdr_name(HDR_COUNT), SV(""), "no id");
}

T(headers, other_names_have_none)
{
    static const char *const names[] = {"",      "x",         "t",           "hos",
                                        "hosts", "Host",      "x-custom",    "accept-encoding",
                                        "ve",    "x-envoy-a", "*te",         "content-lengt",
                                        "\r",    "-*te",      "x-b3-traceid"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        T_EXPECT_EQ(hdr_lookup(names[i], strlen(names[i])), HDR_OTHER, names[i]);
}

T(headers, add_get_and_find)
{
    start();
    add("x-a", "1");
    add("host", "h");
    add("x-a", "2");
    T_EXPECT_EQ(headers_add(&list, HDR_VIA, SV("v")), OK, "by id");
    T_EXPECT(headers_has(&list, HDR_HOST) && headers_has(&list, HDR_OTHER), "present");
    T_EXPECT(!headers_has(&list, HDR_DATE), "absent");
    T_EXPECT(headers_get(&list, HDR_DATE) == NULL, "absent");
    T_EXPECT_SV(header_value(headers_get(&list, HDR_HOST)), SV("h"), "host");
    T_EXPECT_SV(header_value(headers_find(&list, SV("x-a"))), SV("1"), "the first");
    T_EXPECT(headers_find(&list, SV("via")) == headers_get(&list, HDR_VIA), "known by name");
    T_EXPECT(headers_find(&list, SV("x-b")) == NULL, "absent name");
    T_EXPECT(headers_find(&list, SV("date")) == NULL, "absent known name");
    T_EXPECT_SV(header_name(headers_get(&list, HDR_HOST)), SV("host"), "name");
    finish("~x-a: 1\n~host: h\n~x-a: 2\n~via: v\n", "add");
}

T(headers, set_replaces_the_first_and_drops_the_rest)
{
    start();
    add("x-a", "1");
    add("via", "1");
    add("x-b", "1");
    add("x-a", "2");
    add("via", "2");
    add("x-a", "3");
    T_EXPECT_EQ(headers_set_named(&list, SV("x-a"), SV("4")), OK, "name");
    T_EXPECT_EQ(headers_set(&list, HDR_VIA, SV("5")), OK, "id");
    T_EXPECT_EQ(headers_set_named(&list, SV("server"), SV("6")), OK, "known name, absent");
    T_EXPECT_EQ(headers_set_named(&list, SV("x-c"), SV("7")), OK, "name, absent");
    T_EXPECT_EQ(headers_set(&list, HDR_DATE, SV("8")), OK, "id, absent");
    finish("~x-a: 4\n~via: 5\n~x-b: 1\n~server: 6\n~x-c: 7\n~date: 8\n", "set");
}

T(headers, remove)
{
    start();
    T_EXPECT_EQ(headers_remove(&list, HDR_VIA), 0, "of nothing");
    T_EXPECT_EQ(headers_remove_named(&list, SV("x-a")), 0, "of nothing");
    add("via", "1");
    add("x-a", "1");
    add("te", "1");
    add("x-b", "1");
    add("via", "2");
    add("x-a", "2");
    T_EXPECT_EQ(headers_remove(&list, HDR_VIA), 2, "by id");
    T_EXPECT(!headers_has(&list, HDR_VIA), "gone");
    T_EXPECT_EQ(headers_remove_named(&list, SV("x-a")), 2, "by name");
    T_EXPECT(headers_has(&list, HDR_OTHER), "x-b is left");
    T_EXPECT_EQ(headers_remove_named(&list, SV("te")), 1, "known, by name");
    T_EXPECT_EQ(headers_remove_named(&list, SV("x-b")), 1, "the last other");
    T_EXPECT_EQ(list.present, 0, "nothing left");
    finish("", "remove");
}

T(headers, remove_set)
{
    start();
    add("via", "1");
    add("x-a", "1");
    add("te", "1");
    add("host", "h");
    add("via", "2");
    const uint64_t ids = UINT64_C(1) << HDR_VIA | UINT64_C(1) << HDR_TE | UINT64_C(1) << HDR_OTHER |
                         UINT64_C(1) << HDR_DATE;
    T_EXPECT_EQ(headers_remove_set(&list, ids), 3, "set");
    T_EXPECT_EQ(headers_remove_set(&list, ids), 0, "again");
    finish("~x-a: 1\n~host: h\n", "others stay");
}

T(headers, slots_are_zero_and_grow)
{
    start();
    for (unsigned i = 0; i < 200; i++) {
        struct header *h = headers_slot(&list);
        T_ASSERT(h != NULL, "slot %u", i);
        T_EXPECT(h->name_len == 0 && h->value_len == 0 && h->id == 0 && h->flags == 0, "slot %u",
                 i);
        h->value = "v";
        h->value_len = 1;
    }
    T_EXPECT_EQ(list.n, 200, "slots");
    T_EXPECT_SV(header_value(&list.v[0]), SV("v"), "kept");
    arena_free(&arena);
}

T(headers, a_full_arena)
{
    arena = arena_new(1024, 1024);
    T_ASSERT(arena != NULL, "no memory");
    headers_init(&list, arena);
    enum err e = OK;
    uint32_t n = 0;
    for (; e == OK && n < 1000; n++)
        e = headers_add(&list, HDR_VIA, SV("v"));
    T_EXPECT_EQ(e, E_NOMEM, "full");
    T_EXPECT_EQ(list.n, n - 1, "what fitted is kept");
    T_EXPECT(headers_slot(&list) == NULL, "slot");
    T_EXPECT_EQ(headers_set(&list, HDR_DATE, SV("d")), E_NOMEM, "set");
    T_EXPECT(!headers_has(&list, HDR_DATE), "not there");
    T_EXPECT_EQ(headers_set(&list, HDR_VIA, SV("w")), OK, "replacing needs no room");
    T_EXPECT_EQ(list.n, 1, "replaced");
    arena_free(&arena);
}

T(headers, sizes_that_do_not_fit)
{
    start();
    static char long_name[UINT16_MAX + 2];
    memset(long_name, 'n', sizeof long_name - 1);
    T_EXPECT_EQ(headers_add_named(&list, sv_of(long_name, UINT16_MAX + 1U), SV("v")), E_LIMIT,
                "name");
    T_EXPECT_EQ(headers_add_named(&list, SV(""), SV("v")), E_LIMIT, "no name");
    T_EXPECT_EQ(headers_add(&list, HDR_OTHER, SV("v")), E_LIMIT, "no id");
    T_EXPECT_EQ(headers_add(&list, HDR_VIA, sv_of("", (size_t)UINT32_MAX + 1)), E_LIMIT, "value");
    add("via", "1");
    T_EXPECT_EQ(headers_set(&list, HDR_VIA, sv_of("", (size_t)UINT32_MAX + 1)), E_LIMIT, "value");
    T_EXPECT_EQ(headers_add_named(&list, sv_of(long_name, UINT16_MAX), SV("v")), OK,
                "longest name");
    T_EXPECT_EQ(list.n, 2, "two");
    arena_free(&arena);
}

static void add_raw(const char *line, size_t name_len)
{
    struct header *h = headers_slot(&list);
    T_ASSERT(h != NULL, "no memory");
    h->name = line;
    h->name_len = (uint16_t)name_len;
    h->value = line + name_len + 2;
    h->value_len = (uint32_t)(strcspn(line, "\r") - name_len - 2);
    h->flags = HDR_RAW;
    h->id = (uint8_t)hdr_lookup(line, name_len);
    list.present |= UINT64_C(1) << h->id;
}

static void expect_written(const char *want)
{
    char out[512];
    size_t room = headers_size(&list);
    T_ASSERT(room <= sizeof out, "%zu bytes", room);
    char *end = headers_write(&list, out);
    T_EXPECT_EQ(end - out, room, "size");
    T_EXPECT_SV(sv_of(out, (size_t)(end - out)), sv_str(want), "written");
}

T(headers, write_copies_runs_and_the_rest_alike)
{
    static const char block[] = "host: a\r\nx-y: \r\naccept: */*\r\ncookie: c\r\n\r\n";
    start();
    expect_written("");
    add_raw(block, 4);
    add_raw(block + 9, 3);
    add_raw(block + 16, 6);
    add_raw(block + 29, 6);
    expect_written("host: a\r\nx-y: \r\naccept: */*\r\ncookie: c\r\n");
    add("via", "1");
    T_EXPECT_EQ(headers_remove_named(&list, SV("x-y")), 1, "remove");
    expect_written("host: a\r\naccept: */*\r\ncookie: c\r\nvia: 1\r\n");
    T_EXPECT_EQ(headers_set(&list, HDR_ACCEPT, SV("text/html")), OK, "set");
    expect_written("host: a\r\naccept: text/html\r\ncookie: c\r\nvia: 1\r\n");
    T_EXPECT_EQ(headers_set(&list, HDR_COOKIE, SV("")), OK, "set");
    expect_written("host: a\r\naccept: text/html\r\ncookie: \r\nvia: 1\r\n");
    arena_free(&arena);
}

T(headers, rebase_moves_what_lies_in_the_block)
{
    static const char old[] = "host: a\r\nx-y: b\r\n", fresh[] = "host: A\r\nx-y: B\r\n";
    static const char value[] = "elsewhere";
    start();
    add_raw(old, 4);
    add_raw(old + 9, 3);
    T_EXPECT_EQ(headers_add_named(&list, sv_of(old + 9, 3), sv_str(value)), OK, "mixed");
    T_EXPECT_EQ(headers_add(&list, HDR_VIA, sv_of(old + 14, 1)), OK, "known name");
    headers_rebase(&list, old, sizeof old - 1, fresh);
    T_EXPECT(list.v[2].name == fresh + 9 && list.v[2].value == value, "mixed");
    T_EXPECT(list.v[3].name == hdr_name(HDR_VIA).p, "a static name stays");
    expect_written("host: A\r\nx-y: B\r\nx-y: elsewhere\r\nvia: B\r\n");
    arena_free(&arena);
}

T(headers, list_elements)
{
    static const struct {
        const char *list;
        const char *want; /* elements, each followed by '|' */
    } rows[] = {
        {"",                       ""                   },
        {",",                      ""                   },
        {" \t, ,,",                ""                   },
        {"close",                  "close|"             },
        {" close ",                "close|"             },
        {"a,b",                    "a|b|"               },
        {"keep-alive ,\tUpgrade ", "keep-alive|Upgrade|"},
        {",a,, b c ,",             "a|b c|"             },
        {"a=\"x,y\"",              "a=\"x|y\"|"         },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sv rest = sv_str(rows[i].list), item;
        char got[64] = "";
        while (headers_list_next(&rest, &item))
            snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s|", SVF(item));
        T_EXPECT_SV(sv_str(got), sv_str(rows[i].want), rows[i].list);
        T_EXPECT_EQ(item.n, 0, rows[i].list);
    }
}
