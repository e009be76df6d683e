/* The namespace's lock; see lock.h. flock(2) has no deadline of its own, so it is tried again and
 * again. */
#include "iptables/lock.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { AGAIN_MS = 20 };

enum err ipt_lock(uint32_t wait_ms, int *fd, struct diag *d)
{
    uint64_t deadline = clock_mono_ms(clock_system()) + wait_ms;
    int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (ns < 0)
        return diag_fail(d, E_IO, "cannot open /proc/self/ns/net: %s", strerror(errno));
    while (flock(ns, LOCK_EX | LOCK_NB) != 0) {
        enum err e = OK;
        if (errno != EWOULDBLOCK && errno != EINTR)
            e = diag_fail(d, E_IO, "cannot lock the network namespace: %s", strerror(errno));
        else if (clock_mono_ms(clock_system()) >= deadline)
            e = diag_fail(d, E_TIMEOUT, "another run in this network namespace does not end");
        if (e != OK) {
            close(ns);
            return e;
        }
        poll(NULL, 0, AGAIN_MS);
    }
    *fd = ns;
    return OK;
}
