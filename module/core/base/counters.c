/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Striped counters: see counters.h. */
#include "core/base/counters.h"

uint64_t striped_read(const struct striped_counter *counter)
{
    uint64_t sum = 0;

    for (int i = 0; i < COUNTER_STRIPES; i++)
        sum += count_read(&counter->stripes[i].value);
    return sum;
}
