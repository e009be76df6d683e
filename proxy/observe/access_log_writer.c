/* Access log files: workers fill buffers of their own and hand them to one flusher thread, which
 * alone writes and reopens. A worker takes the writer's lock once for each buffer, never for a
 * line.
 *
 *   alog_append -> slot.cur --(full or old)--> queue -> flusher -> write(2)
 *                     ^------- spare buffers <----------------+ */
#include "proxy/observe/access_log.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    QUEUE_MAX_BYTES = 16 << 20,
    CHUNK_MIN_BYTES = 16 * 1024,
    SPARE_MAX = 16,
    STUCK_POLL_MS = 100,
    STUCK_AT_STOP_MS = 2000, /* how long a reader may stall the end of the process */
    SHARED_STEP = 4096, /* PIPE_BUF: a pipe that polls writable takes that much without blocking */
};

struct chunk {
    struct chunk *next;
    struct alog_file *file;
    uint64_t since_ms; /* first tick that saw it; 0: none yet */
    size_t n, room, lines;
    char data[];
};

/* A cache line's length, so that no two workers write to one line. */
struct slot {
    struct chunk *cur; /* worker's own */
    char apart[64 - sizeof(struct chunk *)];
};

struct alog_file {
    struct alog_writer *writer;
    struct alog_file *next; /* list of all; never unlinked before the end */
    char *path;
    int fd;      /* flusher's, once it runs */
    size_t step; /* bytes to offer at a time */
    struct slot slots[];
};

struct alog_writer {
    unsigned workers;
    uint64_t flush_ms;
    size_t flush_bytes;
    struct alog_file *files; /* atomic head: main adds, anyone walks */
    uint64_t dropped;        /* atomic: lines */
    pthread_t flusher;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* under lock */
    struct chunk *first, **last;
    struct chunk *spare;
    unsigned n_spare;
    size_t queued; /* bytes handed over and not written yet */
    bool reopen, stop;
};

static void count_dropped(struct alog_writer *w, size_t lines)
{
    __atomic_fetch_add(&w->dropped, lines, __ATOMIC_RELAXED);
}

static struct alog_file *first_file(const struct alog_writer *w)
{
    return __atomic_load_n(&w->files, __ATOMIC_ACQUIRE);
}

/* ---- descriptors ---- */

/* The descriptor that a path under /dev stands for, or -1. */
static int inherited_fd(const char *path)
{
    if (strcmp(path, "/dev/stdout") == 0)
        return STDOUT_FILENO;
    return strcmp(path, "/dev/stderr") == 0 ? STDERR_FILENO : -1;
}

/* -1 and errno. Not blocking, so that a pipe nobody reads cannot hold up the flusher for good. */
static int open_path(const char *path, size_t *step)
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

/* Waits until fd takes more. False when the process is to end and the reader has been stuck for
 * long enough. */
static bool wait_writable(struct alog_writer *w, int fd, int *stuck_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int n = poll(&p, 1, STUCK_POLL_MS);
    if (n != 0)
        return true;
    if (stopping(w))
        *stuck_ms += STUCK_POLL_MS;
    return *stuck_ms < STUCK_AT_STOP_MS;
}

/* False when the rest of the bytes is lost. */
static bool write_all(struct alog_writer *w, const struct alog_file *f, const char *p, size_t n)
{
    int stuck_ms = 0;

    while (n > 0) {
        if (f->step == SHARED_STEP && !wait_writable(w, f->fd, &stuck_ms))
            return false;
        ssize_t got = write(f->fd, p, n < f->step ? n : f->step);
        if (got >= 0) {
            p += got;
            n -= (size_t)got;
            stuck_ms = 0;
        } else if (errno == EAGAIN) {
            if (!wait_writable(w, f->fd, &stuck_ms))
                return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

static void reopen_all(struct alog_writer *w)
{
    for (struct alog_file *f = first_file(w); f != NULL; f = f->next) {
        size_t step;
        int fd = open_path(f->path, &step);
        if (fd < 0)
            continue; /* the old file is better than none */
        close(f->fd);
        f->fd = fd;
        f->step = step;
    }
}

static size_t chunk_room(const struct alog_writer *w)
{
    return w->flush_bytes > CHUNK_MIN_BYTES ? w->flush_bytes : CHUNK_MIN_BYTES;
}

/* Under the lock: keeps a chunk of the usual size for the next worker that needs one. */
static void recycle(struct alog_writer *w, struct chunk *c)
{
    if (w->n_spare == SPARE_MAX || c->room != chunk_room(w)) {
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
        count_dropped(w, c->lines);
    pthread_mutex_lock(&w->lock);
    w->queued -= c->n;
    recycle(w, c);
    pthread_mutex_unlock(&w->lock);
}

static void *flusher_main(void *arg)
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

/* ---- workers ---- */

static struct chunk *chunk_new(struct alog_file *f, size_t want)
{
    struct alog_writer *w = f->writer;
    size_t room = chunk_room(w);
    struct chunk *c = NULL;

    if (want <= room) {
        pthread_mutex_lock(&w->lock);
        c = w->spare;
        if (c != NULL) {
            w->spare = c->next;
            w->n_spare--;
        }
        pthread_mutex_unlock(&w->lock);
    } else {
        room = want;
    }
    if (c == NULL)
        c = malloc(sizeof(*c) + room);
    if (c != NULL) {
        c->file = f;
        c->since_ms = 0;
        c->n = c->lines = 0;
        c->room = room;
    }
    return c;
}

/* Gives the slot's chunk to the flusher, or drops it when that is too far behind. */
static void hand_over(struct alog_writer *w, struct slot *s)
{
    struct chunk *c = s->cur;

    s->cur = NULL;
    c->next = NULL;
    pthread_mutex_lock(&w->lock);
    if (w->queued + c->n > QUEUE_MAX_BYTES) {
        count_dropped(w, c->lines);
        recycle(w, c);
    } else {
        w->queued += c->n;
        *w->last = c;
        w->last = &c->next;
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
}

void alog_append(struct alog_file *f, unsigned worker, struct sv line)
{
    struct alog_writer *w = f->writer;
    struct slot *s = &f->slots[worker];

    if (s->cur != NULL && line.n > s->cur->room - s->cur->n)
        hand_over(w, s);
    if (s->cur == NULL)
        s->cur = chunk_new(f, line.n);
    if (s->cur == NULL) {
        count_dropped(w, 1);
        return;
    }
    if (line.n > 0)
        memcpy(s->cur->data + s->cur->n, line.p, line.n);
    s->cur->n += line.n;
    s->cur->lines++;
    if (s->cur->n >= w->flush_bytes)
        hand_over(w, s);
}

void alog_tick(struct alog_writer *w, unsigned worker, uint64_t now_ms)
{
    for (struct alog_file *f = first_file(w); f != NULL; f = f->next) {
        struct slot *s = &f->slots[worker];
        if (s->cur == NULL)
            continue;
        if (s->cur->since_ms == 0)
            s->cur->since_ms = now_ms;
        if (now_ms - s->cur->since_ms >= w->flush_ms)
            hand_over(w, s);
    }
}

/* ---- main ---- */

static bool start_flusher(struct alog_writer *w)
{
    sigset_t all, before;

    /* Signals are main's; SIGPIPE of a log pipe that closed is an error code here. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&w->flusher, NULL, flusher_main, w) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

struct alog_writer *alog_writer_new(unsigned workers, uint64_t flush_ms, size_t flush_bytes)
{
    struct alog_writer *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return NULL;
    w->workers = workers;
    w->flush_ms = flush_ms;
    w->flush_bytes = flush_bytes;
    w->last = &w->first;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    if (!start_flusher(w)) {
        pthread_mutex_destroy(&w->lock);
        pthread_cond_destroy(&w->wake);
        free(w);
        return NULL;
    }
    return w;
}

static void file_free(struct alog_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    free(f->path);
    free(f);
}

void alog_writer_free(struct alog_writer **pw)
{
    struct alog_writer *w = *pw;

    if (w == NULL)
        return;
    for (unsigned i = 0; i < w->workers; i++) {
        for (struct alog_file *f = first_file(w); f != NULL; f = f->next) {
            if (f->slots[i].cur != NULL)
                hand_over(w, &f->slots[i]);
        }
    }
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->flusher, NULL);
    for (struct alog_file *f = first_file(w), *next; f != NULL; f = next) {
        next = f->next;
        file_free(f);
    }
    for (struct chunk *c = w->spare, *next; c != NULL; c = next) {
        next = c->next;
        free(c);
    }
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    free(w);
    *pw = NULL;
}

static struct alog_file *file_new(struct alog_writer *w, struct sv path)
{
    struct alog_file *f = calloc(1, sizeof(*f) + w->workers * sizeof(struct slot));
    if (f == NULL)
        return NULL;
    f->writer = w;
    f->fd = -1;
    f->path = calloc(1, path.n + 1);
    if (f->path == NULL) {
        free(f);
        return NULL;
    }
    memcpy(f->path, path.p, path.n);
    return f;
}

enum err alog_open(struct alog_writer *w, struct sv path, struct alog_file **out, struct diag *d)
{
    for (struct alog_file *f = first_file(w); f != NULL; f = f->next) {
        if (sv_eq(sv_str(f->path), path)) {
            *out = f;
            return OK;
        }
    }
    if (path.n == 0 || memchr(path.p, '\0', path.n) != NULL)
        return diag_fail(d, E_IO, "unable to open file '%.*s': No such file or directory",
                         SVF(path));
    struct alog_file *f = file_new(w, path);
    if (f == NULL)
        return diag_fail(d, E_NOMEM, "out of memory");
    f->fd = open_path(f->path, &f->step);
    if (f->fd < 0) {
        enum err err = diag_fail(d, E_IO, "unable to open file '%s': %s", f->path, strerror(errno));
        file_free(f);
        return err;
    }
    f->next = w->files;
    __atomic_store_n(&w->files, f, __ATOMIC_RELEASE);
    *out = f;
    return OK;
}

void alog_reopen(struct alog_writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->reopen = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

uint64_t alog_dropped(const struct alog_writer *w)
{
    return __atomic_load_n(&w->dropped, __ATOMIC_RELAXED);
}
