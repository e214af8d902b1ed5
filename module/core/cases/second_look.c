/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The second look: see second_look.h. */
#include "core/cases/second_look.h"

#include "core/cases/facts.h"

void second_look_note_serial(struct docket_case *c, const struct answer_reading *reading)
{
    struct zone_serial *last = &c->proof.serial;
    struct zone_serial seen = {.known = true};

    if (!answer_serial(reading, c->owner, c->owner_len, &seen.zone_len, &seen.serial))
        return;
    if (last->known && last->zone_len == seen.zone_len && last->serial != seen.serial)
        c->proof.serials_differ = true;
    *last = seen;
}

/** A conflict is to be opened as confirmed, or raised to it, by two answers. What a cache said has
 * a rule of its own. */
static bool would_confirm(const struct docket_case *c)
{
    const struct conflict *conflict = &c->conflicts[mxclash_cname_and_mx];

    return c->proof.authoritative && !c->proof.in_one_answer &&
           (!conflict->open || conflict->state != mxclash_confirmed);
}

/** An open conflict is to be cleared. */
static bool would_clear(const struct docket_case *c, enum mxclash_proof_result result)
{
    bool apex_still = result == mxclash_proof_cname_only && c->proof.mx_showed_cname &&
                      c->apex == mxclash_apex_yes;

    return c->conflicts[mxclash_cname_and_mx].open ||
           (c->conflicts[mxclash_cname_at_apex].open && !apex_still);
}

/** One server has the CNAME only and another the MX: is that the fault, or has one not yet heard of
 * a change? */
static bool servers_differ(const struct docket_case *c, enum mxclash_proof_result result)
{
    return result == mxclash_proof_both && c->same_looks < SECOND_LOOK_SERVERS - 1 &&
           views_judge(&c->views) == mxclash_servers_differ;
}

bool second_look_is_needed(const struct casework *work, const struct docket_case *c,
                           enum mxclash_proof_result result)
{
    if (work->confirm_ms == 0 || result == mxclash_proof_failed ||
        !(result == mxclash_proof_both ? would_confirm(c) : would_clear(c, result)))
        return false;
    return c->first_look != result + 1 ||
           (c->proof.serials_differ && c->unsettled < SECOND_LOOK_SERIALS) ||
           servers_differ(c, result);
}

void second_look_want(const struct casework *work, struct docket_case *c,
                      enum mxclash_proof_result result, mxclash_time now,
                      struct case_outcome *outcome)
{
    mxclash_time wait = CASE_RETRY_MS << c->unsettled;
    bool first = c->first_look == 0 && c->unsettled == 0;
    bool same = c->first_look == result + 1;

    c->first_look = (uint8_t)(result + 1);
    c->same_looks = same ? (uint8_t)(c->same_looks + 1) : 1;
    c->serial = c->proof.serial;
    if (first || (same && !c->proof.serials_differ)) {
        case_put_off_proof(c, now + work->confirm_ms, now);
        c->queued = outcome->prove_later = true;
        return;
    }
    case_put_off_proof(c, now + (wait < work->recheck_ms ? wait : work->recheck_ms), now);
    c->unsettled += c->unsettled < CASE_RETRY_DOUBLINGS;
}

void second_look_contradict(struct docket_case *c)
{
    if (c->first_look != mxclash_proof_both + 1)
        return;
    c->first_look = c->same_looks = 0;
    c->unsettled += c->unsettled < CASE_RETRY_DOUBLINGS;
}

void second_look_settled(struct docket_case *c)
{
    c->first_look = c->same_looks = c->unsettled = 0;
}
