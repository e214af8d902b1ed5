/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The first look: see glance.h. Every instruction here is paid for every answer. */
#include "core/glance.h"

#include <string.h>

#include "core/names.h"
#include "core/wire.h"
#include "mxclash.h"

/* Octets 2 to 5 of the header: flags, rcode, number of questions. Compared as they stand, so that
 * no octet has to be turned. */
static const uint8_t header_mask[4] = {0x80 | 0x78 | 0x02, 0x0f, 0xff, 0xff};
static const uint8_t header_good[4] = {0x80, wire_rcode_noerror, 0, 1};
static const uint8_t header_no_name[4] = {0x80, wire_rcode_nxdomain, 0, 1};

#define TELLING_TYPES                                                                              \
    (UINT64_C(1) << wire_type_cname | UINT64_C(1) << wire_type_mx | UINT64_C(1) << wire_type_txt)

/** Type, class, TTL and length behind an owner. */
#define FIXED_OCTETS   10
#define POINTER_OCTETS 2

static uint32_t raw32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static uint16_t read16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

/** A whole answer, NOERROR or NXDOMAIN, to one question. */
static bool header_is_good(const uint8_t *octets)
{
    uint32_t header = raw32(octets + 2) & raw32(header_mask);

    return header == raw32(header_good) || header == raw32(header_no_name);
}

bool glance_is_dull(const uint8_t *octets, size_t len, size_t *qname_len)
{
    size_t at = WIRE_HEADER_OCTETS;
    unsigned label;

    /* behind each label the root, type and class are still to come */
    if (len < WIRE_HEADER_OCTETS + 5 || !header_is_good(octets))
        return false;
    while ((label = octets[at]) - 1u < NAME_LABEL_MAX) {
        at += label + 1;
        if (at > len - 5)
            return false;
    }
    if (label != 0 || at >= WIRE_HEADER_OCTETS + MXCLASH_NAME_MAX ||
        read16(octets + at + 3) != wire_class_in)
        return false;
    *qname_len = at + 1 - WIRE_HEADER_OCTETS;
    at += 5;
    for (unsigned records = read16(octets + 6); records != 0; records--) {
        unsigned type;

        /* a server that writes the owner out gets the second look, which reads names */
        if (at + POINTER_OCTETS + FIXED_OCTETS > len || octets[at] < 0xc0)
            return false;
        at += POINTER_OCTETS;
        type = read16(octets + at);
        if (type < 64 && (TELLING_TYPES >> type & 1) != 0)
            return false;
        at += FIXED_OCTETS + read16(octets + at + 8);
        if (at > len)
            return false;
    }
    return true;
}
