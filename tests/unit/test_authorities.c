/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The servers that a proof asks: remembered, in turns, for a minute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "prove/authorities.h"

static struct authorities authorities;

static struct ask_name name_of(unsigned number)
{
    /* eight octets and the root */
    struct ask_name name = {.len = 10, .octets = {8}};

    for (int i = 0; i < 8; i++)
        name.octets[1 + i] = (uint8_t)('a' + (number >> 4 * i) % 16);
    return name;
}

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage address = {0};

    assert_true(ask_address_parse(text, &address));
    return address;
}

/** Two servers, one with two addresses, and one that has none. */
static struct ask_zone zone_of_three(void)
{
    struct ask_zone zone = {.server_count = 3, .no_referral = true};

    zone.name = name_of(7);
    zone.servers[0].address_count = 2;
    zone.servers[0].addresses[0] = address_of("192.0.2.1");
    zone.servers[0].addresses[1] = address_of("192.0.2.2");
    zone.servers[2].address_count = 1;
    zone.servers[2].addresses[0] = address_of("2001:db8::3");
    return zone;
}

static void check_address(const struct authority *authority, unsigned at, const char *text)
{
    char shown[ASK_ADDRESS_TEXT_MAX];

    assert_string_equal(ask_address_text(&authority->addresses[at], shown), text);
}

static int setup(void **state)
{
    (void)state;
    memset(&authorities, 0, sizeof(authorities));
    return 0;
}

static void test_one_address_of_each_server_comes_first(void **state)
{
    const struct ask_zone zone = zone_of_three();
    const struct ask_name name = name_of(1);
    const struct authority *found;

    (void)state;
    found = authorities_put(&authorities, &name, &zone, 1);
    assert_non_null(found);
    assert_int_equal(found->address_count, 3);
    assert_int_equal(found->turn, 0);
    check_address(found, 0, "192.0.2.1");
    check_address(found, 1, "2001:db8::3");
    check_address(found, 2, "192.0.2.2");
    assert_true(found->no_referral);
    assert_true(ask_name_equal(&found->zone, &zone.name));
}

static void test_turns_and_a_minute(void **state)
{
    const struct ask_zone zone = zone_of_three();
    const struct ask_name name = name_of(1), other = name_of(2);

    (void)state;
    authorities_put(&authorities, &name, &zone, 1000);
    assert_null(authorities_get(&authorities, &other, 1000));
    for (unsigned i = 1; i <= 6; i++)
        assert_int_equal(authorities_get(&authorities, &name, 1000)->turn, i % 3);
    assert_non_null(authorities_get(&authorities, &name, 1000 + AUTHORITIES_REMEMBERED_MS - 1));
    assert_null(authorities_get(&authorities, &name, 1000 + AUTHORITIES_REMEMBERED_MS));
}

static void test_no_address_at_all(void **state)
{
    const struct ask_zone zone = {.server_count = 2};
    const struct ask_name name = name_of(1);

    (void)state;
    assert_null(authorities_put(&authorities, &name, &zone, 1));
    assert_null(authorities_get(&authorities, &name, 1));
}

static void test_room_for_so_many(void **state)
{
    const struct ask_zone zone = zone_of_three();

    (void)state;
    for (unsigned i = 0; i <= AUTHORITIES_REMEMBERED; i++) {
        const struct ask_name name = name_of(i);

        assert_non_null(authorities_put(&authorities, &name, &zone, 1));
    }
    /* the oldest has made room */
    for (unsigned i = 0; i <= AUTHORITIES_REMEMBERED; i++) {
        const struct ask_name name = name_of(i);

        assert_true((authorities_get(&authorities, &name, 1) != NULL) == (i != 0));
    }
}

static void test_more_addresses_than_are_kept(void **state)
{
    struct ask_zone zone = {.server_count = ASK_SERVERS_MAX};
    const struct ask_name name = name_of(1);

    (void)state;
    for (unsigned i = 0; i < ASK_SERVERS_MAX; i++) {
        zone.servers[i].address_count = 1;
        zone.servers[i].addresses[0] = address_of("192.0.2.1");
    }
    assert_int_equal(authorities_put(&authorities, &name, &zone, 1)->address_count,
                     AUTHORITIES_ADDRESSES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_one_address_of_each_server_comes_first, setup),
        cmocka_unit_test_setup(test_turns_and_a_minute, setup),
        cmocka_unit_test_setup(test_no_address_at_all, setup),
        cmocka_unit_test_setup(test_room_for_so_many, setup),
        cmocka_unit_test_setup(test_more_addresses_than_are_kept, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
