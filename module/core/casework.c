/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The life of a case: see casework.h. */
#include "core/casework.h"

#include <string.h>

#include "core/names.h"
#include "core/sieve.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

bool case_is_open(const struct docket_case *c)
{
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        if (c->conflicts[kind].open)
            return true;
    return false;
}

const char *case_provider(const struct casework *work, const struct docket_case *c)
{
    const struct provider *provider;

    if (c->mx_set == NULL)
        return NULL;
    provider = providers_match(work->providers, c->mx_set->mx, c->mx_set->count);
    return provider != NULL ? provider->name : NULL;
}

/** Repair steps of a kind: the owner of the domain picks one. */
static uint32_t advice_for(enum mxclash_kind kind)
{
    switch (kind) {
    case mxclash_cname_and_mx:
    case mxclash_cname_at_apex:
        return mxclash_remove_cname | mxclash_replace_cname_with_address | mxclash_move_cname |
               mxclash_separate_mail_domain;
    case mxclash_foreign_mx:
        return mxclash_remove_foreign_mx;
    case mxclash_incomplete_mx:
        return mxclash_complete_mx;
    case mxclash_spf_missing:
        return mxclash_fix_spf;
    default:
        return 0;
    }
}

/** What the owner has, in one number: tells whether a proof found something new. */
static uint64_t facts_of(const struct docket_case *c)
{
    uint64_t facts = XXH3_64bits(c->cname_target, c->cname_target_len);

    if (c->mx_set != NULL)
        facts ^= XXH3_64bits(c->mx_set->mx, c->mx_set->count * sizeof(struct mxclash_mx));
    return facts;
}

static void make_event(const struct casework *work, struct docket_case *c, enum mxclash_kind kind,
                       enum mxclash_event_type type, mxclash_time now, struct case_outcome *outcome)
{
    struct conflict *conflict = &c->conflicts[kind];
    struct mxclash_event *event;

    if (outcome->event_count == sizeof(outcome->events) / sizeof(outcome->events[0]))
        return;
    event = &outcome->events[outcome->event_count++];
    memset(event, 0, offsetof(struct mxclash_event, mx));
    event->type = type;
    event->kind = kind;
    event->state = conflict->state;
    event->evidence = conflict->evidence;
    event->apex = (enum mxclash_apex)c->apex;
    event->impact = mxclash_impact_unknown;
    event->time = now;
    event->first_seen = conflict->first_seen;
    event->last_seen = conflict->last_seen;
    event->mx_queries = c->mx_queries;
    event->held_back = conflict->held_back;
    event->advice = advice_for(kind);
    event->authority = c->authority;
    event->provider = kind != mxclash_cname_at_apex ? case_provider(work, c) : NULL;
    memcpy(event->owner, c->owner, c->owner_len);
    event->owner_len = c->owner_len;
    event->zone_len = (uint8_t)(c->owner_len - c->zone_at);
    memcpy(event->zone, c->owner + c->zone_at, event->zone_len);
    if (c->cname_target != NULL) {
        memcpy(event->cname_target, c->cname_target, c->cname_target_len);
        event->cname_target_len = c->cname_target_len;
        event->cname_ttl = c->cname_ttl_s;
    }
    if (c->mx_set != NULL && kind != mxclash_cname_at_apex) {
        event->mx_count = c->mx_set->count;
        memcpy(event->mx, c->mx_set->mx, c->mx_set->count * sizeof(struct mxclash_mx));
    }
    conflict->held_back = 0;
    conflict->told_facts = facts_of(c);
}

/** Make the opened event, unless this domain made one within the last hour. */
static void tell_opened(const struct casework *work, struct docket_case *c, enum mxclash_kind kind,
                        mxclash_time now, struct case_outcome *outcome)
{
    struct conflict *conflict = &c->conflicts[kind];

    if (conflict->ever_told && now - conflict->told_at < MXCLASH_QUIET_MS &&
        now >= conflict->told_at) {
        conflict->held_back++;
        return;
    }
    conflict->told = conflict->ever_told = true;
    conflict->told_at = now;
    make_event(work, c, kind, mxclash_opened, now, outcome);
}

static void open_conflict(const struct casework *work, struct docket_shard *shard,
                          struct docket_case *c, enum mxclash_kind kind, enum mxclash_state state,
                          enum mxclash_evidence evidence, mxclash_time now,
                          struct case_outcome *outcome)
{
    struct conflict *conflict = &c->conflicts[kind];

    conflict->last_seen = now;
    if (!conflict->open) {
        conflict->open = true;
        conflict->told = false;
        conflict->state = state;
        conflict->evidence = evidence;
        conflict->first_seen = now;
        count_up(&work->counters->opened[kind]);
        count_up(&work->counters->open_now[kind][state]);
        count_up(&work->counters->open_sum);
        docket_touch(shard, c, true);
        tell_opened(work, c, kind, now, outcome);
        return;
    }
    /* the state first: what was held back is then told as it is now, in one event */
    if (state == mxclash_confirmed && conflict->state == mxclash_suspected) {
        count_down(&work->counters->open_now[kind][conflict->state]);
        count_up(&work->counters->open_now[kind][state]);
        conflict->state = state;
        conflict->evidence = evidence;
        if (conflict->told)
            make_event(work, c, kind, mxclash_changed, now, outcome);
    }
    if (!conflict->told && now - conflict->told_at >= MXCLASH_QUIET_MS)
        tell_opened(work, c, kind, now, outcome);
}

/** After a proof: tell of another CNAME or MX than the last event told of. Proofs of a domain are
 * rare, so a target that is another at every look makes no flood. */
static void tell_changed_facts(const struct casework *work, struct docket_case *c,
                               enum mxclash_kind kind, mxclash_time now,
                               struct case_outcome *outcome)
{
    struct conflict *conflict = &c->conflicts[kind];

    if (conflict->open && conflict->told && conflict->told_facts != facts_of(c))
        make_event(work, c, kind, mxclash_changed, now, outcome);
}

static void close_conflict(const struct casework *work, struct docket_case *c,
                           enum mxclash_kind kind, enum mxclash_event_type type, mxclash_time now,
                           struct case_outcome *outcome)
{
    struct conflict *conflict = &c->conflicts[kind];

    if (!conflict->open)
        return;
    if (conflict->told)
        make_event(work, c, kind, type, now, outcome);
    else
        conflict->held_back++;
    conflict->open = false;
    count_up(type == mxclash_expired ? &work->counters->expired[kind]
                                     : &work->counters->cleared[kind]);
    count_down(&work->counters->open_now[kind][conflict->state]);
    count_down(&work->counters->open_sum);
}

static void clear(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                  enum mxclash_kind kind, mxclash_time now, struct case_outcome *outcome)
{
    close_conflict(work, c, kind, mxclash_cleared, now, outcome);
    docket_touch(shard, c, case_is_open(c));
    c->mx_queries = case_is_open(c) ? c->mx_queries : 0;
}

void case_expire(const struct casework *work, struct docket_case *c, mxclash_time now,
                 struct case_outcome *outcome)
{
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        close_conflict(work, c, kind, mxclash_expired, now, outcome);
}

/** Note the zone cut. A zone equal to the owner proves an apex; a zone above it, asked and
 * answering with authority, that there is no cut between, unless an apex was proved before. */
static void note_zone(struct docket_case *c, const struct mxclash_answer *answer,
                      const struct wire_message *message)
{
    if (answer->zone == NULL || answer->forwarded || answer->zone_len > c->owner_len ||
        c->apex == mxclash_apex_yes)
        return;
    c->zone_at = (uint8_t)(c->owner_len - answer->zone_len);
    if (c->zone_at == 0)
        c->apex = mxclash_apex_yes;
    else if (message->authoritative)
        c->apex = mxclash_apex_no;
}

static void note_server(struct docket_case *c, const struct mxclash_answer *answer)
{
    if (answer->server == NULL || answer->server_len > sizeof(c->authority))
        return;
    memset(&c->authority, 0, sizeof(c->authority));
    memcpy(&c->authority, answer->server, answer->server_len);
}

/** The first moment at which a record seen now is no more valid. Resolvers cap TTLs, so do we. */
static mxclash_time valid_until(uint32_t ttl_s, mxclash_time now)
{
    return now + (mxclash_time)(ttl_s < SIEVE_TTL_MAX_S ? ttl_s : SIEVE_TTL_MAX_S) * 1000 + 1;
}

/** Keep what a sighting shows. */
static void note_facts(const struct casework *work, struct docket_shard *shard,
                       struct docket_case *c, const struct answer_reading *reading,
                       const struct sighting *sighting, mxclash_time now)
{
    if (sighting->cname) {
        uint8_t target[MXCLASH_NAME_MAX];
        size_t target_len = answer_target(reading, sighting, target);

        docket_set_target(work->docket, shard, c, target, target_len);
        c->cname_ttl_s = sighting->cname_ttl_s;
        c->cname_until = valid_until(sighting->cname_ttl_s, now);
    }
    if (sighting->mx) {
        struct mxclash_mx mx[MXCLASH_MX_MAX];
        size_t count = answer_mx_set(reading, sighting, mx);

        docket_set_mx(work->docket, shard, c, mx, count);
        c->mx_until = valid_until(sighting->mx_ttl_s, now);
        c->mx_was_seen = true;
    }
    if (c->cname_until > now && c->mx_until > now)
        c->both_were_valid = true;
}

bool case_proof_is_due(const struct docket_case *c, mxclash_time now)
{
    /* threads' clocks differ a little: one that is behind must not take the proof for an old one */
    bool under_way = c->proof.id != 0 && now - c->proof.started < CASE_PROOF_MAX_MS &&
                     c->proof.started - now < CASE_PROOF_MAX_MS;

    return now >= c->next_proof && !under_way;
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

static bool mail_is_wanted(const struct docket_case *c, mxclash_time now)
{
    return c->mx_was_seen ||
           (c->mx_asked >= CASE_WANTED_QUESTIONS && now - c->mx_first_asked >= CASE_WANTED_SPAN_MS);
}

/** The kind cname-at-apex: by what is known of the apex and of who asks for its MX. */
static void judge_apex(const struct casework *work, struct docket_shard *shard,
                       struct docket_case *c, mxclash_time now, struct case_outcome *outcome)
{
    bool known = c->mx_gets_cname_proved || (c->mx_gets_cname && !work->probe);
    enum mxclash_state state =
        known && mail_is_wanted(c, now) ? mxclash_confirmed : mxclash_suspected;

    if (c->apex != mxclash_apex_yes || !c->mx_gets_cname || c->mx_asked == 0 ||
        c->conflicts[mxclash_cname_and_mx].open)
        return;
    open_conflict(work, shard, c, mxclash_cname_at_apex, state,
                  c->mx_gets_cname_proved ? mxclash_probe : mxclash_separate_answers, now, outcome);
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
static struct absence absence_in(const struct answer_reading *reading,
                                 const struct sighting *sighting)
{
    uint16_t qtype = reading->message.qtype;
    bool no_cname = sighting == NULL || !sighting->cname;
    bool no_mx = sighting == NULL || !sighting->mx;
    struct absence gone = {0};

    if (!reading->message.authoritative || (sighting != NULL && !sighting->is_qname))
        return gone;
    gone.cname =
        no_cname && (qtype == wire_type_a || qtype == wire_type_aaaa || qtype == wire_type_cname);
    gone.mx = no_mx && qtype == wire_type_mx;
    gone.cname_for_mx = gone.cname || (no_cname && qtype == wire_type_mx);
    return gone;
}

/** What is gone is valid no more, and both are not valid together until both are seen anew. */
static void note_absence(struct docket_case *c, struct absence gone)
{
    if (gone.cname)
        c->cname_until = 0;
    if (gone.mx)
        c->mx_until = 0;
    if (gone.cname || gone.mx)
        c->both_were_valid = false;
    if (gone.cname_for_mx)
        c->mx_gets_cname = c->mx_gets_cname_proved = false;
}

static void end_what_ended(const struct casework *work, struct docket_shard *shard,
                           struct docket_case *c, struct absence gone, mxclash_time now,
                           struct case_outcome *outcome)
{
    if (gone.cname || gone.mx)
        clear(work, shard, c, mxclash_cname_and_mx, now, outcome);
    if (gone.cname_for_mx)
        clear(work, shard, c, mxclash_cname_at_apex, now, outcome);
}

void case_saw(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
              const struct mxclash_answer *answer, const struct answer_reading *reading,
              const struct sighting *sighting, bool both_valid, bool mx_valid, mxclash_time now,
              struct case_outcome *outcome)
{
    const struct wire_message *message = &reading->message;
    bool sure = message->authoritative && sighting != NULL && sighting->is_qname;
    struct absence gone = absence_in(reading, sighting);

    c->met = now;
    docket_touch(shard, c, c->is_open);
    note_zone(c, answer, message);
    if (sighting != NULL) {
        note_server(c, answer);
        note_facts(work, shard, c, reading, sighting, now);
        c->both_were_valid = c->both_were_valid || both_valid;
        c->mx_was_seen = c->mx_was_seen || mx_valid;
    }
    note_absence(c, gone);
    /* A server may answer ANY from a cache that outlived a move; asked for one type it may not. */
    if (sure && sighting->cname && sighting->mx && message->qtype != wire_type_any) {
        c->mx_gets_cname = c->mx_gets_cname_proved = false;
        close_conflict(work, c, mxclash_cname_at_apex, mxclash_cleared, now, outcome);
        open_conflict(work, shard, c, mxclash_cname_and_mx, mxclash_confirmed, mxclash_same_answer,
                      now, outcome);
        /* the answer was as good as a proof */
        if (c->next_proof < now + work->recheck_ms)
            c->next_proof = now + work->recheck_ms;
        return;
    }
    if (sure && sighting->cname && message->qtype == wire_type_mx)
        c->mx_gets_cname = true;
    want_proof(work, c, now, outcome);
    if (!outcome->prove && !c->queued && c->proof.id == 0)
        end_what_ended(work, shard, c, gone, now, outcome);
    if (!work->probe && c->both_were_valid && sighting != NULL)
        open_conflict(work, shard, c, mxclash_cname_and_mx, mxclash_suspected,
                      mxclash_separate_answers, now, outcome);
}

void case_proof_answer(const struct casework *work, struct docket_shard *shard,
                       struct docket_case *c, uint16_t qtype, const struct mxclash_answer *answer,
                       const struct answer_reading *reading, mxclash_time now)
{
    const struct wire_message *message = &reading->message;
    const struct sighting *sighting = answer_of_qname(reading);
    struct proof_state *proof = &c->proof;

    if (message->qtype != qtype || message->qclass != wire_class_in ||
        !name_equal(c->owner, c->owner_len, message->octets + message->qname_at,
                    message->qname_len))
        return;
    if (sighting == NULL && !answer_is_negative(reading, answer->forwarded))
        return;
    note_zone(c, answer, message);
    proof->authoritative = proof->authoritative && message->authoritative;
    if (qtype == wire_type_mx)
        proof->mx_answered = true;
    else
        proof->cname_answered = true;
    if (sighting == NULL)
        return;
    note_server(c, answer);
    note_facts(work, shard, c, reading, sighting, now);
    proof->saw_mx = proof->saw_mx || sighting->mx;
    proof->saw_cname = proof->saw_cname || sighting->cname;
    proof->same_answer = proof->same_answer || (sighting->mx && sighting->cname);
    if (qtype == wire_type_mx && sighting->cname && !sighting->mx)
        proof->mx_showed_cname = true;
}

bool case_proof_is_enough(const struct docket_case *c)
{
    const struct proof_state *proof = &c->proof;

    return (proof->saw_mx && proof->saw_cname) || (proof->mx_answered && proof->cname_answered);
}

static enum mxclash_proof_result proof_result(const struct proof_state *proof)
{
    if (proof->saw_mx && proof->saw_cname)
        return mxclash_proof_both;
    if (!proof->mx_answered || !proof->cname_answered)
        return mxclash_proof_failed;
    if (proof->saw_cname)
        return mxclash_proof_cname_only;
    return proof->saw_mx ? mxclash_proof_mx_only : mxclash_proof_neither;
}

/** Both were found. A cache's word, without AA, may be older than a move: it only makes a suspect
 * until both are found again after all that it then had has run out. */
static void decide_both(const struct casework *work, struct docket_shard *shard,
                        struct docket_case *c, mxclash_time now, struct case_outcome *outcome)
{
    mxclash_time until = c->cname_until > c->mx_until ? c->cname_until : c->mx_until;
    bool sure =
        c->proof.authoritative || (c->hearsay_until != 0 && c->proof.started > c->hearsay_until);

    c->mx_gets_cname = c->mx_gets_cname_proved = false;
    close_conflict(work, c, mxclash_cname_at_apex, mxclash_cleared, now, outcome);
    if (!sure && c->hearsay_until == 0) {
        c->hearsay_until = until;
        if (c->next_proof <= until)
            c->next_proof = until + 1000;
    }
    open_conflict(work, shard, c, mxclash_cname_and_mx,
                  sure ? mxclash_confirmed : mxclash_suspected,
                  sure ? mxclash_probe : mxclash_separate_answers, now, outcome);
    tell_changed_facts(work, c, mxclash_cname_and_mx, now, outcome);
}

static void decide_cname_only(const struct casework *work, struct docket_shard *shard,
                              struct docket_case *c, mxclash_time now, struct case_outcome *outcome)
{
    bool alias = c->proof.mx_showed_cname && c->proof.authoritative;

    clear(work, shard, c, mxclash_cname_and_mx, now, outcome);
    c->mx_gets_cname = c->mx_gets_cname_proved = alias;
    if (alias) {
        judge_apex(work, shard, c, now, outcome);
        tell_changed_facts(work, c, mxclash_cname_at_apex, now, outcome);
    } else {
        clear(work, shard, c, mxclash_cname_at_apex, now, outcome);
    }
    if (!case_is_open(c) && c->quiet_proofs < CASE_QUIET_DOUBLINGS)
        c->quiet_proofs++;
}

enum mxclash_proof_result case_proof_decide(const struct casework *work, struct docket_shard *shard,
                                            struct docket_case *c, mxclash_time now,
                                            struct case_outcome *outcome)
{
    enum mxclash_proof_result result = proof_result(&c->proof);
    mxclash_time retry = CASE_RETRY_MS;

    c->last_proof = now;
    if (result != mxclash_proof_failed) {
        c->failures = 0;
        c->next_proof = now + work->recheck_ms;
    }
    switch (result) {
    case mxclash_proof_both:
        c->quiet_proofs = 0;
        decide_both(work, shard, c, now, outcome);
        break;
    case mxclash_proof_cname_only:
        decide_cname_only(work, shard, c, now, outcome);
        if (c->quiet_proofs != 0 && (c->mx_asked == 0 || c->apex != mxclash_apex_yes))
            c->next_proof = now + (work->recheck_ms << (c->quiet_proofs - 1));
        break;
    case mxclash_proof_mx_only:
    case mxclash_proof_neither:
        c->mx_gets_cname = c->mx_gets_cname_proved = false;
        clear(work, shard, c, mxclash_cname_and_mx, now, outcome);
        clear(work, shard, c, mxclash_cname_at_apex, now, outcome);
        break;
    default:
        retry <<= c->failures;
        c->next_proof = now + (retry < work->recheck_ms ? retry : work->recheck_ms);
        c->failures += c->failures < CASE_RETRY_DOUBLINGS;
        if (c->both_were_valid)
            open_conflict(work, shard, c, mxclash_cname_and_mx, mxclash_suspected,
                          mxclash_separate_answers, now, outcome);
        break;
    }
    if (result != mxclash_proof_failed && result != mxclash_proof_both) {
        c->both_were_valid = false;
        c->hearsay_until = 0;
        /* what the proof did not see is gone */
        if (!c->proof.saw_mx) {
            c->mx_until = 0;
            docket_set_mx(work->docket, shard, c, NULL, 0);
        }
        if (!c->proof.saw_cname) {
            c->cname_until = 0;
            docket_set_target(work->docket, shard, c, NULL, 0);
        }
    }
    memset(&c->proof, 0, sizeof(c->proof));
    return result;
}

bool case_client_mx(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                    bool hidden, mxclash_time now, struct case_outcome *outcome)
{
    c->met = now;
    if (c->mx_asked++ == 0) {
        c->mx_first_asked = now;
        /* mail matters here after all: what was put off for want of interest is so no more */
        if (c->apex == mxclash_apex_yes && c->next_proof > c->last_proof + work->recheck_ms)
            c->next_proof = c->last_proof + work->recheck_ms;
        c->quiet_proofs = c->apex == mxclash_apex_yes ? 0 : c->quiet_proofs;
    }
    want_proof(work, c, now, outcome);
    judge_apex(work, shard, c, now, outcome);
    docket_touch(shard, c, c->is_open);
    if (!case_is_open(c))
        return false;
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        if (c->conflicts[kind].open)
            c->conflicts[kind].last_seen = now;
    c->mx_queries++;
    if (hidden)
        count_up(&work->counters->affected_mx[mxclash_hidden]);
    return true;
}
