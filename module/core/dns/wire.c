/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The walker: see wire.h. */
#include "core/dns/wire.h"

#include "core/dns/names.h"
#include "mxclash.h"

bool wire_open(struct wire_message *message, const uint8_t *octets, size_t len)
{
    size_t at = WIRE_HEADER_OCTETS;
    unsigned questions;

    if (len < WIRE_HEADER_OCTETS)
        return false;
    message->octets = octets;
    message->len = len;
    message->response = octets[2] & 0x80;
    message->query_opcode = (octets[2] & 0x78) == 0;
    message->authoritative = octets[2] & 0x04;
    message->recursion_available = octets[3] & 0x80;
    message->truncated = octets[2] & 0x02;
    message->recursion_desired = octets[2] & 0x01;
    message->rcode = octets[3] & 0x0f;
    questions = wire_16(octets + 4);
    message->answers = (uint16_t)wire_16(octets + 6);
    message->authorities = (uint16_t)wire_16(octets + 8);
    message->qname_at = at;
    message->qname_len = 0;
    message->qtype = 0;
    message->qclass = 0;
    message->answers_at = at;
    if (questions == 0)
        return true;
    if (questions != 1)
        return false;
    for (;;) {
        if (at >= len || octets[at] > NAME_LABEL_MAX)
            return false;
        if (octets[at] == 0)
            break;
        at += octets[at] + 1u;
    }
    at++;
    if (at - WIRE_HEADER_OCTETS > MXCLASH_NAME_MAX || len - at < 4)
        return false;
    message->qname_len = at - WIRE_HEADER_OCTETS;
    message->qtype = (uint16_t)wire_16(octets + at);
    message->qclass = (uint16_t)wire_16(octets + at + 2);
    message->answers_at = at + 4;
    return true;
}

/** \return the offset behind the name at an offset, 0 if it does not end in the message */
static size_t skip_name(const struct wire_message *message, size_t at)
{
    while (at < message->len) {
        uint8_t octet = message->octets[at];

        if (octet == 0)
            return at + 1;
        if ((octet & 0xc0) == 0xc0)
            return at + 2;
        if (octet > NAME_LABEL_MAX)
            return 0;
        at += octet + 1u;
    }
    return 0;
}

bool wire_record_at(const struct wire_message *message, size_t at, struct wire_record *record)
{
    const uint8_t *fixed;
    size_t after_owner = skip_name(message, at);

    if (after_owner == 0 || after_owner > message->len || message->len - after_owner < 10)
        return false;
    fixed = message->octets + after_owner;
    record->owner_at = at;
    record->type = (uint16_t)wire_16(fixed);
    record->class = (uint16_t)wire_16(fixed + 2);
    record->ttl_s = wire_32(fixed + 4);
    record->rdata_len = (uint16_t)wire_16(fixed + 8);
    record->rdata_at = after_owner + 10;
    record->next_at = record->rdata_at + record->rdata_len;
    return record->next_at <= message->len;
}

/** wire_name_at() and wire_name_len(), inline for each of them. */
static inline size_t walk_name(const struct wire_message *message, size_t at, size_t limit,
                               uint8_t *name)
{
    const uint8_t *octets = message->octets;
    size_t used = 0;       /* octets of the name so far */
    size_t lowest = at;    /* a pointer must go before every place read so far: so it cannot loop */
    unsigned pointers = 0; /* but it could hop 8,000 times, for each of 4,000 records */

    for (;;) {
        size_t run = at; /* labels that stand together begin here */
        /* the octet that ends them stands before this; one more must fit, it may be the root */
        size_t stop = run + MXCLASH_NAME_MAX - used < limit ? run + MXCLASH_NAME_MAX - used : limit;
        unsigned octet;

        if (at >= stop)
            return 0;
        while ((octet = octets[at]) - 1 < NAME_LABEL_MAX) {
            at += octet + 1;
            if (at >= stop)
                return 0;
        }
        if (name != NULL)
            name_lower(name + used, octets + run, at - run);
        used += at - run;
        if (octet == 0)
            break;
        if (octet < 0xc0 || at + 2 > limit)
            return 0;
        at = (size_t)(octet & 0x3f) << 8 | octets[at + 1];
        if (at >= lowest || at < WIRE_HEADER_OCTETS || ++pointers > WIRE_POINTERS_MAX)
            return 0;
        lowest = at;
        limit = message->len;
    }
    if (name != NULL)
        name[used] = 0;
    return used + 1;
}

size_t wire_name_at(const struct wire_message *message, size_t at, size_t limit, uint8_t *name)
{
    return walk_name(message, at, limit, name);
}

size_t wire_name_len(const struct wire_message *message, size_t at, size_t limit)
{
    return walk_name(message, at, limit, NULL);
}

uint32_t wire_ttl(uint32_t ttl_s)
{
    return ttl_s > INT32_MAX ? 0 : ttl_s;
}
