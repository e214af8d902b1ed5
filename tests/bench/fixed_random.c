/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Preloaded into a resolver that is measured: randomness that is the same in every run, so that
 * hash tables, ids and ports are. Never for anything else.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

uint32_t arc4random(void);
uint32_t arc4random_uniform(uint32_t bound);
void arc4random_buf(void *octets, size_t len);
ssize_t getrandom(void *octets, size_t len, unsigned flags);
int getentropy(void *octets, size_t len);
int RAND_bytes(unsigned char *octets, int len);

/* a stream for the host and one for the module, lest the one shifts the other */
static uint64_t host_state = UINT64_C(0x9e3779b97f4a7c15);
static uint64_t other_state = UINT64_C(0xd1b54a32d192ed03);

/** Marsaglia's xorshift with a multiplication. */
static uint32_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

static void fill(uint64_t *state, uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        octets[i] = (uint8_t)next(state);
}

uint32_t arc4random(void)
{
    return next(&host_state);
}

uint32_t arc4random_uniform(uint32_t bound)
{
    return bound == 0 ? 0 : next(&host_state) % bound;
}

void arc4random_buf(void *octets, size_t len)
{
    fill(&host_state, octets, len);
}

ssize_t getrandom(void *octets, size_t len, unsigned flags)
{
    (void)flags;
    fill(&other_state, octets, len);
    return (ssize_t)len;
}

int getentropy(void *octets, size_t len)
{
    fill(&other_state, octets, len);
    return 0;
}

int RAND_bytes(unsigned char *octets, int len)
{
    fill(&host_state, octets, (size_t)len);
    return 1;
}
