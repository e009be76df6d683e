/* A log-linear histogram of nanoseconds, 64 sub-buckets an octave (error below 1.6 %). One per
 * program. */
#pragma once

#include <stdint.h>

void hist_add(uint64_t ns);

/* The quantile (0..1) in µs; 0 when nothing was added. */
double hist_us(double quantile);
