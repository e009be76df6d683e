#pragma once
/* What workers and the flusher of access logs share. Private to access_log_writer.c and
 * access_log_flusher.c. */
#include "proxy/observe/access_log.h"
#include <pthread.h>

enum {
    QUEUE_MAX_BYTES = 16 << 20,
    CHUNK_MIN_BYTES = 16 * 1024,
    SPARE_MAX = 16,
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
    int fd;       /* flusher's, once it runs */
    size_t step;  /* bytes to offer at a time */
    int stuck_ms; /* flusher's: waited for the reader since the end was asked for */
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

static inline void alog_count_dropped(struct alog_writer *w, size_t lines)
{
    __atomic_fetch_add(&w->dropped, lines, __ATOMIC_RELAXED);
}

static inline struct alog_file *alog_first_file(const struct alog_writer *w)
{
    return __atomic_load_n(&w->files, __ATOMIC_ACQUIRE);
}

static inline size_t alog_chunk_room(const struct alog_writer *w)
{
    return w->flush_bytes > CHUNK_MIN_BYTES ? w->flush_bytes : CHUNK_MIN_BYTES;
}

/* Opens path for appending; -1 and errno. *step: bytes to offer at a time. */
int alog_open_path(const char *path, size_t *step);
/* Under the lock: keeps a chunk of the usual size for the next worker that needs one. */
void alog_recycle(struct alog_writer *w, struct chunk *c);
/* The flusher's thread; arg is the writer. */
void *alog_flusher_main(void *arg);
