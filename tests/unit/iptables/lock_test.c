/* The lock of the network namespace: exclusive, bounded, and gone with its descriptor. */
#include "iptables/lock.h"
#include "tests/support/t.h"

#include <unistd.h>

T(lock, one_at_a_time)
{
    int first = -1, second = -1;
    struct diag d = {0};
    T_ASSERT(ipt_lock(20000, &first, &d) == OK, "%s", d.msg);
    T_EXPECT_EQ(ipt_lock(0, &second, &d), E_TIMEOUT, "while it is held");
    T_EXPECT_SV(sv_str(d.msg), SV("another run in this network namespace does not end"), "message");
    T_EXPECT_EQ(second, -1, "nothing written");
    close(first);
    T_EXPECT_EQ(ipt_lock(20000, &second, &d), OK, "once it is free");
    close(second);
}
