/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The engine's counters: atomic, relaxed, each true by itself. */
#ifndef MXCLASH_CORE_BASE_COUNTERS_H
#define MXCLASH_CORE_BASE_COUNTERS_H

#include <stdatomic.h>

#include "mxclash.h"

/** Threads that count every answer have cache lines of their own, as far as these go. */
#define COUNTER_STRIPES 16

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
    _Atomic uint64_t imported[MXCLASH_KINDS];
    _Atomic uint64_t import_refused;
    _Atomic uint64_t events_lost;
    _Atomic uint64_t open_now[MXCLASH_KINDS][MXCLASH_STATES];
    _Atomic uint64_t delayed[MXCLASH_DELAYS];
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

/** An address that only this thread has: of its control block, else of its stack. */
static inline uintptr_t counter_thread(void)
{
#ifdef __has_builtin
#if __has_builtin(__builtin_thread_pointer)
#define COUNTER_THREAD_POINTER
#endif
#endif
#ifdef COUNTER_THREAD_POINTER
    return (uintptr_t)__builtin_thread_pointer();
#else
    return (uintptr_t)__builtin_frame_address(0);
#endif
}

/**
 * The stripe of a thread, by such an address. Stacks lie as far apart as they are large, and the
 * control blocks with them: the factor is one with which four threads have four stripes whatever
 * that is, and eight have six or more, as long as it is a power of two, with a page between or not.
 */
static inline unsigned counter_stripe(uintptr_t thread)
{
    return (unsigned)((uint64_t)thread * UINT32_C(0x538e504f) >> 40) % COUNTER_STRIPES;
}

/**
 * Any thread. Which stripe is its own is told by where it lies: thread-local storage of a module
 * would cost three times as much, and ends the process where there is no memory for it. Threads
 * that meet on one stripe are slower, no less right.
 */
static inline void striped_up(struct striped_counter *counter)
{
    count_up(&counter->stripes[counter_stripe(counter_thread())].value);
}

static inline uint64_t count_read(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
