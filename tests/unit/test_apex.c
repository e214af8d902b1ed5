/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of what an answer shows of the zone cut, and of the walk over its TXT records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/dns/answer.h"
#include "txt.h"

#define OWNER "shop.example.test"

static struct message m;
/** The message in a block of its own size, so that a sanitiser sees each read past its end. */
static uint8_t *exact;
static struct answer_reading reading;

static int teardown(void **state)
{
    (void)state;
    free(exact);
    exact = NULL;
    return 0;
}

/** Begin an answer about the owner. \param flags  MESSAGE_AA and the rcode */
static void begin(unsigned flags, uint16_t qtype)
{
    message_begin(&m, flags, OWNER, qtype);
    m.compress = true;
}

static void add(enum message_section section, const char *owner, uint16_t type)
{
    size_t rdata = message_record(&m, section, owner, type, wire_class_in, 300);

    message_name(&m, "ns.example");
    message_record_end(&m, rdata);
}

static enum answer_worth read_it(void)
{
    struct mxclash_answer answer = {.struct_size = sizeof(answer), .message_len = m.len};
    struct wire_name zone = wire_name_of("test");

    free(exact);
    exact = message_exact(m.octets, m.len);
    answer.message = exact;
    answer.zone = zone.octets;
    answer.zone_len = zone.len;
    return answer_read(&answer, &reading);
}

/** \param zone  NULL: nothing may be shown */
static void expect_zone(enum mxclash_apex apex, const char *zone)
{
    struct wire_name owner = wire_name_of(OWNER);
    size_t zone_len = 1000;

    assert_int_not_equal(read_it(), answer_malformed);
    assert_int_equal(answer_apex(&reading, owner.octets, owner.len, &zone_len), apex);
    assert_int_equal(zone_len, zone != NULL ? wire_name_of(zone).len : 1000);
}

static void expect_apex(void)
{
    expect_zone(mxclash_apex_yes, OWNER);
}

static void expect_unknown(void)
{
    expect_zone(mxclash_apex_unknown, NULL);
}

static void test_apex(void **state)
{
    (void)state;
    begin(MESSAGE_AA, wire_type_soa);
    add(message_an, OWNER, wire_type_soa);
    expect_apex();
    /* out of a forwarder's cache */
    begin(0, wire_type_soa);
    add(message_an, OWNER, wire_type_soa);
    expect_apex();
    begin(MESSAGE_AA, wire_type_ns);
    add(message_an, OWNER, wire_type_ns);
    expect_apex();
    /* beside other answers, and in a negative one */
    begin(MESSAGE_AA, wire_type_a);
    message_a(&m, OWNER, 60);
    add(message_ns, OWNER, wire_type_ns);
    expect_apex();
    begin(MESSAGE_AA, wire_type_mx);
    add(message_ns, OWNER, wire_type_soa);
    expect_apex();
    begin(MESSAGE_AA, wire_type_mx);
    add(message_ns, "SHOP.Example.TEST", wire_type_soa);
    expect_apex();
    begin(MESSAGE_AA | MESSAGE_NXDOMAIN, wire_type_mx);
    add(message_ns, OWNER, wire_type_soa);
    expect_apex();
    /* an authority that puts a CNAME and all the rest into one answer */
    begin(MESSAGE_AA, wire_type_ns);
    message_cname(&m, OWNER, 60, "www.cdn.test");
    add(message_an, OWNER, wire_type_ns);
    expect_apex();
}

static void test_no_apex(void **state)
{
    static const char *const above[] = {"example.test", "test", "."};

    (void)state;
    for (size_t i = 0; i < sizeof(above) / sizeof(above[0]); i++) {
        begin(MESSAGE_AA, wire_type_mx);
        add(message_ns, above[i], wire_type_soa);
        expect_zone(mxclash_apex_no, above[i]);
        begin(MESSAGE_NXDOMAIN, wire_type_mx);
        add(message_ns, above[i], wire_type_soa);
        expect_zone(mxclash_apex_no, above[i]);
    }
    /* what stands at the name itself says more than what stands above it */
    begin(MESSAGE_AA, wire_type_mx);
    add(message_ns, "example.test", wire_type_soa);
    add(message_ns, OWNER, wire_type_ns);
    expect_apex();
}

static void test_unknown_cut(void **state)
{
    (void)state;
    begin(MESSAGE_AA, wire_type_a);
    expect_unknown();
    begin(MESSAGE_AA, wire_type_a);
    message_a(&m, OWNER, 60);
    expect_unknown();
    /* a referral comes from above the cut */
    begin(0, wire_type_mx);
    add(message_ns, OWNER, wire_type_ns);
    expect_unknown();
    /* nameservers above say where the servers are, not where the cut is */
    begin(MESSAGE_AA, wire_type_mx);
    add(message_ns, "example.test", wire_type_ns);
    expect_unknown();
    /* the SOA behind a chain is one of the chain's end */
    begin(MESSAGE_AA, wire_type_mx);
    message_cname(&m, OWNER, 60, "www.other.test");
    add(message_ns, "test", wire_type_soa);
    expect_unknown();
    /* not above, nor the same: beside, below, alike at the end */
    begin(MESSAGE_AA, wire_type_mx);
    add(message_ns, "other.test", wire_type_soa);
    add(message_ns, "www." OWNER, wire_type_soa);
    add(message_ns, "p.example.test", wire_type_soa);
    expect_unknown();
    /* in the additional section it is not what was asked */
    begin(MESSAGE_AA, wire_type_mx);
    add(message_ar, OWNER, wire_type_soa);
    expect_unknown();
    /* of another class */
    begin(MESSAGE_AA, wire_type_mx);
    message_record_end(&m, message_record(&m, message_ns, OWNER, wire_type_soa, 3, 300));
    expect_unknown();
    /* of another type */
    begin(MESSAGE_AA, wire_type_mx);
    add(message_ns, OWNER, 43);
    expect_unknown();
}

/** A count that promises more than is there: what can be read is used, nothing behind it. */
static void test_cut_off(void **state)
{
    (void)state;
    begin(MESSAGE_AA, wire_type_mx);
    add(message_ns, "example.test", wire_type_soa);
    message_count(&m, message_ns, 5);
    expect_zone(mxclash_apex_no, "example.test");
    begin(MESSAGE_AA, wire_type_mx);
    add(message_ns, OWNER, wire_type_soa);
    m.len -= 3;
    expect_unknown();
}

/** A message can hold thousands of records: no more are looked at than an honest one has. */
static void test_too_many(void **state)
{
    (void)state;
    for (int many = ANSWER_RECORDS_MAX - 1; many <= ANSWER_RECORDS_MAX; many++) {
        begin(MESSAGE_AA, wire_type_mx);
        /* of other types any number may stand there */
        for (int i = 0; i < 200; i++)
            message_a(&m, OWNER, 60);
        for (int i = 0; i < many; i++)
            add(message_ns, "other.test", wire_type_ns);
        add(message_ns, OWNER, wire_type_ns);
        if (many < ANSWER_RECORDS_MAX)
            expect_apex();
        else
            expect_unknown();
    }
}

/** \return the text of the TXT records one after another, each in brackets */
static const char *all_txt(void)
{
    static char text[4096];
    const struct sighting *sighting = answer_of_qname(&reading);
    const uint8_t *rdata;
    size_t at = 0, len, used = 0;

    while (sighting != NULL && (len = answer_next_txt(&reading, sighting, &at, &rdata)) != 0) {
        text[used++] = '[';
        for (size_t i = 0; i < len; i += rdata[i] + 1u) {
            assert_true(used + rdata[i] + 4 < sizeof(text));
            memcpy(text + used, rdata + i + 1, rdata[i]);
            used += rdata[i];
        }
        text[used++] = ']';
    }
    text[used] = '\0';
    return text;
}

static void test_txt(void **state)
{
    char long_text[601];

    (void)state;
    begin(MESSAGE_AA, wire_type_txt);
    message_txt(&m, OWNER, 60, "one");
    message_txt(&m, "Shop.Example.Test", 60, "two");
    message_txt(&m, OWNER, 60, "");
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    message_txt(&m, OWNER, 60, long_text);
    assert_int_equal(read_it(), answer_telling);
    assert_int_equal(strlen(all_txt()), 2 + 5 + 5 + 2 + 600);
    assert_int_equal(strncmp(all_txt(), "[one][two][][xxx", 16), 0);
    assert_true(answer_of_qname(&reading)->txt);
    assert_int_equal(answer_of_qname(&reading)->txt_ttl_s, 60);
}

static void test_txt_of_others(void **state)
{
    (void)state;
    begin(MESSAGE_AA, wire_type_txt);
    message_txt(&m, "other.test", 60, "other");
    message_txt(&m, OWNER, 60, "mine");
    message_txt_in(&m, message_an, OWNER, 3, 60, "chaos");
    /* RDATA of no octets at all breaks RFC 1035 3.3.14: passed over */
    message_record_end(&m, message_record(&m, message_an, OWNER, wire_type_txt, wire_class_in, 60));
    add(message_an, OWNER, wire_type_ns);
    message_txt(&m, OWNER, 60, "too");
    assert_int_equal(read_it(), answer_telling);
    assert_string_equal(all_txt(), "[mine][too]");
    /* at the end of a chain stands another owner's */
    begin(MESSAGE_AA, wire_type_txt);
    message_cname(&m, OWNER, 60, "www.other.test");
    message_txt(&m, "www.other.test", 60, "other");
    assert_int_equal(read_it(), answer_telling);
    assert_true(answer_of_qname(&reading)->cname);
    assert_false(answer_of_qname(&reading)->txt);
    assert_string_equal(all_txt(), "");
}

static void test_txt_to_other_questions(void **state)
{
    (void)state;
    begin(MESSAGE_AA, wire_type_mx);
    message_mx(&m, OWNER, 60, 5, "mx.mail.test");
    message_txt(&m, OWNER, 60, "unasked");
    assert_int_equal(read_it(), answer_telling);
    assert_false(answer_of_qname(&reading)->txt);
    assert_string_equal(all_txt(), "");
    begin(MESSAGE_AA, wire_type_ns);
    message_txt(&m, OWNER, 60, "unasked");
    assert_int_equal(read_it(), answer_dull);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apex),          cmocka_unit_test(test_no_apex),
        cmocka_unit_test(test_unknown_cut),   cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_too_many),      cmocka_unit_test(test_txt),
        cmocka_unit_test(test_txt_of_others), cmocka_unit_test(test_txt_to_other_questions),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
