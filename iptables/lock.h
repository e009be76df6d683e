#pragma once
/* One run at a time in one network namespace: a lock on the namespace itself, so no file is needed
 * and nothing is left behind. Main thread of weft-iptables and tests. */
#include "base/err.h"

/* The lock is held until *fd is closed (by the process's end at the latest). E_TIMEOUT: another run
 * held it all the time. E_IO: the namespace cannot be opened, as without /proc. */
MUST enum err ipt_lock(uint32_t wait_ms, int *fd, struct diag *d);
