/* The log: names and levels, the line format, what a peer may put into a line, the limit of a call
 * site, reopening, and lines from several threads. */
#include "base/log.h"
#include "tests/support/t.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char path[64];

/* Opens the log on a file of its own. */
static bool open_log(const char *format)
{
    strcpy(path, "/tmp/weft-log-test-XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0)
        return false;
    close(fd);
    return log_open(path, format) == OK;
}

static void close_log(void)
{
    log_close();
    unlink(path);
}

/* What stands in the file now; its beginning, if there is more. */
static struct sv written(const char *file, char *room, size_t n)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, room, n);
    if (fd >= 0)
        close(fd);
    return sv_of(room, got < 0 ? 0 : (size_t)got);
}

/* One line past the limit of call sites, through the whole of log_write. */
#define WRITE_LINE(level, ...)                                                                     \
    do {                                                                                           \
        struct log_site site_ = {0};                                                               \
        log_write(&site_, LOGC_UPSTREAM, level, "a/b/file.c", 42, __VA_ARGS__);                    \
    } while (0)

T(log, names_are_complete)
{
    for (size_t i = 0; i < LOGC_COUNT; i++) {
        enum log_component c = LOGC_COUNT;
        const char *name = log_component_name((enum log_component)i);
        T_ASSERT(name != NULL);
        T_EXPECT_EQ(log_component_parse(sv_str(name), &c), OK, name);
        T_EXPECT_EQ(c, i, name);
    }
    for (size_t i = LOG_TRACE; i <= LOG_OFF; i++) {
        enum log_level l = LOG_TRACE;
        const char *name = log_level_name((enum log_level)i);
        T_EXPECT_EQ(log_level_parse(sv_str(name), &l), OK, name);
        T_EXPECT_EQ(l, i, name);
    }
    enum log_level l = LOG_OFF;
    enum log_component c = LOGC_POOL;
    T_EXPECT_EQ(log_level_parse(SV("warn"), &l), OK, "warn");
    T_EXPECT_EQ(l, LOG_WARNING, "warn");
    T_EXPECT_EQ(log_level_parse(SV("Info"), &l), E_NOTFOUND, "case");
    T_EXPECT_EQ(log_level_parse(SV(""), &l), E_NOTFOUND, "empty");
    T_EXPECT_EQ(log_component_parse(SV("mains"), &c), E_NOTFOUND, "unknown");
    T_EXPECT(l == LOG_WARNING && c == LOGC_POOL, "written only on OK");
}

T(log, levels_decide)
{
    log_set_all(LOG_WARNING);
    log_set_level(LOGC_DNS, LOG_TRACE);
    log_set_level(LOGC_HTTP, LOG_OFF);
    T_EXPECT_EQ(log_get_level(LOGC_MAIN), LOG_WARNING, "all");
    T_EXPECT_EQ(log_get_level(LOGC_DNS), LOG_TRACE, "one");
    T_EXPECT(log_enabled(LOGC_MAIN, LOG_WARNING) && !log_enabled(LOGC_MAIN, LOG_INFO));
    T_EXPECT(log_enabled(LOGC_DNS, LOG_TRACE));
    T_EXPECT(!log_enabled(LOGC_HTTP, LOG_CRITICAL) && !log_enabled(LOGC_HTTP, LOG_OFF));
    log_set_all(LOG_INFO);
}

T(log, component_lists_are_all_or_nothing)
{
    static const struct {
        struct sv list;
        enum err e;
        const char *msg;
    } rows[] = {
        {SV("upstream:debug,config:trace"), OK,         ""                                   },
        {SV(""),                            OK,         ""                                   },
        {SV("upstream:off,upstream:warn"),  OK,         ""                                   },
        {SV("upstream:error,nosuch:debug"), E_NOTFOUND, "no log component 'nosuch'"          },
        {SV("upstream:error,config:loud"),  E_NOTFOUND, "no log level 'loud'"                },
        {SV("upstream:error,config"),       E_PARSE,    "'config' is not <component>:<level>"},
        {SV("upstream:error,"),             E_PARSE,    "'' is not <component>:<level>"      },
    };
    log_set_all(LOG_INFO);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag d = {.msg = ""};
        enum log_level before = log_get_level(LOGC_UPSTREAM);
        T_EXPECT_EQ(log_set_components(rows[i].list, &d), rows[i].e, rows[i].list.p);
        T_EXPECT_SV(sv_str(d.msg), sv_str(rows[i].msg), rows[i].list.p);
        if (rows[i].e != OK)
            T_EXPECT_EQ(log_get_level(LOGC_UPSTREAM), before, rows[i].list.p);
    }
    T_EXPECT_EQ(log_get_level(LOGC_UPSTREAM), LOG_WARNING, "the later one counts");
    T_EXPECT_EQ(log_get_level(LOGC_CONFIG), LOG_TRACE, "from the first row");
    T_EXPECT_EQ(log_set_components(SV("x"), NULL), E_PARSE, "no diag");
    log_set_all(LOG_INFO);
}

T(log, formats_flags)
{
    static const struct {
        const char *format, *want;
    } rows[] = {
        {"%v",             "a.b k=1\n"                            },
        {"%l|%n|%g|%s|%#", "error|upstream|a/b/file.c|file.c|42\n"},
        {"100%% %v%%",     "100% a.b k=1%\n"                      },
        {"",               "\n"                                   },
        {"no flags",       "no flags\n"                           },
    };
    char room[512];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        T_ASSERT(open_log(rows[i].format));
        WRITE_LINE(LOG_ERROR, "a.b", "k=%d", 1);
        T_EXPECT_SV(written(path, room, sizeof room), sv_str(rows[i].want), rows[i].format);
        close_log();
    }
}

T(log, formats_ids_and_time)
{
    char room[512], want[128];
    struct tm tm;

    T_ASSERT(open_log("%P %t %Y-%m-%d|%T|%H:%M:%S|%e"));
    time_t before = time(NULL);
    WRITE_LINE(LOG_INFO, "e", "%s", "");
    time_t after = time(NULL) + 1; /* time(2) may lag by a tick */
    struct sv got = written(path, room, sizeof room - 1);
    room[got.n] = '\0';
    bool found = false;
    for (time_t t = before; t <= after && !found; t++) {
        char time_text[64], short_text[16];
        localtime_r(&t, &tm);
        strftime(time_text, sizeof time_text, "%Y-%m-%d|%H:%M:%S", &tm);
        strftime(short_text, sizeof short_text, "%H:%M:%S", &tm);
        snprintf(want, sizeof want, "%d %d %s|%s|", (int)getpid(), (int)gettid(), time_text,
                 short_text);
        found = sv_starts(got, sv_str(want));
    }
    T_EXPECT(found, "%s", room);
    uint32_t ms = 9999;
    T_EXPECT(got.n > 4 && sv_u32(sv_of(got.p + got.n - 4, 3), &ms) == OK && ms < 1000, "%s", room);
    close_log();
}

T(log, default_line_is_envoys)
{
    char room[512], want[128];

    T_ASSERT(open_log(NULL));
    WRITE_LINE(LOG_WARNING, "upstream.connect_failed", "cluster=%s", "c1");
    struct sv got = written(path, room, sizeof room);
    T_ASSERT(got.n > 25);
    T_EXPECT(got.p[0] == '[' && got.p[5] == '-' && got.p[11] == ' ' && got.p[20] == '.');
    snprintf(want, sizeof want,
             "][%d][warning][upstream] [a/b/file.c:42] upstream.connect_failed cluster=c1\n",
             (int)gettid());
    T_EXPECT_SV(sv_skip(got, 24), sv_str(want), "after the time");
    close_log();
}

T(log, refuses_what_it_cannot_do)
{
    static char long_format[300];
    static const struct {
        const char *path, *format;
        enum err e;
    } rows[] = {
        {NULL,                   "%q",        E_PARSE},
        {NULL,                   "%",         E_PARSE},
        {NULL,                   "%v %",      E_PARSE},
        {NULL,                   long_format, E_LIMIT},
        {"/nonexistent/dir/log", NULL,        E_IO   },
        {NULL,                   NULL,        OK     },
    };
    char room[64];

    memset(long_format, 'x', sizeof long_format - 1);
    T_ASSERT(open_log("%v"));
    for (size_t i = 0; i + 1 < ARRAY_LEN(rows); i++)
        T_EXPECT_EQ(log_open(rows[i].path, rows[i].format), rows[i].e, "open");
    WRITE_LINE(LOG_INFO, "still", "%s", "here");
    T_EXPECT_SV(written(path, room, sizeof room), SV("still here\n"), "the old one stays");
    T_EXPECT_EQ(log_open(NULL, NULL), OK, "stderr");
    T_EXPECT_EQ(log_reopen(), OK, "stderr again");
    close_log();
}

T(log, escapes_control_characters)
{
    char room[256];

    T_ASSERT(open_log("%v"));
    WRITE_LINE(LOG_INFO, "e", "p=%s", "a\n[fake] line\r\t\x1b[0m\x7f\xc3\xa9");
    T_EXPECT_SV(written(path, room, sizeof room),
                SV("e p=a\\n[fake] line\\r\\t\\x1b[0m\\x7f\xc3\xa9\n"), "one line");
    close_log();
}

T(log, cuts_long_lines)
{
    static char room[20000];

    T_ASSERT(open_log("%v%v%v"));
    WRITE_LINE(LOG_INFO, "e", "%10000d", 1);
    struct sv got = written(path, room, sizeof room);
    T_EXPECT(got.n > 3000 && got.n < 6000, "%zu bytes", got.n);
    T_EXPECT(sv_ends(got, SV("\n")) && sv_find(got, '\n', 0) == got.n - 1);
    close_log();
}

T(log, keeps_errno)
{
    /* A full disk: the line is lost, and no one who logs needs to know. */
    T_ASSERT(log_open("/dev/full", "%v") == OK);
    errno = ENOTTY;
    WRITE_LINE(LOG_INFO, "e", "%s", "x");
    T_EXPECT_EQ(errno, ENOTTY, "errno");
    log_close();
}

/* Fills a site's second and goes beyond by `more`; false when the second ended meanwhile. */
static bool burst(struct log_site *site, uint32_t more)
{
    log_write(site, LOGC_MAIN, LOG_INFO, "f.c", 1, "e", "i=%d", 0);
    uint64_t second = site->window;
    for (uint32_t i = 1; i < LOG_BURST + more; i++)
        log_write(site, LOGC_MAIN, LOG_INFO, "f.c", 1, "e", "i=%u", i);
    return site->window == second;
}

static size_t count_lines(struct sv text)
{
    size_t n = 0;
    for (size_t at = 0; (at = sv_find(text, '\n', at)) != SIZE_MAX; at++)
        n++;
    return n;
}

T(log, limits_a_site_and_tells)
{
    static char room[4096];
    struct log_site site;
    bool whole = false;

    /* Another try when the clock ticked over in the middle. */
    for (int tries = 0; tries < 5 && !whole; tries++) {
        T_ASSERT(open_log("%v"));
        site = (struct log_site){0};
        whole = burst(&site, 7);
        if (!whole)
            close_log();
    }
    T_ASSERT(whole);
    T_EXPECT_EQ(count_lines(written(path, room, sizeof room)), LOG_BURST, "lines");
    T_EXPECT_EQ(site.suppressed, 7, "counted");
    site.window = UINT64_MAX; /* the next call is in another second */
    log_write(&site, LOGC_MAIN, LOG_INFO, "f.c", 1, "e", "last=%d", 1);
    log_write(&site, LOGC_MAIN, LOG_INFO, "f.c", 1, "e", "last=%d", 2);
    struct sv got = written(path, room, sizeof room);
    T_EXPECT(sv_ends(got, SV("e last=1 suppressed=7\ne last=2\n")), "%.*s", SVF(got));
    close_log();
}

T(log, reopens_after_rotation)
{
    char moved[80], room[256];

    T_ASSERT(open_log("%v"));
    snprintf(moved, sizeof moved, "%s.1", path);
    WRITE_LINE(LOG_INFO, "first", "%s", "");
    T_ASSERT(rename(path, moved) == 0);
    WRITE_LINE(LOG_INFO, "second", "%s", "");
    T_EXPECT_EQ(log_reopen(), OK, "reopen");
    WRITE_LINE(LOG_INFO, "third", "%s", "");
    T_EXPECT_SV(written(moved, room, sizeof room), SV("first\nsecond\n"), "old file");
    T_EXPECT_SV(written(path, room, sizeof room), SV("third\n"), "new file");
    close_log();
    unlink(moved);
}

#define LINES_PER_THREAD 15

static void *write_lines(void *arg)
{
    (void)arg;
    for (int i = 0; i < LINES_PER_THREAD; i++)
        log_info("thread.line", "i=%d", i);
    return NULL;
}

T(log, lines_of_threads_stay_whole)
{
    enum { THREADS = 4 };
    static char room[16384];
    pthread_t threads[THREADS];
    size_t started = 0, lines = 0;

    T_ASSERT(open_log("%v"));
    while (started < THREADS && pthread_create(&threads[started], NULL, write_lines, NULL) == 0)
        started++;
    log_set_all(LOG_INFO);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    struct sv rest = written(path, room, sizeof room), line;
    while (sv_split(&rest, '\n', &line) && line.n != 0) {
        T_EXPECT(sv_starts(line, SV("thread.line i=")) && line.n <= 16, "%.*s", SVF(line));
        lines++;
    }
    T_EXPECT_EQ(lines, THREADS * LINES_PER_THREAD, "lines");
    close_log();
}

T(log, macros_name_their_component_and_level)
{
    char room[256];

    T_ASSERT(open_log("%n %l %g %v"));
    log_set_level(LOGC_MAIN, LOG_DEBUG);
    log_debug("some.event", "n=%d", 5);
    log_trace("not.this", "n=%d", 6);
    log_critical("other.event", "n=%d", 7);
    T_EXPECT_SV(written(path, room, sizeof room),
                SV("main debug tests/unit/base/log_test.c some.event n=5\n"
                   "main critical tests/unit/base/log_test.c other.event n=7\n"),
                "lines");
    log_set_all(LOG_INFO);
    close_log();
}
