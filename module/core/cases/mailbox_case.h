/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A case and its mailbox: the kinds foreign-mx and incomplete-mx, and whose SPF its MX asks for.
 * The case's shard is locked.
 */
#ifndef MXCLASH_CORE_CASES_MAILBOX_CASE_H
#define MXCLASH_CORE_CASES_MAILBOX_CASE_H

#include "core/cases/conflict.h"

/** The authority showed the case's MX set, which has been noted: open or clear foreign-mx and
 * incomplete-mx. An answer to the MX question holds the whole set, so it is its own proof. */
void case_judge_mx(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                   mxclash_time now, struct case_outcome *outcome);

/** \return mailbox_number() of the case's MX, HOSTED_NONE if none is known */
unsigned case_mailbox_number(const struct casework *work, const struct docket_case *c);

#endif
