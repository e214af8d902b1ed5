/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A case and the SPF record of its owner: the kind spf-missing, from the record that a proof finds
 * to the end of the walk over what it includes. Everything here runs with the case's shard locked.
 */
#ifndef MXCLASH_CORE_CASES_SPF_CASE_H
#define MXCLASH_CORE_CASES_SPF_CASE_H

#include "core/cases/conflict.h"
#include "core/dns/answer.h"

/** What was found good, or cannot be known, is not doubted again for so many recheck times. */
#define CASE_SPF_REST 8

/** Is the SPF record worth a doubt at all now? */
bool case_spf_is_doubtful(const struct docket_case *c, mxclash_time now);

/** A proof's TXT question was answered by the authority: keep what the record says. */
void case_spf_note(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                   const struct answer_reading *reading, const struct sighting *sighting);

/** The proof that asked MX and TXT is over, and there is an MX: tell, or walk. */
void case_spf_judge(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                    mxclash_time now, struct case_outcome *outcome);

/** Begin the next look-up of the walk. \return false if none is to be made */
bool case_spf_lookup(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                     uint64_t id, mxclash_time now, struct mxclash_lookup *lookup);

/** A look-up of the walk is over. */
void case_spf_lookup_end(const struct casework *work, struct docket_shard *shard,
                         struct docket_case *c, const struct mxclash_lookup_reply *reply,
                         mxclash_time now, struct case_outcome *outcome);

/** There will be no walk, or no more of it. */
void case_spf_drop(const struct casework *work, struct docket_shard *shard, struct docket_case *c);

#endif
