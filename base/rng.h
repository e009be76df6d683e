#pragma once
/* A small fast generator (xoshiro256**), one per thread, seedable in tests. Not for secrets. */
#include "base/compiler.h"

struct rng {
    uint64_t s[4];
};

void rng_seed(struct rng *r, uint64_t seed);
/* Seeds from getrandom(2). */
void rng_seed_os(struct rng *r);
uint64_t rng_u64(struct rng *r);
/* Uniform in [0, bound); 0 when bound is 0. */
uint64_t rng_below(struct rng *r, uint64_t bound);
/* 36 lower-case characters of a version 4 UUID, no NUL. */
void rng_uuid4(struct rng *r, char out[36]);
