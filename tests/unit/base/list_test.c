/* Intrusive list: order, removal during iteration, splicing. */
#include "base/list.h"
#include "tests/support/t.h"

struct item {
    char name;
    struct link link;
};

static const char *names(const struct link *head, char out[16])
{
    size_t n = 0;
    list_foreach (l, head) {
        const struct item *it = list_entry(l, struct item, link);
        T_EXPECT(l->next->prev == l && l->prev->next == l);
        if (n < 15)
            out[n++] = it->name;
    }
    out[n] = '\0';
    return out;
}

T(list, keeps_order)
{
    struct link head;
    struct item v[4] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}, {.name = 'd'}};
    char text[16];

    list_init(&head);
    T_EXPECT(list_empty(&head));
    T_EXPECT(list_pop_front(&head) == NULL);
    list_push_back(&head, &v[1].link);
    list_push_back(&head, &v[3].link);
    list_push_front(&head, &v[0].link);
    list_insert_before(&v[3].link, &v[2].link);
    T_EXPECT_SV(sv_str(names(&head, text)), SV("abcd"), "in order");
    T_EXPECT(!list_empty(&head) && list_linked(&v[1].link));

    list_unlink(&v[1].link);
    list_unlink(&v[1].link);
    T_EXPECT(!list_linked(&v[1].link));
    T_EXPECT_SV(sv_str(names(&head, text)), SV("acd"), "one out, twice");
    T_EXPECT(list_pop_front(&head) == &v[0].link && !list_linked(&v[0].link));
    T_EXPECT_SV(sv_str(names(&head, text)), SV("cd"), "front out");
}

T(list, allows_removal_while_walking)
{
    struct link head;
    struct item v[3] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}};
    char text[16];

    list_init(&head);
    for (size_t i = 0; i < ARRAY_LEN(v); i++)
        list_push_back(&head, &v[i].link);
    list_foreach_safe (l, &head) {
        if (list_entry(l, struct item, link)->name != 'b')
            list_unlink(l);
    }
    T_EXPECT_SV(sv_str(names(&head, text)), SV("b"), "the rest");
}

T(list, splices)
{
    struct link to, from;
    struct item v[3] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}};
    char text[16];

    list_init(&to);
    list_init(&from);
    list_splice_back(&to, &from);
    T_EXPECT(list_empty(&to));
    list_push_back(&from, &v[1].link);
    list_push_back(&from, &v[2].link);
    list_push_back(&to, &v[0].link);
    list_splice_back(&to, &from);
    T_EXPECT(list_empty(&from));
    T_EXPECT_SV(sv_str(names(&to, text)), SV("abc"), "joined");
}
