/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What each step of a case works with, and what comes of it. */
#ifndef MXCLASH_CORE_CASES_CONTEXT_H
#define MXCLASH_CORE_CASES_CONTEXT_H

#include "core/base/counters.h"
#include "core/cases/docket.h"
#include "core/limits/openings.h"
#include "core/providers/providers.h"
#include "mxclash.h"

/** What casework works with; borrowed from the engine. */
struct casework {
    struct docket *docket;
    struct counters *counters;
    struct openings *openings;
    /** keys the hashes of domains in openings */
    uint64_t seed;
    /** what is a domain, see registrable.h */
    const struct psl_ctx_st *suffixes;
    const struct providers *providers;
    bool probe;
    /** look up what senders meet, and let opened events wait for it */
    bool lookup;
    bool repair;
    mxclash_time recheck_ms;
    mxclash_time expire_ms;
    /** between a first look and the second, see second_look.h; 0: there is no second look */
    mxclash_time confirm_ms;
};

/**
 * Most events that one step can make: one of each kind, and of the two that a CNAME makes the
 * opened one too that was held until then.
 */
#define CASE_EVENTS_MAX (MXCLASH_KINDS + 2)

/** What came of one step; carried out by the engine after unlocking. */
struct case_outcome {
    /** queue a proof of the case; c->queued has been set */
    bool prove;
    /** queue it for when confirm_ms are over */
    bool prove_later;
    /** queue a lookup of what senders meet */
    bool lookup;
    /** queue a lookup of what an SPF record includes */
    bool walk;
    /** an opened event waits for that */
    bool held;
    size_t event_count;
    struct mxclash_event events[CASE_EVENTS_MAX];
};

/** Start an outcome. The events are not cleared: they are large. */
static inline void case_outcome_init(struct case_outcome *outcome)
{
    outcome->prove = outcome->prove_later = outcome->lookup = outcome->held = false;
    outcome->walk = false;
    outcome->event_count = 0;
}

#endif
