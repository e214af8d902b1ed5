/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Frame Streams as a stranger may speak it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/dnstap/frames.h"

#define DNSTAP "protobuf:dnstap.Dnstap"

enum { accept = 1, start = 2, stop = 3, ready = 4, finish = 5 };

/** What came out of a stream. */
struct heard {
    struct frames frames;
    unsigned count;
    size_t octets;
    uint8_t last[FRAMES_MAX_OCTETS];
    size_t last_len;
    uint8_t reply[256];
    size_t reply_len;
};

/** What goes in. */
struct sent {
    uint8_t octets[2 * FRAMES_MAX_OCTETS];
    size_t len;
};

static struct heard heard;
static struct sent sent;

static void on_data(void *context, const uint8_t *frame, size_t len)
{
    struct heard *to = context;
    to->count++;
    to->octets += len;
    assert_true(len <= sizeof(to->last));
    memcpy(to->last, frame, len);
    to->last_len = len;
}

static void on_reply(void *context, const uint8_t *octets, size_t len)
{
    struct heard *to = context;
    assert_true(len <= FRAMES_REPLY_MAX && to->reply_len + len <= sizeof(to->reply));
    memcpy(to->reply + to->reply_len, octets, len);
    to->reply_len += len;
}

static const struct frames_sink socket_sink = {on_data, on_reply, &heard};
static const struct frames_sink file_sink = {on_data, NULL, &heard};

static void put(const void *octets, size_t len)
{
    assert_true(sent.len + len <= sizeof(sent.octets));
    memcpy(sent.octets + sent.len, octets, len);
    sent.len += len;
}

static void put_length(uint32_t length)
{
    const uint8_t octets[] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16),
                              (uint8_t)(length >> 8), (uint8_t)length};
    put(octets, sizeof(octets));
}

/** \param content  NULL = none */
static void put_control(uint32_t type, const char *content)
{
    const size_t len = content != NULL ? strlen(content) : 0;
    put_length(0);
    put_length((uint32_t)(4 + (content != NULL ? 8 + len : 0)));
    put_length(type);
    if (content != NULL) {
        put_length(1);
        put_length((uint32_t)len);
        put(content, len);
    }
}

static void put_data(const char *text)
{
    put_length((uint32_t)strlen(text));
    put(text, strlen(text));
}

/** Another sender, of whom nothing was heard. */
static void begin_anew(void)
{
    frames_free(&heard.frames);
    memset(&heard, 0, sizeof(heard));
}

static int setup(void **state)
{
    (void)state;
    memset(&heard, 0, sizeof(heard));
    sent.len = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    frames_free(&heard.frames);
    return 0;
}

/** Feed what was put, in pieces of so many octets. */
static bool feed(const struct frames_sink *sink, size_t piece)
{
    bool goes_on = true;
    for (size_t at = 0; at < sent.len && goes_on; at += piece) {
        /* a block of its own, so that a sanitizer sees each octet that is read beyond */
        const size_t len = piece < sent.len - at ? piece : sent.len - at;
        uint8_t *octets = malloc(len);
        assert_non_null(octets);
        memcpy(octets, sent.octets + at, len);
        goes_on = frames_feed(&heard.frames, octets, len, sink);
        free(octets);
    }
    sent.len = 0;
    return goes_on;
}

static void put_whole_stream(bool both_speak)
{
    if (both_speak) {
        put_control(ready, DNSTAP);
    }
    put_control(start, DNSTAP);
    put_data("one");
    put_data("another");
    put_data("x");
    put_control(stop, NULL);
}

static uint32_t length_at(const uint8_t *octets)
{
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 |
           octets[3];
}

static void test_both_sides_speak(void **state)
{
    (void)state;
    put_whole_stream(true);
    const size_t len = sent.len;
    /* in pieces of every size: a frame may be torn anywhere */
    for (size_t piece = 1; piece <= len; piece++) {
        begin_anew();
        sent.len = 0;
        put_whole_stream(true);
        assert_false(feed(&socket_sink, piece));
        assert_int_equal(heard.frames.state, frames_stopped);
        assert_int_equal(heard.count, 3);
        assert_int_equal(heard.octets, 11);
        assert_memory_equal(heard.last, "x", 1);
        /* ACCEPT with the content, FINISH without */
        assert_int_equal(heard.reply_len, 8 + 4 + 8 + strlen(DNSTAP) + 8 + 4);
        assert_int_equal(length_at(heard.reply + 8), accept);
        assert_memory_equal(heard.reply + 20, DNSTAP, strlen(DNSTAP));
        assert_int_equal(length_at(heard.reply + heard.reply_len - 4), finish);
        assert_false(frames_is_torn(&heard.frames));
    }
}

static void test_the_sender_speaks_alone(void **state)
{
    (void)state;
    put_whole_stream(false);
    assert_false(feed(&socket_sink, 7));
    assert_int_equal(heard.frames.state, frames_stopped);
    assert_int_equal(heard.count, 3);
    assert_int_equal(heard.reply_len, 0);
}

static void test_what_comes_behind_stop_is_passed_over(void **state)
{
    (void)state;
    put_whole_stream(false);
    put_data("late");
    assert_false(feed(&socket_sink, sizeof(sent.octets)));
    assert_int_equal(heard.count, 3);
}

static void test_a_file(void **state)
{
    (void)state;
    put_whole_stream(false);
    assert_false(feed(&file_sink, 5));
    assert_int_equal(heard.frames.state, frames_stopped);
    assert_int_equal(heard.count, 3);
}

static void test_nobody_can_be_answered_in_a_file(void **state)
{
    (void)state;
    put_whole_stream(true);
    assert_false(feed(&file_sink, sizeof(sent.octets)));
    assert_int_equal(heard.frames.state, frames_broken);
}

static void test_a_content_of_several(void **state)
{
    (void)state;
    put_length(0);
    put_length((uint32_t)(4 + 8 + 5 + 8 + strlen(DNSTAP)));
    put_length(ready);
    put_length(1);
    put_length(5);
    put("other", 5);
    put_length(1);
    put_length((uint32_t)strlen(DNSTAP));
    put(DNSTAP, strlen(DNSTAP));
    assert_true(feed(&socket_sink, sizeof(sent.octets)));
    assert_int_equal(heard.frames.state, frames_accepted);
}

static void test_other_content(void **state)
{
    (void)state;
    put_control(ready, "protobuf:something.Else");
    assert_false(feed(&socket_sink, sizeof(sent.octets)));
    assert_int_equal(heard.frames.state, frames_other_content);
    assert_int_equal(heard.reply_len, 0);
    begin_anew();
    put_control(start, "protobuf:something.Else");
    assert_false(feed(&socket_sink, sizeof(sent.octets)));
    assert_int_equal(heard.frames.state, frames_other_content);
}

/** Streams that break the protocol, each by its last frame. */
static void test_broken_streams(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        begin_anew();
        sent.len = 0;
        switch (i) {
        case 0: /* data before START */
            put_data("early");
            break;
        case 1:
            put_control(ready, DNSTAP);
            put_data("early");
            break;
        case 2: /* READY twice: each would cost a reply */
            put_control(ready, DNSTAP);
            put_control(ready, DNSTAP);
            break;
        case 3:
            put_control(start, DNSTAP);
            put_control(start, DNSTAP);
            break;
        case 4:
            put_control(start, DNSTAP);
            put_control(ready, DNSTAP);
            break;
        case 5:
            put_control(stop, NULL);
            break;
        case 6: /* ours to say */
            put_control(accept, DNSTAP);
            break;
        case 7: /* no such control frame */
            put_control(99, NULL);
            break;
        case 8: /* a control frame without a type */
            put_length(0);
            put_length(0);
            break;
        case 9: /* a control frame longer than any */
            put_length(0);
            put_length(513);
            break;
        }
        assert_false(feed(&socket_sink, sizeof(sent.octets)));
        assert_int_equal(heard.frames.state, frames_broken);
        assert_int_equal(heard.count, 0);
    }
}

static void test_the_longest_frame(void **state)
{
    static uint8_t octets[FRAMES_MAX_OCTETS];
    (void)state;
    put_control(start, DNSTAP);
    put_length(FRAMES_MAX_OCTETS);
    put(octets, sizeof(octets));
    assert_true(feed(&socket_sink, 1000));
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.last_len, FRAMES_MAX_OCTETS);
    assert_int_equal(heard.frames.rest_room, 0);
}

static void test_a_frame_that_is_too_long(void **state)
{
    (void)state;
    put_control(start, DNSTAP);
    put_length(FRAMES_MAX_OCTETS + 1);
    assert_false(feed(&socket_sink, 1));
    assert_int_equal(heard.frames.state, frames_too_long);
    begin_anew();
    put_control(start, DNSTAP);
    put_length(UINT32_MAX);
    assert_false(feed(&socket_sink, sizeof(sent.octets)));
    assert_int_equal(heard.frames.state, frames_too_long);
}

/** A length is a claim: memory is taken for what has come. */
static void test_a_claim_takes_no_memory(void **state)
{
    (void)state;
    put_control(start, DNSTAP);
    put_length(FRAMES_MAX_OCTETS);
    put("abc", 3);
    assert_true(feed(&socket_sink, sizeof(sent.octets)));
    assert_true(frames_is_torn(&heard.frames));
    assert_true(heard.frames.rest_room <= 1024);
}

static void test_words(void **state)
{
    (void)state;
    for (int i = frames_first; i <= frames_no_memory; i++) {
        assert_string_not_equal(frames_state_text((enum frames_state)i), "?");
    }
    assert_string_equal(frames_state_text((enum frames_state)99), "?");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_both_sides_speak),
        TEST(test_the_sender_speaks_alone),
        TEST(test_what_comes_behind_stop_is_passed_over),
        TEST(test_a_file),
        TEST(test_nobody_can_be_answered_in_a_file),
        TEST(test_a_content_of_several),
        TEST(test_other_content),
        TEST(test_broken_streams),
        TEST(test_the_longest_frame),
        TEST(test_a_frame_that_is_too_long),
        TEST(test_a_claim_takes_no_memory),
        TEST(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
