#pragma once
/* One stream socket on a loop: a single edge-triggered event for its whole life, own recv and send.
 *
 * Bytes are received into the loop's scratch buffer; what is sent goes to the kernel at once, and
 * only what the kernel does not take is copied into `out`. Knows nothing of protocols. Loop's
 * thread only.
 *
 * Nothing is freed inside a callback: the owner embeds a struct reap and uses loop_reap_later. */
#include "net/addr.h"
#include "net/loop.h"

enum { CONN_IOV = 8 };

struct conn_ops {
    /* A connect ended: error is 0 or an errno. Only after conn_open with connecting set. */
    void (*connected)(struct conn *c, int error);
    /* There may be bytes to receive, or the end. Called again by conn_resume. */
    void (*readable)(struct conn *c);
    /* `out` has been emptied after having held something. */
    void (*drained)(struct conn *c);
    /* A send failed, or no memory was left to queue it. Always called from the loop, never from
     * inside a call on c, and only after readable() had the chance to take what the peer said
     * before. */
    void (*broken)(struct conn *c);
};

struct conn {
    struct event event;
    int fd; /* -1: closed */
    bool connecting;
    bool maybe_data;  /* the kernel may hold bytes or an end we have not read */
    bool peer_done;   /* the kernel told us that the peer finished sending */
    bool paused;      /* the owner does not want readable() now */
    bool failed;      /* a send failed: broken() was called or is due */
    bool told;        /* broken() was called */
    bool write_ended; /* conn_end_write was called */
    struct loop *loop;
    const struct conn_ops *ops;
    struct buf out;
    uint64_t received, sent; /* bytes handed over by / to the kernel */
};

/* Takes the descriptor (also on failure, then it is closed). */
MUST enum err conn_open(struct conn *c, struct loop *l, int take_fd, bool connecting,
                        const struct conn_ops *ops);
/* Closes the descriptor and forgets what is in `out`. Harmless twice. */
void conn_close(struct conn *c);
/* The same with a reset instead of an orderly end. */
void conn_abort(struct conn *c);

/* Receives into p. OK: *got > 0. E_AGAIN: nothing now. E_CLOSED: the peer's end. E_IO: broken. */
MUST enum err conn_recv(struct conn *c, char *p, size_t room, size_t *got);

/* Sends all of it (at most CONN_IOV pieces, which are changed), after anything corked or queued for
 * c. A failure is reported by broken(), later. */
void conn_send(struct conn *c, struct iovec *iov, size_t n);
/* Reports c as broken, as a failed send does: for an owner that ran out of memory over it. */
void conn_fail(struct conn *c);
/* Room to write a message head into, at most LOOP_HEAD_ROOM bytes; NULL when want is more than
 * that. What is committed is sent together with the next conn_send on c, or when the running
 * callback ends. */
char *conn_head_room(struct conn *c, size_t want);
void conn_head_commit(struct conn *c, size_t n);
void conn_uncork(struct loop *l);
/* Sends FIN once `out` is empty. */
void conn_end_write(struct conn *c);
static inline size_t conn_queued(const struct conn *c)
{
    return c->out.n;
}

void conn_pause(struct conn *c);
/* Wants readable() again; calls it now if there may be bytes. Not from inside readable(). */
void conn_resume(struct conn *c);
