/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Striped counters: see counters.h. */
#include "core/counters.h"

void striped_up(struct striped_counter *counter)
{
    static _Atomic unsigned threads;
    static _Thread_local unsigned stripe; /* 0: this thread has none yet */

    if (stripe == 0)
        stripe = atomic_fetch_add(&threads, 1) % COUNTER_STRIPES + 1;
    count_up(&counter->stripes[stripe - 1].value);
}

uint64_t striped_read(const struct striped_counter *counter)
{
    uint64_t sum = 0;

    for (int i = 0; i < COUNTER_STRIPES; i++)
        sum += count_read(&counter->stripes[i].value);
    return sum;
}
