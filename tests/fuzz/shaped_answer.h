/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Answers of an authority, made from a few bits of a script.
 */
#ifndef TESTS_FUZZ_SHAPED_ANSWER_H
#define TESTS_FUZZ_SHAPED_ANSWER_H

#include "fuzz.h"

/* for the builder of messages, which the unit tests share */
#define assert_true(condition)              MUST(condition)
#define assert_non_null(pointer)            MUST((pointer) != NULL)
#define assert_int_equal(a, b)              MUST((a) == (b))
#define assert_in_range(value, least, most) MUST((value) >= (least) && (value) <= (most))
#include "../unit/message.h"

/** How an authority answers, one bit each; the second octet of a script's shape lies above. */
enum {
    shape_cname = 1 << 0,
    shape_mx = 1 << 1,
    shape_foreign = 1 << 2,
    shape_null_mx = 1 << 3,
    shape_no_aa = 1 << 4,
    shape_forwarded = 1 << 5,
    shape_failure = 1 << 6,
    shape_no_zone = 1 << 7,
    shape_ttl = 3 << 8,
    shape_parent = 1 << 10,
    shape_loop = 1 << 11,
    shape_spf = 3 << 12,
    shape_soa = 1 << 14,
    shape_half_set = 1 << 15,
};

static inline void shaped_txt(struct message *m, const char *owner, uint32_t ttl_s,
                              const char *text)
{
    size_t rdata = message_record(m, message_an, owner, wire_type_txt, wire_class_in, ttl_s);
    uint8_t len = (uint8_t)strlen(text);

    message_octets(m, &len, 1);
    message_octets(m, text, len);
    message_record_end(m, rdata);
}

static inline void shaped_answer(struct message *m, const char *owner, uint16_t qtype,
                                 unsigned shape)
{
    static const uint32_t ttls[] = {600, 0, 86400, UINT32_C(0x80000001)};
    static const char *const spf[] = {NULL, "v=spf1 include:spf.p.test -all", "v=spf1 -all",
                                      "v=spf1 include:_spf.a.test ~all"};
    uint32_t ttl_s = ttls[(shape & shape_ttl) >> 8];
    const char *txt = spf[(shape & shape_spf) >> 12];

    message_begin(m,
                  ((shape & shape_no_aa) != 0 ? 0u : MESSAGE_AA) |
                      ((shape & shape_failure) == 0   ? 0u
                       : (shape & shape_null_mx) != 0 ? MESSAGE_NXDOMAIN
                                                      : MESSAGE_SERVFAIL),
                  owner, qtype);
    m->compress = true;
    if ((shape & shape_cname) != 0)
        message_cname(m, owner, ttl_s, (shape & shape_loop) != 0 ? owner : "www.cdn.test");
    if ((shape & shape_mx) != 0)
        message_mx(m, owner, ttl_s, 5, "a.p.test");
    if ((shape & (shape_mx | shape_half_set)) == shape_mx)
        message_mx(m, owner, ttl_s, 10, "B.p.test");
    if ((shape & shape_foreign) != 0)
        message_mx(m, owner, ttl_s, 20, "mx.q.test");
    if ((shape & shape_null_mx) != 0)
        message_mx(m, owner, ttl_s, 0, ".");
    if (txt != NULL && qtype == wire_type_txt)
        shaped_txt(m, owner, ttl_s, txt);
    if ((shape & shape_soa) != 0)
        message_soa(m, (shape & shape_parent) != 0 ? "test" : owner);
}

#endif
