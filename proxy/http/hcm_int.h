#pragma once
/* Shared by the files of proxy/http only. */
#include "proxy/http/hcm.h"

/* hcm.c */
void hcm_need_timer(struct hcm *h, uint64_t due_ms);
/* The stream is over in both directions: log it, count it, go on with the connection. */
void hcm_stream_over(struct hcm *h, struct stream *s);
/* Sends what is left, then closes; linger waits for the client's end first. */
void hcm_finish(struct hcm *h);

/* stream.c */
MUST enum err stream_new(struct hcm *h, struct stream **out);
/* Runs the request through the filters once its head is complete. */
void stream_begin(struct stream *s);
void stream_req_data(struct stream *s, struct sv bytes, bool end);
/* Ends the stream for good: filters closed, log written, memory reaped. reset: the client gets no
 * proper end. */
void stream_end(struct stream *s);
void stream_request_complete(struct stream *s);

/* request.c: whether Connection names only what a client may have removed. */
bool hcm_connection_header_ok(const struct headers *h);
/* request.c: Envoy's treatment of request headers before any filter. False when it replied. */
bool request_prepare(struct stream *s);
bool request_upgrades_to_h2c(const struct stream *s);

/* h1_server.c */
void h1_server_head(struct stream *s, struct h1_head *head, bool end);
void h1_server_data(struct stream *s, struct sv bytes, bool end);
void h1_server_end(struct stream *s, const struct headers *trailers);
void h1_server_continue(struct stream *s);
struct sv http_reason(unsigned code);
struct sv http_date(struct worker *w);

/* access.c */
void stream_log(struct stream *s);
