#pragma once
/* Intrusive doubly linked list. A list head is a struct link linked to itself. Not thread-safe. */
#include "base/compiler.h"
#include <stdbool.h>

struct link {
    struct link *prev, *next;
};

static inline void list_init(struct link *head)
{
    head->prev = head->next = head;
}

static inline bool list_empty(const struct link *head)
{
    return head->next == head;
}

static inline void list_insert_before(struct link *pos, struct link *n)
{
    n->prev = pos->prev;
    n->next = pos;
    pos->prev->next = n;
    pos->prev = n;
}

static inline void list_push_back(struct link *head, struct link *n)
{
    list_insert_before(head, n);
}

static inline void list_push_front(struct link *head, struct link *n)
{
    list_insert_before(head->next, n);
}

/* Leaves n linked to itself, so that a second unlink is harmless. */
static inline void list_unlink(struct link *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    n->prev = n->next = n;
}

static inline bool list_linked(const struct link *n)
{
    return n->next != n;
}

/* NULL when empty. */
static inline struct link *list_pop_front(struct link *head)
{
    struct link *n = head->next;
    if (n == head)
        return NULL;
    list_unlink(n);
    return n;
}

/* Moves every element of from to the end of to. */
static inline void list_splice_back(struct link *to, struct link *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#define list_entry(l, type, member) container_of(l, type, member)
/* it: struct link *. The safe form allows unlinking and freeing `it` inside the body. */
#define list_foreach(it, head) for (struct link *it = (head)->next; it != (head); it = it->next)
#define list_foreach_safe(it, head)                                                                \
    for (struct link *it = (head)->next, *it##_next = it->next; it != (head);                      \
         it = it##_next, it##_next = it->next)
