/* Mailbox of one thread; see mailbox.h.
 *
 * A push-only stack with one consumer: senders swap themselves in at the head; the owner takes the
 * whole stack at once and turns it round. As nothing is ever popped singly, a head that a sender
 * has read may vanish but never be mistaken for another one that matters: the chain behind it is
 * the sender's to link, not to follow. */
#include "net/mailbox.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
    _Atomic(struct mail *) newest;
    int fd;
};

struct mailbox *mailbox_new(void)
{
    struct mailbox *m = malloc(sizeof *m);
    if (m == NULL)
        return NULL;
    atomic_init(&m->newest, NULL);
    m->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (m->fd < 0) {
        free(m);
        return NULL;
    }
    return m;
}

int mailbox_fd(const struct mailbox *m)
{
    return m->fd;
}

void mailbox_post(struct mailbox *m, struct mail *keep_mail)
{
    struct mail *newest = atomic_load_explicit(&m->newest, memory_order_relaxed);

    do {
        keep_mail->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&m->newest, &newest, keep_mail,
                                                    memory_order_release, memory_order_relaxed));
    /* keep_mail may be gone by now. Who found mail before its own need not ring again. */
    if (newest == NULL) {
        ssize_t n;
        do {
            n = write(m->fd, &(uint64_t){1}, sizeof(uint64_t));
        } while (n < 0 && errno == EINTR);
        BUG_ON(n != sizeof(uint64_t));
    }
}

static struct mail *take_in_order(struct mailbox *m)
{
    struct mail *left = atomic_exchange_explicit(&m->newest, NULL, memory_order_acquire);
    struct mail *ordered = NULL;

    while (left != NULL) {
        struct mail *next = left->next;
        left->next = ordered;
        ordered = left;
        left = next;
    }
    return ordered;
}

void mailbox_drain(struct mailbox *m)
{
    uint64_t count;

    /* Silence the bell before looking: whoever posts after the look rings it again. EAGAIN only
     * means that the owner came without having been called. */
    ssize_t n = read(m->fd, &count, sizeof count);
    (void)n;
    for (struct mail *mail = take_in_order(m), *next; mail != NULL; mail = next) {
        next = mail->next;
        mail->fn(mail);
    }
}

void mailbox_free(struct mailbox **mailbox)
{
    struct mailbox *m = *mailbox;
    if (m == NULL)
        return;
    while (atomic_load_explicit(&m->newest, memory_order_relaxed) != NULL)
        mailbox_drain(m);
    close(m->fd);
    free(m);
    *mailbox = NULL;
}
