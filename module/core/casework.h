/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What a case means: how sightings, proofs and clients' questions open, change and close conflicts.
 * Everything here runs with the case's shard locked and touches only that case; the events it makes
 * are handed out by the caller after unlocking.
 */
#ifndef MXCLASH_CORE_CASEWORK_H
#define MXCLASH_CORE_CASEWORK_H

#include "core/answer.h"
#include "core/counters.h"
#include "core/docket.h"
#include "core/providers.h"

/**
 * Mail is wanted at an apex that is a CNAME if an MX was seen there before, or if clients asked
 * its MX so often over so long a time: one mail that is retried asks so, a stray question does not.
 */
#define CASE_WANTED_QUESTIONS 5
#define CASE_WANTED_SPAN_MS   600000

/** Wait before a failed proof is made again, doubled by each failure up to recheck_ms. */
#define CASE_RETRY_MS        30000
#define CASE_RETRY_DOUBLINGS 14
/** A proof that the host never ended is given up. */
#define CASE_PROOF_MAX_MS 120000
/** A CNAME at an apex that nobody asks mail of is proved ever more seldom: 2^n recheck times. */
#define CASE_QUIET_DOUBLINGS 5

/** What casework works with; borrowed from the engine. */
struct casework {
    struct docket *docket;
    struct counters *counters;
    const struct providers *providers;
    bool probe;
    mxclash_time recheck_ms;
    mxclash_time expire_ms;
};

/** What came of one step. */
struct case_outcome {
    /** the caller should queue a proof of the case; c->queued has been set */
    bool prove;
    size_t event_count;
    struct mxclash_event events[2];
};

/** Start an outcome. The events are not cleared: they are large. */
static inline void case_outcome_init(struct case_outcome *outcome)
{
    outcome->prove = false;
    outcome->event_count = 0;
}

/**
 * An answer showed something of the owner.
 *
 * \param sighting  NULL if the answer shows neither CNAME nor MX of the owner, which it asked for
 * \param both_valid, mx_valid  what the sieve held for valid of the owner when the case began: good
 *     for suspicion only. False ever after: the case then knows better itself
 */
void case_saw(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
              const struct mxclash_answer *answer, const struct answer_reading *reading,
              const struct sighting *sighting, bool both_valid, bool mx_valid, mxclash_time now,
              struct case_outcome *outcome);

/** \return true if a proof may be made now: none is under way and the last was long enough ago */
bool case_proof_is_due(const struct docket_case *c, mxclash_time now);

/** An answer to a question of the case's proof came. */
void case_proof_answer(const struct casework *work, struct docket_shard *shard,
                       struct docket_case *c, uint16_t qtype, const struct mxclash_answer *answer,
                       const struct answer_reading *reading, mxclash_time now);

/** \return true if the proof need not wait for more answers */
bool case_proof_is_enough(const struct docket_case *c);

/** Nothing more comes to the proof: decide. \return what the proof showed */
enum mxclash_proof_result case_proof_decide(const struct casework *work, struct docket_shard *shard,
                                            struct docket_case *c, mxclash_time now,
                                            struct case_outcome *outcome);

/** A client asked the MX of the owner. \return true if the owner is in conflict now */
bool case_client_mx(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                    bool hidden, mxclash_time now, struct case_outcome *outcome);

/** Close every open conflict of the case as expired. */
void case_expire(const struct casework *work, struct docket_case *c, mxclash_time now,
                 struct case_outcome *outcome);

/** \return tag of the mailbox provider that the owner's MX names, NULL if none */
const char *case_provider(const struct casework *work, const struct docket_case *c);

/** \return true if the case has an open conflict */
bool case_is_open(const struct docket_case *c);

#endif
