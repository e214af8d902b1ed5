/* SPDX-License-Identifier: BSD-3-Clause */
/** \file One dnstap message, as the generated writer writes it and as no writer does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/dnstap/message.h"
#include "host/dnstap/take.h"
#include "tap.pb-c.h"

#define OCTETS(text)                                                                               \
    {                                                                                              \
        .len = sizeof(text) - 1, .data = (uint8_t *)(uintptr_t)(text)                              \
    }

static uint8_t frame[2048];

static size_t pack(Tap__Message *message)
{
    Tap__Frame outer = TAP__FRAME__INIT;
    outer.has_identity = outer.has_type = 1;
    outer.identity = (ProtobufCBinaryData)OCTETS("resolver.example");
    outer.type = 1;
    outer.message = message;
    const size_t len = tap__frame__pack(&outer, frame);
    assert_true(len <= sizeof(frame));
    return len;
}

static Tap__Message full_message(void)
{
    Tap__Message message = TAP__MESSAGE__INIT;
    message.has_type = message.has_socket_family = message.has_query_address = 1;
    message.has_response_address = message.has_response_port = message.has_query_port = 1;
    message.has_query_time_sec = message.has_query_time_nsec = message.has_query_message = 1;
    message.has_query_zone = message.has_response_time_sec = message.has_response_time_nsec = 1;
    message.has_response_message = 1;
    message.type = tap_resolver_response;
    message.socket_family = 1;
    message.query_address = (ProtobufCBinaryData)OCTETS("\x7f\0\0\1");
    message.response_address = (ProtobufCBinaryData)OCTETS("\xc0\0\2\1");
    message.query_port = 4242;
    message.response_port = 53;
    message.query_time_sec = 1700000000;
    message.query_time_nsec = 1;
    message.query_message = (ProtobufCBinaryData)OCTETS("a query");
    message.query_zone = (ProtobufCBinaryData)OCTETS("\7example");
    message.response_time_sec = 1700000001;
    message.response_time_nsec = 999999999;
    message.response_message = (ProtobufCBinaryData)OCTETS("an answer");
    return message;
}

static void check_octets(struct tap_octets octets, const char *wanted, size_t len)
{
    assert_int_equal(octets.len, len);
    assert_memory_equal(octets.at, wanted, len);
}

static void test_a_whole_message(void **state)
{
    struct tap_message read;
    Tap__Message message = full_message();
    const size_t len = pack(&message);
    (void)state;
    assert_true(tap_message_read(frame, len, &read));
    assert_int_equal(read.type, tap_resolver_response);
    check_octets(read.response, "an answer", 9);
    check_octets(read.query_zone, "\7example", 8);
    check_octets(read.response_address, "\xc0\0\2\1", 4);
    assert_int_equal(read.response_port, 53);
    assert_int_equal(read.response_time_s, 1700000001);
    assert_int_equal(read.response_time_ns, 999999999);
    assert_int_equal(take_time_of(frame, len), INT64_C(1700000001999));
}

/** Whatever is cut off, nothing is read beyond, and what is not whole is refused. */
static void test_cut_short(void **state)
{
    struct tap_message read;
    Tap__Message message = full_message();
    const size_t len = pack(&message);
    (void)state;
    for (size_t cut = 1; cut < len; cut++) {
        uint8_t *octets = malloc(cut);
        assert_non_null(octets);
        memcpy(octets, frame, cut);
        /* it may end between two fields of the frame, and is then whole, but lacks the message or
         * its type, which come last */
        if (tap_message_read(octets, cut, &read)) {
            assert_int_equal(read.type, 0);
        }
        free(octets);
    }
}

static void test_no_message_of_dns(void **state)
{
    struct tap_message read;
    Tap__Message message = full_message();
    Tap__Frame outer = TAP__FRAME__INIT;
    (void)state;
    assert_true(tap_message_read(frame, 0, &read));
    assert_int_equal(read.type, 0);
    outer.message = &message;
    outer.has_type = 1;
    outer.type = 2;
    assert_true(tap_message_read(frame, tap__frame__pack(&outer, frame), &read));
    assert_int_equal(read.type, 0);
    assert_null(read.response.at);
}

/** Frames that no writer writes. */
static const struct {
    const char *octets;
    size_t len;
} refused[] = {
#define REFUSED(text)                                                                              \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
    REFUSED("\x78"),                                           /* a tag alone */
    REFUSED("\x78\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\1"), /* a number of eleven octets */
    REFUSED("\xff\xff\xff\xff\xff\xff"),                       /* a tag of six */
    REFUSED("\x7b\1"),                                         /* a group */
    REFUSED("\x7e\1"),                                         /* no form at all */
    REFUSED("\x7a\1\1"),                                       /* the type as octets */
    REFUSED("\x72\5\x08\1"),                                   /* more octets than there are */
    REFUSED("\x72\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),     /* many more */
    REFUSED("\x70\1"),                                         /* the message as a number */
    REFUSED("\x72\2\x0a\1"),       /* inside, octets that are not there */
    REFUSED("\x72\2\x58\1"),       /* inside, the zone as a number */
    REFUSED("\x72\2\x68\1"),       /* inside, nanoseconds as a varint */
    REFUSED("\x11\1\2\3\4\5\6\7"), /* seven octets of eight */
    REFUSED("\x15\1\2\3"),         /* three of four */
};

static void test_refused(void **state)
{
    struct tap_message read;
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_false(tap_message_read((const uint8_t *)refused[i].octets, refused[i].len, &read));
    }
}

/** Fields that came later than this reader are passed over; of a field that comes twice the last
 * one counts, and two messages are one. */
static void test_unknown_fields_and_fields_that_come_twice(void **state)
{
    static const char octets[] = "\xa2\6\3xyz" /* field 100, octets */
                                 "\xa9\6"
                                 "12345678" /* 101, eight */
                                 "\xad\6"
                                 "1234"         /* 101, four */
                                 "\xb0\6\x96\1" /* 102, a number */
                                 "\x72\5\x08\4\x72\1a"
                                 "\x72\3\x72\1b"
                                 "\x78\1";
    struct tap_message read;
    (void)state;
    assert_true(tap_message_read((const uint8_t *)octets, sizeof(octets) - 1, &read));
    assert_int_equal(read.type, tap_resolver_response);
    check_octets(read.response, "b", 1);
}

static void test_times_that_no_clock_shows(void **state)
{
    Tap__Message message = full_message();
    (void)state;
    message.response_time_sec = UINT64_MAX;
    assert_int_equal(take_time_of(frame, pack(&message)), 0);
    message = full_message();
    message.response_time_nsec = 1000000000;
    assert_int_equal(take_time_of(frame, pack(&message)), 0);
    message.has_response_time_sec = message.has_response_time_nsec = 0;
    assert_int_equal(take_time_of(frame, pack(&message)), 0);
    assert_int_equal(take_time_of((const uint8_t *)"\x78", 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_message),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_no_message_of_dns),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_unknown_fields_and_fields_that_come_twice),
        cmocka_unit_test(test_times_that_no_clock_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
