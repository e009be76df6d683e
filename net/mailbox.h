#pragma once
/* Messages to another thread's loop: any thread posts, the owner drains on a wake-up. Lock-free
 * push, one eventfd write for a batch. A message is embedded in its sender's memory until run. */
#include "base/compiler.h"
#include <stdbool.h>

struct mail {
    struct mail *next;          /* private */
    void (*fn)(struct mail *m); /* runs on the owner's thread; owns m from then on */
};

struct mailbox;
struct mailbox *mailbox_new(void); /* NULL: no memory or descriptors */
/* Runs what is left, then frees. No one may post any more. */
void mailbox_free(struct mailbox **m);
int mailbox_fd(const struct mailbox *m); /* becomes readable when there is mail */
void mailbox_post(struct mailbox *m, struct mail *keep_mail);
/* Owner only: runs all mail in posting order (per sender). */
void mailbox_drain(struct mailbox *m);
