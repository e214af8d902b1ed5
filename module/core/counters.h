/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The engine's counters: atomic, relaxed, each true by itself. */
#ifndef MXCLASH_CORE_COUNTERS_H
#define MXCLASH_CORE_COUNTERS_H

#include <stdatomic.h>

#include "mxclash.h"

/** Threads that count every answer have cache lines of their own, as far as these go. */
#define COUNTER_STRIPES_BITS 4
#define COUNTER_STRIPES      (1 << COUNTER_STRIPES_BITS)

struct striped_counter {
    struct {
        _Alignas(64) _Atomic uint64_t value;
    } stripes[COUNTER_STRIPES];
};

uint64_t striped_read(const struct striped_counter *counter);

struct counters {
    struct striped_counter inspected;
    _Atomic uint64_t malformed;
    _Atomic uint64_t opened[MXCLASH_KINDS];
    _Atomic uint64_t cleared[MXCLASH_KINDS];
    _Atomic uint64_t expired[MXCLASH_KINDS];
    _Atomic uint64_t evicted[MXCLASH_KINDS];
    _Atomic uint64_t open_now[MXCLASH_KINDS][MXCLASH_STATES];
    /** sum of open_now: tells cheaply whether any answer can end a conflict */
    _Atomic uint64_t open_sum;
    _Atomic uint64_t proofs[MXCLASH_PROOF_RESULTS];
    _Atomic uint64_t proofs_dropped[MXCLASH_PROOF_DROPS];
    _Atomic uint64_t affected_mx[MXCLASH_OUTCOMES];
};

static inline void count_up(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static inline void count_down(_Atomic uint64_t *counter)
{
    atomic_fetch_sub_explicit(counter, 1, memory_order_relaxed);
}

/**
 * Any thread. Which stripe is a thread's own is told by where its stack is: thread-local storage of
 * a module costs three times as much. Two threads that meet on one are slower, no less right.
 */
static inline void striped_up(struct striped_counter *counter)
{
    uint32_t stack = (uint32_t)((uintptr_t)__builtin_frame_address(0) >> 20);

    /* Fibonacci hashing: stacks lie at regular distances */
    count_up(&counter->stripes[stack * UINT32_C(0x9e3779b1) >> (32 - COUNTER_STRIPES_BITS)].value);
}

static inline uint64_t count_read(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
