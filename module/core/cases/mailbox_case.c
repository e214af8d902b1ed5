/* SPDX-License-Identifier: BSD-3-Clause */
/** \file A case and its mailbox: see mailbox_case.h. */
#include "core/cases/mailbox_case.h"

#include "core/mailbox/look.h"

unsigned case_mailbox_number(const struct casework *work, const struct docket_case *c)
{
    struct providers_verdict verdict;

    if (c->mx_set == NULL)
        return HOSTED_NONE;
    providers_judge(work->providers, c->owner, c->owner_len, c->mx_set->mx, c->mx_set->count,
                    &verdict);
    return mailbox_number(&verdict);
}

static void set_kind(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                     enum mxclash_kind kind, bool wrong, enum mxclash_state state, mxclash_time now,
                     struct case_outcome *outcome)
{
    if (!wrong) {
        conflict_clear(work, shard, c, kind, now, outcome);
        return;
    }
    if (state == mxclash_suspected)
        conflict_lower(work, c, kind);
    conflict_open(work, shard, c, kind, state, mxclash_same_answer, now, outcome);
    conflict_tell_changed(work, c, kind, now, outcome);
}

void case_judge_mx(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                   mxclash_time now, struct case_outcome *outcome)
{
    struct providers_verdict verdict = {0};

    if (c->mx_set != NULL)
        providers_judge(work->providers, c->owner, c->owner_len, c->mx_set->mx, c->mx_set->count,
                        &verdict);
    c->mx_lacks = verdict.wanted != NULL;
    c->mx_doubled = verdict.doubled != 0;
    set_kind(work, shard, c, mxclash_foreign_mx, verdict.foreign != 0,
             verdict.foreign_sure ? mxclash_confirmed : mxclash_suspected, now, outcome);
    set_kind(work, shard, c, mxclash_incomplete_mx, verdict.incomplete, mxclash_confirmed, now,
             outcome);
    if (mailbox_number(&verdict) == HOSTED_NONE)
        conflict_clear(work, shard, c, mxclash_spf_missing, now, outcome);
}
