/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A second reader of answers, written down plainly from RFC 1035 4.1 and from what
 * core/dns/answer.h and core/dns/wire.h promise, with nothing of theirs but the numbers of types.
 * It copies everything, is slow, and is right by being simple.
 */
#ifndef TESTS_FUZZ_PLAIN_ANSWER_H
#define TESTS_FUZZ_PLAIN_ANSWER_H

#include "core/dns/answer.h"
#include "fuzz.h"

struct plain_name {
    uint8_t octets[MXCLASH_NAME_MAX];
    size_t len;
};

struct plain_sighting {
    struct plain_name owner;
    bool cname, mx, txt;
    uint32_t cname_ttl_s, mx_ttl_s, txt_ttl_s;
};

struct plain_answer {
    enum answer_worth worth;
    struct plain_name qname;
    struct plain_sighting sightings[ANSWER_OWNERS_MAX];
    size_t count;
    bool null_mx;
};

struct plain_record {
    size_t owner_at, rdata_at, next_at;
    unsigned type, class;
    uint32_t ttl_s;
};

static inline unsigned plain_u16(const uint8_t *at)
{
    return at[0] * 256u + at[1];
}

/**
 * Read the name at an offset, lower case; its own octets end before limit.
 * \return false if it is malformed
 */
static inline bool plain_name_at(const uint8_t *message, size_t size, size_t at, size_t limit,
                                 struct plain_name *name)
{
    size_t lowest = at;

    name->len = 0;
    for (unsigned pointers = 0;;) {
        uint8_t octet;

        if (at >= limit)
            return false;
        octet = message[at];
        if (octet >= 0xc0) {
            if (at + 2 > limit || ++pointers > WIRE_POINTERS_MAX)
                return false;
            at = plain_u16(message + at) - 0xc000u;
            if (at >= lowest || at < WIRE_HEADER_OCTETS)
                return false;
            lowest = at;
            limit = size;
            continue;
        }
        /* a label and, behind it, at least the root */
        if (octet > 63 || at + 1 + octet > limit ||
            name->len + 1 + octet + (octet != 0) > MXCLASH_NAME_MAX)
            return false;
        name->octets[name->len++] = octet;
        for (unsigned i = 1; i <= octet; i++) {
            uint8_t letter = message[at + i];

            name->octets[name->len++] =
                letter >= 'A' && letter <= 'Z' ? (uint8_t)(letter + 32) : letter;
        }
        at += 1u + octet;
        if (octet == 0)
            return true;
    }
}

static inline bool plain_same(const struct plain_name *a, const struct plain_name *b)
{
    return a->len == b->len && memcmp(a->octets, b->octets, a->len) == 0;
}

/** \param strictly  not the zone's own name. Both in lower case. */
static inline bool plain_below(const struct plain_name *name, const struct plain_name *zone,
                               bool strictly)
{
    for (size_t at = 0; at < name->len; at += name->octets[at] + 1u)
        if (name->len - at == zone->len && memcmp(name->octets + at, zone->octets, zone->len) == 0)
            return at != 0 || !strictly;
    return false;
}

/** Frame the record at next_at. \return false if it does not lie whole in the message */
static inline bool plain_next(const uint8_t *message, size_t size, struct plain_record *record)
{
    size_t at = record->next_at;

    record->owner_at = at;
    for (;;) {
        if (at >= size)
            return false;
        if (message[at] == 0 || message[at] >= 0xc0) {
            at += message[at] == 0 ? 1 : 2;
            break;
        }
        if (message[at] > 63)
            return false;
        at += message[at] + 1u;
    }
    if (at + 10 > size)
        return false;
    record->type = plain_u16(message + at);
    record->class = plain_u16(message + at + 2);
    record->ttl_s = (uint32_t)plain_u16(message + at + 4) << 16 | plain_u16(message + at + 6);
    record->ttl_s = record->ttl_s >> 31 != 0 ? 0 : record->ttl_s; /* RFC 2181 8 */
    record->rdata_at = at + 10;
    record->next_at = record->rdata_at + plain_u16(message + at + 8);
    return record->next_at <= size;
}

/** \return NULL if there is no room for it */
static inline struct plain_sighting *plain_sighting_of(struct plain_answer *answer,
                                                       const struct plain_name *owner)
{
    for (size_t i = 0; i < answer->count; i++)
        if (plain_same(&answer->sightings[i].owner, owner))
            return &answer->sightings[i];
    if (answer->count == ANSWER_OWNERS_MAX)
        return NULL;
    answer->sightings[answer->count] = (struct plain_sighting){.owner = *owner};
    return &answer->sightings[answer->count++];
}

/** Note a CNAME, MX or TXT of an owner that is believed. \return false if it is malformed */
static inline bool plain_note(struct plain_answer *answer, const uint8_t *message, size_t size,
                              unsigned qtype, const struct plain_record *record,
                              const struct plain_name *owner)
{
    struct plain_sighting *sighting;
    struct plain_name name;
    bool asked = plain_same(owner, &answer->qname);

    if (record->type == wire_type_cname &&
        !plain_name_at(message, size, record->rdata_at, record->next_at, &name))
        return false;
    if (record->type == wire_type_mx &&
        (record->rdata_at + 3 > record->next_at ||
         !plain_name_at(message, size, record->rdata_at + 2, record->next_at, &name)))
        return false;
    if (record->type == wire_type_mx && name.len == 1) {
        answer->null_mx = answer->null_mx || asked;
        return true;
    }
    if (record->type == wire_type_txt && (qtype != wire_type_txt || !asked))
        return true;
    sighting = plain_sighting_of(answer, owner);
    if (sighting == NULL)
        return true;
    if (record->type == wire_type_cname && !sighting->cname) {
        sighting->cname = true;
        sighting->cname_ttl_s = record->ttl_s;
    } else if (record->type == wire_type_mx) {
        if (!sighting->mx || record->ttl_s < sighting->mx_ttl_s)
            sighting->mx_ttl_s = record->ttl_s;
        sighting->mx = true;
    } else if (record->type == wire_type_txt) {
        sighting->txt = true;
        sighting->txt_ttl_s = record->ttl_s;
    }
    return true;
}

/** Take out what was made from a DNAME. \return false if a DNAME's owner is malformed */
static inline bool plain_drop_made(struct plain_answer *answer, const uint8_t *message, size_t size,
                                   size_t answers_at)
{
    struct plain_record record = {.next_at = answers_at};
    unsigned dnames = 0;
    size_t kept = 0;

    for (unsigned i = 0; i < plain_u16(message + 6) && dnames < ANSWER_DNAMES_MAX; i++) {
        struct plain_name owner;

        MUST(plain_next(message, size, &record));
        if (record.type != wire_type_dname)
            continue;
        dnames++;
        if (!plain_name_at(message, size, record.owner_at, size, &owner))
            return false;
        for (size_t j = 0; j < answer->count; j++)
            if (plain_below(&answer->sightings[j].owner, &owner, true))
                answer->sightings[j].cname = false;
    }
    for (size_t i = 0; i < answer->count; i++)
        if (answer->sightings[i].cname || answer->sightings[i].mx || answer->sightings[i].txt)
            answer->sightings[kept++] = answer->sightings[i];
    answer->count = kept;
    return true;
}

static inline bool plain_walk(struct plain_answer *answer, const uint8_t *message, size_t size,
                              const struct plain_name *zone, unsigned qtype, size_t answers_at)
{
    struct plain_record record = {.next_at = answers_at};
    unsigned looked_at = 0;

    for (unsigned i = 0; i < plain_u16(message + 6); i++) {
        struct plain_name owner;
        bool telling;

        if (!plain_next(message, size, &record))
            return false;
        telling = record.class == wire_class_in &&
                  (record.type == wire_type_cname || record.type == wire_type_mx ||
                   record.type == wire_type_txt);
        if (!telling || looked_at == ANSWER_RECORDS_MAX || i >= ANSWER_WALK_MAX)
            continue;
        looked_at++;
        if (!plain_name_at(message, size, record.owner_at, size, &owner))
            return false;
        if ((zone != NULL ? plain_below(&owner, zone, false)
                          : plain_same(&owner, &answer->qname)) &&
            !plain_note(answer, message, size, qtype, &record, &owner))
            return false;
    }
    /* without anything noted the DNAMEs are not looked into */
    return answer->count == 0 || plain_drop_made(answer, message, size, answers_at);
}

/** Read a message. \param zone  that was asked, lower case; NULL if unknown */
static inline void plain_read(const uint8_t *message, size_t size, const struct plain_name *zone,
                              struct plain_answer *answer)
{
    size_t at = WIRE_HEADER_OCTETS;

    answer->worth = answer_malformed;
    answer->count = 0;
    answer->null_mx = false;
    answer->qname.len = 0;
    if (size < WIRE_HEADER_OCTETS || plain_u16(message + 4) > 1)
        return;
    answer->worth = answer_dull;
    if (plain_u16(message + 4) == 0)
        return;
    /* the question's name, in which a pointer would have nowhere to go, and its type and class */
    while (at < size && message[at] != 0 && message[at] < 64)
        at += message[at] + 1u;
    if (at + 5 > size || message[at] != 0 ||
        !plain_name_at(message, size, WIRE_HEADER_OCTETS, size, &answer->qname)) {
        answer->worth = answer_malformed;
        return;
    }
    at += 5;
    /* a response, a query's, not truncated, NOERROR or NXDOMAIN, class IN */
    if ((message[2] & 0xfa) != 0x80 || ((message[3] & 0xf) != 0 && (message[3] & 0xf) != 3) ||
        plain_u16(message + at - 2) != wire_class_in)
        return;
    if (!plain_walk(answer, message, size, zone, plain_u16(message + at - 4), at))
        answer->worth = answer_malformed;
    else if (answer->count != 0)
        answer->worth = answer_telling;
}

#endif
