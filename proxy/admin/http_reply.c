/* Answers of the admin server, header by header as a real Envoy writes them. */
#include "proxy/admin/http_int.h"
#include <stdlib.h>
#include <time.h>

void admin_conn_arm(struct admin_conn *c, unsigned ms)
{
    const struct timeval t = {ms / 1000, (suseconds_t)(ms % 1000) * 1000};
    event_add(&c->deadline, &t);
}

void admin_conn_request_end(struct admin_conn *c)
{
    str_fini(&c->form);
    arena_free(&c->arena);
}

static const char *reason(unsigned code)
{
    static const struct {
        unsigned code;
        const char *text;
    } reasons[] = {
        {200, "OK"                             },
        {400, "Bad Request"                    },
        {404, "Not Found"                      },
        {405, "Method Not Allowed"             },
        {413, "Payload Too Large"              },
        {426, "Upgrade Required"               },
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"          },
        {501, "Not Implemented"                },
        {503, "Service Unavailable"            },
    };
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].code == code)
            return reasons[i].text;
    }
    return "Unknown";
}

static void add_date(const struct admin_conn *c, struct str *out)
{
    char text[64] = "";
    time_t t = (time_t)(clock_wall_us(c->admin->deps.clock) / 1000000);
    struct tm tm;
    if (gmtime_r(&t, &tm) != NULL)
        strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    str_addf(out, "date: %s\r\nserver: envoy\r\n", text);
}

void admin_conn_put(struct admin_conn *c, const char *p, size_t n)
{
    if (c->broken || evbuffer_add(bufferevent_get_output(c->bev), p, n) != 0)
        c->broken = true;
    else
        stat_add(admin_conn_shard(c), c->admin->st.tx_bytes, n);
}

static void put_text(struct admin_conn *c, const struct str *s)
{
    if (str_status(s) != OK)
        c->broken = true;
    admin_conn_put(c, s->p, s->n);
}

/* What every answer ends with. code 0: of a request that had not begun. */
static void answered(struct admin_conn *c, unsigned code)
{
    if (c->begun_ms != 0)
        admin_stats_answered(c->admin, code, admin_conn_now_ms(c) - c->begun_ms);
    c->begun_ms = 0;
    c->state = CONN_HEAD;
    admin_conn_request_end(c);
    admin_conn_arm(c, ADMIN_SEND_MS);
}

/* What the connection manager says without asking a command: errors of the protocol. Always the
 * last answer. */
void admin_conn_reply_locally(struct admin_conn *c, unsigned code, bool with_body, bool last)
{
    struct str s;
    const char *text = reason(code);

    str_init(&s, 0);
    str_addf(&s, "HTTP/1.1 %u %s\r\n", code, text);
    if (with_body)
        str_addf(&s, "content-length: %zu\r\ncontent-type: text/plain\r\n", strlen(text));
    add_date(c, &s);
    str_addf(&s, "%s%s\r\n%s", last ? "connection: close\r\n" : "",
             with_body ? "" : "content-length: 0\r\n", with_body ? text : "");
    c->close_after = last;
    answered(c, code);
    put_text(c, &s);
    str_fini(&s);
}

static void free_text(const void *data, size_t n, void *arg)
{
    (void)n;
    (void)arg;
    free((void *)(uintptr_t)data);
}

/* One chunk and the end. Takes the body's memory. */
static void put_chunks(struct admin_conn *c, struct str *body)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);
    char head[20];
    size_t n = body->n;

    if (n > 0) {
        admin_conn_put(c, head, h1_chunk_head(head, n));
        if (c->broken || evbuffer_add_reference(out, body->p, n, free_text, NULL) != 0) {
            c->broken = true;
            return;
        }
        str_init(body, 0); /* the buffer owns the bytes now */
        stat_add(admin_conn_shard(c), c->admin->st.tx_bytes, n);
        admin_conn_put(c, "\r\n", 2);
    }
    admin_conn_put(c, "0\r\n\r\n", 5);
}

void admin_conn_reply(struct admin_conn *c, struct admin_reply *re)
{
    struct str s;
    /* Envoy sends a body to HEAD as well, which no client expects. */
    bool head_only = c->head.method == H1_HEAD, last = c->head.close;

    str_init(&s, 0);
    str_addf(&s,
             "HTTP/1.1 %u %s\r\ncontent-type: %s\r\ncache-control: no-cache, max-age=0\r\n"
             "x-content-type-options: nosniff\r\n",
             re->code, reason(re->code), re->content_type);
    add_date(c, &s);
    str_addf(&s, "%stransfer-encoding: chunked\r\n\r\n", last ? "connection: close\r\n" : "");
    c->close_after = last;
    c->after = re->after;
    answered(c, re->code);
    put_text(c, &s);
    if (!head_only)
        put_chunks(c, &re->body);
    str_fini(&s);
}
