/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Whom a prover asks: never the resolver that it observes, unless it is told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "prove/whom.h"

static char resolv_conf[] = "/tmp/test_whom.XXXXXX";
static struct whom whom;

static int setup(void **state)
{
    (void)state;
    strcpy(resolv_conf, "/tmp/test_whom.XXXXXX");
    const int file = mkstemp(resolv_conf);
    assert_true(file >= 0);
    close(file);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(resolv_conf);
    whom_free(&whom);
    return 0;
}

static void write_resolv_conf(const char *text)
{
    FILE *file = fopen(resolv_conf, "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void check_resolver(unsigned at, const char *wanted)
{
    char text[ASK_ADDRESS_TEXT_MAX];
    assert_true(at < whom.resolver_count);
    assert_string_equal(ask_address_text(&whom.resolvers[at], text), wanted);
}

/** What is this machine may be the observed resolver, or lead to it. */
static void test_the_machine_itself_is_passed_over(void **state)
{
    const struct whom_options options = {.resolv_conf = resolv_conf};
    (void)state;
    write_resolv_conf("nameserver 127.0.0.1\nnameserver 192.0.2.53\nnameserver ::1\n"
                      "nameserver 127.0.0.53\nnameserver 2001:db8::53\n");
    assert_true(whom_init(&whom, &options));
    assert_int_equal(whom.resolver_count, 2);
    check_resolver(0, "192.0.2.53");
    check_resolver(1, "2001:db8::53");
    assert_true(whom.root_count > 0);
}

static void test_nobody_is_left(void **state)
{
    const struct whom_options options = {.resolv_conf = resolv_conf};
    (void)state;
    write_resolv_conf("nameserver 127.0.0.1\n");
    assert_true(whom_init(&whom, &options));
    assert_int_equal(whom.resolver_count, 0);
    assert_true(whom.root_count > 0);
    whom_free(&whom);
    const struct whom_options nowhere = {.resolv_conf = "/nonexistent/resolv.conf"};
    assert_true(whom_init(&whom, &nowhere));
    assert_int_equal(whom.resolver_count, 0);
    assert_true(whom.root_count > 0);
}

/** Who is named is asked, be it this machine; and nobody else. */
static void test_it_is_told_to(void **state)
{
    const char *resolvers[] = {"127.0.0.1@5353"};
    const char *never[] = {"10.0.0.0/8"};
    const char *may[] = {"127.0.0.0/8", "10.1.0.0/16"};
    const struct whom_options options = {
        .resolvers = resolvers,
        .resolver_count = 1,
        .do_not_ask = never,
        .do_not_ask_count = 1,
        .may_ask = may,
        .may_ask_count = 2,
        .resolv_conf = resolv_conf,
    };
    struct sockaddr_storage address;
    (void)state;
    write_resolv_conf("nameserver 192.0.2.53\n");
    assert_true(whom_init(&whom, &options));
    assert_int_equal(whom.resolver_count, 1);
    check_resolver(0, "127.0.0.1@5353");
    assert_int_equal(whom.root_count, 0);
    assert_true(ask_address_parse("127.9.9.9", &address));
    assert_null(ask_address_refused(&whom.policy, &address));
    assert_true(ask_address_parse("10.1.2.3", &address));
    assert_non_null(ask_address_refused(&whom.policy, &address));
    assert_true(ask_address_parse("169.254.1.1", &address));
    assert_non_null(ask_address_refused(&whom.policy, &address));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_machine_itself_is_passed_over),
        TEST(test_nobody_is_left),
        TEST(test_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
