#pragma once
/* Socket calls with the options a proxy wants, all non-blocking and close-on-exec. Any thread. */
#include "net/addr.h"

struct sock_listen_opts {
    bool reuse_port;
    bool ipv6_only; /* false: a v6 any-address also takes v4 where ipv4_compat asks for it */
    int backlog;    /* <= 0: the system's limit */
};
/* *fd is bound and listening. E_IO with errno. */
MUST enum err sock_listen(const struct addr *a, const struct sock_listen_opts *o, int *fd);
/* Starts a connect; *fd may still be connecting. E_IO with errno (refused at once, no route ...).
 */
MUST enum err sock_connect(const struct addr *to, int *fd);
/* Pending error of a socket after connect: 0 or an errno. */
int sock_error(int fd);
MUST enum err sock_local(int fd, struct addr *out);
MUST enum err sock_peer(int fd, struct addr *out);
/* The destination before REDIRECT: SO_ORIGINAL_DST or IP6T_SO_ORIGINAL_DST. E_NOTFOUND: not
 * redirected. */
MUST enum err sock_original_dst(int fd, const struct addr *local, struct addr *out);
void sock_nodelay(int fd);
/* Drops new SYNs to a listening socket, so that its queue can be emptied and then closed without a
 * reset for anyone who already is in it. Best effort. */
void sock_listen_mute(int fd);
/* The address that this host is known by: the first that is not loopback, of the family asked for;
 * loopback when there is none. */
void sock_host_ip(bool v6, struct addr *out);
/* Is ip one of this host's own addresses? Asks the kernel; for rare checks only. */
bool sock_ip_is_local(const struct addr *ip);
