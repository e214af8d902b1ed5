/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The engine's counters: atomic, relaxed, each true by itself. */
#ifndef MXCLASH_CORE_COUNTERS_H
#define MXCLASH_CORE_COUNTERS_H

#include <stdatomic.h>

#include "mxclash.h"

/** Threads that count every answer each get a cache line of their own, as far as these go. */
#define COUNTER_STRIPES 16

struct striped_counter {
    struct {
        _Alignas(64) _Atomic uint64_t value;
    } stripes[COUNTER_STRIPES];
};

/** Any thread. */
void striped_up(struct striped_counter *counter);
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

static inline uint64_t count_read(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
