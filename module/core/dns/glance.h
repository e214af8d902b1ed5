/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The first look at an answer, which is the last one for nearly all of them. It is what every
 * answer costs a resolver, so it is inline, takes nothing apart and keeps nothing. And the second,
 * which is the last one for nearly all that are left.
 */
#ifndef MXCLASH_CORE_DNS_GLANCE_H
#define MXCLASH_CORE_DNS_GLANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/dns/names.h"
#include "core/dns/wire.h"
#include "mxclash.h"

/* Octets 2 to 5 of the header: flags, rcode, number of questions. Compared as they stand, so that
 * no octet has to be turned. */
static const uint8_t glance_header_mask[4] = {0x80 | 0x78 | 0x02, 0x0f, 0xff, 0xff};
static const uint8_t glance_header_good[4] = {0x80, wire_rcode_noerror, 0, 1};
static const uint8_t glance_header_no_name[4] = {0x80, wire_rcode_nxdomain, 0, 1};

/** Octets of a record before its data: an owner that is a pointer, type, class, TTL, length. */
#define GLANCE_RECORD_OCTETS 12

static inline uint32_t glance_raw32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static inline bool glance_type_tells(unsigned type)
{
    /* most types lie outside: one comparison is enough for them */
    return type >= wire_type_cname && type <= wire_type_txt &&
           (type == wire_type_cname || type >= wire_type_mx);
}

/** A whole answer, NOERROR or NXDOMAIN, to one question. */
static inline bool glance_header_is_good(const uint8_t *octets)
{
    uint32_t header = glance_raw32(octets + 2) & glance_raw32(glance_header_mask);

    return header == glance_raw32(glance_header_good) ||
           header == glance_raw32(glance_header_no_name);
}

/**
 * Read the question.
 *
 * \param octets  the message as it came: untrusted, nothing behind len is read
 * \return octets of the name in the question, which begins behind the header; 0 if the message is
 *     no whole answer to one question of class IN, whose name is written out
 */
static inline size_t glance_qname_len(const uint8_t *octets, size_t len)
{
    size_t at = WIRE_HEADER_OCTETS;
    unsigned label;

    /* behind each label the root, type and class are still to come */
    if (len < WIRE_HEADER_OCTETS + 5 || !glance_header_is_good(octets))
        return 0;
    while ((label = octets[at]) - 1u < NAME_LABEL_MAX) {
        at += label + 1;
        if (at > len - 5)
            return 0;
    }
    if (label != 0 || at >= WIRE_HEADER_OCTETS + MXCLASH_NAME_MAX ||
        wire_16(octets + at + 3) != wire_class_in)
        return 0;
    /* it only grew; the compiler, not knowing, would have the caller look for 0 once more */
    if (at < WIRE_HEADER_OCTETS)
        __builtin_unreachable();
    return at + 1 - WIRE_HEADER_OCTETS;
}

/**
 * Is there surely nothing in this answer that can make a suspect? Then answer_read() would call it
 * answer_dull; the converse does not hold. Threads: any.
 *
 * \param octets  as for glance_qname_len(), which is put into *qname_len
 * \return true if it is such a one, well formed, and its answer section has neither CNAME nor MX
 * nor TXT; false too where an owner in it is not compressed
 */
static inline bool glance_is_dull(const uint8_t *octets, size_t len, size_t *qname_len)
{
    size_t at;

    *qname_len = glance_qname_len(octets, len);
    if (*qname_len == 0)
        return false;
    at = WIRE_HEADER_OCTETS + *qname_len + 4;
    for (unsigned records = wire_16(octets + 6); records != 0; records--) {
        uint32_t owner_and_type;

        if (at + GLANCE_RECORD_OCTETS > len)
            return false;
        owner_and_type = wire_32(octets + at);
        /* a server that writes the owner out gets the second look, which reads names */
        if (owner_and_type < UINT32_C(0xc0000000) || glance_type_tells(owner_and_type & 0xffff))
            return false;
        at += GLANCE_RECORD_OCTETS + wire_16(octets + at + GLANCE_RECORD_OCTETS - 2);
    }
    return at <= len;
}

/** The first record of an answer, a CNAME: where its target begins and ends. */
struct glance_alias {
    size_t target_at;
    size_t target_end;
    uint32_t ttl_s;
};

/**
 * Is the first record a CNAME of the question, and no other record telling or a DNAME?
 *
 * \param at  where the answer section begins, behind a question that glance_is_dull() has read
 * \param[out] alias  its target lies in the message if the result is true; it may be malformed
 */
static inline bool glance_is_alias(const uint8_t *octets, size_t len, size_t at,
                                   struct glance_alias *alias)
{
    unsigned records = wire_16(octets + 6);

    if (at + GLANCE_RECORD_OCTETS > len ||
        wire_32(octets + at) != (0xc0000000 | WIRE_HEADER_OCTETS << 16 | wire_type_cname) ||
        wire_16(octets + at + 4) != wire_class_in)
        return false;
    alias->ttl_s = wire_ttl(wire_32(octets + at + 6));
    alias->target_at = at + GLANCE_RECORD_OCTETS;
    alias->target_end = at = alias->target_at + wire_16(octets + at + 10);
    while (--records != 0) {
        unsigned type;

        if (at + GLANCE_RECORD_OCTETS > len || octets[at] < 0xc0)
            return false;
        type = wire_16(octets + at + 2);
        if (glance_type_tells(type) || type == wire_type_dname)
            return false;
        at += GLANCE_RECORD_OCTETS + wire_16(octets + at + 10);
    }
    return at <= len;
}

#endif
