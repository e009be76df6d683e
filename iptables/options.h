#pragma once
/* What weft-iptables is asked to do, and the readers that get it from flags, ECS proxyConfiguration
 * properties and App Mesh's environment variables.
 *
 * Pure: the environment and the arguments are parameters. Main thread of weft-iptables and tests
 * only. */
#include "base/arena.h"
#include "base/log.h"

enum { IPT_LIST_MAX = 1024 }; /* elements of one list option */

enum ipt_family { IPT_V4, IPT_V6, IPT_FAMILIES };

enum ipt_action { IPT_INSTALL, IPT_CLEAN, IPT_HELP, IPT_VERSION };
enum ipt_ipv6 { IPT_IPV6_AUTO, IPT_IPV6_ON, IPT_IPV6_OFF };
enum ipt_mode { IPT_REDIRECT, IPT_TPROXY };
enum ipt_self_calls { IPT_SELF_DIRECT, IPT_SELF_PROXY };
enum ipt_backend { IPT_BACKEND_AUTO, IPT_BACKEND_NFT, IPT_BACKEND_LEGACY };

struct ipt_ports {
    uint16_t first, last; /* equal for a single port */
};

struct ipt_port_list {
    struct ipt_ports *at;
    size_t n;
};

/* An address block; the bits after the prefix are zero. */
struct ipt_cidr {
    enum ipt_family family;
    uint8_t bits;
    uint8_t ip[16];
};

struct ipt_cidr_list {
    struct ipt_cidr *at;
    size_t n;
};

struct ipt_name_list {
    struct sv *at; /* NUL-terminated */
    size_t n;
};

struct ipt_id {
    bool set;
    uint32_t id;
};

struct ipt_options {
    enum ipt_action action;
    bool disabled; /* APPMESH_START_ENABLED=0 */
    bool dry_run, drop_invalid;
    struct ipt_id uid, gid;
    uint16_t egress_port, ingress_port, dns_port; /* 0: not given */
    bool all_app_ports;                           /* --app-ports '*' */
    struct ipt_port_list app_ports, ingress_ignored_ports, egress_ignored_ports;
    struct ipt_cidr_list egress_ignored_ips, egress_only_ips;
    struct ipt_name_list exclude_interfaces;
    enum ipt_ipv6 ipv6;
    enum ipt_mode mode;
    enum ipt_self_calls self_calls;
    uint32_t tproxy_mark, route_table;
    enum ipt_backend backend;
    const char *iptables; /* NULL: found in the fixed search path */
    uint32_t wait_s;
    enum log_level log_level;
};

/* The NULL-terminated arguments after argv[0], and the environment as in environ(7). */
struct ipt_input {
    const char *const *args;
    const char *const *env;
};

/* Fills *out, all of it in the arena or borrowed from the input. Precedence: flags, then NAME=VALUE
 * arguments, then ECS names in the environment, then APPMESH_ names. E_PARSE, E_LIMIT, E_NOTFOUND
 * (unknown flag or property), E_CONFLICT (a combination that cannot be); d->path names the flag or
 * variable. */
MUST enum err ipt_options_read(struct arena *a, const struct ipt_input *in, struct ipt_options *out,
                               struct diag *d);

struct str;
/* The text of --help. */
void ipt_options_help(struct str *out);
