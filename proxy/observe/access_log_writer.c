/* Access log files: workers fill buffers of their own and hand them to one flusher thread, which
 * alone writes and reopens. A worker takes the writer's lock once for each buffer, never for a
 * line.
 *
 *   alog_append -> slot.cur --(full or old)--> queue -> flusher -> write(2)
 *                     ^------- spare buffers <----------------+ */
#include "proxy/observe/access_log_writer_int.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { TICK_MIN_MS = 10, TICK_MAX_MS = 1000 };

/* ---- workers ---- */

static struct chunk *chunk_new(struct alog_file *f, size_t want)
{
    struct alog_writer *w = f->writer;
    size_t room = alog_chunk_room(w);
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
        alog_count_dropped(w, c->lines);
        alog_recycle(w, c);
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
        alog_count_dropped(w, 1);
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
    for (struct alog_file *f = alog_first_file(w); f != NULL; f = f->next) {
        struct slot *s = &f->slots[worker];
        if (s->cur == NULL)
            continue;
        if (s->cur->since_ms == 0)
            s->cur->since_ms = now_ms;
        if (now_ms - s->cur->since_ms >= w->flush_ms)
            hand_over(w, s);
    }
}

uint64_t alog_tick_ms(const struct alog_writer *w)
{
    uint64_t half = w->flush_ms / 2;
    return half < TICK_MIN_MS ? TICK_MIN_MS : half > TICK_MAX_MS ? TICK_MAX_MS : half;
}

/* ---- main ---- */

static bool start_flusher(struct alog_writer *w)
{
    sigset_t all, before;

    /* Signals are main's; SIGPIPE of a log pipe that closed is an error code here. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&w->flusher, NULL, alog_flusher_main, w) == 0;
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
        for (struct alog_file *f = alog_first_file(w); f != NULL; f = f->next) {
            if (f->slots[i].cur != NULL)
                hand_over(w, &f->slots[i]);
        }
    }
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->flusher, NULL);
    for (struct alog_file *f = alog_first_file(w), *next; f != NULL; f = next) {
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
    for (struct alog_file *f = alog_first_file(w); f != NULL; f = f->next) {
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
    f->fd = alog_open_path(f->path, &f->step);
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
