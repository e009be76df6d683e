/* The rarer operators of access log formats, and the rarer cases of the common ones;
 * access_log_run.c has the rest. A worker; no heap, no system call. */
#include "proxy/observe/access_log_int.h"

static void put_limited(struct alog_out *o, struct sv s, uint32_t limit)
{
    if (s.n > limit)
        s.n = limit;
    alog_put(o, s);
}

static struct sv known_header(const struct headers *h, enum hdr_id id)
{
    const struct header *found = h == NULL ? NULL : headers_get(h, id);
    return found != NULL ? header_value(found) : SV_NONE;
}

/* Names and values as HTTP/2 would carry them, pseudo headers included. */
static uint64_t header_bytes(const struct headers *h)
{
    uint64_t n = 0;
    for (uint32_t i = 0; h != NULL && i < h->n; i++) {
        if (h->v[i].id != HDR_HOST)
            n += h->v[i].name_len + h->v[i].value_len;
    }
    return n;
}

static uint64_t request_bytes(const struct stream_info *si)
{
    struct sv scheme = known_header(si->req, HDR_X_FORWARDED_PROTO);
    struct {
        size_t name;
        struct sv value;
    } pseudo[] = {
        {7,  si->method   },
        {5,  si->path     },
        {10, si->authority},
        {7,  scheme       },
    };
    uint64_t n = header_bytes(si->req);
    for (size_t i = 0; i < ARRAY_LEN(pseudo); i++)
        n += pseudo[i].value.n > 0 ? pseudo[i].name + pseudo[i].value.n : 0;
    return n;
}

static uint64_t response_bytes(const struct stream_info *si)
{
    uint64_t status = si->res != NULL && si->response_code != 0 ? sizeof(":status200") - 1 : 0;
    return header_bytes(si->res) + status;
}

/* ---- paths ---- */

static struct sv original_path(const struct stream_info *si)
{
    return known_header(si->req, HDR_X_ENVOY_ORIGINAL_PATH);
}

static void put_path(struct alog_out *o, const struct stream_info *si, const struct alog_op *op)
{
    unsigned which = op->form & ~(unsigned)ALOG_PATH_NO_QUERY;
    struct sv path = which == ALOG_PATH_CURRENT ? si->path : original_path(si);

    if (path.n == 0 && which == ALOG_PATH_ORIGINAL_OR)
        path = si->path;
    if ((op->form & ALOG_PATH_NO_QUERY) != 0) {
        size_t query = sv_find(path, '?', 0);
        if (query != SIZE_MAX)
            path.n = query;
    }
    if (path.n == 0)
        alog_putc(o, '-');
    else
        put_limited(o, path, op->limit);
}

static struct sv query_of(struct sv path)
{
    size_t at = sv_find(path, '?', 0), end;
    if (at == SIZE_MAX)
        return SV_NONE;
    struct sv query = sv_skip(path, at + 1);
    end = sv_find(query, '#', 0);
    return end == SIZE_MAX ? query : sv_of(query.p, end);
}

static int hex_value(char c)
{
    char lower = ascii_lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static void put_decoded(struct alog_out *o, struct sv s, uint32_t limit)
{
    for (size_t i = 0; i < s.n && limit > 0; i++, limit--) {
        int high = s.p[i] == '%' && i + 2 < s.n ? hex_value(s.p[i + 1]) : -1;
        int low = high >= 0 ? hex_value(s.p[i + 2]) : -1;
        if (low < 0) {
            alog_putc(o, s.p[i]);
            continue;
        }
        char c = (char)(high * 16 + low);
        /* A line must stay one line whatever the client encodes. */
        alog_putc(o, c == '\n' || c == '\r' || c == '\0' ? '?' : c);
        i += 2;
    }
}

static void put_query_param(struct alog_out *o, const struct stream_info *si,
                            const struct alog_op *op)
{
    struct sv rest = query_of(si->path), pair;

    while (rest.p != NULL && sv_split(&rest, '&', &pair)) {
        size_t eq = sv_find(pair, '=', 0);
        struct sv name = eq == SIZE_MAX ? pair : sv_of(pair.p, eq);
        if (!sv_eq(name, op->text))
            continue;
        if (eq != SIZE_MAX)
            put_decoded(o, sv_skip(pair, eq + 1), op->limit);
        return;
    }
    alog_putc(o, '-');
}

static void put_query_params(struct alog_out *o, const struct stream_info *si,
                             const struct alog_op *op)
{
    struct sv original = original_path(si), query = query_of(original.n > 0 ? original : si->path);
    if (query.n == 0)
        alog_putc(o, '-');
    else
        put_limited(o, query, op->limit);
}

/* ---- addresses ---- */

void alog_put_address(struct alog_out *o, const struct addr *a, enum alog_address form)
{
    char text[ADDR_TEXT_MAX];

    if (form == ALOG_ADDR_PORT) {
        if (a->sa.sa_family == AF_UNIX)
            alog_putc(o, '-');
        else
            alog_put_number(o, addr_port(a));
        return;
    }
    size_t n = form == ALOG_ADDR_IP ? addr_format_ip(a, text, sizeof(text))
                                    : addr_format(a, text, sizeof(text));
    alog_put(o, sv_of(text, n));
}

/* The host's name, or its address when it has none. */
static void put_host_name(struct alog_out *o, const struct stream_info *si, bool without_port)
{
    char text[ADDR_TEXT_MAX];
    struct sv name = si->up_host_name;

    if (name.n == 0 && si->up_host != NULL)
        name = sv_of(text, addr_format(si->up_host, text, sizeof(text)));
    if (without_port) {
        size_t colon = sv_rfind(name, ':');
        if (colon != SIZE_MAX)
            name.n = colon;
    }
    alog_put_or_dash(o, name);
}

/* ---- others ---- */

static void put_details(struct alog_out *o, struct sv s, bool keep_blanks)
{
    if (s.n == 0)
        alog_putc(o, '-');
    for (size_t i = 0; i < s.n; i++) {
        bool blank = s.p[i] == ' ' || (s.p[i] >= '\t' && s.p[i] <= '\r');
        alog_putc(o, blank && !keep_blanks ? '_' : s.p[i]);
    }
}

/* The port of an authority belongs to it here, as in Envoy. */
static void put_server_name(struct alog_out *o, const struct stream_info *si, enum alog_sni form)
{
    struct sv first = form == ALOG_HOST_FIRST ? si->authority : si->server_name;
    struct sv second = form == ALOG_HOST_FIRST ? si->server_name : si->authority;
    if (first.n == 0 && form != ALOG_SNI_ONLY)
        first = second;
    alog_put_or_dash(o, first);
}

static bool is_grpc(const struct stream_info *si)
{
    struct sv type = known_header(si->req, HDR_CONTENT_TYPE);
    if (!sv_starts(type, SV("application/grpc")))
        return false;
    struct sv rest = sv_skip(type, sizeof("application/grpc") - 1);
    return rest.n == 0 || rest.p[0] == '+';
}

/* The status said in trailers or headers, else the one that stands for the HTTP code. */
static uint64_t grpc_status(const struct stream_info *si)
{
    uint64_t status;

    struct sv v = known_header(si->res_trailers, HDR_GRPC_STATUS);
    if (v.n == 0)
        v = known_header(si->res, HDR_GRPC_STATUS);
    if (v.n > 0 && sv_u64(v, &status) == OK)
        return status;
    switch (si->response_code) {
    case 400:
        return 13;
    case 401:
        return 16;
    case 403:
        return 7;
    case 404:
        return 12;
    case 429:
    case 502:
    case 503:
    case 504:
        return 14;
    default:
        return 2;
    }
}

#define GRPC(camel, snake)                                                                         \
    {                                                                                              \
        {"" camel, sizeof(camel) - 1},                                                             \
        {                                                                                          \
            "" snake, sizeof(snake) - 1                                                            \
        }                                                                                          \
    }

static void put_grpc(struct alog_out *o, const struct stream_info *si, enum alog_grpc form)
{
    static const struct sv names[][2] = {
        GRPC("OK", "OK"),
        GRPC("Canceled", "CANCELLED"),
        GRPC("Unknown", "UNKNOWN"),
        GRPC("InvalidArgument", "INVALID_ARGUMENT"),
        GRPC("DeadlineExceeded", "DEADLINE_EXCEEDED"),
        GRPC("NotFound", "NOT_FOUND"),
        GRPC("AlreadyExists", "ALREADY_EXISTS"),
        GRPC("PermissionDenied", "PERMISSION_DENIED"),
        GRPC("ResourceExhausted", "RESOURCE_EXHAUSTED"),
        GRPC("FailedPrecondition", "FAILED_PRECONDITION"),
        GRPC("Aborted", "ABORTED"),
        GRPC("OutOfRange", "OUT_OF_RANGE"),
        GRPC("Unimplemented", "UNIMPLEMENTED"),
        GRPC("Internal", "INTERNAL"),
        GRPC("Unavailable", "UNAVAILABLE"),
        GRPC("DataLoss", "DATA_LOSS"),
        GRPC("Unauthenticated", "UNAUTHENTICATED"),
    };
    if (!is_grpc(si)) {
        alog_putc(o, '-');
        return;
    }
    uint64_t status = grpc_status(si);
    if (form == ALOG_GRPC_NUMBER || status >= ARRAY_LEN(names))
        alog_put_number(o, status);
    else
        alog_put(o, names[status][form == ALOG_GRPC_SNAKE]);
}

static void put_type(struct alog_out *o, uint8_t type)
{
    static const struct sv names[ALOG_TYPE_COUNT] = {
        [ALOG_TYPE_NOT_SET] = {"NotSet",           6 },
        [ALOG_TYPE_TCP_CONNECTION_END] = {"TcpConnectionEnd", 16},
        [ALOG_TYPE_DOWNSTREAM_END] = {"DownstreamEnd",    13},
    };
    alog_put(o, names[type < ALOG_TYPE_COUNT ? type : ALOG_TYPE_NOT_SET]);
}

void alog_put_value(struct alog_out *o, const struct stream_info *si, const struct alog_op *op)
{
    switch ((enum alog_code)op->code) {
    case ALOG_PATH:
        put_path(o, si, op);
        break;
    case ALOG_QUERY_PARAM:
        put_query_param(o, si, op);
        break;
    case ALOG_QUERY_PARAMS:
        put_query_params(o, si, op);
        break;
    case ALOG_DETAILS:
        put_details(o, si->details, op->form != 0);
        break;
    case ALOG_CLUSTER_RAW:
        alog_put_or_dash(o, si->cluster_raw.n > 0 ? si->cluster_raw : si->cluster);
        break;
    case ALOG_HOST_NAME:
        put_host_name(o, si, op->form != 0);
        break;
    case ALOG_GRPC:
        put_grpc(o, si, (enum alog_grpc)op->form);
        break;
    case ALOG_SERVER_NAME:
        put_server_name(o, si, (enum alog_sni)op->form);
        break;
    case ALOG_HEADER_BYTES:
        alog_put_number(o, op->form == 0 ? request_bytes(si) : response_bytes(si));
        break;
    case ALOG_TYPE:
        put_type(o, si->log_type);
        break;
    default:
        BUG_ON(true); /* the common ones are alog_run's */
    }
}
