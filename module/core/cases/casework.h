/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What a case means: how sightings, proofs and clients' questions open, change and close conflicts.
 * Everything here runs with the case's shard locked and touches only that case; the events it makes
 * are handed out by the caller after unlocking.
 */
#ifndef MXCLASH_CORE_CASES_CASEWORK_H
#define MXCLASH_CORE_CASES_CASEWORK_H

#include "core/cases/conflict.h"
#include "core/dns/answer.h"

/**
 * Mail is wanted at an apex that is a CNAME if an MX was seen there before. At a domain that
 * somebody registered, see registrable.h, also if clients asked its MX so often over so long a
 * time, and all within three hours: one mail that is retried asks so, while who asks all names now
 * and then does not. Below such a domain, where a `www` is delegated to a load balancer, questions
 * say nothing: no mailbox goes by such a name, and who asks every name's MX asks its too.
 */
#define CASE_WANTED_QUESTIONS 5
#define CASE_WANTED_SPAN_MS   600000
#define CASE_WANTED_WINDOW_MS 10800000

/** Wait before a failed proof is made again, doubled by each failure up to recheck_ms. */
#define CASE_RETRY_MS        30000
#define CASE_RETRY_DOUBLINGS 14
/** A proof that the host never ended is given up. */
#define CASE_PROOF_MAX_MS 120000
/** An answer that shows something of an open conflict to be gone brings its proof forward, once in
 * so long. */
#define CASE_EARLY_MS 60000
/** A CNAME at an apex that nobody asks mail of is proved ever more seldom: 2^n recheck times. */
#define CASE_QUIET_DOUBLINGS 5

/** Why a case is looked at: good for suspicion only. */
struct case_hint {
    /** the sieve took both for valid when the case began: enough for a proof. False ever after: the
     * case then knows better itself */
    bool both_perhaps;
    /** MX and SPF do not fit */
    bool spf;
};

/**
 * An answer showed something of the owner.
 *
 * \param sighting  NULL if the answer shows neither CNAME nor MX of the owner, which it asked for
 */
void case_saw(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
              const struct mxclash_answer *answer, const struct answer_reading *reading,
              const struct sighting *sighting, const struct case_hint *hint, mxclash_time now,
              struct case_outcome *outcome);

/** Begin a proof of the case: say what is to be asked. */
void case_proof_begin(struct docket_case *c, uint64_t id, mxclash_time now,
                      struct mxclash_proof *proof);

/** One question of the proof is over. */
void case_proof_end(struct docket_case *c, uint16_t qtype);

/** \return true if a proof may be made now: none is under way and the last was long enough ago */
bool case_proof_is_due(const struct docket_case *c, mxclash_time now);

/** An answer to a question of the case's proof came; qtype is one that was asked. */
void case_proof_answer(const struct casework *work, struct docket_shard *shard,
                       struct docket_case *c, uint16_t qtype, const struct mxclash_answer *answer,
                       const struct answer_reading *reading, mxclash_time now);

/** \return true if the proof need not wait for more answers */
bool case_proof_is_enough(const struct docket_case *c);

/** Nothing more comes to the proof: decide. \return what the proof showed */
enum mxclash_proof_result case_proof_decide(const struct casework *work, struct docket_shard *shard,
                                            struct docket_case *c, mxclash_time now,
                                            struct case_outcome *outcome);

/** The host could not ask: no proof for a while. */
void case_proof_abandon(struct docket_case *c, mxclash_time now);

/** A client asked the MX of the owner and got this enum mxclash_reply. \return true if the owner is
 * in conflict now */
bool case_client_mx(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                    uint32_t reply, mxclash_time now, struct case_outcome *outcome);

/** \return false if the case has no open conflict */
bool case_standing(const struct docket_case *c, mxclash_time now,
                   struct mxclash_standing *standing);

/** Begin a lookup of the impact or go on with it. \return false if there is nothing to look up, or
 * it is being done */
bool case_lookup_begin(struct docket_case *c, uint64_t id, mxclash_time now,
                       struct mxclash_lookup *lookup);

/** The question of the case's lookup is over. */
void case_lookup_end(const struct casework *work, struct docket_case *c,
                     const struct mxclash_lookup_reply *reply, mxclash_time now,
                     struct case_outcome *outcome);

/** The lookup that a step asked for will not be: tell without it what there is to tell. */
void case_lookup_give_up(const struct casework *work, struct docket_case *c, mxclash_time now,
                         struct case_outcome *outcome);

#endif
