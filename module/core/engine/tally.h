/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Client MX queries of open conflicts that no event has told of yet: what tally events are made of.
 */
#ifndef MXCLASH_CORE_ENGINE_TALLY_H
#define MXCLASH_CORE_ENGINE_TALLY_H

#include "core/cases/docket.h"

/** How far a walk has come. All 0 at its beginning. */
struct tally_cursor {
    struct docket_cursor at;
    /** the case whose conflicts are being told, and the next of its kinds */
    uint64_t hash;
    unsigned kind;
};

/** Open conflicts whose harm is untold, by how many bits their untold queries take, 1 to 64. */
struct tally_census {
    uint64_t conflicts[65];
};

/** Blocking: one shard lock at a time, each held for some dozen conflicts. Any thread. */
void engine_tally_census(struct mxclash_engine *engine, struct tally_census *census);

/**
 * Walk over the open conflicts whose harm is untold, one a call. With its last conflict a domain's
 * harm counts as told.
 *
 * \param[out] conflict  written only on true, of type tally; its time is the caller's to set
 * \param[out] untold  client MX queries of its domain since an event last told of them; 0 with all
 *     but the first conflict of a domain
 * \return false at the end
 * Blocking: as above. Threads: any, but one at a time, or each gets a part.
 */
bool engine_tally_next(struct mxclash_engine *engine, struct tally_cursor *cursor,
                       struct mxclash_event *conflict, uint64_t *untold);

#endif
