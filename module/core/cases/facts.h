/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the files of casework.h share: facts that any answer adds to a case, and what follows from
 * the facts however they came. The case's shard is locked.
 */
#ifndef MXCLASH_CORE_CASES_FACTS_H
#define MXCLASH_CORE_CASES_FACTS_H

#include "core/cases/casework.h"

/** Note the zone cut that an answer shows, and whether the owner is its apex. */
void case_note_zone(struct docket_case *c, const struct mxclash_answer *answer,
                    const struct answer_reading *reading);

/** Note for this server what it says of CNAME and MX. Only an authority's own word counts. */
void case_note_view(struct docket_case *c, const struct mxclash_answer *answer,
                    const struct answer_reading *reading, const struct sighting *sighting);

/** Does an answer of this type without the CNAME show that it is gone? One of type CNAME does,
 * unless the server is known to deny that type. One of type A, AAAA or HTTPS only if that type was
 * answered with it before: a server may have the CNAME for some types and not for others (RFC 4074
 * 4). */
bool case_would_show_cname(const struct docket_case *c, uint16_t qtype);

/** \return the type, A, AAAA or HTTPS, that was seen answered with the CNAME as last seen, 0 if
 * none was */
uint16_t case_shown_by(const struct docket_case *c);

/** Note the server as the one that gave the deciding answer. */
void case_note_server(struct docket_case *c, const struct mxclash_answer *answer);

/** Keep the CNAME and the MX that a sighting shows, and how long they are valid. */
void case_note_facts(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                     const struct mxclash_answer *answer, const struct answer_reading *reading,
                     const struct sighting *sighting, mxclash_time now);

/** \return true if what began then, a proof or a lookup, has not been given up; id 0: none began */
bool case_is_under_way(uint64_t id, mxclash_time started, mxclash_time now);

/** \return true if the last proof was long enough ago */
bool case_proof_time_has_come(const struct docket_case *c, mxclash_time now);

/** Let no proof be made before a time. */
void case_put_off_proof(struct docket_case *c, mxclash_time until, mxclash_time now);

/** The kind cname-at-apex: by what is known of the apex and of who asks for its MX. */
void case_judge_apex(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                     mxclash_time now, struct case_outcome *outcome);

/** The MX is gone: it is no sign any more that mail is wanted here. */
void case_forget_mail(struct docket_case *c);

/** A proof may have found something new, and the impact may be another: one event tells of both. */
void case_tell_or_look_up(const struct casework *work, struct docket_case *c,
                          enum mxclash_kind kind, mxclash_time now, struct case_outcome *outcome);

#endif
