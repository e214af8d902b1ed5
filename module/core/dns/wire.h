/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A bounds-checked walker over one DNS message (RFC 1035 4.1). Reads untrusted octets; never past
 * the message, never in a loop of compression pointers, never more than the message holds.
 */
#ifndef MXCLASH_CORE_DNS_WIRE_H
#define MXCLASH_CORE_DNS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_HEADER_OCTETS 12
/** Most compression pointers of one name: no name has more labels to come back to. */
#define WIRE_POINTERS_MAX 127
/** Longest time that a record is held for valid, in seconds: what resolvers cap a TTL at. */
#define WIRE_TTL_MAX_S 86400u

enum { wire_type_a = 1, wire_type_ns = 2, wire_type_cname = 5, wire_type_soa = 6 };
enum { wire_type_mx = 15, wire_type_txt = 16, wire_type_aaaa = 28, wire_type_dname = 39 };
enum { wire_type_https = 65, wire_type_any = 255, wire_class_in = 1 };
enum { wire_rcode_noerror = 0, wire_rcode_nxdomain = 3 };

/** The number that stands at an offset, most significant octet first; for all that reads messages.
 */
static inline unsigned wire_16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t wire_32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/** A message whose header and question have been read. Borrows the octets. */
struct wire_message {
    const uint8_t *octets;
    size_t len;
    uint16_t answers;
    uint16_t authorities;
    uint16_t qtype;
    uint16_t qclass;
    uint8_t rcode;
    bool response;
    bool query_opcode;
    bool authoritative;
    bool recursion_available;
    bool truncated;
    bool recursion_desired;
    /** where the one question's name begins and how long it is, uncompressed; len 0: no question */
    size_t qname_at;
    size_t qname_len;
    /** where the answer section begins */
    size_t answers_at;
};

/** One resource record; offsets into the message. */
struct wire_record {
    size_t owner_at;
    size_t rdata_at;
    /** where the next record begins */
    size_t next_at;
    uint32_t ttl_s;
    uint16_t type;
    uint16_t class;
    uint16_t rdata_len;
};

/**
 * Read header and question. A question name with a compression pointer is malformed, and so is
 * more than one question.
 * \return false if malformed
 */
bool wire_open(struct wire_message *message, const uint8_t *octets, size_t len);

/**
 * Read the record at an offset; its names are not looked into.
 * \return false if it does not lie whole in the message
 */
bool wire_record_at(const struct wire_message *message, size_t at, struct wire_record *record);

/**
 * Read the name at an offset, pointers followed, into lower case. A pointer must go before all that
 * was read of the name so far, and more than WIRE_POINTERS_MAX of them are malformed.
 *
 * \param limit  where the octets end in which the name itself must begin and, if it has no
 *     pointer, end: the end of the RDATA or of the message
 * \param[out] name  room for 255 octets
 * \return octets of the name, 0 if malformed
 */
size_t wire_name_at(const struct wire_message *message, size_t at, size_t limit, uint8_t *name);

/** The same, but only tells how long the name is. */
size_t wire_name_len(const struct wire_message *message, size_t at, size_t limit);

/** TTL as RFC 2181 8 reads it: with the top bit set it is 0. */
uint32_t wire_ttl(uint32_t ttl_s);

#endif
