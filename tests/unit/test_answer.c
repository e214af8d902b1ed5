/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of what one answer says: bailiwick, aliases, chains, MX sets, what does not count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/dns/answer.h"
#include "core/dns/glance.h"
#include "message.h"

static struct message m;
static struct answer_reading reading;
static uint8_t *exact;

/** Read m as an answer of a zone's server; NULL: zone unknown. */
static enum answer_worth read_from(const char *zone)
{
    struct wire_name cut = {.len = 0};
    struct mxclash_answer answer = {.struct_size = sizeof(answer), .message_len = m.len};
    enum answer_worth worth;
    size_t qname_len;

    free(exact);
    exact = message_exact(m.octets, m.len);
    answer.message = exact;
    if (zone != NULL) {
        cut = wire_name_of(zone);
        answer.zone = cut.octets;
        answer.zone_len = cut.len;
    }
    worth = answer_read(&answer, &reading);
    /* what the first look lets pass the second must not find anything in */
    if (glance_is_dull(answer.message, answer.message_len, &qname_len))
        assert_int_equal(worth, answer_dull);
    assert_true(qname_len == 0 || qname_len == reading.message.qname_len);
    return worth;
}

static int teardown(void **state)
{
    (void)state;
    free(exact);
    exact = NULL;
    return 0;
}

static const struct sighting *sighting_of(const char *owner)
{
    struct wire_name name = wire_name_of(owner);

    for (size_t i = 0; i < reading.count; i++)
        if (reading.sightings[i].owner_len == name.len &&
            memcmp(reading.sightings[i].owner, name.octets, name.len) == 0)
            return &reading.sightings[i];
    return NULL;
}

static void assert_target(const struct sighting *sighting, const char *target)
{
    uint8_t octets[MXCLASH_NAME_MAX];
    char text[MXCLASH_NAME_TEXT_MAX];

    assert_int_equal(mxclash_name_to_text(octets, answer_target(&reading, sighting, octets), text),
                     mxclash_ok);
    assert_string_equal(text, target);
}

/** Hold an MX set against a text as "5 a.test, 10 b.test". */
static void assert_mx(const struct sighting *sighting, const char *wanted)
{
    struct mxclash_mx mx[MXCLASH_MX_MAX];
    size_t count = answer_mx_set(&reading, sighting, mx);
    char text[8192] = "";

    for (size_t i = 0; i < count; i++) {
        char name[MXCLASH_NAME_TEXT_MAX];

        assert_int_equal(mxclash_name_to_text(mx[i].exchange, mx[i].exchange_len, name),
                         mxclash_ok);
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d %s", i == 0 ? "" : ", ",
                 mx[i].preference, name);
    }
    assert_string_equal(text, wanted);
}

static void test_both_in_one_answer(void **state)
{
    const struct sighting *sighting;

    (void)state;
    for (int compress = 0; compress <= 1; compress++) {
        message_begin(&m, MESSAGE_AA, "split.test", wire_type_mx);
        m.compress = compress;
        message_cname(&m, "split.test", 600, "www.cdn.test");
        message_mx(&m, "split.test", 300, 5, "mx1.qiye.aliyun.com");
        message_mx(&m, "split.test", 200, 10, "mx2.qiye.aliyun.com");
        assert_int_equal(read_from("test"), answer_telling);
        assert_int_equal(reading.count, 1);
        sighting = answer_of_qname(&reading);
        assert_ptr_equal(sighting, sighting_of("split.test"));
        assert_true(sighting->cname && sighting->mx && sighting->is_qname);
        assert_int_equal(sighting->cname_ttl_s, 600);
        assert_int_equal(sighting->mx_ttl_s, 200);
        assert_target(sighting, "www.cdn.test");
        assert_mx(sighting, "5 mx1.qiye.aliyun.com, 10 mx2.qiye.aliyun.com");
    }
}

static void test_mixed_case(void **state)
{
    const struct sighting *sighting;

    (void)state;
    message_begin(&m, MESSAGE_AA, "SpLiT.tEsT", wire_type_mx);
    message_cname(&m, "split.TEST", 600, "WWW.cdn.Test");
    message_mx(&m, "SPLIT.test", 600, 5, "MX.Test");
    assert_int_equal(read_from("TEST"), answer_telling);
    assert_int_equal(reading.count, 1);
    sighting = answer_of_qname(&reading);
    assert_non_null(sighting);
    assert_true(sighting->cname && sighting->mx);
    assert_memory_equal(sighting->owner, "\5split\4test", 12);
    assert_target(sighting, "www.cdn.test");
    assert_mx(sighting, "5 mx.test");
}

static void test_dull(void **state)
{
    (void)state;
    message_begin(&m, MESSAGE_AA, "split.test", wire_type_a);
    message_a(&m, "split.test", 600);
    assert_int_equal(read_from("test"), answer_dull);
    /* CNAME and MX in the authority section say nothing */
    message_begin(&m, MESSAGE_AA, "split.test", wire_type_a);
    message_record_end(
        &m, message_record(&m, message_ns, "split.test", wire_type_mx, wire_class_in, 1));
    assert_int_equal(read_from("test"), answer_dull);
    message_header(&m, MESSAGE_QR | MESSAGE_AA);
    message_mx(&m, "split.test", 600, 5, "mx.test");
    assert_int_equal(read_from("test"), answer_dull);
}

static void test_what_does_not_count(void **state)
{
    static const unsigned flags[] = {
        0,                       /* a query */
        MESSAGE_QR | 4 << 11,    /* NOTIFY */
        MESSAGE_QR | 5 << 11,    /* UPDATE */
        MESSAGE_QR | MESSAGE_TC, /* cut */
        MESSAGE_QR | MESSAGE_SERVFAIL,
        MESSAGE_QR | MESSAGE_REFUSED,
        MESSAGE_QR | MESSAGE_AA | MESSAGE_TC | MESSAGE_NXDOMAIN,
    };

    (void)state;
    for (size_t i = 0; i <= sizeof(flags) / sizeof(flags[0]); i++) {
        message_begin(&m, 0, "split.test", wire_type_mx);
        message_cname(&m, "split.test", 600, "www.cdn.test");
        message_mx(&m, "split.test", 600, 5, "mx.test");
        /* one round with nothing wrong: the others differ from it in the flags only */
        if (i != 0)
            message_patch16(&m, 2, flags[i - 1]);
        assert_int_equal(read_from("test"), i == 0 ? answer_telling : answer_dull);
        assert_int_equal(answer_counts(&reading.message), i == 0);
        assert_int_equal(answer_is_negative(&reading, true), i == 0);
    }
}

static void test_other_classes(void **state)
{
    size_t rdata;

    (void)state;
    /* asked in class CH */
    message_begin_class(&m, MESSAGE_QR | MESSAGE_AA, "split.test", wire_type_mx, 3);
    message_mx(&m, "split.test", 600, 5, "mx.test");
    assert_int_equal(read_from("test"), answer_dull);
    /* a record of class CH in an answer of class IN */
    message_begin(&m, MESSAGE_AA, "split.test", wire_type_mx);
    message_cname(&m, "split.test", 600, "www.cdn.test");
    rdata = message_record(&m, message_an, "split.test", wire_type_mx, 3, 600);
    message_u16(&m, 5);
    message_name(&m, "mx.test");
    message_record_end(&m, rdata);
    assert_int_equal(read_from("test"), answer_telling);
    assert_true(sighting_of("split.test")->cname);
    assert_false(sighting_of("split.test")->mx);
    assert_mx(sighting_of("split.test"), "");
}

static void test_bailiwick(void **state)
{
    (void)state;
    message_begin(&m, MESSAGE_AA, "a.evil.test", wire_type_a);
    message_cname(&m, "a.evil.test", 600, "bank.test");
    message_cname(&m, "bank.test", 600, "www.evil.test");
    message_mx(&m, "bank.test", 600, 5, "mx.evil.test");
    message_mx(&m, "notevil.test", 600, 5, "mx.evil.test");
    assert_int_equal(read_from("evil.test"), answer_telling);
    assert_int_equal(reading.count, 1);
    assert_non_null(sighting_of("a.evil.test"));
    assert_int_equal(read_from("test"), answer_telling);
    assert_int_equal(reading.count, 3);
    assert_int_equal(read_from("."), answer_telling);
    assert_int_equal(reading.count, 3);
    assert_int_equal(read_from("deeper.a.evil.test"), answer_dull);
    /* zone unknown: only the name that was asked */
    assert_int_equal(read_from(NULL), answer_telling);
    assert_int_equal(reading.count, 1);
    assert_true(sighting_of("a.evil.test")->is_qname);
}

static void test_chain(void **state)
{
    (void)state;
    message_begin(&m, MESSAGE_AA, "one.test", wire_type_mx);
    message_cname(&m, "one.test", 60, "two.test");
    message_cname(&m, "two.test", 50, "three.test");
    message_mx(&m, "three.test", 40, 5, "mx.test");
    assert_int_equal(read_from("test"), answer_telling);
    assert_int_equal(reading.count, 3);
    assert_true(sighting_of("one.test")->cname && sighting_of("two.test")->cname);
    assert_false(sighting_of("one.test")->mx || sighting_of("two.test")->mx);
    assert_true(sighting_of("three.test")->mx);
    assert_false(sighting_of("three.test")->cname);
    assert_ptr_equal(answer_of_qname(&reading), sighting_of("one.test"));
    assert_target(sighting_of("two.test"), "three.test");
}

/** RFC 6604: the rcode speaks of the end of the chain. */
static void test_nxdomain_at_the_end_of_a_chain(void **state)
{
    (void)state;
    message_begin(&m, MESSAGE_AA | MESSAGE_NXDOMAIN, "split.test", wire_type_mx);
    message_cname(&m, "split.test", 600, "gone.test");
    message_soa(&m, "test");
    assert_int_equal(read_from("test"), answer_telling);
    assert_true(answer_of_qname(&reading)->cname);
}

static void test_long_chain_is_cut(void **state)
{
    char owner[32], target[32];

    (void)state;
    message_begin(&m, MESSAGE_AA, "n0.test", wire_type_a);
    for (int i = 0; i < 100; i++) {
        snprintf(owner, sizeof(owner), "n%d.test", i);
        snprintf(target, sizeof(target), "n%d.test", i + 1);
        message_cname(&m, owner, 600, target);
    }
    assert_int_equal(read_from("test"), answer_telling);
    assert_int_equal(reading.count, ANSWER_OWNERS_MAX);
    assert_ptr_equal(answer_of_qname(&reading), sighting_of("n0.test"));
}

static void test_synthesised_from_dname(void **state)
{
    (void)state;
    message_begin(&m, MESSAGE_AA, "a.old.test", wire_type_mx);
    message_dname(&m, "old.test", 600, "new.test");
    message_cname(&m, "a.old.test", 600, "a.new.test");
    assert_int_equal(read_from("test"), answer_dull);
    /* in whatever order and case they come */
    message_begin(&m, MESSAGE_AA, "a.old.test", wire_type_mx);
    message_cname(&m, "a.old.test", 600, "a.new.test");
    message_dname(&m, "OLD.test", 600, "new.test");
    assert_int_equal(read_from("test"), answer_dull);
    /* the CNAME at the DNAME's own owner is no child of it, nor is one elsewhere */
    message_begin(&m, MESSAGE_AA, "x.test", wire_type_mx);
    message_dname(&m, "old.test", 600, "new.test");
    message_cname(&m, "x.test", 600, "a.old.test");
    message_cname(&m, "bold.test", 600, "x.test");
    message_cname(&m, "old.test", 600, "x.test");
    message_cname(&m, "a.old.test", 600, "a.new.test");
    assert_int_equal(read_from("test"), answer_telling);
    assert_int_equal(reading.count, 3);
    assert_null(sighting_of("a.old.test"));
}

static void test_null_mx(void **state)
{
    (void)state;
    message_begin(&m, MESSAGE_AA, "nomail.test", wire_type_mx);
    message_mx(&m, "nomail.test", 600, 0, ".");
    assert_int_equal(read_from("test"), answer_dull);
    assert_true(answer_is_negative(&reading, false));
    /* beside another (RFC 7505 3 forbids it) it says nothing */
    message_mx(&m, "nomail.test", 600, 5, "mx.test");
    assert_int_equal(read_from("test"), answer_telling);
    assert_mx(answer_of_qname(&reading), "5 mx.test");
}

static void test_mx_order(void **state)
{
    (void)state;
    message_begin(&m, MESSAGE_AA, "a.test", wire_type_mx);
    message_mx(&m, "a.test", 600, 65535, "last.test");
    message_mx(&m, "a.test", 600, 10, "bb.test");
    message_mx(&m, "other.test", 600, 1, "other.test");
    message_mx(&m, "A.test", 600, 10, "AA.test");
    message_mx(&m, "a.test", 600, 0, "first.test");
    message_mx(&m, "a.test", 600, 10, "aa.TEST");
    assert_int_equal(read_from("test"), answer_telling);
    /* the same record twice counts once (RFC 2181 5) */
    assert_mx(sighting_of("a.test"), "0 first.test, 10 aa.test, 10 bb.test, 65535 last.test");
    assert_mx(sighting_of("other.test"), "1 other.test");
}

/** Owners that were not asked for, their records in a jumble; a DNAME takes one owner's CNAME away.
 */
static void test_mx_of_others(void **state)
{
    (void)state;
    message_begin(&m, MESSAGE_AA, "zone.test", wire_type_mx);
    message_dname(&m, "gone.zone.test", 60, "elsewhere.test");
    message_cname(&m, "a.gone.zone.test", 60, "a.elsewhere.test");
    message_mx(&m, "b.zone.test", 60, 20, "b2.test");
    message_mx(&m, "c.zone.test", 60, 5, "c1.test");
    message_mx(&m, "zone.test", 60, 7, "own.test");
    message_mx(&m, "b.zone.test", 60, 10, "b1.test");
    message_mx(&m, "C.zone.test", 60, 15, "c2.test");
    message_mx(&m, "b.zone.test", 60, 30, "b3.test");
    assert_int_equal(read_from("zone.test"), answer_telling);
    assert_int_equal(reading.count, 3);
    assert_mx(sighting_of("b.zone.test"), "10 b1.test, 20 b2.test, 30 b3.test");
    assert_mx(sighting_of("c.zone.test"), "5 c1.test, 15 c2.test");
    assert_mx(sighting_of("zone.test"), "7 own.test");
}

/** Twenty of them, turned as servers do: the same sixteen are kept. */
static void test_many_mx(void **state)
{
    static struct mxclash_mx first[MXCLASH_MX_MAX], set[MXCLASH_MX_MAX];

    (void)state;
    for (int turn = 0; turn < 20; turn++) {
        message_begin(&m, MESSAGE_AA, "a.test", wire_type_mx);
        for (int i = 0; i < 20; i++) {
            int number = (i + turn) % 20;
            char exchange[32];

            snprintf(exchange, sizeof(exchange), "mx%02d.test", number);
            message_mx(&m, "a.test", 600, (uint16_t)number, exchange);
        }
        assert_int_equal(read_from("test"), answer_telling);
        memset(set, 0xee, sizeof(set));
        assert_int_equal(answer_mx_set(&reading, answer_of_qname(&reading), set), MXCLASH_MX_MAX);
        if (turn == 0)
            memcpy(first, set, sizeof(set));
        assert_memory_equal(set, first, sizeof(set));
    }
    assert_int_equal(set[0].preference, 0);
    assert_int_equal(set[15].preference, 15);
}

/** A message full of records that cost: only so many are looked at, and it stays well-formed. */
static void test_no_end_of_records(void **state)
{
    struct mxclash_mx mx[MXCLASH_MX_MAX];

    (void)state;
    message_begin(&m, MESSAGE_AA, "a.test", wire_type_mx);
    m.compress = true;
    for (int i = 0; i < 3000; i++)
        message_mx(&m, "a.test", 600, (uint16_t)(3000 - i), "mx.test");
    message_cname(&m, "a.test", 600, "b.test");
    assert_int_equal(read_from("test"), answer_telling);
    assert_false(answer_of_qname(&reading)->cname);
    assert_int_equal(answer_mx_set(&reading, answer_of_qname(&reading), mx), MXCLASH_MX_MAX);
    assert_int_equal(mx[0].preference, 3000 - (ANSWER_RECORDS_MAX - 1));
}

static void test_negative(void **state)
{
    (void)state;
    message_begin(&m, MESSAGE_AA, "a.test", wire_type_mx);
    assert_int_equal(read_from("test"), answer_dull);
    assert_true(answer_is_negative(&reading, false));
    /* a referral, from a forwarder or not */
    message_begin(&m, 0, "a.test", wire_type_mx);
    message_referral(&m, "a.test");
    assert_int_equal(read_from("test"), answer_dull);
    assert_false(answer_is_negative(&reading, false));
    assert_false(answer_is_negative(&reading, true));
    /* lame: nothing at all; only a forwarder may say so */
    message_begin(&m, 0, "a.test", wire_type_mx);
    assert_int_equal(read_from("test"), answer_dull);
    assert_false(answer_is_negative(&reading, false));
    assert_true(answer_is_negative(&reading, true));
    message_soa(&m, "test");
    assert_int_equal(read_from("test"), answer_dull);
    assert_true(answer_is_negative(&reading, false));
    message_begin(&m, MESSAGE_AA | MESSAGE_NXDOMAIN, "a.test", wire_type_mx);
    assert_int_equal(read_from("test"), answer_dull);
    assert_true(answer_is_negative(&reading, false));
    /* the authority section is not what its count says */
    message_patch16(&m, message_ns, 1);
    assert_int_equal(read_from("test"), answer_dull);
    assert_false(answer_is_negative(&reading, false));
}

static void test_ttl_of_the_top_bit(void **state)
{
    (void)state;
    message_begin(&m, MESSAGE_AA, "a.test", wire_type_mx);
    message_cname(&m, "a.test", 0x80000001, "b.test");
    message_mx(&m, "a.test", 0xffffffff, 5, "mx.test");
    message_mx(&m, "a.test", 7, 6, "mx.test");
    assert_int_equal(read_from("test"), answer_telling);
    assert_int_equal(answer_of_qname(&reading)->cname_ttl_s, 0);
    assert_int_equal(answer_of_qname(&reading)->mx_ttl_s, 0);
}

/** Every prefix is malformed; so is every name or length that does not hold. */
static void test_malformed(void **state)
{
    size_t whole;

    (void)state;
    message_begin(&m, MESSAGE_AA, "a.test", wire_type_mx);
    m.compress = true;
    message_cname(&m, "a.test", 60, "b.test");
    message_mx(&m, "a.test", 60, 5, "mx.test");
    whole = m.len;
    assert_int_equal(read_from("test"), answer_telling);
    for (m.len = 0; m.len < whole; m.len++)
        assert_int_equal(read_from("test"), answer_malformed);
    /* the exchange's pointer made one to itself */
    m.len = whole;
    message_patch16(&m, whole - 2, 0xc000 | (whole - 2));
    assert_int_equal(read_from("test"), answer_malformed);
    /* MX too short for a name */
    message_begin(&m, MESSAGE_AA, "a.test", wire_type_mx);
    message_record_end(&m,
                       message_record(&m, message_an, "a.test", wire_type_mx, wire_class_in, 1));
    assert_int_equal(read_from("test"), answer_malformed);
    /* no CNAME target */
    message_begin(&m, MESSAGE_AA, "a.test", wire_type_mx);
    message_record_end(&m,
                       message_record(&m, message_an, "a.test", wire_type_cname, wire_class_in, 1));
    assert_int_equal(read_from("test"), answer_malformed);
}

/** Which copy of which zone speaks. */
static void test_serial(void **state)
{
    static const struct {
        unsigned flags;
        enum message_section section;
        const char *zone;
        bool tells;
    } cases[] = {
        {MESSAGE_AA, message_ns, "shop.test", true},
        {MESSAGE_AA, message_an, "a.shop.test", true},
        {MESSAGE_AA | MESSAGE_NXDOMAIN, message_ns, "test", true},
        {0, message_ns, "shop.test", false},
        /* of the end of a chain, of another section */
        {MESSAGE_AA, message_ns, "cdn.test", false},
        {MESSAGE_AA, message_ns, "x.a.shop.test", false},
        {MESSAGE_AA, message_ar, "shop.test", false},
    };
    struct wire_name owner = wire_name_of("a.shop.test");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t zone_len = 0;
        uint32_t serial = 0;

        message_begin(&m, cases[i].flags, "a.shop.test", wire_type_txt);
        message_soa_in(&m, cases[i].section, cases[i].zone, 0x89abcdefu);
        read_from("test");
        assert_int_equal(answer_serial(&reading, owner.octets, owner.len, &zone_len, &serial),
                         cases[i].tells);
        if (cases[i].tells) {
            assert_int_equal(serial, 0x89abcdefu);
            assert_int_equal(zone_len, wire_name_of(cases[i].zone).len);
        }
    }
}

/** RDATA that is too short for a SOA has no serial; nothing is read behind it. */
static void test_serial_of_a_short_soa(void **state)
{
    struct wire_name owner = wire_name_of("shop.test");

    (void)state;
    for (size_t octets = 0; octets < 22; octets++) {
        static const uint8_t rdata[22] = {0};
        uint8_t zone_len;
        uint32_t serial;
        size_t record;

        message_begin(&m, MESSAGE_AA, "shop.test", wire_type_txt);
        record = message_record(&m, message_ns, "shop.test", wire_type_soa, wire_class_in, 300);
        message_octets(&m, rdata, octets);
        message_record_end(&m, record);
        read_from("shop.test");
        assert_false(answer_serial(&reading, owner.octets, owner.len, &zone_len, &serial));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_in_one_answer),
        cmocka_unit_test(test_mixed_case),
        cmocka_unit_test(test_dull),
        cmocka_unit_test(test_what_does_not_count),
        cmocka_unit_test(test_other_classes),
        cmocka_unit_test(test_bailiwick),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_nxdomain_at_the_end_of_a_chain),
        cmocka_unit_test(test_long_chain_is_cut),
        cmocka_unit_test(test_synthesised_from_dname),
        cmocka_unit_test(test_null_mx),
        cmocka_unit_test(test_mx_order),
        cmocka_unit_test(test_mx_of_others),
        cmocka_unit_test(test_many_mx),
        cmocka_unit_test(test_no_end_of_records),
        cmocka_unit_test(test_negative),
        cmocka_unit_test(test_serial),
        cmocka_unit_test(test_serial_of_a_short_soa),
        cmocka_unit_test(test_ttl_of_the_top_bit),
        cmocka_unit_test(test_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
