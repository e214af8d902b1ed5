/* SPDX-License-Identifier: BSD-3-Clause */
/** \file A case and what is seen of it, answers and clients' questions: see casework.h. */
#include "core/cases/casework.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/cases/facts.h"
#include "core/cases/mailbox_case.h"
#include "core/cases/second_look.h"
#include "core/cases/spf_case.h"
#include "core/mailbox/look.h"

/**
 * Is there something that only a proof can tell? Of a case that is here for its MX set alone there
 * is not: each answer with the set says all.
 */
static bool case_wants_proof(const struct docket_case *c)
{
    return c->cname_target != NULL || c->both_were_valid || c->may_have_both || c->spf_suspect ||
           c->first_look != 0 || c->conflicts[mxclash_cname_and_mx].open ||
           c->conflicts[mxclash_cname_at_apex].open || c->conflicts[mxclash_spf_missing].open;
}

/** Ask for a proof if one is due and none is on its way. */
static void want_proof(const struct casework *work, struct docket_case *c, mxclash_time now,
                       struct case_outcome *outcome)
{
    if (!work->probe || c->queued || !case_proof_is_due(c, now))
        return;
    c->queued = true;
    outcome->prove = true;
}

/** What an answer shows, without being a proof, to be no more there. */
struct absence {
    bool cname;
    bool mx;
    /** the MX question is not answered with the CNAME */
    bool cname_for_mx;
};

/**
 * The CNAME is gone if the authority answers a question that a CNAME would have answered without
 * it; the MX is gone if it answers the MX question without it. Other types may stand beside the
 * CNAME at an authority that answers by type, so they show nothing.
 */
static struct absence absence_in(const struct docket_case *c, const struct answer_reading *reading,
                                 const struct sighting *sighting)
{
    uint16_t qtype = reading->message.qtype;
    bool no_cname = sighting == NULL || !sighting->cname;
    bool no_mx = sighting == NULL || !sighting->mx;
    struct absence gone = {0};

    if (!reading->message.authoritative || (sighting != NULL && !sighting->is_qname))
        return gone;
    gone.cname = no_cname && case_would_show_cname(c, qtype);
    gone.mx = no_mx && qtype == wire_type_mx;
    gone.cname_for_mx = gone.cname || (no_cname && qtype == wire_type_mx);
    return gone;
}

/** What is gone is valid no more, and both are not valid together until both are seen anew. */
static void note_absence(struct docket_case *c, struct absence gone)
{
    if (gone.cname) {
        c->cname_until = 0;
        c->cname_types = 0;
        c->was_hidden = false;
    }
    if (gone.mx)
        c->mx_until = 0;
    if (gone.cname || gone.mx) {
        c->both_were_valid = false;
        second_look_contradict(c);
    }
    if (gone.cname_for_mx)
        c->mx_gets_cname = c->mx_gets_cname_proved = false;
}

static bool has_second_looks(const struct casework *work)
{
    return work->probe && work->confirm_ms != 0;
}

/**
 * Something of an open conflict is gone by one answer. Behind a balanced address that may be one
 * copy of several, so it ends nothing: the proof that may is made now and not when it was due, but
 * not for each answer where two copies take turns.
 */
static void bring_proof_forward(struct docket_case *c, struct absence gone, mxclash_time now)
{
    bool concerned = ((gone.cname || gone.mx) && c->conflicts[mxclash_cname_and_mx].open) ||
                     (gone.cname_for_mx && c->conflicts[mxclash_cname_at_apex].open);

    if (!concerned || c->queued || c->proof.id != 0 || case_proof_time_has_come(c, now) ||
        (c->early_at != 0 && clock_within(c->early_at, CASE_EARLY_MS, now)))
        return;
    c->early_at = now;
    case_put_off_proof(c, now, now);
}

/** Where nothing is looked at twice an authority's answer is the last word, unless a proof is on
 * its way. */
static void end_what_ended(const struct casework *work, struct docket_shard *shard,
                           struct docket_case *c, struct absence gone, mxclash_time now,
                           struct case_outcome *outcome)
{
    if (gone.mx)
        case_forget_mail(c);
    if (gone.cname || gone.mx)
        conflict_clear(work, shard, c, mxclash_cname_and_mx, now, outcome);
    if (gone.cname_for_mx)
        conflict_clear(work, shard, c, mxclash_cname_at_apex, now, outcome);
}

/** The authority was asked for MX and showed the whole set. */
static bool shows_mx_set(const struct answer_reading *reading, const struct sighting *sighting)
{
    return reading->message.authoritative && sighting->is_qname && sighting->mx &&
           reading->message.qtype == wire_type_mx;
}

/** The authority's SPF record beside the MX that the case knows: a proof has to tell what is wrong,
 * but is not needed to end a conflict. */
static void weigh_spf(const struct casework *work, struct docket_shard *shard,
                      struct docket_case *c, const struct answer_reading *reading,
                      const struct sighting *sighting, mxclash_time now,
                      struct case_outcome *outcome)
{
    struct spf_summary spf;
    struct spf_text text;

    /* before its MX has been seen it is not known whom the record should name */
    if (!sighting->txt || !reading->message.authoritative || c->mx_set == NULL)
        return;
    mailbox_read_spf(work->providers, reading, sighting, &text, &spf);
    c->spf_suspect = mailbox_spf_lacks(&spf, case_mailbox_number(work, c));
    if (c->spf_suspect)
        c->spf_suspect = case_spf_is_doubtful(c, now);
    else
        conflict_clear(work, shard, c, mxclash_spf_missing, now, outcome);
}

void case_saw(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
              const struct mxclash_answer *answer, const struct answer_reading *reading,
              const struct sighting *sighting, const struct case_hint *hint, mxclash_time now,
              struct case_outcome *outcome)
{
    const struct wire_message *message = &reading->message;
    bool sure = message->authoritative && sighting != NULL && sighting->is_qname;
    /* a cache that is asked for the authority it is not (RFC 1912 2.8): good for a suspicion */
    bool lame = !message->authoritative && !answer->forwarded;
    struct absence gone = absence_in(c, reading, sighting);

    c->met = now;
    docket_touch(work->docket, shard, c, c->is_open);
    case_note_zone(c, answer, reading);
    case_note_view(c, answer, reading, sighting);
    c->spf_suspect = c->spf_suspect || (hint->spf && case_spf_is_doubtful(c, now));
    c->may_have_both = c->may_have_both || hint->both_perhaps;
    if (sighting != NULL && !lame) {
        case_note_server(c, answer);
        case_note_facts(work, shard, c, answer, reading, sighting, now);
        if (shows_mx_set(reading, sighting))
            case_judge_mx(work, shard, c, now, outcome);
        weigh_spf(work, shard, c, reading, sighting, now, outcome);
    }
    note_absence(c, gone);
    /* A server may answer ANY from a cache that outlived a move; asked for one type it may not. */
    if (sure && sighting->cname && sighting->mx && message->qtype != wire_type_any) {
        c->mx_gets_cname = c->mx_gets_cname_proved = false;
        second_look_settled(c);
        conflict_clear(work, shard, c, mxclash_cname_at_apex, now, outcome);
        conflict_open(work, shard, c, mxclash_cname_and_mx, mxclash_confirmed, mxclash_same_answer,
                      now, outcome);
        /* the answer was as good as a proof, where one was due, but for SPF */
        if (c->spf_suspect) {
            want_proof(work, c, now, outcome);
        } else if (case_proof_time_has_come(c, now)) {
            c->last_proof = now;
            case_put_off_proof(c, now + work->recheck_ms, now);
            case_tell_or_look_up(work, c, mxclash_cname_and_mx, now, outcome);
        }
        return;
    }
    if (sure && sighting->cname && !reading->null_mx && message->qtype == wire_type_mx)
        c->mx_gets_cname = true;
    if (has_second_looks(work))
        bring_proof_forward(c, gone, now);
    if (case_wants_proof(c))
        want_proof(work, c, now, outcome);
    if (!has_second_looks(work) && !outcome->prove && !c->queued && c->proof.id == 0)
        end_what_ended(work, shard, c, gone, now, outcome);
    if (!work->probe && c->both_were_valid && sighting != NULL)
        conflict_open(work, shard, c, mxclash_cname_and_mx, mxclash_suspected,
                      mxclash_separate_answers, now, outcome);
}

bool case_client_mx(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                    uint32_t reply, mxclash_time now, struct case_outcome *outcome)
{
    c->met = c->mx_last_asked = now;
    if (c->mx_asked++ == 0) {
        c->mx_first_asked = now;
        /* mail matters here after all: what was put off for want of interest is so no more */
        if (c->apex == mxclash_apex_yes && c->next_proof > c->last_proof + work->recheck_ms)
            case_put_off_proof(c, c->last_proof + work->recheck_ms, now);
    } else if (now - c->mx_first_asked > CASE_WANTED_WINDOW_MS) {
        /* stray questions, one a day, would add up as well */
        c->mx_asked = 1;
        c->mx_first_asked = now;
    }
    c->was_hidden = c->was_hidden || reply == mxclash_reply_hides;
    if (reply == mxclash_reply_hides || case_wants_proof(c))
        want_proof(work, c, now, outcome);
    case_judge_apex(work, shard, c, now, outcome);
    docket_touch(work->docket, shard, c, c->is_open);
    if (!c->is_open)
        return false;
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        if (c->conflicts[kind].open)
            c->conflicts[kind].last_seen = now;
    c->mx_queries++;
    if (reply == mxclash_reply_hides)
        count_up(&work->counters->affected_mx[mxclash_hidden]);
    else if (reply == mxclash_reply_shows && work->repair &&
             c->conflicts[mxclash_cname_and_mx].open)
        count_up(&work->counters->affected_mx[mxclash_repaired]);
    return true;
}

bool case_standing(const struct docket_case *c, mxclash_time now, struct mxclash_standing *standing)
{
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        if (!c->conflicts[kind].open)
            continue;
        standing->kind = (uint8_t)kind;
        standing->state = (uint8_t)c->conflicts[kind].state;
        standing->reserved = 0;
        standing->mx_ttl_s = 0;
        standing->mx_count = 0;
        if (c->mx_set != NULL && c->mx_is_authoritys && c->mx_until > now) {
            standing->mx_ttl_s = (uint32_t)((c->mx_until - now) / 1000);
            standing->mx_count = c->mx_set->count;
            memcpy(standing->mx, c->mx_set->mx, c->mx_set->count * sizeof(struct mxclash_mx));
        }
        return true;
    }
    return false;
}
