/* The exact reading of a request target (RFC 9112 3.2) and of an authority (RFC 3986 3.2), byte by
 * byte and resumable at any of them. Called by h1_request.c and, for Host, by h1_value.c.
 *
 * Stricter than Envoy: no userinfo, no port above 65535, no bad brackets. */
#include "net/h1_int.h"
#include "net/h1_scan.h"
#include <arpa/inet.h>

enum target_sub {
    T_FIRST,
    T_PATH,
    T_STAR,
    T_SCHEME,
    T_SLASH,
    T_SLASHES,
    T_AUTHORITY,
    T_CONNECT,
};

enum authority_sub { A_START, A_NAME, A_PERCENT, A_PERCENT_2, A_BRACKET, A_BRACKETED, A_PORT };

void h1_authority_start(struct h1_parser *p, uint32_t at)
{
    p->auth = A_START;
    p->auth_at = at;
    p->number = 0;
}

static bool port_digit(struct h1_parser *p, unsigned char c)
{
    if (c < '0' || c > '9' || (c == '0' && p->number == 0))
        return false;
    p->number = p->number * 10 + (c - '0');
    return p->number <= UINT16_MAX;
}

/* The bytes from '[' up to the ']' at offset `at`. */
static bool is_ipv6(const struct h1_block *b, uint32_t at)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr addr;
    size_t n = at - b->p->auth_at - 1;
    if (n >= sizeof text)
        return false;
    memcpy(text, b->data + b->p->auth_at + 1, n);
    text[n] = 0;
    return inet_pton(AF_INET6, text, &addr) == 1;
}

static bool bracket_byte(struct h1_block *b, uint32_t at, unsigned char c)
{
    if (c == ']') {
        b->p->auth = A_BRACKETED;
        return is_ipv6(b, at);
    }
    return (h1_is((char)c, H1_C_HEX) || c == ':' || c == '.') &&
           at - b->p->auth_at < INET6_ADDRSTRLEN;
}

static bool name_byte(struct h1_parser *p, unsigned char c)
{
    if (c == ':' && p->auth == A_NAME)
        p->auth = A_PORT;
    else if (c == '%')
        p->auth = A_PERCENT;
    else if (h1_is((char)c, H1_C_HOST))
        p->auth = A_NAME;
    else
        return false;
    return true;
}

bool h1_authority_byte(struct h1_block *b, uint32_t at, unsigned char c)
{
    struct h1_parser *p = b->p;
    switch ((enum authority_sub)p->auth) {
    case A_START:
        if (c == '[') {
            p->auth = A_BRACKET;
            return true;
        }
        return name_byte(p, c);
    case A_NAME:
        return name_byte(p, c);
    case A_PERCENT:
    case A_PERCENT_2:
        p->auth = p->auth == A_PERCENT ? A_PERCENT_2 : A_NAME;
        return h1_is((char)c, H1_C_HEX);
    case A_BRACKET:
        return bracket_byte(b, at, c);
    case A_BRACKETED:
        p->auth = A_PORT;
        return c == ':';
    case A_PORT:
        return port_digit(p, c);
    }
    return false;
}

bool h1_authority_complete(const struct h1_parser *p, bool empty_ok, bool port_needed)
{
    switch ((enum authority_sub)p->auth) {
    case A_START:
        return empty_ok;
    case A_NAME:
    case A_BRACKETED:
        return !port_needed;
    case A_PORT: /* RFC 3986 allows an empty port, RFC 9110 9.3.6 not for CONNECT */
        return p->number != 0 || !port_needed;
    default:
        return false;
    }
}

/* Why a byte that no target may hold is refused, after Envoy. */
static enum err refuse_byte(struct h1_parser *p, unsigned char c)
{
    if (c == '#')
        return h1_refuse(p, H1_FAULT_FRAGMENT);
    bool control = c < 0x20 || c == 0x7f;
    bool layout = c == '\t' || c == '\r' || c == '\n';
    return h1_refuse(p, control && !layout ? H1_FAULT_CHARACTERS : H1_FAULT_CODEC);
}

static enum err first_byte(struct h1_block *b, uint32_t at, unsigned char c)
{
    struct h1_parser *p = b->p;
    if (!h1_is((char)c, H1_C_TARGET))
        return refuse_byte(p, c);
    if (b->head->method == H1_CONNECT) {
        p->sub = T_CONNECT;
        h1_authority_start(p, at);
        return h1_authority_byte(b, at, c) ? OK : h1_refuse(p, H1_FAULT_URL);
    }
    if (c == '*' && b->head->method != H1_OPTIONS)
        return h1_refuse(p, H1_FAULT_URL);
    if (c == '/' || c == '*')
        p->sub = c == '/' ? T_PATH : T_STAR;
    else if (h1_is((char)c, H1_C_ALPHA))
        p->sub = T_SCHEME;
    else
        return h1_refuse(p, H1_FAULT_CODEC);
    return OK;
}

static bool is_http(struct sv scheme)
{
    return sv_ieq(scheme, SV("http")) || sv_ieq(scheme, SV("https"));
}

/* The scheme and the "://" behind it. */
static enum err scheme_byte(struct h1_block *b, uint32_t at, unsigned char c)
{
    struct h1_parser *p = b->p;
    if (p->sub == T_SCHEME && h1_is((char)c, H1_C_SCHEME))
        return OK;
    if (c != (p->sub == T_SCHEME ? ':' : '/'))
        return refuse_byte(p, c);
    if (p->sub != T_SLASHES) {
        p->sub++;
        return OK;
    }
    if (!is_http(sv_of(b->data + p->part_at, at - p->part_at - 2)))
        return h1_refuse(p, H1_FAULT_SCHEME);
    p->sub = T_AUTHORITY;
    h1_authority_start(p, at + 1);
    return OK;
}

/* Ends the authority of an absolute form, or takes one more byte of it. */
static enum err authority_step(struct h1_block *b, uint32_t at, unsigned char c)
{
    struct h1_parser *p = b->p;
    if (c == '/' || c == '?' || c == ' ') {
        if (!h1_authority_complete(p, false, false))
            return h1_refuse(p, H1_FAULT_URL);
        b->head->authority = sv_of(b->data + p->auth_at, at - p->auth_at);
        if (c != ' ')
            p->sub = T_PATH;
        return OK;
    }
    if (!h1_is((char)c, H1_C_TARGET))
        return refuse_byte(p, c);
    return h1_authority_byte(b, at, c) ? OK : h1_refuse(p, H1_FAULT_URL);
}

/* Any byte but a blank that ends the target. */
static enum err target_byte(struct h1_block *b, uint32_t at, unsigned char c)
{
    struct h1_parser *p = b->p;
    switch ((enum target_sub)p->sub) {
    case T_FIRST:
        return first_byte(b, at, c);
    case T_PATH:
        return h1_is((char)c, H1_C_TARGET) ? OK : refuse_byte(p, c);
    case T_STAR:
        return h1_is((char)c, H1_C_TARGET) ? h1_refuse(p, H1_FAULT_URL) : refuse_byte(p, c);
    case T_SCHEME:
    case T_SLASH:
    case T_SLASHES:
        return scheme_byte(b, at, c);
    case T_AUTHORITY:
        return authority_step(b, at, c);
    case T_CONNECT:
        if (!h1_is((char)c, H1_C_TARGET))
            return refuse_byte(p, c);
        return h1_authority_byte(b, at, c) ? OK : h1_refuse(p, H1_FAULT_URL);
    }
    return h1_refuse(p, H1_FAULT_CODEC);
}

/* The blank behind the target was read at offset `at`. */
static enum err target_end(struct h1_block *b, uint32_t at)
{
    struct h1_parser *p = b->p;
    if (p->sub == T_FIRST || (p->sub >= T_SCHEME && p->sub <= T_SLASHES))
        return h1_refuse(p, H1_FAULT_CODEC);
    if (p->sub == T_AUTHORITY)
        TRY(authority_step(b, at, ' '));
    if (p->sub == T_CONNECT && !h1_authority_complete(p, false, true))
        return h1_refuse(p, H1_FAULT_URL);
    return h1_target_done(b, b->data + p->part_at, at - p->part_at);
}

enum err h1_target_step(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    const char *end = b->end;
    while (b->data + p->scan_at < end) {
        const char *at = b->data + p->scan_at;
        if (p->sub == T_PATH) {
            at = h1_scan_target(at, end, b->data);
            p->scan_at = (uint32_t)(at - b->data);
            if (at == end)
                return E_AGAIN;
        }
        if (*at == ' ') {
            TRY(target_end(b, p->scan_at));
            p->scan_at++;
            p->part_at = p->scan_at;
            p->state = H1_S_VERSION;
            return OK;
        }
        TRY(target_byte(b, p->scan_at, (unsigned char)*at));
        p->scan_at++;
    }
    return E_AGAIN;
}

/* An absolute form's path: what follows its authority. */
static enum err absolute_path(struct h1_head *head, struct sv rest)
{
    if (rest.n == 0) {
        head->path = head->method == H1_OPTIONS ? SV("*") : SV("/");
        return OK;
    }
    head->path = rest;
    if (rest.p[0] == '/')
        return OK;
    char *p = arena_alloc(head->headers.arena, rest.n + 1, 1);
    if (p == NULL)
        return E_NOMEM;
    p[0] = '/';
    memcpy(p + 1, rest.p, rest.n);
    head->path = sv_of(p, rest.n + 1);
    return OK;
}

enum err h1_target_done(struct h1_block *b, const char *target, size_t len)
{
    struct h1_head *head = b->head;
    head->target = head->path = sv_of(target, len);
    if (head->authority.p == NULL)
        return OK;
    head->absolute_form = true;
    head->scheme = (target[4] | 0x20) == 's' ? SV("https") : SV("http");
    const char *rest = head->authority.p + head->authority.n;
    return absolute_path(head, sv_of(rest, (size_t)(target + len - rest)));
}
