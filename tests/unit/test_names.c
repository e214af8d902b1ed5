/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of wire names and their text: limits, escapes, case, suffixes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/dns/names.h"
#include "message.h"

/** Text of labels of the given length, joined by dots, total wire octets with the root. */
static void long_text(char *text, size_t wire_octets)
{
    size_t left = wire_octets - 1;

    while (left > 0) {
        size_t label = left > 64 ? 63 : left - 1;

        /* no label may be left with nothing in it */
        if (left - label - 1 == 1)
            label--;
        memset(text, 'x', label);
        text += label;
        left -= label + 1;
        *text++ = left > 0 ? '.' : '\0';
    }
}

static enum mxclash_status from_text(const char *text)
{
    uint8_t name[MXCLASH_NAME_MAX];
    size_t len;

    return mxclash_name_from_text(text, name, &len);
}

static void test_from_text(void **state)
{
    struct wire_name name;

    (void)state;
    name = wire_name_of("Split.Test");
    assert_int_equal(name.len, 12);
    assert_memory_equal(name.octets, "\5split\4test", 12);
    name = wire_name_of("split.test.");
    assert_int_equal(name.len, 12);
    name = wire_name_of(".");
    assert_int_equal(name.len, 1);
    assert_int_equal(name.octets[0], 0);
    name = wire_name_of("a\\.b.c\\065\\000");
    assert_int_equal(name.len, 9);
    assert_memory_equal(name.octets, "\3a.b\3ca\0", 9);
    name = wire_name_of("\\\\");
    assert_memory_equal(name.octets, "\1\\", 3);
}

static void test_from_text_refuses(void **state)
{
    static const char *const broken[] = {"",        "..",     ".a",       "a..b",    "a..",
                                         "\\",      "a\\",    "\\1",      "\\12",    "\\256",
                                         "\\999.x", "\\1x2a", "x.\\00.y", "\\2 5.x", ".."};

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        assert_int_equal(from_text(broken[i]), mxclash_malformed);
}

static void test_limits_of_text(void **state)
{
    char text[MXCLASH_NAME_TEXT_MAX];

    (void)state;
    memset(text, 'a', 64);
    text[63] = '\0';
    assert_int_equal(from_text(text), mxclash_ok);
    text[63] = 'a';
    text[64] = '\0';
    assert_int_equal(from_text(text), mxclash_malformed);
    for (size_t octets = 3; octets <= MXCLASH_NAME_MAX; octets++) {
        long_text(text, octets);
        assert_int_equal(wire_name_of(text).len, octets);
    }
    for (size_t octets = MXCLASH_NAME_MAX + 1; octets < MXCLASH_NAME_MAX + 70; octets++) {
        long_text(text, octets);
        assert_int_equal(from_text(text), mxclash_malformed);
    }
}

static void test_to_text(void **state)
{
    static const uint8_t odd[] = "\6A \"\\.\xff\1*\2_-";
    char text[MXCLASH_NAME_TEXT_MAX];
    uint8_t worst[MXCLASH_NAME_MAX];
    size_t at = 0;

    (void)state;
    assert_int_equal(mxclash_name_to_text(odd, sizeof(odd), text), mxclash_ok);
    assert_string_equal(text, "a\\032\\034\\092\\046\\255.*._-");
    assert_int_equal(mxclash_name_to_text((const uint8_t *)"", 1, text), mxclash_ok);
    assert_string_equal(text, ".");
    /* the longest text there can be still fits */
    for (size_t left = MXCLASH_NAME_MAX - 1; left > 0;) {
        size_t label = left > 64 ? 63 : left - 1;

        worst[at] = (uint8_t)label;
        memset(worst + at + 1, 0xff, label);
        at += label + 1;
        left -= label + 1;
    }
    worst[at++] = 0;
    assert_int_equal(at, MXCLASH_NAME_MAX);
    memset(text, 'x', sizeof(text));
    assert_int_equal(mxclash_name_to_text(worst, at, text), mxclash_ok);
    assert_int_equal(strlen(text), 250 * 4 + 3);
}

static void test_to_text_refuses(void **state)
{
    char text[MXCLASH_NAME_TEXT_MAX] = "x";

    (void)state;
    assert_int_equal(mxclash_name_to_text((const uint8_t *)"\1a", 2, text), mxclash_malformed);
    assert_string_equal(text, "");
}

/** What is written as text is read back as the same name, for every octet. */
static void test_round_trip(void **state)
{
    (void)state;
    for (unsigned octet = 0; octet < 256; octet++) {
        uint8_t name[] = {2, 'x', (uint8_t)octet, 1, 'y', 0};
        uint8_t lower[sizeof(name)];
        char text[MXCLASH_NAME_TEXT_MAX];
        struct wire_name back;

        assert_int_equal(mxclash_name_to_text(name, sizeof(name), text), mxclash_ok);
        back = wire_name_of(text);
        name_lower(lower, name, sizeof(name));
        assert_int_equal(back.len, sizeof(name));
        assert_memory_equal(back.octets, lower, sizeof(name));
    }
}

static bool valid(const char *octets, size_t len)
{
    uint8_t *exact = message_exact((const uint8_t *)octets, len);
    bool result = name_valid(exact, len);

    free(exact);
    return result;
}

static void test_valid(void **state)
{
    char label[66];
    char text[MXCLASH_NAME_TEXT_MAX];
    struct wire_name name;
    uint8_t long_name[MXCLASH_NAME_MAX + 1];

    (void)state;
    assert_true(valid("", 1));
    assert_true(valid("\1a", 3));
    assert_false(valid("", 0));
    assert_false(valid("\1a", 2));
    assert_false(valid("\1a\0\0", 4));
    assert_false(valid("\2a", 3));
    assert_false(valid("\300\14", 2));
    memset(label, 'x', sizeof(label));
    label[0] = 63;
    label[64] = 0;
    assert_true(valid(label, 65));
    label[0] = 64;
    label[65] = 0;
    assert_false(valid(label, 66));
    long_text(text, MXCLASH_NAME_MAX);
    name = wire_name_of(text);
    assert_true(name_valid(name.octets, name.len));
    long_name[0] = 1;
    long_name[1] = 'a';
    long_text(text, MXCLASH_NAME_MAX - 1);
    name = wire_name_of(text);
    memcpy(long_name + 2, name.octets, name.len);
    assert_int_equal(name.len + 2, MXCLASH_NAME_MAX + 1);
    assert_false(name_valid(long_name, name.len + 2));
}

static bool below(const char *name, const char *zone)
{
    struct wire_name n = wire_name_of(name), z = wire_name_of(zone);

    /* the zone as a host may hand it in */
    for (size_t i = 0; i < z.len; i++)
        if (z.octets[i] >= 'a' && z.octets[i] <= 'z')
            z.octets[i] &= 0xdf;
    return name_at_or_below(n.octets, n.len, z.octets, z.len);
}

static void test_at_or_below(void **state)
{
    (void)state;
    assert_true(below("example.com", "example.com"));
    assert_true(below("a.b.example.com", "example.com"));
    assert_true(below("example.com", "."));
    assert_true(below(".", "."));
    assert_false(below("notexample.com", "example.com"));
    assert_false(below("example.com", "a.example.com"));
    assert_false(below("com", "example.com"));
    assert_false(below(".", "com"));
    /* the octets of the zone at the end of a label are not the zone */
    assert_false(below("x\\007example\\003com", "example.com"));
    assert_false(below("x\\007example.com", "example.com"));
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(name_equal((const uint8_t *)"\3aBc", 5, (const uint8_t *)"\3AbC", 5));
    assert_false(name_equal((const uint8_t *)"\3abc", 5, (const uint8_t *)"\3abd", 5));
    assert_false(name_equal((const uint8_t *)"\3abc", 5, (const uint8_t *)"\2ab", 4));
    /* only letters have case: '[' is no '{', '@' no '`' (RFC 4343 3) */
    assert_false(name_equal((const uint8_t *)"\1[", 3, (const uint8_t *)"\1{", 3));
    assert_false(name_equal((const uint8_t *)"\1@", 3, (const uint8_t *)"\1`", 3));
    assert_false(name_equal((const uint8_t *)"\1\xc1", 3, (const uint8_t *)"\1\xe1", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_text),       cmocka_unit_test(test_from_text_refuses),
        cmocka_unit_test(test_limits_of_text),  cmocka_unit_test(test_to_text),
        cmocka_unit_test(test_to_text_refuses), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_valid),           cmocka_unit_test(test_at_or_below),
        cmocka_unit_test(test_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
