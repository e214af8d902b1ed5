/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A thread that calls mxclash_tick() while an event waits for its impact, and sleeps otherwise.
 */
#ifndef MXCLASH_RUNTIME_TICKER_H
#define MXCLASH_RUNTIME_TICKER_H

#include "mxclash.h"

/** Between two calls: an event waits at most twice as long. */
#define TICKER_MS 200

struct ticker;

/** Start the thread, all signals blocked in it. \return NULL if there is no memory or no thread */
struct ticker *ticker_start(struct mxclash_engine *engine);

/** An event begins to wait. Any thread; one short mutex. */
void ticker_wake(struct ticker *ticker);

/** Join the thread. What waits still is not let go. NULL is allowed. */
void ticker_stop(struct ticker *ticker);

#endif
