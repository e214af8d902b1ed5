/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The second look. Behind one address may stand several servers, and while a change makes its way
 * to them they have different copies of the zone: the answers of one proof, seconds apart, then
 * come from two copies, and show a CNAME and an MX that never were in one. So what a proof of two
 * answers shows for the first time, a conflict or the end of one, is only told when a second proof
 * shows it again confirm_ms later, and no serial speaks of two copies. Where servers have different
 * addresses and one has the CNAME only and another the MX, each look meets either by chance, and
 * more than two have to agree. Everything here runs with the case's shard locked.
 */
#ifndef MXCLASH_CORE_CASES_SECOND_LOOK_H
#define MXCLASH_CORE_CASES_SECOND_LOOK_H

#include "core/cases/casework.h"

/**
 * Looks that found different serials, after which these count no more: the last of them came some
 * seven minutes after the first. Copies that differ so long are no propagation but the fault
 * itself, and there are servers that count a serial up at every answer.
 */
#define SECOND_LOOK_SERIALS 4

/** Looks that show the same before servers that differ are told of. */
#define SECOND_LOOK_SERVERS 4

/** Is this proof to be a second look? Then it asks in another order, and for a serial. */
static inline bool second_look_is_due(const struct docket_case *c)
{
    return c->first_look != 0;
}

/** An answer to a question of the proof: note the copy that it came from. */
void second_look_note_serial(struct docket_case *c, const struct answer_reading *reading);

/** \return true if what the proof at hand shows may not be told before it was looked at again */
bool second_look_is_needed(const struct casework *work, const struct docket_case *c,
                           enum mxclash_proof_result result);

/** It is: see to it that it is made. After a second look that settled nothing, not at once. */
void second_look_want(const struct casework *work, struct docket_case *c,
                      enum mxclash_proof_result result, mxclash_time now,
                      struct case_outcome *outcome);

/** Between the two an answer showed that one of the two records is not there: what the first look
 * showed came from two copies. */
void second_look_contradict(struct docket_case *c);

/** What was to be looked at again is decided. */
void second_look_settled(struct docket_case *c);

#endif
