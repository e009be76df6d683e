/* The access log writer with its real thread, on files, pipes and sockets of a private directory.
 */
#include "base/clock.h"
#include "proxy/observe/access_log.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char dir[64];
    char path[96];
};

static void place_make(struct place *p)
{
    snprintf(p->dir, sizeof(p->dir), "/tmp/alog_test_XXXXXX");
    T_EXPECT(mkdtemp(p->dir) != NULL);
    snprintf(p->path, sizeof(p->path), "%s/log", p->dir);
}

static void place_remove(const struct place *p)
{
    char old[128];
    snprintf(old, sizeof(old), "%s.1", p->path);
    unlink(old);
    unlink(p->path);
    rmdir(p->dir);
}

/* The file's text, to be freed. */
static char *text_of(const char *path, size_t *n)
{
    static const size_t max = 8 << 20;
    char *text = calloc(1, max + 1);
    int fd = open(path, O_RDONLY);
    ssize_t got;
    *n = 0;
    while (fd >= 0 && (got = read(fd, text + *n, max - *n)) > 0)
        *n += (size_t)got;
    if (fd >= 0)
        close(fd);
    return text;
}

static void expect_file(const char *path, const char *want)
{
    size_t n;
    char *text = text_of(path, &n);
    T_EXPECT_SV(sv_of(text, n), sv_str(want), path);
    free(text);
}

T(alog_writer, appends_and_flushes_at_the_end)
{
    struct place p;
    struct alog_file *f, *same;
    place_make(&p);
    for (int run = 0; run < 2; run++) {
        struct alog_writer *w = alog_writer_new(2, 10000, 65536);
        T_ASSERT(w != NULL);
        T_ASSERT(alog_open(w, sv_str(p.path), &f, NULL) == OK);
        T_ASSERT(alog_open(w, sv_str(p.path), &same, NULL) == OK);
        T_EXPECT(f == same);
        alog_append(f, 1, SV("one\n"));
        alog_append(f, 1, SV("two\n"));
        alog_writer_free(&w);
        T_EXPECT(w == NULL);
    }
    expect_file(p.path, "one\ntwo\none\ntwo\n");
    place_remove(&p);
}

/* Waits (at most 10 s) until the file has n bytes. */
static bool file_reaches(const char *path, off_t n)
{
    struct stat st;
    for (int i = 0; i < 2000; i++) {
        if (stat(path, &st) == 0 && st.st_size >= n)
            return true;
        poll(NULL, 0, 5);
    }
    return false;
}

T(alog_writer, ticks_hand_over_what_is_old)
{
    struct place p;
    struct alog_file *f;
    struct stat st;
    place_make(&p);
    struct alog_writer *w = alog_writer_new(1, 1000, 65536);
    T_ASSERT(alog_open(w, sv_str(p.path), &f, NULL) == OK);
    alog_tick(w, 0, 1);
    alog_append(f, 0, SV("line\n"));
    alog_tick(w, 0, 5000);
    alog_tick(w, 0, 5999);
    T_EXPECT(stat(p.path, &st) == 0 && st.st_size == 0, "too young");
    alog_tick(w, 0, 6000);
    T_EXPECT(file_reaches(p.path, 5), "a second old");
    alog_writer_free(&w);
    place_remove(&p);
}

T(alog_writer, ticks_follow_a_short_flush_interval)
{
    static const uint64_t rows[][2] = {
        {0,     10  },
        {50,    25  },
        {1999,  999 },
        {2000,  1000},
        {10000, 1000}
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct alog_writer *w = alog_writer_new(1, rows[i][0], 65536);
        T_EXPECT(alog_tick_ms(w) == rows[i][1], "flush interval %lu", (unsigned long)rows[i][0]);
        alog_writer_free(&w);
    }
}

T(alog_writer, full_buffers_are_handed_over)
{
    struct place p;
    struct alog_file *f;
    place_make(&p);
    struct alog_writer *w = alog_writer_new(1, 10000, 20000);
    T_ASSERT(alog_open(w, sv_str(p.path), &f, NULL) == OK);
    char line[1001];
    memset(line, 'x', 1000);
    line[999] = '\n';
    for (int i = 0; i < 20; i++)
        alog_append(f, 0, sv_of(line, 1000));
    T_EXPECT(file_reaches(p.path, 20000), "handed over at 20000 bytes");
    alog_writer_free(&w);
    place_remove(&p);
}

T(alog_writer, long_lines_and_zero_flush_size)
{
    static char line[100000];
    struct place p;
    struct alog_file *f;
    size_t n;
    place_make(&p);
    struct alog_writer *w = alog_writer_new(1, 10000, 0);
    T_ASSERT(alog_open(w, sv_str(p.path), &f, NULL) == OK);
    memset(line, 'y', sizeof(line));
    alog_append(f, 0, SV("a\n"));
    T_EXPECT(file_reaches(p.path, 2), "each line at once");
    alog_append(f, 0, sv_of(line, sizeof(line)));
    alog_append(f, 0, SV("b\n"));
    alog_append(f, 0, SV_NONE);
    alog_writer_free(&w);
    char *text = text_of(p.path, &n);
    T_EXPECT_EQ(n, 2 + sizeof(line) + 2, "all of it");
    T_EXPECT(memcmp(text, "a\ny", 3) == 0 && memcmp(text + n - 3, "yb\n", 3) == 0);
    free(text);
    place_remove(&p);
}

T(alog_writer, reopen_follows_a_rotation)
{
    struct place p;
    struct alog_file *f;
    char old[128];
    place_make(&p);
    snprintf(old, sizeof(old), "%s.1", p.path);
    struct alog_writer *w = alog_writer_new(1, 0, 65536);
    T_ASSERT(alog_open(w, sv_str(p.path), &f, NULL) == OK);
    alog_append(f, 0, SV("before\n"));
    alog_tick(w, 0, 1); /* handed over before the reopening: the old file's */
    T_EXPECT(rename(p.path, old) == 0);
    alog_reopen(w);
    T_EXPECT(file_reaches(p.path, 0), "made anew");
    alog_append(f, 0, SV("after\n"));
    alog_writer_free(&w);
    expect_file(old, "before\n");
    expect_file(p.path, "after\n");
    place_remove(&p);
}

T(alog_writer, reopen_keeps_the_old_file_when_it_must)
{
    struct place p;
    struct alog_file *f;
    char old[128];
    place_make(&p);
    snprintf(old, sizeof(old), "%s.1", p.path);
    struct alog_writer *w = alog_writer_new(1, 0, 65536);
    T_ASSERT(alog_open(w, sv_str(p.path), &f, NULL) == OK);
    T_EXPECT(rename(p.path, old) == 0);
    T_EXPECT(mkdir(p.path, 0700) == 0); /* cannot be opened for writing */
    alog_reopen(w);
    alog_append(f, 0, SV("kept\n"));
    alog_writer_free(&w);
    expect_file(old, "kept\n");
    rmdir(p.path);
    place_remove(&p);
}

T(alog_writer, refusals)
{
    struct alog_file *f = NULL;
    struct diag d = {0};
    struct alog_writer *w = alog_writer_new(1, 0, 65536);
    T_EXPECT_EQ(alog_open(w, SV("/nope/x"), &f, &d), E_IO, "");
    T_EXPECT_SV(sv_str(d.msg), SV("unable to open file '/nope/x': No such file or directory"), "");
    T_EXPECT_EQ(alog_open(w, SV(""), &f, &d), E_IO, "empty");
    T_EXPECT_EQ(alog_open(w, SV("a\0b"), &f, &d), E_IO, "NUL inside");
    T_EXPECT(f == NULL);
    alog_writer_free(&w);
}

/* stdout replaced by fd while the test runs. */
static int replace_stdout(int fd)
{
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    dup2(fd, STDOUT_FILENO);
    close(fd);
    return saved;
}

static void restore_stdout(int saved)
{
    dup2(saved, STDOUT_FILENO);
    close(saved);
}

static size_t read_all(int fd, char *out, size_t room)
{
    size_t n = 0;
    ssize_t got;
    while (n < room && (got = read(fd, out + n, room - n)) > 0)
        n += (size_t)got;
    return n;
}

T(alog_writer, stdout_may_be_a_pipe)
{
    int fds[2];
    char text[64];
    struct alog_file *f;
    T_ASSERT(pipe(fds) == 0);
    int saved = replace_stdout(fds[1]);
    struct alog_writer *w = alog_writer_new(1, 0, 65536);
    enum err e = alog_open(w, SV("/dev/stdout"), &f, NULL);
    if (e == OK)
        alog_append(f, 0, SV("to a pipe\n"));
    alog_reopen(w);
    alog_writer_free(&w);
    restore_stdout(saved);
    T_EXPECT_EQ(e, OK, "");
    T_EXPECT_SV(sv_of(text, read_all(fds[0], text, sizeof(text))), SV("to a pipe\n"), "");
    close(fds[0]);
}

/* A socket cannot be opened through /dev/stdout: the inherited descriptor is used, also when logs
 * are reopened. */
T(alog_writer, stdout_may_be_a_socket)
{
    int fds[2];
    char text[64];
    struct alog_file *f;
    T_ASSERT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    int saved = replace_stdout(fds[1]);
    struct alog_writer *w = alog_writer_new(1, 0, 65536);
    enum err e = alog_open(w, SV("/dev/stdout"), &f, NULL);
    if (e == OK)
        alog_append(f, 0, SV("to a socket\n"));
    alog_tick(w, 0, 1);
    alog_reopen(w);
    if (e == OK)
        alog_append(f, 0, SV("again\n"));
    alog_writer_free(&w);
    restore_stdout(saved);
    T_EXPECT_EQ(e, OK, "");
    T_EXPECT_SV(sv_of(text, read_all(fds[0], text, sizeof(text))), SV("to a socket\nagain\n"), "");
    close(fds[0]);
}

struct reader {
    int fd;
    size_t n, lines;
};

static void *drain(void *arg)
{
    struct reader *r = arg;
    char buf[5000];
    ssize_t got;
    while ((got = read(r->fd, buf, sizeof(buf))) > 0) {
        r->n += (size_t)got;
        for (ssize_t i = 0; i < got; i++)
            r->lines += buf[i] == '\n';
    }
    return NULL;
}

/* A pipe holds 64 KiB: most writes are partial or have to wait, and nothing is lost. */
static void through_pipe(bool blocking_descriptor)
{
    int fds[2];
    pthread_t thread;
    struct alog_file *f = NULL;
    T_ASSERT((blocking_descriptor ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : pipe(fds)) == 0);
    struct reader r = {.fd = fds[0]};
    int saved = replace_stdout(fds[1]);
    struct alog_writer *w = alog_writer_new(1, 0, 65536);
    enum err e = alog_open(w, SV("/dev/stdout"), &f, NULL);
    pthread_create(&thread, NULL, drain, &r);
    char line[100];
    memset(line, 'p', sizeof(line));
    line[99] = '\n';
    for (int i = 0; i < 20000 && e == OK; i++)
        alog_append(f, 0, sv_of(line, sizeof(line)));
    uint64_t dropped = alog_dropped(w);
    alog_writer_free(&w);
    restore_stdout(saved);
    pthread_join(thread, NULL);
    close(fds[0]);
    T_EXPECT_EQ(e, OK, "");
    T_EXPECT_EQ(dropped, 0, "dropped");
    T_EXPECT_EQ(r.n, 2000000, "bytes");
    T_EXPECT_EQ(r.lines, 20000, "lines");
}

T(alog_writer, partial_writes_to_a_pipe)
{
    through_pipe(false);
}

T(alog_writer, partial_writes_to_an_inherited_socket)
{
    through_pipe(true);
}

/* Nobody reads: 16 MiB are kept, the rest is dropped and counted, and the end does not hang. */
T(alog_writer, stuck_reader)
{
    static char line[10000];
    int fds[2];
    struct alog_file *f = NULL;
    T_ASSERT(pipe(fds) == 0);
    int saved = replace_stdout(fds[1]);
    struct alog_writer *w = alog_writer_new(1, 0, 65536);
    enum err e = alog_open(w, SV("/dev/stdout"), &f, NULL);
    memset(line, 's', sizeof(line));
    for (int i = 0; i < 2500 && e == OK; i++)
        alog_append(f, 0, sv_of(line, sizeof(line)));
    uint64_t dropped = alog_dropped(w);
    close(fds[0]); /* the rest ends in EPIPE, not in a wait */
    alog_writer_free(&w);
    restore_stdout(saved);
    T_EXPECT_EQ(e, OK, "");
    T_EXPECT(dropped >= 700 && dropped <= 900, "dropped %llu of 2500", (unsigned long long)dropped);
}

/* Megabytes are queued for a pipe that nobody reads: the end waits for it once, not for each
 * buffer. */
T(alog_writer, stuck_reader_at_the_end)
{
    static char line[10000];
    int fds[2];
    struct alog_file *f = NULL;
    T_ASSERT(pipe(fds) == 0);
    int saved = replace_stdout(fds[1]);
    struct alog_writer *w = alog_writer_new(1, 0, 65536);
    enum err e = alog_open(w, SV("/dev/stdout"), &f, NULL);
    memset(line, 's', sizeof(line));
    for (int i = 0; i < 500 && e == OK; i++)
        alog_append(f, 0, sv_of(line, sizeof(line)));
    uint64_t before = clock_mono_ms(clock_system());
    alog_writer_free(&w);
    uint64_t took = clock_mono_ms(clock_system()) - before;
    restore_stdout(saved);
    close(fds[0]);
    T_EXPECT_EQ(e, OK, "");
    T_EXPECT(took < 20000, "took %llu ms", (unsigned long long)took);
}

T(alog_writer, a_closed_reader_is_no_signal)
{
    int fds[2];
    struct alog_file *f = NULL;
    T_ASSERT(pipe(fds) == 0);
    int saved = replace_stdout(fds[1]);
    struct alog_writer *w = alog_writer_new(1, 0, 0);
    enum err e = alog_open(w, SV("/dev/stdout"), &f, NULL);
    close(fds[0]);
    uint64_t dropped = 0;
    if (e == OK)
        alog_append(f, 0, SV("lost\n"));
    for (int i = 0; i < 2000 && e == OK && dropped == 0; i++) {
        dropped = alog_dropped(w);
        poll(NULL, 0, 5);
    }
    alog_writer_free(&w);
    restore_stdout(saved);
    T_EXPECT_EQ(e, OK, "");
    T_EXPECT_EQ(dropped, 1, "counted");
}

T(alog_writer, no_memory_drops_the_line)
{
    struct place p;
    struct alog_file *f;
    place_make(&p);
    struct alog_writer *w = alog_writer_new(1, 0, 65536);
    failmalloc_at(1);
    T_EXPECT_EQ(alog_open(w, sv_str(p.path), &f, NULL), E_NOMEM, "file");
    failmalloc_at(2);
    T_EXPECT_EQ(alog_open(w, sv_str(p.path), &f, NULL), E_NOMEM, "path");
    failmalloc_at(0);
    T_ASSERT(alog_open(w, sv_str(p.path), &f, NULL) == OK);
    failmalloc_at(1);
    alog_append(f, 0, SV("lost\n"));
    failmalloc_at(0);
    alog_append(f, 0, SV("kept\n"));
    T_EXPECT_EQ(alog_dropped(w), 1, "counted");
    alog_writer_free(&w);
    expect_file(p.path, "kept\n");
    place_remove(&p);
    failmalloc_at(1);
    T_EXPECT(alog_writer_new(1, 0, 0) == NULL);
    failmalloc_at(0);
}

enum { WRITERS = 4, LINES = 5000 };
struct author {
    struct alog_writer *w;
    struct alog_file *f[2];
    unsigned worker;
};

static void *write_lines(void *arg)
{
    const struct author *a = arg;
    char line[64];
    for (int i = 0; i < LINES; i++) {
        int n = snprintf(line, sizeof(line), "%u %d\n", a->worker, i);
        alog_append(a->f[i % 2], a->worker, sv_of(line, (size_t)n));
        if (i % 500 == 0)
            alog_tick(a->w, a->worker, (uint64_t)i + 1);
    }
    return NULL;
}

/* Lines of one worker come in order and whole, whatever the others and main do meanwhile. */
static void expect_lines(const char *path, int parity)
{
    int next[WRITERS];
    size_t n;
    char *text = text_of(path, &n), *rest = text;
    for (unsigned i = 0; i < WRITERS; i++)
        next[i] = parity;
    for (char *end; (end = strchr(rest, '\n')) != NULL; rest = end + 1) {
        unsigned worker = WRITERS;
        int i = -1;
        T_ASSERT(sscanf(rest, "%u %d\n", &worker, &i) == 2 && worker < WRITERS, "torn line");
        T_EXPECT_EQ(i, next[worker], "order");
        next[worker] = i + 2;
    }
    for (unsigned i = 0; i < WRITERS; i++)
        T_EXPECT_EQ(next[i], LINES + parity, "complete");
    free(text);
}

T(alog_writer, many_workers)
{
    struct place p[2];
    struct author a[WRITERS];
    pthread_t thread[WRITERS];
    struct alog_file *f[2], *more;
    struct alog_writer *w = alog_writer_new(WRITERS, 100, 4096);

    for (unsigned i = 0; i < 2; i++) {
        place_make(&p[i]);
        T_ASSERT(alog_open(w, sv_str(p[i].path), &f[i], NULL) == OK);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        a[i] = (struct author){
            .w = w, .f = {f[0], f[1]},
                 .worker = i
        };
        T_ASSERT(pthread_create(&thread[i], NULL, write_lines, &a[i]) == 0);
    }
    for (int i = 0; i < 50; i++) {
        alog_reopen(w);
        T_EXPECT(alog_open(w, SV("/dev/null"), &more, NULL) == OK);
    }
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(thread[i], NULL);
    T_EXPECT_EQ(alog_dropped(w), 0, "dropped");
    alog_writer_free(&w);
    for (unsigned i = 0; i < 2; i++) {
        expect_lines(p[i].path, (int)i);
        place_remove(&p[i]);
    }
}
