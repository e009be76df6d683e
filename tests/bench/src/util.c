/* Time, loopback sockets and numbers for the benchmark tools. */
#include "tests/bench/src/util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

void die(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

int tcp_listen(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in a = loopback(port);

    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 4096) != 0)
        die("listen");
    return fd;
}

static int connect_from(const struct sockaddr_in *source, uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in to = loopback(port);

    if (fd < 0)
        return -1;
    if (source != NULL) {
        /* The port is chosen by connect(), which may then share it between destinations. */
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(fd, (const struct sockaddr *)source, sizeof *source) != 0)
            goto fail;
    }
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        goto fail;
    set_nodelay(fd);
    return fd;
fail:
    close(fd);
    return -1;
}

int tcp_connect(uint16_t port)
{
    return connect_from(NULL, port);
}

int tcp_connect_spread(uint16_t port)
{
    static uint32_t next;
    struct sockaddr_in source = loopback(0);

    next = (next + 1) % 60000;
    source.sin_addr.s_addr = htonl(0x7f010000u + 1 + next);
    return connect_from(&source, port);
}

void set_nonblock(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void set_nodelay(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

unsigned long parse_number(const char *text, unsigned long max)
{
    char *end;
    unsigned long n;

    errno = 0;
    n = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || n > max) {
        fprintf(stderr, "not a number up to %lu: %s\n", max, text);
        exit(2);
    }
    return n;
}
