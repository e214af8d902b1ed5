/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Reading an answer: see answer.h. */
#include "core/dns/answer.h"

#include <string.h>

#include "core/dns/glance.h"
#include "core/dns/mx_set.h"
#include "core/dns/names.h"

/** Owner of a DNAME, lower case. */
struct dname {
    uint8_t owner[MXCLASH_NAME_MAX];
    size_t owner_len;
};

struct dnames {
    struct dname list[ANSWER_DNAMES_MAX];
    size_t count;
};

static bool is_of_qname(const struct answer_reading *reading, const uint8_t *owner,
                        size_t owner_len)
{
    return owner_len == reading->message.qname_len && memcmp(owner, reading->qname, owner_len) == 0;
}

/**
 * The owner of a record, lower case. Nearly always it is a pointer to the question.
 * \param room  255 octets that it may be read into
 * \param[out] owner_len  0 if it is malformed
 */
static const uint8_t *owner_of(const struct answer_reading *reading,
                               const struct wire_record *record, uint8_t *room, size_t *owner_len)
{
    const struct wire_message *message = &reading->message;
    const uint8_t *at = message->octets + record->owner_at;

    if (at[0] == 0xc0 && at[1] == WIRE_HEADER_OCTETS) {
        *owner_len = message->qname_len;
        return reading->qname;
    }
    *owner_len = wire_name_at(message, record->owner_at, message->len, room);
    return room;
}

static struct sighting *sighting_of(struct answer_reading *reading, const uint8_t *owner,
                                    size_t owner_len)
{
    struct sighting *sighting;

    for (size_t i = 0; i < reading->count; i++) {
        sighting = &reading->sightings[i];
        if (sighting->owner_len == owner_len && memcmp(sighting->owner, owner, owner_len) == 0)
            return sighting;
    }
    if (reading->count == ANSWER_OWNERS_MAX)
        return NULL;
    sighting = &reading->sightings[reading->count++];
    memcpy(sighting->owner, owner, owner_len);
    sighting->owner_len = (uint8_t)owner_len;
    sighting->cname = sighting->mx = sighting->txt = false;
    sighting->mx_last = 0;
    sighting->is_qname = is_of_qname(reading, owner, owner_len);
    return sighting;
}

/** Read an MX record as sets have it. \return false if malformed */
static bool read_mx(const struct wire_message *message, const struct wire_record *record,
                    struct mxclash_mx *mx)
{
    size_t len = 0;

    if (record->rdata_len >= 3)
        len = wire_name_at(message, record->rdata_at + 2, record->next_at, mx->exchange);
    if (len == 0)
        return false;
    mx->exchange_len = (uint8_t)len;
    mx->preference =
        (uint16_t)(message->octets[record->rdata_at] << 8 | message->octets[record->rdata_at + 1]);
    /* sets are compared octet by octet */
    memset(mx->exchange + len, 0, sizeof(mx->exchange) - len);
    return true;
}

static bool note_mx(struct answer_reading *reading, const struct wire_record *record,
                    const uint8_t *owner, size_t owner_len)
{
    struct sighting *sighting;
    struct mxclash_mx mx;
    uint32_t ttl_s = wire_ttl(record->ttl_s);

    if (!read_mx(&reading->message, record, &mx))
        return false;
    if (mx.exchange_len == 1) { /* null MX: no mail is wanted here, so nothing is hidden */
        reading->null_mx = reading->null_mx || is_of_qname(reading, owner, owner_len);
        return true;
    }
    sighting = sighting_of(reading, owner, owner_len);
    if (sighting == NULL)
        return true;
    if (!sighting->mx || ttl_s < sighting->mx_ttl_s)
        sighting->mx_ttl_s = ttl_s;
    sighting->mx = true;
    if (sighting->is_qname) {
        reading->mx_count = mx_set_insert(reading->mx, reading->mx_count, &mx);
        return true;
    }
    reading->others[reading->other_count++] =
        (struct other_mx){.at = (uint16_t)record->owner_at, .before = sighting->mx_last};
    sighting->mx_last = (uint8_t)reading->other_count;
    return true;
}

static bool note_cname(struct answer_reading *reading, const struct wire_record *record,
                       const uint8_t *owner, size_t owner_len)
{
    struct sighting *sighting;

    if (wire_name_len(&reading->message, record->rdata_at, record->next_at) == 0)
        return false;
    sighting = sighting_of(reading, owner, owner_len);
    if (sighting == NULL || sighting->cname)
        return true;
    sighting->cname = true;
    sighting->cname_ttl_s = wire_ttl(record->ttl_s);
    sighting->target_at = record->rdata_at;
    sighting->target_end = record->next_at;
    return true;
}

static bool note_txt(struct answer_reading *reading, const struct wire_record *record,
                     const uint8_t *owner, size_t owner_len)
{
    struct sighting *sighting;

    if (reading->message.qtype != wire_type_txt || !is_of_qname(reading, owner, owner_len))
        return true;
    sighting = sighting_of(reading, owner, owner_len);
    if (sighting == NULL)
        return true;
    reading->texts[reading->text_count++] = (uint16_t)record->owner_at;
    sighting->txt = true;
    sighting->txt_ttl_s = wire_ttl(record->ttl_s);
    return true;
}

/** Note a record of a type that counts. \return false if its RDATA is malformed */
static bool note_record(struct answer_reading *reading, const struct wire_record *record,
                        const uint8_t *owner, size_t owner_len)
{
    switch (record->type) {
    case wire_type_mx:
        return note_mx(reading, record, owner, owner_len);
    case wire_type_cname:
        return note_cname(reading, record, owner, owner_len);
    default:
        return note_txt(reading, record, owner, owner_len);
    }
}

static bool below_dname(const struct dnames *dnames, const uint8_t *owner, size_t owner_len)
{
    for (size_t i = 0; i < dnames->count; i++) {
        const struct dname *dname = &dnames->list[i];

        if (owner_len > dname->owner_len &&
            name_at_or_below(owner, owner_len, dname->owner, dname->owner_len))
            return true;
    }
    return false;
}

/** Read the owners of the DNAMEs of an answer that has been walked. \return false if malformed */
static bool read_dnames(const struct wire_message *message, struct dnames *dnames)
{
    struct wire_record record = {.next_at = message->answers_at};

    dnames->count = 0;
    for (unsigned i = 0; i < message->answers && dnames->count < ANSWER_DNAMES_MAX; i++) {
        struct dname *dname = &dnames->list[dnames->count];

        if (!wire_record_at(message, record.next_at, &record))
            return false;
        if (record.type != wire_type_dname)
            continue;
        dname->owner_len = wire_name_at(message, record.owner_at, message->len, dname->owner);
        if (dname->owner_len == 0)
            return false;
        dnames->count++;
    }
    return true;
}

/** A CNAME below a DNAME was made from it, wherever in the answer the two stand.
 * \return false if a DNAME is malformed */
static __attribute__((noinline)) bool drop_made_cnames(struct answer_reading *reading)
{
    struct dnames dnames;
    size_t kept = 0;

    if (!read_dnames(&reading->message, &dnames))
        return false;
    for (size_t i = 0; i < reading->count; i++) {
        struct sighting *sighting = &reading->sightings[i];

        if (sighting->cname && below_dname(&dnames, sighting->owner, sighting->owner_len))
            sighting->cname = false;
        if (!sighting->cname && !sighting->mx && !sighting->txt)
            continue;
        if (kept != i)
            reading->sightings[kept] = *sighting;
        kept++;
    }
    reading->count = kept;
    return true;
}

bool answer_may_speak_for(const struct mxclash_answer *answer, const struct wire_message *message,
                          const uint8_t *owner, size_t owner_len)
{
    if (answer->zone != NULL)
        return name_at_or_below(owner, owner_len, answer->zone, answer->zone_len);
    return name_equal(owner, owner_len, message->octets + message->qname_at, message->qname_len);
}

static bool collect_sightings(const struct mxclash_answer *answer, struct answer_reading *reading)
{
    const struct wire_message *message = &reading->message;
    struct wire_record record = {.next_at = message->answers_at};
    unsigned looked_at = 0;
    bool dname = false;

    name_lower(reading->qname, message->octets + message->qname_at, message->qname_len);
    for (unsigned i = 0; i < message->answers; i++) {
        uint8_t room[MXCLASH_NAME_MAX];
        const uint8_t *owner;
        size_t owner_len;

        if (!wire_record_at(message, record.next_at, &record))
            return false;
        dname = dname || record.type == wire_type_dname;
        if (!glance_type_tells(record.type) || record.class != wire_class_in)
            continue;
        if (looked_at == ANSWER_RECORDS_MAX || i >= ANSWER_WALK_MAX) {
            reading->cut = true;
            continue;
        }
        looked_at++;
        owner = owner_of(reading, &record, room, &owner_len);
        if (owner_len == 0)
            return false;
        if (answer_may_speak_for(answer, message, owner, owner_len) &&
            !note_record(reading, &record, owner, owner_len))
            return false;
    }
    /* without anything noted there is nothing that a DNAME could have made */
    return !dname || reading->count == 0 || drop_made_cnames(reading);
}

bool answer_counts(const struct wire_message *message)
{
    return message->response && message->query_opcode && !message->truncated &&
           message->qname_len != 0 && message->qclass == wire_class_in &&
           (message->rcode == wire_rcode_noerror || message->rcode == wire_rcode_nxdomain);
}

enum answer_worth answer_read(const struct mxclash_answer *answer, struct answer_reading *reading)
{
    struct wire_message *message = &reading->message;

    reading->count = 0;
    reading->mx_count = 0;
    reading->other_count = reading->text_count = 0;
    reading->cut = false;
    reading->null_mx = false;
    if (!wire_open(message, answer->message, answer->message_len))
        return answer_malformed;
    /* out of its cache, and there are such that set AA on it all the same */
    if (answer->forwarded && message->recursion_available)
        message->authoritative = false;
    if (!answer_counts(message))
        return answer_dull;
    if (!collect_sightings(answer, reading))
        return answer_malformed;
    return reading->count != 0 ? answer_telling : answer_dull;
}

size_t answer_target(const struct answer_reading *reading, const struct sighting *sighting,
                     uint8_t *target)
{
    if (!sighting->cname)
        return 0;
    return wire_name_at(&reading->message, sighting->target_at, sighting->target_end, target);
}

/** The set of an owner that was not asked for: rare, so its names are read a second time. */
static size_t other_mx_set(const struct answer_reading *reading, const struct sighting *sighting,
                           struct mxclash_mx *mx)
{
    const struct wire_message *message = &reading->message;
    size_t count = 0;

    for (unsigned n = sighting->mx_last; n != 0; n = reading->others[n - 1].before) {
        struct wire_record record;
        struct mxclash_mx one;

        if (wire_record_at(message, reading->others[n - 1].at, &record) &&
            read_mx(message, &record, &one))
            count = mx_set_insert(mx, count, &one);
    }
    return count;
}

size_t answer_mx_set(const struct answer_reading *reading, const struct sighting *sighting,
                     struct mxclash_mx *mx)
{
    if (!sighting->mx)
        return 0;
    if (!sighting->is_qname)
        return other_mx_set(reading, sighting, mx);
    memcpy(mx, reading->mx, reading->mx_count * sizeof(*mx));
    return reading->mx_count;
}

const struct sighting *answer_of_qname(const struct answer_reading *reading)
{
    for (size_t i = 0; i < reading->count; i++)
        if (reading->sightings[i].is_qname)
            return &reading->sightings[i];
    return NULL;
}

bool answer_is_negative(const struct answer_reading *reading, bool forwarded)
{
    const struct wire_message *message = &reading->message;
    struct wire_record record = {.next_at = message->answers_at};
    bool referral = false;
    bool soa = false;

    if (!answer_counts(message))
        return false;
    for (unsigned i = 0; i < (unsigned)message->answers + message->authorities; i++) {
        if (!wire_record_at(message, record.next_at, &record))
            return false;
        if (i < message->answers)
            continue;
        soa = soa || record.type == wire_type_soa;
        referral = referral || record.type == wire_type_ns;
    }
    return message->authoritative || soa || (forwarded && !referral);
}

size_t answer_next_txt(const struct answer_reading *reading, const struct sighting *sighting,
                       size_t *at, const uint8_t **rdata)
{
    struct wire_record record;

    while (sighting->txt && *at < reading->text_count) {
        if (!wire_record_at(&reading->message, reading->texts[(*at)++], &record) ||
            record.rdata_len == 0)
            continue;
        *rdata = reading->message.octets + record.rdata_at;
        return record.rdata_len;
    }
    return 0;
}

enum mxclash_apex answer_apex(const struct answer_reading *reading, const uint8_t *owner,
                              size_t owner_len, size_t *zone_len)
{
    const struct wire_message *message = &reading->message;
    struct wire_record record = {.next_at = message->answers_at};
    enum mxclash_apex apex = mxclash_apex_unknown;
    unsigned records = (unsigned)message->answers + message->authorities;
    unsigned looked_at = 0;

    for (unsigned i = 0; i < records && i < ANSWER_WALK_MAX && looked_at < ANSWER_RECORDS_MAX;
         i++) {
        uint8_t name[MXCLASH_NAME_MAX];
        size_t name_len;
        bool in_answer = i < message->answers;

        if (!wire_record_at(message, record.next_at, &record))
            break;
        if (record.class != wire_class_in ||
            (record.type != wire_type_soa && record.type != wire_type_ns))
            continue;
        looked_at++;
        name_len = wire_name_at(message, record.owner_at, message->len, name);
        if (name_len == 0)
            break;
        /* NS beside the question's name in a referral comes from above the cut: only with AA */
        if (name_equal(name, name_len, owner, owner_len) &&
            (message->authoritative || (in_answer && record.type == wire_type_soa))) {
            *zone_len = name_len;
            return mxclash_apex_yes;
        }
        if (record.type == wire_type_soa && !in_answer && message->answers == 0 &&
            name_len < owner_len && name_at_or_below(owner, owner_len, name, name_len)) {
            *zone_len = name_len;
            apex = mxclash_apex_no;
        }
    }
    return apex;
}

/** SOA RDATA is two names and five numbers, the serial first (RFC 1035 3.3.13). */
#define SOA_NUMBERS_OCTETS 20

bool answer_serial(const struct answer_reading *reading, const uint8_t *owner, size_t owner_len,
                   uint8_t *zone_len, uint32_t *serial)
{
    const struct wire_message *message = &reading->message;
    struct wire_record record = {.next_at = message->answers_at};
    unsigned records = (unsigned)message->answers + message->authorities;

    if (!message->authoritative)
        return false;
    for (unsigned i = 0; i < records && i < ANSWER_WALK_MAX; i++) {
        uint8_t name[MXCLASH_NAME_MAX];
        size_t name_len;

        if (!wire_record_at(message, record.next_at, &record))
            return false;
        if (record.type != wire_type_soa || record.class != wire_class_in)
            continue;
        name_len = wire_name_at(message, record.owner_at, message->len, name);
        if (name_len == 0 || !name_at_or_below(owner, owner_len, name, name_len))
            return false;
        if (record.rdata_len < SOA_NUMBERS_OCTETS + 2)
            return false;
        *zone_len = (uint8_t)name_len;
        *serial =
            wire_32(message->octets + record.rdata_at + record.rdata_len - SOA_NUMBERS_OCTETS);
        return true;
    }
    return false;
}
