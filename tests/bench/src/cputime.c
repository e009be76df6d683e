/* CPU time of a process tree from /proc/PID/stat and the nanosecond run times in
 * /proc/PID/task/TID/schedstat. */
#include "tests/bench/src/cputime.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_PROCESSES 256

static int pids[MAX_PROCESSES];
static int count;

static bool watched(int pid)
{
    for (int i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

static int parent_of(int pid)
{
    char path[64], state;
    int parent = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    f = fopen(path, "r");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%*d (%*[^)]) %c %d", &state, &parent) != 2)
        parent = 0;
    fclose(f);
    return parent;
}

/* One pass over all processes; true when it found another child. */
static bool add_children(void)
{
    DIR *d = opendir("/proc");
    struct dirent *e;
    bool grew = false;

    if (d == NULL)
        return false;
    while ((e = readdir(d)) != NULL) {
        int pid = isdigit((unsigned char)e->d_name[0]) ? (int)strtol(e->d_name, NULL, 10) : 0;

        if (pid <= 0 || count == MAX_PROCESSES || watched(pid) || !watched(parent_of(pid)))
            continue;
        pids[count++] = pid;
        grew = true;
    }
    closedir(d);
    return grew;
}

void cpu_watch(int root)
{
    count = 0;
    if (root <= 0)
        return;
    pids[count++] = root;
    while (add_children())
        ;
}

static double thread_seconds(int pid, const char *thread)
{
    char path[384];
    unsigned long long ns = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, thread);
    f = fopen(path, "r");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%llu", &ns) != 1)
        ns = 0;
    fclose(f);
    return (double)ns / 1e9;
}

static void add_process(int pid, struct cpu_time *sum)
{
    double hz = (double)sysconf(_SC_CLK_TCK);
    unsigned long user = 0, sys = 0;
    char path[64];
    struct dirent *e;
    FILE *f;
    DIR *d;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    f = fopen(path, "r");
    if (f != NULL) {
        if (fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                   &sys) == 2) {
            sum->user_s += (double)user / hz;
            sum->sys_s += (double)sys / hz;
        }
        fclose(f);
    }
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    d = opendir(path);
    if (d == NULL)
        return;
    while ((e = readdir(d)) != NULL)
        if (isdigit((unsigned char)e->d_name[0]))
            sum->total_s += thread_seconds(pid, e->d_name);
    closedir(d);
}

struct cpu_time cpu_read(void)
{
    struct cpu_time sum = {0};

    for (int i = 0; i < count; i++)
        add_process(pids[i], &sum);
    return sum;
}
