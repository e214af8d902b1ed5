/* SPDX-License-Identifier: BSD-3-Clause */
/** \file module/ask/address.c: addresses as text, and which of them are never asked. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ask/address.h"

static const struct ask_policy nobody_says;

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage address;
    if (!ask_address_parse(text, &address)) {
        fail_msg("%s is not read", text);
    }
    return address;
}

static const char *refused(const struct ask_policy *policy, const char *text)
{
    const struct sockaddr_storage address = address_of(text);
    return ask_address_refused(policy, &address);
}

static struct ask_net net_of(const char *text)
{
    struct ask_net net;
    if (!ask_net_parse(text, &net)) {
        fail_msg("%s is not read", text);
    }
    return net;
}

static void test_addresses_are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        const char *written;
    } good[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1@53", "192.0.2.1"},
        {"192.0.2.1@65535", "192.0.2.1@65535"},
        {"2001:DB8::1@5353", "2001:db8::1@5353"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
    };
    static const char *const bad[] = {
        "",
        "192.0.2",
        "192.0.2.1@",
        "192.0.2.1@0",
        "192.0.2.1@65536",
        "192.0.2.1@5x",
        "192.0.2.1@-1",
        "192.0.2.1@+1",
        "ns.example",
        "[2001:db8::1]",
        "192.0.2.1 ",
        "2001:db8::1%no-such-link",
        "@53",
        "192.0.2.1@1@2",
        "192.0.2.1@99999999999999999999",
    };
    char text[ASK_ADDRESS_TEXT_MAX];
    struct sockaddr_storage address;
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        address = address_of(good[i].text);
        assert_string_equal(ask_address_text(&address, text), good[i].written);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (ask_address_parse(bad[i], &address)) {
            fail_msg("%s is read", bad[i]);
        }
    }
}

static void test_nets_are_read(void **state)
{
    static const char *const good[] = {"10.0.0.0/8", "192.0.2.1", "0.0.0.0/0",   "2001:db8::/32",
                                       "::/0",       "::1/128",   "192.0.2.4/30"};
    static const char *const bad[] = {
        "10.0.0.1/8", "10.0.0.0/33",    "10.0.0.0/",   "10.0.0.0/8x", "10.0.0/8",
        "::/129",     "2001:db8::1/64", "10.0.0.0/-1", "/8",          ""};
    struct ask_net net;
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        net_of(good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (ask_net_parse(bad[i], &net)) {
            fail_msg("%s is read", bad[i]);
        }
    }
}

static void test_what_is_never_asked(void **state)
{
    static const struct {
        const char *address;
        const char *why;
    } never[] = {
        {"127.0.0.1", "loopback"},
        {"127.255.255.254", "loopback"},
        {"0.0.0.0", "unspecified"},
        {"0.1.2.3", "unspecified"},
        {"169.254.169.254", "link-local"},
        {"224.0.0.251", "multicast"},
        {"239.255.255.255", "multicast"},
        {"255.255.255.255", "reserved"},
        {"240.0.0.1", "reserved"},
        {"::", "unspecified"},
        {"::1", "loopback"},
        {"fe80::1", "link-local"},
        {"febf:ffff::1", "link-local"},
        {"ff02::fb", "multicast"},
        {"::ffff:127.0.0.1", "loopback"},
        {"::ffff:0.0.0.0", "unspecified"},
        {"::ffff:169.254.1.1", "link-local"},
        {"::ffff:224.0.0.1", "multicast"},
        {"::127.0.0.1", "loopback"},
        {"::ffff:0:127.0.0.1", "loopback"},
        {"64:ff9b::127.0.0.1", "loopback"},
    };
    static const char *const asked[] = {
        "192.0.2.1", "126.255.255.255",  "128.0.0.1",         "169.253.255.255", "223.255.255.255",
        "10.0.0.1",  "1.0.0.1",          "2001:db8::1",       "fec0::1",         "fe7f:ffff::1",
        "fd00::1",   "::ffff:192.0.2.1", "64:ff9b::c000:201",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        const char *why = refused(&nobody_says, never[i].address);
        if (why == NULL || strcmp(why, never[i].why) != 0) {
            fail_msg("%s: %s", never[i].address, why != NULL ? why : "asked");
        }
    }
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        const char *why = refused(&nobody_says, asked[i]);
        if (why != NULL) {
            fail_msg("%s: %s", asked[i], why);
        }
    }
}

static void test_an_address_of_no_family_or_port_is_not_asked(void **state)
{
    struct sockaddr_storage address = {.ss_family = AF_UNIX};
    (void)state;
    assert_non_null(ask_address_refused(&nobody_says, &address));
    memset(&address, 0, sizeof(address));
    assert_non_null(ask_address_refused(&nobody_says, &address));
    address.ss_family = AF_INET;
    assert_string_equal(ask_address_refused(&nobody_says, &address), "port 0");
}

static void test_the_operator_adds_and_allows(void **state)
{
    const struct ask_net not [] = {net_of("10.0.0.0/8"), net_of("127.0.9.0/24"),
                                   net_of("2001:db8:bad::/48")};
    const struct ask_net may[] = {net_of("127.0.0.0/16"), net_of("::1")};
    const struct ask_policy policy = {
        .do_not_ask = not, .do_not_ask_count = 3, .may_ask = may, .may_ask_count = 2};
    (void)state;
    assert_string_equal(refused(&policy, "10.9.9.9"), "do-not-ask");
    assert_string_equal(refused(&policy, "::ffff:10.9.9.9"), "do-not-ask");
    assert_string_equal(refused(&policy, "2001:db8:bad::1"), "do-not-ask");
    assert_null(refused(&policy, "2001:db8:bae::1"));
    assert_null(refused(&policy, "127.0.0.1"));
    assert_null(refused(&policy, "::ffff:127.0.0.1"));
    assert_null(refused(&policy, "::1"));
    /* what is allowed is no more than was said */
    assert_string_equal(refused(&policy, "127.1.0.1"), "loopback");
    /* and do-not-ask is the stronger word */
    assert_string_equal(refused(&policy, "127.0.9.1"), "do-not-ask");
}

static void test_net_of_every_length(void **state)
{
    (void)state;
    for (unsigned bits = 1; bits <= 32; bits++) {
        struct ask_net net = {.family = AF_INET, .bits = (uint8_t)bits};
        const uint32_t last = htonl(UINT32_C(1) << (32 - bits));
        struct sockaddr_in inside = {.sin_family = AF_INET, .sin_port = htons(53)};
        struct sockaddr_in outside = inside;
        struct sockaddr_storage address = {0};
        const struct ask_policy policy = {.do_not_ask = &net, .do_not_ask_count = 1};
        /* 128.0.0.0 and up is asked by itself */
        const uint32_t first = htonl(UINT32_C(0x80000000));
        memcpy(net.octets, &first, 4);
        inside.sin_addr.s_addr = first;
        outside.sin_addr.s_addr = first ^ last;
        memcpy(&address, &inside, sizeof(inside));
        assert_string_equal(ask_address_refused(&policy, &address), "do-not-ask");
        memcpy(&address, &outside, sizeof(outside));
        const char *why = ask_address_refused(&policy, &address);
        assert_true(why == NULL || strcmp(why, "do-not-ask") != 0);
    }
}

static void test_equal(void **state)
{
    const struct sockaddr_storage a = address_of("192.0.2.1");
    const struct sockaddr_storage other_port = address_of("192.0.2.1@54");
    const struct sockaddr_storage six = address_of("2001:db8::1");
    struct sockaddr_storage same = address_of("192.0.2.1@53");
    (void)state;
    ((uint8_t *)&same)[sizeof(struct sockaddr_in)] = 1;
    assert_true(ask_address_equal(&a, &same));
    assert_false(ask_address_equal(&a, &other_port));
    assert_false(ask_address_equal(&a, &six));
    assert_true(ask_address_equal(&six, &six));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_read_and_written),
        cmocka_unit_test(test_nets_are_read),
        cmocka_unit_test(test_what_is_never_asked),
        cmocka_unit_test(test_an_address_of_no_family_or_port_is_not_asked),
        cmocka_unit_test(test_the_operator_adds_and_allows),
        cmocka_unit_test(test_net_of_every_length),
        cmocka_unit_test(test_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
