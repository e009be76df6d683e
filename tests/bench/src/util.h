/*
 * What the benchmark tools share: time, loopback sockets, command-line numbers. One thread each;
 * they are no part of weft. Any failure of the set-up ends the tool with a message.
 */
#pragma once

#include <stdint.h>

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull

uint64_t now_ns(void);

__attribute__((noreturn)) void die(const char *what);

/* A listening, non-blocking socket on 127.0.0.1:port. */
int tcp_listen(uint16_t port);

/* A connection to 127.0.0.1:port without Nagle's delay; the connecting itself blocks. -1 when
 * refused. */
int tcp_connect(uint16_t port);

/* The same from a source address of its own (127.1.x.y), so that thousands of connections do not
 * run out of ports. */
int tcp_connect_spread(uint16_t port);

void set_nonblock(int fd);
void set_nodelay(int fd);

/* Whole decimal numbers of the command line; anything else ends the tool. */
unsigned long parse_number(const char *text, unsigned long max);
