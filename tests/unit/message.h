/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Builds DNS messages (RFC 1035 4) for the tests of the core. Names are text without escapes; case
 * is kept. A message too large for its room, or a broken name, fails the test.
 */
#ifndef MXCLASH_TESTS_MESSAGE_H
#define MXCLASH_TESTS_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/dns/wire.h"
#include "mxclash.h"

enum { MESSAGE_QR = 0x8000, MESSAGE_AA = 0x0400, MESSAGE_TC = 0x0200, MESSAGE_RD = 0x0100 };
enum { MESSAGE_RA = 0x0080 };
enum { MESSAGE_NXDOMAIN = 3, MESSAGE_SERVFAIL = 2, MESSAGE_REFUSED = 5 };
enum message_section { message_question = 4, message_an = 6, message_ns = 8, message_ar = 10 };

#define MESSAGE_SUFFIXES_MAX 64

struct message {
    uint8_t octets[65535];
    size_t len;
    /** write names with pointers to earlier ones */
    bool compress;
    /** names that a pointer can go to: text of the suffix, and where it stands */
    struct {
        char text[MXCLASH_NAME_TEXT_MAX];
        size_t at;
    } suffixes[MESSAGE_SUFFIXES_MAX];
    size_t suffix_count;
};

static inline void message_octets(struct message *m, const void *octets, size_t len)
{
    assert_true(m->len + len <= sizeof(m->octets));
    memcpy(m->octets + m->len, octets, len);
    m->len += len;
}

static inline void message_u16(struct message *m, uint32_t value)
{
    const uint8_t octets[] = {(uint8_t)(value >> 8), (uint8_t)value};

    message_octets(m, octets, sizeof(octets));
}

static inline void message_patch16(struct message *m, size_t at, size_t value)
{
    m->octets[at] = (uint8_t)(value >> 8);
    m->octets[at + 1] = (uint8_t)value;
}

static inline void message_pointer(struct message *m, size_t to)
{
    message_u16(m, 0xc000u | (uint32_t)to);
}

/** \return where the same suffix stands already, 0 if nowhere; else remembers it */
static inline size_t message_suffix(struct message *m, const char *text)
{
    for (size_t i = 0; i < m->suffix_count; i++)
        if (strcasecmp(m->suffixes[i].text, text) == 0)
            return m->suffixes[i].at;
    if (m->suffix_count < MESSAGE_SUFFIXES_MAX && m->len < 0x4000) {
        assert_true(strlen(text) < sizeof(m->suffixes[0].text));
        strcpy(m->suffixes[m->suffix_count].text, text);
        m->suffixes[m->suffix_count++].at = m->len;
    }
    return 0;
}

/** Write a name; "." or "" is the root. */
static inline void message_name(struct message *m, const char *text)
{
    while (*text != '\0' && strcmp(text, ".") != 0) {
        size_t label = strcspn(text, ".");
        size_t to = m->compress ? message_suffix(m, text) : 0;
        uint8_t len = (uint8_t)label;

        if (to != 0) {
            message_pointer(m, to);
            return;
        }
        assert_in_range(label, 1, 63);
        message_octets(m, &len, 1);
        message_octets(m, text, label);
        text += label + (text[label] == '.');
    }
    message_octets(m, "", 1);
}

static inline void message_header(struct message *m, unsigned flags)
{
    memset(m->octets, 0, WIRE_HEADER_OCTETS);
    m->len = WIRE_HEADER_OCTETS;
    m->compress = false;
    m->suffix_count = 0;
    message_patch16(m, 2, flags);
}

static inline void message_count(struct message *m, enum message_section section, int more)
{
    message_patch16(m, section,
                    (size_t)((m->octets[section] << 8 | m->octets[section + 1]) + more));
}

/** Begin an answer: header and question. \param flags  with the rcode in the low bits */
static inline void message_begin_class(struct message *m, unsigned flags, const char *qname,
                                       uint16_t qtype, uint16_t qclass)
{
    message_header(m, flags);
    message_name(m, qname);
    message_u16(m, qtype);
    message_u16(m, qclass);
    message_count(m, message_question, 1);
    /* so that compressed records can point to the question */
    for (const char *at = qname;
         *at != '\0' && strcmp(at, ".") != 0 && m->suffix_count < MESSAGE_SUFFIXES_MAX;) {
        strcpy(m->suffixes[m->suffix_count].text, at);
        m->suffixes[m->suffix_count++].at = WIRE_HEADER_OCTETS + (size_t)(at - qname);
        at += strcspn(at, ".");
        at += *at == '.';
    }
}

static inline void message_begin(struct message *m, unsigned flags, const char *qname,
                                 uint16_t qtype)
{
    message_begin_class(m, flags | MESSAGE_QR, qname, qtype, wire_class_in);
}

/** Write a record up to its RDATA. \return for message_record_end() */
static inline size_t message_record(struct message *m, enum message_section section,
                                    const char *owner, uint16_t type, uint16_t class,
                                    uint32_t ttl_s)
{
    message_name(m, owner);
    message_u16(m, type);
    message_u16(m, class);
    message_u16(m, ttl_s >> 16);
    message_u16(m, ttl_s & 0xffff);
    message_u16(m, 0);
    message_count(m, section, 1);
    return m->len;
}

static inline void message_record_end(struct message *m, size_t rdata_at)
{
    message_patch16(m, rdata_at - 2, m->len - rdata_at);
}

static inline void message_cname(struct message *m, const char *owner, uint32_t ttl_s,
                                 const char *target)
{
    size_t rdata = message_record(m, message_an, owner, wire_type_cname, wire_class_in, ttl_s);

    message_name(m, target);
    message_record_end(m, rdata);
}

static inline void message_dname(struct message *m, const char *owner, uint32_t ttl_s,
                                 const char *target)
{
    size_t rdata = message_record(m, message_an, owner, wire_type_dname, wire_class_in, ttl_s);

    message_name(m, target);
    message_record_end(m, rdata);
}

static inline void message_mx(struct message *m, const char *owner, uint32_t ttl_s,
                              uint16_t preference, const char *exchange)
{
    size_t rdata = message_record(m, message_an, owner, wire_type_mx, wire_class_in, ttl_s);

    message_u16(m, preference);
    message_name(m, exchange);
    message_record_end(m, rdata);
}

static inline void message_a(struct message *m, const char *owner, uint32_t ttl_s)
{
    static const uint8_t address[] = {192, 0, 2, 10};
    size_t rdata = message_record(m, message_an, owner, wire_type_a, wire_class_in, ttl_s);

    message_octets(m, address, sizeof(address));
    message_record_end(m, rdata);
}

static inline void message_soa_in(struct message *m, enum message_section section, const char *zone,
                                  uint32_t serial)
{
    static const uint8_t numbers[16] = {0};
    size_t rdata = message_record(m, section, zone, wire_type_soa, wire_class_in, 300);

    message_name(m, "ns.example");
    message_name(m, "hostmaster.example");
    message_u16(m, serial >> 16);
    message_u16(m, serial & 0xffff);
    message_octets(m, numbers, sizeof(numbers));
    message_record_end(m, rdata);
}

static inline void message_soa(struct message *m, const char *zone)
{
    message_soa_in(m, message_ns, zone, 0);
}

static inline void message_referral(struct message *m, const char *zone)
{
    size_t rdata = message_record(m, message_ns, zone, wire_type_ns, wire_class_in, 300);

    message_name(m, "ns.example");
    message_record_end(m, rdata);
}

/** Copy octets to a block of exactly their size, so that a sanitiser sees each read past the end.
 * \return freed by the caller */
static inline uint8_t *message_exact(const uint8_t *octets, size_t len)
{
    uint8_t *block = malloc(len != 0 ? len : 1);

    assert_non_null(block);
    memcpy(block, octets, len);
    return block;
}

/** A wire name from text. */
struct wire_name {
    uint8_t octets[MXCLASH_NAME_MAX];
    size_t len;
};

static inline struct wire_name wire_name_of(const char *text)
{
    struct wire_name name = {.len = 0};

    assert_int_equal(mxclash_name_from_text(text, name.octets, &name.len), mxclash_ok);
    return name;
}

#endif
