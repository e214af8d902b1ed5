/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The two clocks, for all that is no part of the detector, whose time is an argument. */
#ifndef MXCLASH_OUTPUT_CLOCK_H
#define MXCLASH_OUTPUT_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "mxclash.h"

/** The time of day, as events tell it. */
static inline mxclash_time clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (mxclash_time)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/** Milliseconds of a clock that nobody sets. */
static inline int64_t clock_steady_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
