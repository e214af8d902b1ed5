/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A token bucket: so many a second in the long run, a number at once. Whoever holds one locks it.
 */
#ifndef MXCLASH_CORE_BASE_BUCKET_H
#define MXCLASH_CORE_BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "mxclash.h"

/** One token, in the thousandths that are counted. */
#define BUCKET_TOKEN 1000
/** Threads' clocks may differ by so much; what is further back is a clock that was set back. */
#define BUCKET_SKEW_MAX_MS 10000

/** What is owed is worth so much time of the rate at most; what goes beyond is forgiven. */
#define BUCKET_DEBT_MAX_MS 60000

struct bucket {
    int64_t tokens; /* thousandths, and may be owed */
    int64_t tokens_max;
    unsigned rate; /* tokens a second */
    mxclash_time refilled;
};

/** A full bucket. \param burst  tokens that it holds at most */
static inline void bucket_init(struct bucket *bucket, unsigned rate, unsigned burst)
{
    bucket->rate = rate;
    bucket->tokens = bucket->tokens_max = (int64_t)burst * BUCKET_TOKEN;
    bucket->refilled = 0;
}

static inline void bucket_add(struct bucket *bucket, int64_t tokens)
{
    bucket->tokens += tokens;
    if (bucket->tokens > bucket->tokens_max)
        bucket->tokens = bucket->tokens_max;
}

/**
 * Add what time brought. A clock that was set back brings nothing and starts anew from there; a
 * thread whose clock is a little behind must not, else the time between the two would come again
 * each time that the other thread is here.
 */
static inline void bucket_refill(struct bucket *bucket, mxclash_time now)
{
    mxclash_time passed = now - bucket->refilled;

    if (passed < 0 && passed >= -BUCKET_SKEW_MAX_MS)
        return;
    bucket->refilled = now;
    if (passed <= 0)
        return;
    /* thousandths of a token and of a second cancel out: rate of them come every millisecond */
    if (passed > bucket->tokens_max + BUCKET_DEBT_MAX_MS)
        passed = bucket->tokens_max + BUCKET_DEBT_MAX_MS;
    bucket_add(bucket, passed * bucket->rate);
}

/** Take tokens, in thousandths, from a bucket that was refilled. \return false if it lacks them */
static inline bool bucket_take(struct bucket *bucket, int64_t tokens)
{
    if (bucket->tokens < tokens)
        return false;
    bucket->tokens -= tokens;
    return true;
}

/** Tokens, in thousandths, were used without being taken: they are owed. */
static inline void bucket_owe(struct bucket *bucket, int64_t tokens)
{
    int64_t least = -(int64_t)bucket->rate * BUCKET_DEBT_MAX_MS;

    bucket->tokens -= tokens;
    if (bucket->tokens < least)
        bucket->tokens = least;
}

#endif
