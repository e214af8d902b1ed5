/* SPDX-License-Identifier: BSD-3-Clause */
/** \file A case and its SPF: see spf_case.h. */
#include "core/cases/spf_case.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/cases/facts.h"
#include "core/cases/mailbox_case.h"
#include "core/dns/registrable.h"
#include "core/mailbox/look.h"
#include "core/mailbox/spf_walk.h"

bool case_spf_is_doubtful(const struct docket_case *c, mxclash_time now)
{
    /* set back, the clock says nothing of when the time comes */
    return c->spf_rested_at == 0 || !clock_within(c->spf_rested_at, c->spf_rest_ms, now);
}

void case_spf_drop(const struct casework *work, struct docket_shard *shard, struct docket_case *c)
{
    docket_set_walk(work->docket, shard, c, false);
}

void case_spf_note(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                   const struct answer_reading *reading, const struct sighting *sighting)
{
    struct spf_summary *spf = &c->proof.spf;
    struct spf_text text;

    mailbox_read_spf(work->providers, reading, sighting, &text, spf);
    case_spf_drop(work, shard, c);
    if (!spf->follows || spf->unknown || spf->broken || !work->lookup)
        return;
    /* no room, or a tree that cannot be walked: then nothing is told */
    if (docket_set_walk(work->docket, shard, c, true) && !spf_walk_begin(c->spf_walk, &text, spf))
        case_spf_drop(work, shard, c);
}

/** Silence, and no doubt for a while. */
static void rest(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                 mxclash_time now, struct case_outcome *outcome)
{
    c->spf_rested_at = now;
    c->spf_rest_ms = CASE_SPF_REST * work->recheck_ms;
    conflict_clear(work, shard, c, mxclash_spf_missing, now, outcome);
}

static void tell(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                 enum mxclash_spf fault, mxclash_time now, struct case_outcome *outcome)
{
    c->spf_fault = (uint8_t)fault;
    conflict_open(work, shard, c, mxclash_spf_missing, mxclash_confirmed, mxclash_probe, now,
                  outcome);
    conflict_tell_changed(work, c, mxclash_spf_missing, now, outcome);
}

void case_spf_judge(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                    mxclash_time now, struct case_outcome *outcome)
{
    const struct spf_summary *spf = &c->proof.spf;
    unsigned number = case_mailbox_number(work, c);

    if (!mailbox_spf_lacks(spf, number))
        conflict_clear(work, shard, c, mxclash_spf_missing, now, outcome);
    else if (spf->records > 1)
        tell(work, shard, c, mxclash_spf_several_records, now, outcome);
    else if (spf->broken)
        tell(work, shard, c, mxclash_spf_permerror, now, outcome);
    else if (spf->networks || (spf->follows && c->spf_walk == NULL))
        rest(work, shard, c, now, outcome);
    else if (!spf->follows)
        tell(work, shard, c, mxclash_spf_lacks_provider, now, outcome);
    else
        outcome->walk = true;
}

/**
 * Whose servers does the record at a name list? A service has one for all its customers at its own
 * domain, or at a label below it that begins with `spf` or `_spf`. Deeper, or at another label, it
 * may be one that was put together for this owner: there are services that write all the addresses
 * of his providers into it, to save look-ups.
 */
static enum spf_whose whose_is(const struct casework *work, const struct docket_case *c,
                               const uint8_t *name, size_t name_len)
{
    struct registrable domain = registrable_of(work->suffixes, c->owner, c->owner_len);
    size_t at = registrable_at(work->suffixes, name, name_len);
    int follows = c->spf_walk->names[c->spf_walk->at].whose;
    const uint8_t *label = name + 1;

    if (follows >= 0)
        return (enum spf_whose)follows;
    if (registrable_holds(&domain, name, name_len))
        return spf_of_owner;
    if (at == 0)
        return spf_of_service;
    label += label[0] == '_';
    return at == name[0] + 1u && memcmp(label, "spf", 3) == 0 ? spf_of_service : spf_of_anybody;
}

bool case_spf_lookup(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                     uint64_t id, mxclash_time now, struct mxclash_lookup *lookup)
{
    struct spf_walk *walk = c->spf_walk;
    size_t target_len;

    /* a proof that is under way has noted a walk that it may not want */
    if (walk == NULL || c->proof.id != 0 || case_is_under_way(walk->id, walk->started, now))
        return false;
    target_len = spf_walk_target(walk, lookup->target);
    if (target_len == 0) {
        case_spf_drop(work, shard, c);
        return false;
    }
    walk->whose = whose_is(work, c, lookup->target, target_len);
    walk->id = id;
    walk->started = now;
    lookup->id = id;
    lookup->qtype = wire_type_txt;
    lookup->owner_len = c->owner_len;
    memcpy(lookup->owner, c->owner, c->owner_len);
    lookup->target_len = (uint8_t)target_len;
    return true;
}

void case_spf_lookup_end(const struct casework *work, struct docket_shard *shard,
                         struct docket_case *c, const struct mxclash_lookup_reply *reply,
                         mxclash_time now, struct case_outcome *outcome)
{
    unsigned number = case_mailbox_number(work, c);
    enum spf_walk_end end = number == HOSTED_NONE
                                ? spf_walk_failed
                                : spf_walk_note(c->spf_walk, work->providers, number, reply);

    c->spf_walk->id = 0;
    switch (end) {
    case spf_walk_goes_on:
        outcome->walk = true;
        return;
    case spf_walk_lacks:
        tell(work, shard, c, mxclash_spf_lacks_provider, now, outcome);
        break;
    case spf_walk_failed:
        break;
    default:
        rest(work, shard, c, now, outcome);
        break;
    }
    case_spf_drop(work, shard, c);
}
