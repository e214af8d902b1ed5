/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Conflicts of a case: opened, changed, closed, and the events that tell of it. When a conflict is
 * one is casework.h's and mailbox_case.h's business. Everything here runs with the case's shard
 * locked.
 */
#ifndef MXCLASH_CORE_CASES_CONFLICT_H
#define MXCLASH_CORE_CASES_CONFLICT_H

#include "core/cases/context.h"
#include "core/cases/docket.h"

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
