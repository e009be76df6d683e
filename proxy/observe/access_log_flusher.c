/* The one thread that writes access logs and reopens their files. A slow disk or a reader that is
 * stuck holds up only this thread. */
#include "proxy/observe/access_log_writer_int.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    STUCK_POLL_MS = 100,
    STUCK_AT_STOP_MS = 1000, /* how long a reader may stall the end of the process */
    SHARED_STEP = 4096, /* PIPE_BUF: a pipe that polls writable takes that much without blocking */
};

/* ---- descriptors ---- */

/* The descriptor that a path under /dev stands for, or -1. */
static int inherited_fd(const char *path)
{
    if (strcmp(path, "/dev/stdout") == 0)
        return STDOUT_FILENO;
    return strcmp(path, "/dev/stderr") == 0 ? STDERR_FILENO : -1;
}

/* -1 and errno. Not blocking, so that a pipe nobody reads cannot hold up the flusher for good. */
int alog_open_path(const char *path, size_t *step)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
    *step = SIZE_MAX;
    if (fd >= 0 || inherited_fd(path) < 0)
        return fd;
    /* A socket has no path to open, and a pipe made by root may refuse us: what we were given still
     * works. It is shared with others, so its flags are left alone. */
    int saved = errno;
    struct stat st;
    fd = fcntl(inherited_fd(path), F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        errno = saved;
    else if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        *step = SHARED_STEP;
    return fd;
}

/* ---- flusher ---- */

static bool stopping(struct alog_writer *w)
{
    pthread_mutex_lock(&w->lock);
    bool stop = w->stop;
    pthread_mutex_unlock(&w->lock);
    return stop;
}

/* Waits until the file takes more. False when the process is to end and the file's reader has been
 * waited for long enough, now and before. */
static bool wait_writable(struct alog_writer *w, struct alog_file *f)
{
    struct pollfd p = {.fd = f->fd, .events = POLLOUT};

    if (f->stuck_ms >= STUCK_AT_STOP_MS)
        return false;
    if (poll(&p, 1, STUCK_POLL_MS) == 0 && stopping(w))
        f->stuck_ms += STUCK_POLL_MS;
    return f->stuck_ms < STUCK_AT_STOP_MS;
}

/* False when the rest of the bytes is lost. */
static bool write_all(struct alog_writer *w, struct alog_file *f, const char *p, size_t n)
{
    while (n > 0) {
        if (f->step == SHARED_STEP && !wait_writable(w, f))
            return false;
        ssize_t got = write(f->fd, p, n < f->step ? n : f->step);
        if (got >= 0) {
            p += got;
            n -= (size_t)got;
        } else if (errno == EAGAIN) {
            if (!wait_writable(w, f))
                return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

static void reopen_all(struct alog_writer *w)
{
    for (struct alog_file *f = alog_first_file(w); f != NULL; f = f->next) {
        size_t step;
        int fd = alog_open_path(f->path, &step);
        if (fd < 0)
            continue; /* the old file is better than none */
        close(f->fd);
        f->fd = fd;
        f->step = step;
    }
}

/* Under the lock: keeps a chunk of the usual size for the next worker that needs one. */
void alog_recycle(struct alog_writer *w, struct chunk *c)
{
    if (w->n_spare == SPARE_MAX || c->room != alog_chunk_room(w)) {
        free(c);
        return;
    }
    c->next = w->spare;
    w->spare = c;
    w->n_spare++;
}

static void write_chunk(struct alog_writer *w, struct chunk *c)
{
    if (!write_all(w, c->file, c->data, c->n))
        alog_count_dropped(w, c->lines);
    pthread_mutex_lock(&w->lock);
    w->queued -= c->n;
    alog_recycle(w, c);
    pthread_mutex_unlock(&w->lock);
}

void *alog_flusher_main(void *arg)
{
    struct alog_writer *w = arg;

    for (;;) {
        pthread_mutex_lock(&w->lock);
        while (w->first == NULL && !w->reopen && !w->stop)
            pthread_cond_wait(&w->wake, &w->lock);
        struct chunk *c = w->first;
        bool reopen = w->reopen, stop = w->stop;
        w->first = NULL;
        w->last = &w->first;
        w->reopen = false;
        pthread_mutex_unlock(&w->lock);
        /* What was handed over before the reopening belongs to the old file. */
        while (c != NULL) {
            struct chunk *next = c->next;
            write_chunk(w, c);
            c = next;
        }
        if (reopen)
            reopen_all(w);
        if (stop)
            return NULL;
    }
}
