/* Mailbox: order, the bell rung once a batch, mail that posts mail, and several threads at once. */
#include "net/mailbox.h"
#include "tests/support/t.h"
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct letter {
    struct mail mail;
    char name;
};

static char order[16];

static void note(struct mail *m)
{
    size_t n = strlen(order);
    if (n + 1 < sizeof order)
        order[n] = container_of(m, struct letter, mail)->name;
}

static bool ringing(const struct mailbox *m, int timeout_ms)
{
    struct pollfd p = {.fd = mailbox_fd(m), .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

T(mailbox, runs_in_order_after_one_ring)
{
    struct mailbox *m = mailbox_new();
    struct letter v[3] = {
        {{0}, 'a'},
        {{0}, 'b'},
        {{0}, 'c'}
    };

    T_ASSERT(m != NULL);
    memset(order, 0, sizeof order);
    T_EXPECT(!ringing(m, 0), "new");
    mailbox_drain(m);
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        v[i].mail.fn = note;
        mailbox_post(m, &v[i].mail);
        T_EXPECT(ringing(m, 0), "has mail");
    }
    T_EXPECT_SV(sv_str(order), SV(""), "nothing runs in post");
    mailbox_drain(m);
    T_EXPECT_SV(sv_str(order), SV("abc"), "in order");
    T_EXPECT(!ringing(m, 0), "silent again");
    mailbox_post(m, &v[0].mail);
    T_EXPECT(ringing(m, 0), "rings again");
    mailbox_drain(m);
    T_EXPECT_SV(sv_str(order), SV("abca"), "the same mail again");
    mailbox_free(&m);
    T_EXPECT(m == NULL);
    mailbox_free(&m);
}

T(mailbox, only_the_first_post_rings)
{
    struct mailbox *m = mailbox_new();
    struct letter v[5] = {
        {{0}, 'a'},
        {{0}, 'b'},
        {{0}, 'c'},
        {{0}, 'd'},
        {{0}, 'e'}
    };
    uint64_t rings = 0;

    T_ASSERT(m != NULL);
    memset(order, 0, sizeof order);
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        v[i].mail.fn = note;
        mailbox_post(m, &v[i].mail);
    }
    /* An eventfd adds up what was written to it. */
    T_EXPECT(read(mailbox_fd(m), &rings, sizeof rings) == sizeof rings);
    T_EXPECT_EQ(rings, 1, "writes");
    mailbox_free(&m);
    T_EXPECT_SV(sv_str(order), SV("abcde"), "free runs what is left");
}

/* Mail that posts another one, for as long as it is told to. */
struct chain {
    struct mail mail;
    struct mailbox *box;
    unsigned left, runs;
};

static void run_chain(struct mail *m)
{
    struct chain *c = container_of(m, struct chain, mail);
    c->runs++;
    if (c->left-- > 1)
        mailbox_post(c->box, m);
}

T(mailbox, mail_posted_by_mail_waits_for_the_next_drain)
{
    struct mailbox *m = mailbox_new();
    struct chain c = {.mail.fn = run_chain, .box = m, .left = 4};

    T_ASSERT(m != NULL);
    mailbox_post(m, &c.mail);
    mailbox_drain(m);
    T_EXPECT_EQ(c.runs, 1, "one a drain");
    T_EXPECT(ringing(m, 0), "and the bell rings");
    mailbox_drain(m);
    T_EXPECT_EQ(c.runs, 2, "next drain");
    mailbox_free(&m);
    T_EXPECT_EQ(c.runs, 4, "free runs to the end");
}

enum { SENDERS = 4, MAILS = 5000 };

static struct {
    struct mailbox *box;
    unsigned next[SENDERS]; /* number expected from each, touched by the owner only */
    unsigned total, disordered;
} post;

struct numbered {
    struct mail mail;
    unsigned sender, number;
};

static void take_numbered(struct mail *m)
{
    struct numbered *n = container_of(m, struct numbered, mail);
    if (n->number != post.next[n->sender])
        post.disordered++;
    post.next[n->sender] = n->number + 1;
    post.total++;
    free(n);
}

static void *send_numbered(void *arg)
{
    unsigned sender = *(const unsigned *)arg;
    for (unsigned i = 0; i < MAILS; i++) {
        struct numbered *n = malloc(sizeof *n);
        if (n == NULL)
            return NULL;
        *n = (struct numbered){.mail.fn = take_numbered, .sender = sender, .number = i};
        mailbox_post(post.box, &n->mail);
    }
    return NULL;
}

T(mailbox, loses_nothing_between_threads)
{
    pthread_t threads[SENDERS];
    unsigned ids[SENDERS], started = 0;
    bool rang = true;

    memset(&post, 0, sizeof post);
    post.box = mailbox_new();
    T_ASSERT(post.box != NULL);
    while (started < SENDERS) {
        ids[started] = started;
        if (pthread_create(&threads[started], NULL, send_numbered, &ids[started]) != 0)
            break;
        started++;
    }
    /* Only the bell wakes the owner: one that is missing leaves mail behind and ends this by time.
     */
    while (post.total < started * MAILS && rang) {
        rang = ringing(post.box, 10000);
        mailbox_drain(post.box);
    }
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    T_EXPECT(rang, "no ring for mail");
    T_EXPECT_EQ(started, SENDERS, "threads");
    T_EXPECT_EQ(post.total, SENDERS * MAILS, "mails");
    T_EXPECT_EQ(post.disordered, 0, "out of a sender's order");
    mailbox_free(&post.box);
}
