/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the entries of the engine share: what is done, once a case's shard is unlocked, with what a
 * step came to.
 */
#ifndef MXCLASH_CORE_ENGINE_OUTCOME_H
#define MXCLASH_CORE_ENGINE_OUTCOME_H

#include "core/engine/engine.h"

/** domain_cap_key() of an owner in lower case. */
uint64_t engine_domain(const struct mxclash_engine *engine, const uint8_t *owner, size_t owner_len);

/** Count an open case that is given up. Its shard is locked. \param counters  struct counters */
void engine_forget_evicted(void *counters, const struct docket_case *c);

/** With no lock held: hand out the events, queue what is to be asked. */
void engine_carry_out(struct mxclash_engine *engine, uint64_t hash, const uint8_t *owner,
                      size_t owner_len, struct case_outcome *outcome, mxclash_time now);

/** With no lock held: hand out the events only. */
void engine_hand_out_events(struct mxclash_engine *engine, const struct case_outcome *outcome);

/** The same; mostly there are none. */
static inline void engine_hand_out(struct mxclash_engine *engine,
                                   const struct case_outcome *outcome)
{
    if (outcome->event_count != 0)
        engine_hand_out_events(engine, outcome);
}

/** With no lock held: tell without a lookup, which will not be, what waited for it. */
void engine_give_up_lookup(struct mxclash_engine *engine, uint64_t hash, const uint8_t *owner,
                           size_t owner_len, mxclash_time now);

/** With no lock held: make an opened event that waits, if it still does. */
void engine_let_go(struct mxclash_engine *engine, uint64_t hash, const uint8_t *owner,
                   size_t owner_len);

/** Close the oldest case of one shard if nobody has met it for too long. Called once for every
 * answer that reached the docket: so each shard is looked at soon, and no call does much. Where few
 * answers reach it, mxclash_inspect() sees to it once a second. */
void engine_sweep(struct mxclash_engine *engine, mxclash_time now);

#endif
