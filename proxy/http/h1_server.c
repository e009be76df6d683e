/* Writing HTTP/1 answers. The head is built in the loop's head room, so that it leaves in one call
 * with the first piece of the body. */
#include "proxy/http/hcm_int.h"
#include <stdlib.h>
#include <time.h>

struct reason {
    uint16_t code;
    const char *text;
};

static const struct reason reasons[] = {
    {100, "Continue"                         },
    {101, "Switching Protocols"              },
    {102, "Processing"                       },
    {103, "Early Hints"                      },
    {200, "OK"                               },
    {201, "Created"                          },
    {202, "Accepted"                         },
    {203, "Non-Authoritative Information"    },
    {204, "No Content"                       },
    {205, "Reset Content"                    },
    {206, "Partial Content"                  },
    {207, "Multi-Status"                     },
    {208, "Already Reported"                 },
    {226, "IM Used"                          },
    {300, "Multiple Choices"                 },
    {301, "Moved Permanently"                },
    {302, "Found"                            },
    {303, "See Other"                        },
    {304, "Not Modified"                     },
    {305, "Use Proxy"                        },
    {307, "Temporary Redirect"               },
    {308, "Permanent Redirect"               },
    {400, "Bad Request"                      },
    {401, "Unauthorized"                     },
    {402, "Payment Required"                 },
    {403, "Forbidden"                        },
    {404, "Not Found"                        },
    {405, "Method Not Allowed"               },
    {406, "Not Acceptable"                   },
    {407, "Proxy Authentication Required"    },
    {408, "Request Timeout"                  },
    {409, "Conflict"                         },
    {410, "Gone"                             },
    {411, "Length Required"                  },
    {412, "Precondition Failed"              },
    {413, "Payload Too Large"                },
    {414, "URI Too Long"                     },
    {415, "Unsupported Media Type"           },
    {416, "Range Not Satisfiable"            },
    {417, "Expectation Failed"               },
    {421, "Misdirected Request"              },
    {422, "Unprocessable Entity"             },
    {423, "Locked"                           },
    {424, "Failed Dependency"                },
    {425, "Too Early"                        },
    {426, "Upgrade Required"                 },
    {428, "Precondition Required"            },
    {429, "Too Many Requests"                },
    {431, "Request Header Fields Too Large"  },
    {500, "Internal Server Error"            },
    {501, "Not Implemented"                  },
    {502, "Bad Gateway"                      },
    {503, "Service Unavailable"              },
    {504, "Gateway Timeout"                  },
    {505, "HTTP Version Not Supported"       },
    {506, "Variant Also Negotiates"          },
    {507, "Insufficient Storage"             },
    {508, "Loop Detected"                    },
    {510, "Not Extended"                     },
    {511, "Network Authentication Required"  },
    {599, "Last Unassigned Server Error Code"},
};

struct sv http_reason(unsigned code)
{
    if (LIKELY(code == 200))
        return SV("OK");
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].code == code)
            return sv_str(reasons[i].text);
    return SV("Unknown");
}

struct sv http_date(struct worker *w)
{
    static _Thread_local uint64_t made_for = UINT64_MAX;
    static _Thread_local char text[40];
    static _Thread_local size_t n;
    static _Thread_local uint64_t
        wall_base_us; /* wall minus monotonic time, refreshed each second */
    uint64_t mono_s = w->loop.now_us / 1000000;
    static _Thread_local uint64_t checked_at = UINT64_MAX;
    if (checked_at != mono_s) {
        checked_at = mono_s;
        wall_base_us = clock_wall_us(w->loop.clock) - w->loop.now_us;
    }
    uint64_t second = (wall_base_us + w->loop.now_us) / 1000000;
    if (UNLIKELY(second != made_for)) {
        struct tm tm;
        time_t t = (time_t)second;
        gmtime_r(&t, &tm);
        n = strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        made_for = second;
    }
    return sv_of(text, n);
}

static enum err date_and_server(struct stream *s, struct headers *h)
{
    const struct hcm_conf *conf = s->conf;
    if (!headers_has(h, HDR_DATE))
        TRY(headers_add(h, HDR_DATE, http_date(s->w)));
    if (conf->server_header == SERVER_OVERWRITE ||
        (conf->server_header == SERVER_APPEND_IF_ABSENT && !headers_has(h, HDR_SERVER)))
        TRY(headers_set(h, HDR_SERVER, conf->server_name));
    return OK;
}

static enum err via_and_id(struct stream *s, struct headers *h)
{
    const struct hcm_conf *conf = s->conf;
    if (conf->via.n > 0) {
        const struct header *old = headers_get(h, HDR_VIA);
        struct sv v = conf->via;
        if (old != NULL)
            v = arena_printf(s->arena, "%.*s, %.*s", SVF(header_value(old)), SVF(conf->via));
        if (v.p == NULL)
            return E_NOMEM;
        TRY(headers_set(h, HDR_VIA, v));
    }
    const struct header *id = headers_get(&s->req.headers, HDR_X_REQUEST_ID);
    if (conf->always_set_request_id_in_response && id != NULL)
        TRY(headers_set(h, HDR_X_REQUEST_ID, header_value(id)));
    return OK;
}

static enum err connection(struct stream *s, struct headers *h)
{
    if (s->h->close_after)
        return headers_add(h, HDR_CONNECTION, SV("close"));
    if (s->req.minor == 0)
        return headers_add(h, HDR_CONNECTION, SV("keep-alive"));
    return OK;
}

/* Decides how the body is framed for this client; bodies of unknown length are chunked, or end with
 * the connection for a 1.0 client. */
static enum err frame(struct stream *s, struct h1_head *head, bool end)
{
    struct headers *h = &head->headers;
    bool bodyless = head->status < 200 || head->status == 204 || head->status == 304;
    headers_remove(h, HDR_TRANSFER_ENCODING);
    s->res_no_body = bodyless || s->is_head;
    if (bodyless && head->status != 304)
        headers_remove(h, HDR_CONTENT_LENGTH);
    bool open_ended = !bodyless && !headers_has(h, HDR_CONTENT_LENGTH) && (!end || s->is_head);
    bool empty = !bodyless && !headers_has(h, HDR_CONTENT_LENGTH) && !open_ended;
    if (open_ended && s->req.minor == 0)
        s->h->close_after = true;
    TRY(connection(s, h));
    if (empty)
        return headers_add(h, HDR_CONTENT_LENGTH, SV("0"));
    if (!open_ended || s->req.minor == 0)
        return OK;
    s->res_chunked = !s->is_head;
    return headers_add(h, HDR_TRANSFER_ENCODING, SV("chunked"));
}

static char *put(char *at, struct sv s)
{
    memcpy(at, s.p, s.n);
    return at + s.n;
}

static char *write_answer(char *at, const struct stream *s, const struct h1_head *head)
{
    unsigned code = head->status;
    at = put(at, s->req.minor == 0 ? SV("HTTP/1.0 ") : SV("HTTP/1.1 "));
    *at++ = (char)('0' + code / 100 % 10);
    *at++ = (char)('0' + code / 10 % 10);
    *at++ = (char)('0' + code % 10);
    *at++ = ' ';
    at = put(at, http_reason(code));
    at = put(at, SV("\r\n"));
    at = headers_write(&head->headers, at);
    return put(at, SV("\r\n"));
}

static void send_head(struct stream *s, const struct h1_head *head)
{
    struct conn *c = s->h->c;
    size_t size = headers_size(&head->headers) + 128;
    char *at = conn_head_room(c, size);
    if (LIKELY(at != NULL)) {
        size_t n = (size_t)(write_answer(at, s, head) - at);
        conn_head_commit(c, n);
        s->info.wire_sent += n;
        return;
    }
    char *big = malloc(size);
    if (big == NULL) {
        conn_fail(c);
        return;
    }
    struct iovec iov = {big, (size_t)(write_answer(big, s, head) - big)};
    s->info.wire_sent += iov.iov_len;
    conn_send(c, &iov, 1);
    free(big);
}

void h1_server_head(struct stream *s, struct h1_head *head, bool end)
{
    if (date_and_server(s, &head->headers) != OK || via_and_id(s, &head->headers) != OK ||
        frame(s, head, end) != OK) {
        conn_fail(s->h->c);
        return;
    }
    send_head(s, head);
}

void h1_server_data(struct stream *s, struct sv bytes, bool end)
{
    char size_line[32];
    struct iovec iov[3];
    size_t n = 0;
    if (s->res_no_body)
        return;
    if (bytes.n > 0 && s->res_chunked)
        iov[n++] = (struct iovec){size_line, h1_chunk_head(size_line, bytes.n)};
    if (bytes.n > 0)
        iov[n++] = (struct iovec){(void *)(uintptr_t)bytes.p, bytes.n};
    if (bytes.n > 0 && s->res_chunked)
        iov[n++] = (struct iovec){(void *)(uintptr_t) "\r\n", 2};
    if (end && s->res_chunked)
        iov[n++] = (struct iovec){(void *)(uintptr_t) "0\r\n\r\n", 5};
    for (size_t i = 0; i < n; i++)
        s->info.wire_sent += iov[i].iov_len;
    if (n > 0)
        conn_send(s->h->c, iov, n);
}

void h1_server_end(struct stream *s, const struct headers *trailers)
{
    if (trailers == NULL || trailers->n == 0 || !s->res_chunked) {
        h1_server_data(s, SV_NONE, true);
        return;
    }
    size_t size = headers_size(trailers) + 8;
    char *p = malloc(size);
    if (p == NULL) {
        conn_fail(s->h->c);
        return;
    }
    char *at = put(p, SV("0\r\n"));
    at = put(headers_write(trailers, at), SV("\r\n"));
    struct iovec iov = {p, (size_t)(at - p)};
    s->info.wire_sent += iov.iov_len;
    conn_send(s->h->c, &iov, 1);
    free(p);
}

void h1_server_continue(struct stream *s)
{
    struct iovec iov = {(void *)(uintptr_t) "HTTP/1.1 100 Continue\r\n\r\n", 25};
    conn_send(s->h->c, &iov, 1);
    stat_inc(s->w->stats, s->conf->st.downstream_rq_completed);
    stat_inc(s->w->stats, s->conf->st.downstream_rq_1xx);
    stat_inc(s->w->stats, s->conf->st.listener_completed);
    stat_inc(s->w->stats, s->conf->st.listener_class[1]);
}
