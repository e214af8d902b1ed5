/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The events of type tally: from time to time, the harm of the open conflicts where it has grown.
 */
#ifndef MXCLASH_RUNTIME_TALLY_H
#define MXCLASH_RUNTIME_TALLY_H

#include "mxclash.h"

/** Lines of one tally, but for the one that sums up the rest. */
#define TALLY_LINES 1000

/**
 * Tell of all harm that no event has told of yet. Of more than TALLY_LINES conflicts those with the
 * most new MX queries have lines of their own; one more sums up the rest.
 *
 * \param write  called for each event, which is borrowed for the call
 * Threads: any, one at a time. Blocking: as engine_tally_next(), and write.
 */
void tally_tell(struct mxclash_engine *engine, mxclash_time now,
                void (*write)(void *context, const struct mxclash_event *event), void *context);

#endif
