/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Conflicts of a case: opened, changed, closed, and the events that tell of it. When a conflict is
 * one is casework.h's and mailbox_case.h's business. Everything here runs with the case's shard
 * locked.
 */
#ifndef MXCLASH_CORE_CASES_CONFLICT_H
#define MXCLASH_CORE_CASES_CONFLICT_H

#include "core/base/counters.h"
#include "core/cases/docket.h"
#include "core/limits/openings.h"
#include "core/providers/providers.h"

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

/** \return tag of the mailbox provider that the owner's MX names, NULL if none */
const char *case_provider(const struct casework *work, const struct docket_case *c);

/** The same as events have it, "" if none. */
void case_provider_tag(const struct casework *work, const struct docket_case *c,
                       char tag[MXCLASH_TAG_MAX]);

/** Say of a conflict what an event of that type says of it now. */
void conflict_describe(const struct casework *work, const struct docket_case *c,
                       enum mxclash_kind kind, enum mxclash_event_type type, mxclash_time now,
                       struct mxclash_event *event);

/** What an event tells of the owner, in one number: shows whether there is something new. */
uint64_t conflict_facts(const struct docket_case *c, enum mxclash_kind kind);

/** \return true if the case has an open conflict */
bool case_is_open(const struct docket_case *c);

/** Open a conflict if openings.h allows it now, or, if it is open, raise it from suspected to
 * confirmed. */
void conflict_open(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                   enum mxclash_kind kind, enum mxclash_state state, enum mxclash_evidence evidence,
                   mxclash_time now, struct case_outcome *outcome);

/** What is open as confirmed is no more than suspected now; conflict_tell_changed() tells. */
void conflict_lower(const struct casework *work, struct docket_case *c, enum mxclash_kind kind);

/** Close a conflict as cleared if it is open. */
void conflict_clear(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                    enum mxclash_kind kind, mxclash_time now, struct case_outcome *outcome);

/** Close every open conflict of the case as expired. */
void case_expire(const struct casework *work, struct docket_case *c, mxclash_time now,
                 struct case_outcome *outcome);

/** Tell of another CNAME, MX or impact than the last event told of: once an hour at most, and as
 * far as openings.h allows, so that what is another at every look makes no flood. */
void conflict_tell_changed(const struct casework *work, struct docket_case *c,
                           enum mxclash_kind kind, mxclash_time now, struct case_outcome *outcome);

/** Make the opened events that wait for the impact. */
void case_let_go(const struct casework *work, struct docket_case *c, struct case_outcome *outcome);

#endif
