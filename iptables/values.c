/* Single values of options: strict, whole-string. Pure: no I/O; called by options.c on the main
 * thread. */
#include "iptables/values.h"

#include <arpa/inet.h>
#include <net/if.h>

enum err ipt_value_port(struct sv s, uint16_t *out, struct diag *d)
{
    uint16_t port;
    if (sv_u16(s, &port) != OK || port == 0)
        return diag_fail(d, E_PARSE, "\"%.*s\" is not a port (1-65535)", SVF(s));
    *out = port;
    return OK;
}

enum err ipt_value_id(struct sv s, struct ipt_id *out, struct diag *d)
{
    uint32_t id;
    /* The kernel keeps 4294967295 for "no such user". */
    if (sv_u32(s, &id) != OK || id == UINT32_MAX)
        return diag_fail(d, E_PARSE, "\"%.*s\" is not a numeric id (0-4294967294)", SVF(s));
    *out = (struct ipt_id){.set = true, .id = id};
    return OK;
}

enum err ipt_value_u32(struct sv s, uint32_t *out, struct diag *d)
{
    uint64_t v = 0;
    enum err e = sv_istarts(s, SV("0x")) ? sv_hex64(sv_skip(s, 2), &v) : sv_u64(s, &v);
    if (e != OK || v == 0 || v > UINT32_MAX)
        return diag_fail(d, E_PARSE, "\"%.*s\" is not a number from 1 to 4294967295", SVF(s));
    *out = (uint32_t)v;
    return OK;
}

enum err ipt_value_bool(struct sv s, bool *out, struct diag *d)
{
    if (sv_eq(s, SV("1")) || sv_ieq(s, SV("t")) || sv_ieq(s, SV("true")))
        *out = true;
    else if (sv_eq(s, SV("0")) || sv_ieq(s, SV("f")) || sv_ieq(s, SV("false")))
        *out = false;
    else
        return diag_fail(d, E_PARSE, "\"%.*s\" is not a boolean (1, 0, t, f, true, false)", SVF(s));
    return OK;
}

/* What sv_split takes: the empty view where there is no element at all. */
static struct sv list_text(struct sv s)
{
    s = sv_trim(s);
    return s.n == 0 ? SV_NONE : s;
}

/* Room for every element of a comma list; *n is their number. */
static enum err list_room(struct arena *a, struct sv s, size_t size, void **out, struct diag *d)
{
    size_t n = 1;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == ',';
    if (n > IPT_LIST_MAX)
        return diag_fail(d, E_LIMIT, "has %zu elements, more than %d", n, IPT_LIST_MAX);
    *out = arena_array(a, n, size);
    return *out == NULL ? diag_fail(d, E_NOMEM, "no memory") : OK;
}

static enum err read_ports(struct sv s, struct ipt_ports *out, struct diag *d)
{
    size_t colon = sv_find(s, ':', 0);
    struct sv last = colon == SIZE_MAX ? s : sv_skip(s, colon + 1);
    struct sv first = colon == SIZE_MAX ? s : sv_of(s.p, colon);
    struct ipt_ports r = {0};
    if (ipt_value_port(first, &r.first, NULL) != OK || ipt_value_port(last, &r.last, NULL) != OK)
        return diag_fail(d, E_PARSE, "\"%.*s\" is not a port (1-65535) or a range FIRST:LAST",
                         SVF(s));
    if (r.first > r.last)
        return diag_fail(d, E_PARSE, "range \"%.*s\" ends before it begins", SVF(s));
    *out = r;
    return OK;
}

static bool ports_listed(const struct ipt_port_list *l, struct ipt_ports p)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->at[i].first == p.first && l->at[i].last == p.last)
            return true;
    return false;
}

enum err ipt_value_ports(struct arena *a, struct sv s, struct ipt_port_list *out, struct diag *d)
{
    struct ipt_port_list l = {0};
    void *room = NULL;
    TRY(list_room(a, s, sizeof(*l.at), &room, d));
    l.at = room;
    for (struct sv rest = list_text(s), part; sv_split(&rest, ',', &part);) {
        struct ipt_ports p = {0};
        TRY(read_ports(sv_trim(part), &p, d));
        if (!ports_listed(&l, p))
            l.at[l.n++] = p;
    }
    *out = l;
    return OK;
}

static void clear_host_bits(struct ipt_cidr *c)
{
    for (size_t i = 0; i < sizeof(c->ip); i++) {
        size_t from = i * 8;
        if (from >= c->bits)
            c->ip[i] = 0;
        else if (from + 8 > c->bits)
            c->ip[i] &= (uint8_t)(0xff << (from + 8 - c->bits));
    }
}

static enum err read_cidr(struct sv s, struct ipt_cidr *out, struct diag *d)
{
    char text[INET6_ADDRSTRLEN];
    size_t slash = sv_find(s, '/', 0);
    struct sv ip = slash == SIZE_MAX ? s : sv_of(s.p, slash);
    struct ipt_cidr c = {.family = sv_find(ip, ':', 0) == SIZE_MAX ? IPT_V4 : IPT_V6};
    uint16_t most = c.family == IPT_V4 ? 32 : 128, bits = most;

    if (ip.n == 0 || ip.n >= sizeof(text) || memchr(ip.p, '\0', ip.n) != NULL)
        return diag_fail(d, E_PARSE, "\"%.*s\" is not an IP address or CIDR block", SVF(s));
    memcpy(text, ip.p, ip.n);
    text[ip.n] = '\0';
    if (inet_pton(c.family == IPT_V4 ? AF_INET : AF_INET6, text, c.ip) != 1)
        return diag_fail(d, E_PARSE, "\"%.*s\" is not an IP address or CIDR block", SVF(s));
    if (slash != SIZE_MAX && (sv_u16(sv_skip(s, slash + 1), &bits) != OK || bits > most))
        return diag_fail(d, E_PARSE, "\"%.*s\" has a prefix length outside 0-%u", SVF(s), most);
    c.bits = (uint8_t)bits;
    clear_host_bits(&c);
    *out = c;
    return OK;
}

static bool cidr_listed(const struct ipt_cidr_list *l, const struct ipt_cidr *c)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->at[i].family == c->family && l->at[i].bits == c->bits &&
            memcmp(l->at[i].ip, c->ip, sizeof(c->ip)) == 0)
            return true;
    return false;
}

enum err ipt_value_cidrs(struct arena *a, struct sv s, struct ipt_cidr_list *out, struct diag *d)
{
    struct ipt_cidr_list l = {0};
    void *room = NULL;
    TRY(list_room(a, s, sizeof(*l.at), &room, d));
    l.at = room;
    for (struct sv rest = list_text(s), part; sv_split(&rest, ',', &part);) {
        struct ipt_cidr c = {0};
        TRY(read_cidr(sv_trim(part), &c, d));
        if (!cidr_listed(&l, &c))
            l.at[l.n++] = c;
    }
    *out = l;
    return OK;
}

/* What the kernel allows, less what iptables-restore would read as something else (blanks, quotes,
 * "!" and a leading "-"). A last '+' is iptables' wildcard. */
static bool interface_ok(struct sv s)
{
    if (s.n == 0 || s.n >= IFNAMSIZ || s.p[0] == '-' || sv_eq(s, SV(".")) || sv_eq(s, SV("..")))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], low = ascii_lower(c);
        bool plain = (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9');
        if (!plain && strchr("._-@:", c) == NULL && !(c == '+' && i > 0 && i == s.n - 1))
            return false;
    }
    return true;
}

static bool name_listed(const struct ipt_name_list *l, struct sv name)
{
    for (size_t i = 0; i < l->n; i++)
        if (sv_eq(l->at[i], name))
            return true;
    return false;
}

enum err ipt_value_interfaces(struct arena *a, struct sv s, struct ipt_name_list *out,
                              struct diag *d)
{
    struct ipt_name_list l = {0};
    void *room = NULL;
    TRY(list_room(a, s, sizeof(*l.at), &room, d));
    l.at = room;
    for (struct sv rest = list_text(s), part; sv_split(&rest, ',', &part);) {
        part = sv_trim(part);
        if (!interface_ok(part))
            return diag_fail(d, E_PARSE, "\"%.*s\" is not an interface name", SVF(part));
        if (name_listed(&l, part))
            continue;
        l.at[l.n] = arena_dup(a, part);
        if (l.at[l.n++].p == NULL)
            return diag_fail(d, E_NOMEM, "no memory");
    }
    *out = l;
    return OK;
}
