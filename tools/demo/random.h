/* SPDX-License-Identifier: MIT */
/*
 * random.h - numbers that look random and are the same for the same seed, on every machine.
 */
#ifndef CEDE_DEMO_RANDOM_H
#define CEDE_DEMO_RANDOM_H

#include <stdint.h>

/* Scatters the bits of a number (the finisher of splitmix64). */
static inline uint64_t random_scatter(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The next number of a sequence (splitmix64). */
static inline uint64_t random_next(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return random_scatter(*state);
}

/* A number below `bound`, made of the upper half of a random one. */
static inline uint32_t random_below(uint64_t random, uint32_t bound)
{
    return (uint32_t)((random >> 32) * bound >> 32);
}

#endif
