/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A case written down: see record.h.
 *
 * Numbers are big-endian. The head: two letters, the version, octets of the whole; at the end a
 * checksum of all before it. Between them the facts, in the order of write_facts(): whoever changes
 * it counts RECORD_VERSION up.
 */
#include "core/cases/record.h"

#include <string.h>

#include "core/cases/facts.h"
#include "core/dns/mx_set.h"
#include "core/dns/names.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define HEAD_OCTETS     6
#define CHECKSUM_OCTETS 4

/** Where a record is written. There is room: MXCLASH_EXPORT_MAX is more than any takes. */
struct writer {
    uint8_t *at;
};

static void write_number(struct writer *writer, uint64_t value, unsigned octets)
{
    while (octets-- > 0)
        *writer->at++ = (uint8_t)(value >> 8 * octets);
}

static void write_octets(struct writer *writer, const uint8_t *from, size_t octets)
{
    if (octets != 0)
        memcpy(writer->at, from, octets);
    writer->at += octets;
}

static void write_name(struct writer *writer, const uint8_t *name, uint8_t name_len)
{
    write_number(writer, name_len, 1);
    write_octets(writer, name, name_len);
}

static void write_time(struct writer *writer, mxclash_time time)
{
    write_number(writer, time > 0 ? (uint64_t)time : 0, 8);
}

/** Where a record is read; what lies behind its end is 0, and bad is set. */
struct reader {
    const uint8_t *at;
    size_t left;
    bool bad;
    mxclash_time now;
};

static uint64_t read_number(struct reader *reader, unsigned octets)
{
    uint64_t value = 0;

    if (reader->left < octets) {
        reader->bad = true;
        return 0;
    }
    for (unsigned i = 0; i < octets; i++)
        value = value << 8 | reader->at[i];
    reader->at += octets;
    reader->left -= octets;
    return value;
}

/** A number that is at most max. */
static uint64_t read_bounded(struct reader *reader, unsigned octets, uint64_t max)
{
    uint64_t value = read_number(reader, octets);

    if (value <= max)
        return value;
    reader->bad = true;
    return 0;
}

/** A time that has been; one that lies ahead, of a clock that was set back since, is now. */
static mxclash_time read_past(struct reader *reader)
{
    mxclash_time time = (mxclash_time)read_bounded(reader, 8, INT64_MAX);

    return time > reader->now ? reader->now : time;
}

/** A time up to which something holds; so long ahead at most. */
static mxclash_time read_until(struct reader *reader, mxclash_time ahead_max)
{
    mxclash_time time = (mxclash_time)read_bounded(reader, 8, INT64_MAX);

    return time - reader->now > ahead_max ? reader->now + ahead_max : time;
}

/** A name in lower case, or where optional none. \param[out] name  255 octets, 0 behind its end */
static uint8_t read_name(struct reader *reader, uint8_t *name, bool optional)
{
    uint8_t len = (uint8_t)read_number(reader, 1);
    uint8_t lower[MXCLASH_NAME_MAX];

    memset(name, 0, MXCLASH_NAME_MAX);
    if (len == 0 && optional)
        return 0;
    if (reader->left < len || !name_valid(reader->at, len)) {
        reader->bad = true;
        return 0;
    }
    name_lower(lower, reader->at, len);
    if (memcmp(lower, reader->at, len) != 0) {
        reader->bad = true;
        return 0;
    }
    memcpy(name, lower, len);
    reader->at += len;
    reader->left -= len;
    return len;
}

/** The facts that are true or not, in the order of their bits. */
#define FLAGS 12
static void list_flags(struct docket_case *c, bool *flags[FLAGS])
{
    bool *all[FLAGS] = {
        &c->mx_was_seen,          &c->mx_is_authoritys, &c->both_were_valid, &c->mx_gets_cname,
        &c->mx_gets_cname_proved, &c->may_have_both,    &c->was_hidden,      &c->apex_by_record,
        &c->cut_is_hidden,        &c->spf_suspect,      &c->mx_lacks,        &c->mx_doubled,
    };

    memcpy(flags, all, sizeof(all));
}

static unsigned flags_of(const struct docket_case *c)
{
    struct docket_case copy = *c;
    bool *flags[FLAGS];
    unsigned bits = 0;

    list_flags(&copy, flags);
    for (int i = 0; i < FLAGS; i++)
        bits |= (unsigned)*flags[i] << i;
    return bits;
}

static void read_flags(struct reader *reader, struct docket_case *c)
{
    unsigned bits = (unsigned)read_bounded(reader, 2, (1u << FLAGS) - 1);
    bool *flags[FLAGS];

    list_flags(c, flags);
    for (int i = 0; i < FLAGS; i++)
        *flags[i] = bits >> i & 1;
}

static void write_views(struct writer *writer, const struct server_views *views)
{
    write_number(writer, views->count, 1);
    write_number(writer, views->next, 1);
    for (unsigned i = 0; i < views->count; i++) {
        write_number(writer, views->servers[i], 8);
        write_number(writer, views->flags[i], 1);
    }
}

static void read_views(struct reader *reader, struct server_views *views)
{
    views->count = (uint8_t)read_bounded(reader, 1, VIEWS_MAX);
    views->next = (uint8_t)read_bounded(reader, 1, VIEWS_MAX - 1);
    for (unsigned i = 0; i < views->count; i++) {
        views->servers[i] = read_number(reader, 8);
        views->flags[i] = (uint8_t)read_bounded(
            reader, 1, view_has_cname | view_has_mx | view_lacks_cname | view_lacks_mx);
    }
}

enum { conflict_is_open = 1, conflict_was_told = 2, conflict_ever_told = 4, conflict_as_told = 8 };

/** An opened event that waits for its impact has not been told; the next engine will. */
static void write_conflict(struct writer *writer, const struct docket_case *c,
                           enum mxclash_kind kind)
{
    const struct conflict *conflict = &c->conflicts[kind];
    bool as_told = conflict->told && conflict->told_facts == conflict_facts(c, kind);

    write_number(
        writer,
        (conflict->open ? conflict_is_open : 0u) | (conflict->told ? conflict_was_told : 0u) |
            (conflict->ever_told ? conflict_ever_told : 0u) | (as_told ? conflict_as_told : 0u),
        1);
    write_number(writer, conflict->state, 1);
    write_number(writer, conflict->evidence, 1);
    write_number(writer, conflict->held_back, 4);
    write_time(writer, conflict->told_at);
    write_time(writer, conflict->changed_at);
    write_time(writer, conflict->raised_at);
    write_time(writer, conflict->first_seen);
    write_time(writer, conflict->last_seen);
}

static void read_conflict(struct reader *reader, struct case_record *record, unsigned kind)
{
    struct conflict *conflict = &record->facts.conflicts[kind];
    unsigned bits = (unsigned)read_bounded(reader, 1, 15);

    conflict->open = (bits & conflict_is_open) != 0;
    conflict->told = (bits & conflict_was_told) != 0;
    conflict->ever_told = (bits & conflict_ever_told) != 0;
    if (bits & conflict_as_told)
        record->as_told |= (uint8_t)(1u << kind);
    conflict->state = (enum mxclash_state)read_bounded(reader, 1, MXCLASH_STATES - 1);
    conflict->evidence = (enum mxclash_evidence)read_bounded(reader, 1, MXCLASH_EVIDENCES - 1);
    conflict->held_back = (uint32_t)read_number(reader, 4);
    conflict->told_at = read_past(reader);
    conflict->changed_at = read_past(reader);
    conflict->raised_at = read_past(reader);
    conflict->first_seen = read_past(reader);
    conflict->last_seen = read_past(reader);
    /* the clock was set back between the two */
    if (conflict->last_seen < conflict->first_seen)
        conflict->last_seen = conflict->first_seen;
}

static void write_mx(struct writer *writer, const struct mx_set *set)
{
    write_number(writer, set != NULL ? set->count : 0, 1);
    for (unsigned i = 0; set != NULL && i < set->count; i++) {
        write_number(writer, set->mx[i].preference, 2);
        write_name(writer, set->mx[i].exchange, set->mx[i].exchange_len);
    }
}

/** A set in its order, without doubles and null MX, as no other comes into a case. */
static void read_mx(struct reader *reader, struct case_record *record)
{
    unsigned count = (unsigned)read_bounded(reader, 1, MXCLASH_MX_MAX);

    for (unsigned i = 0; i < count && !reader->bad; i++) {
        struct mxclash_mx one;

        one.preference = (uint16_t)read_number(reader, 2);
        one.exchange_len = read_name(reader, one.exchange, false);
        if (one.exchange_len < 2)
            reader->bad = true;
        record->mx_count = (uint8_t)mx_set_insert(record->mx, record->mx_count, &one);
        if (record->mx_count != i + 1 || memcmp(&record->mx[i], &one, sizeof(one)) != 0)
            reader->bad = true;
    }
}

static void write_facts(struct writer *writer, const struct docket_case *c)
{
    write_name(writer, c->owner, c->owner_len);
    write_number(writer, c->zone_at, 1);
    write_number(writer, (uint64_t)(c->apex + 1), 1);
    write_number(writer, (uint64_t)(c->hides_spf + 1), 1);
    write_number(writer, flags_of(c), 2);
    write_number(writer, c->failures, 1);
    write_number(writer, c->quiet_proofs, 1);
    write_number(writer, c->cname_qtype, 1);
    write_number(writer, c->cname_types, 1);
    write_number(writer, c->impact, 1);
    write_number(writer, c->spf_fault, 1);
    write_name(writer, c->cname_target, c->cname_target_len);
    write_number(writer, c->cname_ttl_s, 4);
    write_time(writer, c->cname_until);
    write_mx(writer, c->mx_set);
    write_time(writer, c->mx_until);
    write_time(writer, c->met);
    write_time(writer, c->next_proof);
    write_time(writer, c->last_proof);
    write_time(writer, c->hearsay_cname_until);
    write_time(writer, c->hearsay_until);
    write_number(writer, c->mx_queries, 8);
    write_number(writer, c->mx_asked, 8);
    write_time(writer, c->mx_first_asked);
    write_time(writer, c->mx_last_asked);
    write_number(writer, c->authority.family, 1);
    write_number(writer, c->authority.port, 2);
    write_octets(writer, c->authority.octets, sizeof(c->authority.octets));
    write_views(writer, &c->views);
    write_number(writer, MXCLASH_KINDS, 1);
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        write_conflict(writer, c, (enum mxclash_kind)kind);
}

/** Does a name begin there, in the owner or at its end for none? */
static bool is_cut(const uint8_t *owner, uint8_t owner_len, uint8_t cut)
{
    uint8_t at = 0;

    while (at < cut && at < owner_len - 1)
        at = (uint8_t)(at + owner[at] + 1);
    return at == cut || cut == owner_len;
}

static void read_authority(struct reader *reader, struct mxclash_address *authority)
{
    authority->family = (uint16_t)read_bounded(reader, 1, 6);
    authority->port = (uint16_t)read_number(reader, 2);
    for (size_t i = 0; i < sizeof(authority->octets); i++)
        authority->octets[i] = (uint8_t)read_number(reader, 1);
    if (authority->family != 0 && authority->family != 4 && authority->family != 6)
        reader->bad = true;
}

/** A CNAME is asked for with other types too, see docket_case.cname_qtype. */
static uint8_t read_cname_qtype(struct reader *reader)
{
    uint8_t qtype = (uint8_t)read_number(reader, 1);

    if (qtype != 0 && qtype != wire_type_a && qtype != wire_type_aaaa && qtype != wire_type_https)
        reader->bad = true;
    return qtype;
}

/** No TTL is longer (RFC 2181 8). */
#define TTL_MAX_MS (INT64_C(0x7fffffff) * 1000 + 1)

static void read_facts(struct reader *reader, struct case_record *record)
{
    struct docket_case *c = &record->facts;

    c->owner_len = read_name(reader, record->owner, false);
    c->zone_at = (uint8_t)read_bounded(reader, 1, c->owner_len);
    if (!reader->bad && !is_cut(record->owner, c->owner_len, c->zone_at))
        reader->bad = true;
    c->apex = (int8_t)((int)read_bounded(reader, 1, 2) - 1);
    c->hides_spf = (int8_t)((int)read_bounded(reader, 1, 2) - 1);
    read_flags(reader, c);
    c->failures = (uint8_t)read_bounded(reader, 1, CASE_RETRY_DOUBLINGS);
    c->quiet_proofs = (uint8_t)read_bounded(reader, 1, CASE_QUIET_DOUBLINGS);
    c->cname_qtype = read_cname_qtype(reader);
    c->cname_types = (uint8_t)read_bounded(reader, 1, 7);
    c->impact = (enum mxclash_impact)read_bounded(reader, 1, MXCLASH_IMPACTS - 1);
    c->spf_fault = (uint8_t)read_bounded(reader, 1, MXCLASH_SPFS - 1);
    c->cname_target_len = read_name(reader, record->target, true);
    c->cname_ttl_s = (uint32_t)read_bounded(reader, 4, 0x7fffffff);
    c->cname_until = read_until(reader, TTL_MAX_MS);
    read_mx(reader, record);
    c->mx_until = read_until(reader, TTL_MAX_MS);
    c->met = read_past(reader);
    c->next_proof = read_until(reader, TTL_MAX_MS);
    c->last_proof = read_past(reader);
    c->hearsay_cname_until = read_until(reader, TTL_MAX_MS);
    c->hearsay_until = read_until(reader, TTL_MAX_MS);
    c->mx_queries = read_number(reader, 8);
    c->mx_asked = read_number(reader, 8);
    c->mx_first_asked = read_past(reader);
    c->mx_last_asked = read_past(reader);
    read_authority(reader, &c->authority);
    read_views(reader, &c->views);
    if (read_number(reader, 1) != MXCLASH_KINDS)
        reader->bad = true;
    for (unsigned kind = 0; kind < MXCLASH_KINDS; kind++)
        read_conflict(reader, record, kind);
}

size_t record_write(const struct docket_case *c, uint8_t *octets)
{
    struct writer writer = {octets + HEAD_OCTETS};
    struct writer head = {octets};
    size_t len;

    write_facts(&writer, c);
    len = (size_t)(writer.at - octets) + CHECKSUM_OCTETS;
    write_octets(&head, (const uint8_t *)"MX", 2);
    write_number(&head, RECORD_VERSION, 2);
    write_number(&head, len, 2);
    write_number(&writer, XXH32(octets, len - CHECKSUM_OCTETS, 0), CHECKSUM_OCTETS);
    return len;
}

enum record_worth record_read(const uint8_t *octets, size_t len, mxclash_time now,
                              struct case_record *record)
{
    struct reader head = {octets, len, false, now};
    struct reader body, end;
    uint64_t version;

    memset(record, 0, sizeof(*record));
    if (len < HEAD_OCTETS + CHECKSUM_OCTETS || len > MXCLASH_EXPORT_MAX ||
        memcmp(octets, "MX", 2) != 0)
        return record_malformed;
    head.at += 2;
    version = read_number(&head, 2);
    if (read_number(&head, 2) != len)
        return record_malformed;
    end = (struct reader){octets + len - CHECKSUM_OCTETS, CHECKSUM_OCTETS, false, now};
    if (read_number(&end, CHECKSUM_OCTETS) != XXH32(octets, len - CHECKSUM_OCTETS, 0))
        return record_malformed;
    if (version != RECORD_VERSION)
        return record_unknown;
    body = (struct reader){octets + HEAD_OCTETS, len - HEAD_OCTETS - CHECKSUM_OCTETS, false, now};
    read_facts(&body, record);
    return body.bad || body.left != 0 || !case_is_open(&record->facts) ? record_malformed
                                                                       : record_good;
}

/** What was told is told of what the case says now; where it was of something else, no number is
 * right but one that the facts do not have. */
static void set_told(struct docket_case *c, const struct case_record *record)
{
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        uint64_t facts = conflict_facts(c, (enum mxclash_kind)kind);

        c->conflicts[kind].told_facts = record->as_told >> kind & 1 ? facts : ~facts;
    }
}

bool record_apply(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                  const struct case_record *record, mxclash_time now)
{
    const struct docket_case *facts = &record->facts;
    mxclash_time latest = now + work->recheck_ms;

    c->zone_at = facts->zone_at;
    c->apex = facts->apex;
    c->hides_spf = facts->hides_spf;
    c->mx_was_seen = facts->mx_was_seen;
    c->mx_is_authoritys = facts->mx_is_authoritys;
    c->both_were_valid = facts->both_were_valid;
    c->mx_gets_cname = facts->mx_gets_cname;
    c->mx_gets_cname_proved = facts->mx_gets_cname_proved;
    c->may_have_both = facts->may_have_both;
    c->was_hidden = facts->was_hidden;
    c->apex_by_record = facts->apex_by_record;
    c->cut_is_hidden = facts->cut_is_hidden;
    c->spf_suspect = facts->spf_suspect;
    c->mx_lacks = facts->mx_lacks;
    c->mx_doubled = facts->mx_doubled;
    c->failures = facts->failures;
    c->quiet_proofs = facts->quiet_proofs;
    c->cname_qtype = facts->cname_qtype;
    c->cname_types = facts->cname_types;
    c->impact = facts->impact;
    c->spf_fault = facts->spf_fault;
    c->cname_ttl_s = facts->cname_ttl_s;
    c->cname_until = facts->cname_until;
    c->mx_until = facts->mx_until;
    c->met = facts->met;
    c->last_proof = facts->last_proof;
    case_put_off_proof(c, facts->next_proof < latest ? facts->next_proof : latest, now);
    c->hearsay_cname_until = facts->hearsay_cname_until;
    c->hearsay_until = facts->hearsay_until;
    /* a tally tells of all of them: what was told of before is not known */
    c->mx_queries = facts->mx_queries;
    c->mx_asked = facts->mx_asked;
    c->mx_first_asked = facts->mx_first_asked;
    c->mx_last_asked = facts->mx_last_asked;
    c->authority = facts->authority;
    c->views = facts->views;
    memcpy(c->conflicts, facts->conflicts, sizeof(c->conflicts));
    if (facts->cname_target_len != 0 &&
        !docket_set_target(work->docket, shard, c, record->target, facts->cname_target_len))
        return false;
    if (record->mx_count != 0 &&
        !docket_set_mx(work->docket, shard, c, record->mx, record->mx_count))
        return false;
    set_told(c, record);
    docket_touch(work->docket, shard, c, true);
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        if (!c->conflicts[kind].open)
            continue;
        count_up(&work->counters->imported[kind]);
        count_up(&work->counters->open_now[kind][c->conflicts[kind].state]);
    }
    return true;
}
