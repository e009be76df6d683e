#pragma once
/* Access logs: a format compiled once, run at the end of a stream, buffered per worker, written by
 * one flusher thread so that a slow disk or pipe never stalls a worker.
 *
 * Sources: Envoy's envoy.extensions.access_loggers.file.v3.FileAccessLog and the stdout/stderr
 * stream loggers. */
#include "proxy/observe/stream_info.h"

struct alog_prog; /* a compiled format, immutable */
/* format must outlive nothing: it is copied into a. Main thread. E_PARSE with Envoy's text;
 * E_UNSUPPORTED names an operator of Envoy's that has no data here. */
MUST enum err alog_compile(struct sv format, struct arena *a, const struct alog_prog **out,
                           struct diag *d);
/* Envoy's default format, its newline included. */
struct sv alog_default_format(void);
/* Appends the line to out, at most room bytes; returns its length. A longer line is cut, up to 80
 * bytes before the end of the room, its newline kept. */
size_t alog_run(const struct alog_prog *p, const struct stream_info *si, uint64_t now_wall_us,
                char *out, size_t room);
/* "UF,URX" or "-"; returns the length. Envoy prints them in the order in which they were set: here
 * that of enum response_flag, except that alog_run puts DI, FI and URX first for HTTP, where a
 * retry is given up before the last failure is noted. */
size_t response_flags_format(uint32_t flags, char *out, size_t room);

/* The writer: files by path, each with a queue. Main thread creates; workers append. */
struct alog_writer;
struct alog_file;
/* flush_ms: age at which a part-filled buffer is handed over (Envoy: 10000); flush_bytes: fill at
 * which it is (65536). workers: how many threads will append, numbered 0..workers-1. */
struct alog_writer *alog_writer_new(unsigned workers, uint64_t flush_ms, size_t flush_bytes);
void alog_writer_free(struct alog_writer **w); /* flushes everything first */
/* The same path gives the same file. "/dev/stdout" and "/dev/stderr" work when they are pipes, too.
 * E_IO. */
MUST enum err alog_open(struct alog_writer *w, struct sv path, struct alog_file **out,
                        struct diag *d);
/* A worker's append: copies the line into its own buffer. What cannot be queued (the flusher is
 * more than 16 MiB behind) is dropped and counted. */
void alog_append(struct alog_file *f, unsigned worker, struct sv line);
/* Called by each worker every alog_tick_ms: hands over buffers older than flush_ms. */
void alog_tick(struct alog_writer *w, unsigned worker, uint64_t now_ms);
/* Once a second, or twice in flush_ms when that is shorter. */
uint64_t alog_tick_ms(const struct alog_writer *w);
void alog_reopen(struct alog_writer *w); /* main: SIGUSR1, /reopen_logs */
uint64_t alog_dropped(const struct alog_writer *w);
