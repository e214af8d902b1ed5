/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Conflicts and their events: see conflict.h. */
#include "core/cases/conflict.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/cases/server_views.h"

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
    struct providers_verdict verdict;

    if (c->mx_set == NULL)
        return NULL;
    /* not providers_match(): hosts that a missing dot doubled name a provider too */
    providers_judge(work->providers, c->owner, c->owner_len, c->mx_set->mx, c->mx_set->count,
                    &verdict);
    return provider_name(verdict.provider);
}

/** Repair steps of a kind: the owner of the domain picks one. */
static uint32_t advice_for(const struct docket_case *c, enum mxclash_kind kind)
{
    switch (kind) {
    case mxclash_cname_and_mx:
    case mxclash_cname_at_apex:
        return mxclash_remove_cname | mxclash_replace_cname_with_address | mxclash_move_cname |
               mxclash_separate_mail_domain | mxclash_flatten_cname;
    case mxclash_foreign_mx:
        return mxclash_remove_foreign_mx;
    case mxclash_incomplete_mx:
        return (c->mx_lacks || !c->mx_doubled ? mxclash_complete_mx : 0u) |
               (c->mx_doubled ? mxclash_add_final_dot : 0u);
    case mxclash_spf_missing:
        return mxclash_fix_spf;
    default:
        return 0;
    }
}

static bool is_of_cname(enum mxclash_kind kind)
{
    return kind == mxclash_cname_and_mx || kind == mxclash_cname_at_apex;
}

/** Only where there are two records can one server have one of them and another the other. */
static enum mxclash_servers servers_of(const struct docket_case *c, enum mxclash_kind kind)
{
    return kind == mxclash_cname_and_mx ? views_judge(&c->views) : mxclash_servers_unknown;
}

uint64_t conflict_facts(const struct docket_case *c, enum mxclash_kind kind)
{
    uint64_t facts = 0;

    if (is_of_cname(kind)) {
        facts = XXH3_64bits_withSeed(c->cname_target, c->cname_target_len, c->impact);
        facts += servers_of(c, kind);
    }

    if (kind == mxclash_spf_missing)
        facts = c->spf_fault;
    if (kind == mxclash_foreign_mx)
        facts = c->conflicts[kind].state;
    if (c->mx_set != NULL && kind != mxclash_cname_at_apex)
        facts ^= XXH3_64bits(c->mx_set->mx, c->mx_set->count * sizeof(struct mxclash_mx));
    return facts;
}

void case_provider_tag(const struct casework *work, const struct docket_case *c,
                       char tag[MXCLASH_TAG_MAX])
{
    const char *name = case_provider(work, c);

    _Static_assert(PROVIDER_TAG_MAX < MXCLASH_TAG_MAX, "a tag would be cut");
    if (name != NULL)
        strcpy(tag, name);
    else
        tag[0] = '\0';
}

void conflict_describe(const struct casework *work, const struct docket_case *c,
                       enum mxclash_kind kind, enum mxclash_event_type type, mxclash_time now,
                       struct mxclash_event *event)
{
    const struct conflict *conflict = &c->conflicts[kind];

    memset(event, 0, offsetof(struct mxclash_event, mx));
    event->struct_size = sizeof(*event);
    event->type = (uint8_t)type;
    event->kind = (uint8_t)kind;
    event->state = (uint8_t)conflict->state;
    event->evidence = (uint8_t)conflict->evidence;
    event->apex = c->apex;
    event->impact = (uint8_t)(is_of_cname(kind) ? c->impact : mxclash_impact_unknown);
    event->servers = (uint8_t)servers_of(c, kind);
    event->hides_spf = is_of_cname(kind) ? c->hides_spf : (int8_t)mxclash_unknown;
    event->time = now;
    event->first_seen = conflict->first_seen;
    event->last_seen = conflict->last_seen;
    event->mx_queries = c->mx_queries;
    event->held_back = conflict->held_back;
    event->spf = kind == mxclash_spf_missing ? c->spf_fault : (uint8_t)mxclash_spf_none;
    event->advice = advice_for(c, kind);
    event->authority = c->authority;
    if (kind != mxclash_cname_at_apex)
        case_provider_tag(work, c, event->provider);
    memcpy(event->owner, c->owner, c->owner_len);
    event->owner_len = c->owner_len;
    event->zone_len = (uint8_t)(c->owner_len - c->zone_at);
    memcpy(event->zone, c->owner + c->zone_at, event->zone_len);
    if (c->cname_target != NULL && is_of_cname(kind)) {
        memcpy(event->cname_target, c->cname_target, c->cname_target_len);
        event->cname_target_len = c->cname_target_len;
        event->cname_ttl = c->cname_ttl_s;
    }
    if (c->mx_set != NULL && kind != mxclash_cname_at_apex) {
        event->mx_count = c->mx_set->count;
        memcpy(event->mx, c->mx_set->mx, c->mx_set->count * sizeof(struct mxclash_mx));
    }
}

static void make_event(const struct casework *work, struct docket_case *c, enum mxclash_kind kind,
                       enum mxclash_event_type type, mxclash_time now, struct case_outcome *outcome)
{
    struct conflict *conflict = &c->conflicts[kind];

    if (outcome->event_count == sizeof(outcome->events) / sizeof(outcome->events[0]))
        return;
    conflict_describe(work, c, kind, type, now, &outcome->events[outcome->event_count++]);
    conflict->held_back = 0;
    conflict->told_facts = conflict_facts(c, kind);
    c->mx_told = c->mx_queries;
}

/** An opened event was made within the last hour. */
static bool is_quiet(const struct conflict *conflict, mxclash_time now)
{
    return conflict->ever_told && clock_within(conflict->told_at, MXCLASH_QUIET_MS, now);
}

/** Make the opened event, unless this domain made one within the last hour. Where its impact has
 * to be looked up first, let it wait. */
static void tell_opened(const struct casework *work, struct docket_case *c, enum mxclash_kind kind,
                        mxclash_time now, struct case_outcome *outcome)
{
    struct conflict *conflict = &c->conflicts[kind];

    if (is_quiet(conflict, now)) {
        conflict->held_back++;
        return;
    }
    if (work->lookup && is_of_cname(kind) && c->impact == mxclash_impact_unknown) {
        conflict->holding = true;
        conflict->told_at = now;
        outcome->held = outcome->lookup = true;
        return;
    }
    conflict->told = conflict->ever_told = true;
    conflict->told_at = now;
    make_event(work, c, kind, mxclash_opened, now, outcome);
}

/** \return false, and count it, if there were too many of late */
static bool may_open(const struct casework *work, const struct docket_case *c,
                     enum mxclash_evidence evidence, mxclash_time now)
{
    uint64_t domain = domain_cap_key(work->suffixes, c->owner, c->owner_len, work->seed);
    enum mxclash_delay delay =
        openings_take(work->openings, domain, evidence == mxclash_probe, now);

    if (delay == MXCLASH_DELAYS)
        return true;
    count_up(&work->counters->delayed[delay]);
    return false;
}

void conflict_open(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                   enum mxclash_kind kind, enum mxclash_state state, enum mxclash_evidence evidence,
                   mxclash_time now, struct case_outcome *outcome)
{
    struct conflict *conflict = &c->conflicts[kind];

    conflict->last_seen = now;
    if (!conflict->open) {
        if (!may_open(work, c, evidence, now))
            return;
        conflict->open = true;
        conflict->told = false;
        conflict->state = state;
        conflict->evidence = evidence;
        conflict->first_seen = now;
        count_up(&work->counters->opened[kind]);
        count_up(&work->counters->open_now[kind][state]);
        docket_touch(work->docket, shard, c, true);
        tell_opened(work, c, kind, now, outcome);
        return;
    }
    /* the state first: what was held back is then told as it is now, in one event */
    if (state == mxclash_confirmed && conflict->state == mxclash_suspected) {
        count_down(&work->counters->open_now[kind][conflict->state]);
        count_up(&work->counters->open_now[kind][state]);
        conflict->state = state;
        conflict->evidence = evidence;
        /* one that goes up and down tells of it as of all that changes */
        if (conflict->told && (conflict->raised_at == 0 ||
                               !clock_within(conflict->raised_at, MXCLASH_QUIET_MS, now))) {
            conflict->raised_at = now;
            make_event(work, c, kind, mxclash_changed, now, outcome);
        }
    }
    if (!conflict->told && !conflict->holding && !is_quiet(conflict, now))
        tell_opened(work, c, kind, now, outcome);
}

void conflict_lower(const struct casework *work, struct docket_case *c, enum mxclash_kind kind)
{
    struct conflict *conflict = &c->conflicts[kind];

    if (!conflict->open || conflict->state != mxclash_confirmed)
        return;
    count_down(&work->counters->open_now[kind][mxclash_confirmed]);
    count_up(&work->counters->open_now[kind][mxclash_suspected]);
    conflict->state = mxclash_suspected;
}

void conflict_tell_changed(const struct casework *work, struct docket_case *c,
                           enum mxclash_kind kind, mxclash_time now, struct case_outcome *outcome)
{
    struct conflict *conflict = &c->conflicts[kind];

    if (!conflict->open || !conflict->told || conflict->told_facts == conflict_facts(c, kind))
        return;
    /* what is not told now differs still when it is looked at again */
    if (conflict->changed_at != 0 && clock_within(conflict->changed_at, MXCLASH_QUIET_MS, now))
        return;
    if (!openings_take_token(work->openings, now)) {
        count_up(&work->counters->delayed[mxclash_delay_rate_limit]);
        return;
    }
    conflict->changed_at = now;
    make_event(work, c, kind, mxclash_changed, now, outcome);
}

void case_let_go(const struct casework *work, struct docket_case *c, struct case_outcome *outcome)
{
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        struct conflict *conflict = &c->conflicts[kind];

        if (!conflict->holding)
            continue;
        conflict->holding = false;
        conflict->told = conflict->ever_told = true;
        make_event(work, c, kind, mxclash_opened, conflict->told_at, outcome);
    }
}

static void close_conflict(const struct casework *work, struct docket_case *c,
                           enum mxclash_kind kind, enum mxclash_event_type type, mxclash_time now,
                           struct case_outcome *outcome)
{
    struct conflict *conflict = &c->conflicts[kind];

    if (!conflict->open)
        return;
    if (conflict->holding)
        case_let_go(work, c, outcome);
    if (conflict->told)
        make_event(work, c, kind, type, now, outcome);
    else
        conflict->held_back++;
    conflict->open = false;
    count_up(type == mxclash_expired ? &work->counters->expired[kind]
                                     : &work->counters->cleared[kind]);
    count_down(&work->counters->open_now[kind][conflict->state]);
}

void conflict_clear(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                    enum mxclash_kind kind, mxclash_time now, struct case_outcome *outcome)
{
    close_conflict(work, c, kind, mxclash_cleared, now, outcome);
    docket_touch(work->docket, shard, c, case_is_open(c));
    if (!case_is_open(c))
        c->mx_queries = c->mx_told = 0;
}

void case_expire(const struct casework *work, struct docket_case *c, mxclash_time now,
                 struct case_outcome *outcome)
{
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        close_conflict(work, c, kind, mxclash_expired, now, outcome);
}
