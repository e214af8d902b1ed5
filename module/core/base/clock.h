/* SPDX-License-Identifier: BSD-3-Clause */
/** \file How long ago something was, by clocks that differ a little and may be set back. */
#ifndef MXCLASH_CORE_BASE_CLOCK_H
#define MXCLASH_CORE_BASE_CLOCK_H

#include <stdbool.h>

#include "mxclash.h"

/**
 * \return true if then is less than ms milliseconds ago: or ahead, noted by a thread whose clock is
 *     not quite ours; what lies further ahead is left from before the clock was set back
 */
static inline bool clock_within(mxclash_time then, mxclash_time ms, mxclash_time now)
{
    return now - then < ms && then - now < ms;
}

#endif
