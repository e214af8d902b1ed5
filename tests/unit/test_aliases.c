/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Names that were seen to be aliases, and the answers to clients that hide them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/dnstap/aliases.h"

enum { type_a = 1, type_cname = 5, type_mx = 15 };
enum { noerror = 0, servfail = 2 };
#define NOW INT64_C(1700000000000)

static struct aliases aliases;
static uint8_t message[512];
static size_t message_len;

static void put(const void *octets, size_t len)
{
    assert_true(message_len + len <= sizeof(message));
    memcpy(message + message_len, octets, len);
    message_len += len;
}

/** A message about NUMBER.example, without records. */
static void begin(unsigned number, uint8_t type, uint8_t flags, uint8_t rcode, uint8_t answers)
{
    const uint8_t header[12] = {0, 1, flags, (uint8_t)(0x80 | rcode), 0, 1, 0, answers};
    uint8_t name[] = "\5     \7Example";
    const uint8_t question[] = {0, type, 0, 1};

    for (int i = 0; i < 5; i++)
        name[1 + i] = (uint8_t)('a' + (number >> 4 * i) % 16);
    message_len = 0;
    put(header, sizeof(header));
    put(name, sizeof(name));
    put(question, sizeof(question));
}

/** A record of the name that was asked, the root as its RDATA. */
static void put_record(uint8_t type, uint16_t ttl_s)
{
    const uint8_t record[] = {0xc0,           12, 0, type, 0, 1, 0, 0, (uint8_t)(ttl_s >> 8),
                              (uint8_t)ttl_s, 0,  1, 0};
    put(record, sizeof(record));
}

static void note(unsigned number, uint8_t type, uint16_t ttl_s)
{
    begin(number, type_a, 0x84, noerror, 1);
    put_record(type, ttl_s);
    aliases_note(&aliases, message, message_len, NOW);
}

static bool hides(unsigned number, uint8_t type, uint8_t flags, uint8_t rcode, mxclash_time now)
{
    size_t at, len;

    begin(number, type, flags, rcode, 0);
    if (!aliases_hide(&aliases, message, message_len, now, &at, &len))
        return false;
    assert_int_equal(at, 12);
    assert_int_equal(len, 15);
    return true;
}

static int setup(void **state)
{
    (void)state;
    memset(&aliases, 0, sizeof(aliases));
    aliases.seed = 42;
    return 0;
}

static void test_while_it_is_valid(void **state)
{
    (void)state;
    note(1, type_cname, 600);
    assert_true(hides(1, type_mx, 0x81, servfail, NOW));
    assert_true(hides(1, type_mx, 0x81, servfail, NOW + 599999));
    assert_false(hides(1, type_mx, 0x81, servfail, NOW + 600000));
    assert_false(hides(2, type_mx, 0x81, servfail, NOW));
}

static void test_what_hides_nothing(void **state)
{
    (void)state;
    note(1, type_cname, 600);
    assert_false(hides(1, type_a, 0x81, servfail, NOW));
    assert_false(hides(1, type_mx, 0x81, noerror, NOW));
    /* a question, and an answer that is cut short */
    assert_false(hides(1, type_mx, 0x01, servfail, NOW));
    assert_false(hides(1, type_mx, 0x83, servfail, NOW));
    assert_false(aliases_hide(&aliases, message, 11, NOW, &message_len, &message_len));
}

static void test_what_is_no_alias(void **state)
{
    (void)state;
    note(1, type_a, 600);
    note(2, type_cname, 0);
    /* a message that is no message */
    begin(3, type_a, 0x84, noerror, 1);
    aliases_note(&aliases, message, message_len, NOW);
    aliases_note(&aliases, message, 5, NOW);
    for (unsigned i = 1; i <= 3; i++)
        assert_false(hides(i, type_mx, 0x81, servfail, NOW));
}

static void test_behind_other_records_and_in_another_case(void **state)
{
    (void)state;
    begin(1, type_a, 0x84, noerror, 2);
    put_record(type_a, 600);
    put_record(type_cname, 600);
    aliases_note(&aliases, message, message_len, NOW);
    begin(1, type_mx, 0x81, servfail, 0);
    message[13] ^= 0x20;
    assert_true(aliases_hide(&aliases, message, message_len, NOW, &(size_t){0}, &(size_t){0}));
}

/** However many there are, the room is the same, and most of the last ones are known. */
static void test_many(void **state)
{
    unsigned known = 0;

    (void)state;
    for (unsigned i = 0; i < 4 * ALIASES_MAX; i++)
        note(i, type_cname, 600);
    for (unsigned i = 4 * ALIASES_MAX - 1000; i < 4 * ALIASES_MAX; i++)
        known += hides(i, type_mx, 0x81, servfail, NOW);
    assert_true(known > 900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_while_it_is_valid, setup),
        cmocka_unit_test_setup(test_what_hides_nothing, setup),
        cmocka_unit_test_setup(test_what_is_no_alias, setup),
        cmocka_unit_test_setup(test_behind_other_records_and_in_another_case, setup),
        cmocka_unit_test_setup(test_many, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
