/* SPDX-License-Identifier: BSD-3-Clause */
/** \file A case and the lookup of its impact: see casework.h. */
#include "core/cases/casework.h"

#include <string.h>

#include "core/cases/facts.h"

bool case_lookup_begin(struct docket_case *c, uint64_t id, mxclash_time now,
                       struct mxclash_lookup *lookup)
{
    if (c->cname_target == NULL || !case_is_open(c) ||
        case_is_under_way(c->lookup.id, c->lookup.started, now))
        return false;
    if (c->lookup.id != 0 || c->lookup.qtype == 0 || c->lookup.outdated) {
        memset(&c->lookup, 0, sizeof(c->lookup));
        c->lookup.qtype = wire_type_mx;
    }
    c->lookup.id = id;
    c->lookup.started = now;
    lookup->id = id;
    lookup->qtype = c->lookup.qtype;
    lookup->owner_len = c->owner_len;
    memcpy(lookup->owner, c->owner, c->owner_len);
    lookup->target_len = c->cname_target_len;
    memcpy(lookup->target, c->cname_target, c->cname_target_len);
    return true;
}

void case_lookup_end(const struct casework *work, struct docket_case *c,
                     const struct mxclash_lookup_reply *reply, mxclash_time now,
                     struct case_outcome *outcome)
{
    static const struct mxclash_lookup_reply nothing;

    c->lookup.id = 0;
    impact_note(&c->lookup, c->lookup.outdated ? &nothing : reply,
                c->mx_set != NULL ? c->mx_set->mx : NULL, c->mx_set != NULL ? c->mx_set->count : 0,
                c->cname_target, c->cname_target_len);
    if (!impact_is_known(&c->lookup)) {
        outcome->lookup = true;
        return;
    }
    /* what could not be looked up now is as it was */
    if (!c->lookup.failed)
        c->impact = impact_judge(&c->lookup);
    memset(&c->lookup, 0, sizeof(c->lookup));
    case_lookup_give_up(work, c, now, outcome);
}

void case_lookup_give_up(const struct casework *work, struct docket_case *c, mxclash_time now,
                         struct case_outcome *outcome)
{
    case_let_go(work, c, outcome);
    conflict_tell_changed(work, c, mxclash_cname_and_mx, now, outcome);
    conflict_tell_changed(work, c, mxclash_cname_at_apex, now, outcome);
}
