/* CPU time of a process and all its descendants, read from /proc: what a proxy costs. Used by
 * load.c. */
#pragma once

struct cpu_time {
    double user_s, sys_s; /* in clock ticks */
    double total_s;       /* exact: the sum of the threads' run times in ns */
};

/* Notes the processes of the tree under root; called once the server's workers exist. 0: nothing is
 * watched. */
void cpu_watch(int root);

struct cpu_time cpu_read(void);
