/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of MX sets: order, doubles, case, and what is kept of too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "message.h"

static struct mxclash_mx mx_of(uint16_t preference, const char *exchange)
{
    struct wire_name name = wire_name_of(exchange);
    struct mxclash_mx mx = {.preference = preference, .exchange_len = (uint8_t)name.len};

    memcpy(mx.exchange, name.octets, name.len);
    return mx;
}

static size_t insert(struct mxclash_mx *set, size_t count, uint16_t preference,
                     const char *exchange)
{
    struct mxclash_mx one = mx_of(preference, exchange);

    return mxclash_mx_insert(set, count, &one);
}

static void expect(const struct mxclash_mx *member, uint16_t preference, const char *exchange)
{
    struct mxclash_mx wanted = mx_of(preference, exchange);

    assert_memory_equal(member, &wanted, sizeof(wanted));
}

static void test_order(void **state)
{
    struct mxclash_mx set[MXCLASH_MX_MAX];
    size_t count = 0;

    (void)state;
    memset(set, 0xa5, sizeof(set));
    count = insert(set, count, 10, "b.test");
    count = insert(set, count, 65535, "a.test");
    count = insert(set, count, 10, "a.test");
    count = insert(set, count, 0, "z.test");
    count = insert(set, count, 10, "c.test");
    assert_int_equal(count, 5);
    expect(&set[0], 0, "z.test");
    expect(&set[1], 10, "a.test");
    expect(&set[2], 10, "b.test");
    expect(&set[3], 10, "c.test");
    expect(&set[4], 65535, "a.test");
}

static void test_doubles(void **state)
{
    struct mxclash_mx set[MXCLASH_MX_MAX];
    struct mxclash_mx one = mx_of(10, "mx.test");
    size_t count = 0;

    (void)state;
    for (int i = 0; i < 50; i++)
        count = mxclash_mx_insert(set, count, &one);
    assert_int_equal(count, 1);
    /* in another case, and with rubbish behind its end, it is the same */
    memcpy(one.exchange, "\2MX\4TeSt", 9);
    memset(one.exchange + one.exchange_len, 0x77, sizeof(one.exchange) - one.exchange_len);
    count = mxclash_mx_insert(set, count, &one);
    assert_int_equal(count, 1);
    expect(&set[0], 10, "mx.test");
    /* at another preference it is another */
    assert_int_equal(insert(set, count, 11, "mx.test"), 2);
}

/** Of 40, in every order that comes, the same 16 are kept: those that sort first. */
static void test_too_many(void **state)
{
    enum { ALL = 40 };
    char names[ALL][32];

    (void)state;
    srandom(11);
    for (int i = 0; i < ALL; i++)
        snprintf(names[i], sizeof(names[i]), "mx%02d.test", i);
    for (int round = 0; round < 200; round++) {
        struct mxclash_mx set[MXCLASH_MX_MAX + 1];
        struct mxclash_mx guard;
        int order[ALL];
        size_t count = 0;

        memset(set, 0x5a, sizeof(set));
        guard = set[MXCLASH_MX_MAX];
        for (int i = 0; i < ALL; i++) {
            int other = (int)(random() % (i + 1));

            order[i] = order[other];
            order[other] = i;
        }
        for (int i = 0; i < ALL; i++) {
            /* two of a preference, the later name before the earlier */
            count = insert(set, count, (uint16_t)(order[i] / 2), names[order[i] ^ 1]);
            assert_int_equal(count, i < MXCLASH_MX_MAX ? i + 1 : MXCLASH_MX_MAX);
        }
        for (int i = 0; i < MXCLASH_MX_MAX; i++)
            expect(&set[i], (uint16_t)(i / 2), names[i]);
        assert_memory_equal(&guard, &set[MXCLASH_MX_MAX], sizeof(guard));
        /* into a full set: a double, and one that sorts last */
        assert_int_equal(insert(set, count, 0, names[0]), MXCLASH_MX_MAX);
        assert_int_equal(insert(set, count, 65535, "z.test"), MXCLASH_MX_MAX);
        expect(&set[MXCLASH_MX_MAX - 1], 7, names[15]);
    }
}

static void test_longest_names(void **state)
{
    struct mxclash_mx set[MXCLASH_MX_MAX];
    struct mxclash_mx one = {.preference = 1, .exchange_len = MXCLASH_NAME_MAX};
    size_t count;

    (void)state;
    for (int i = 0; i < 4; i++) {
        one.exchange[i * 64] = i < 3 ? 63 : 61;
        memset(one.exchange + i * 64 + 1, 'A', one.exchange[i * 64]);
    }
    count = mxclash_mx_insert(set, 0, &one);
    one.exchange[253] = 'B';
    count = mxclash_mx_insert(set, count, &one);
    assert_int_equal(count, 2);
    assert_int_equal(set[0].exchange[253], 'a');
    assert_int_equal(set[1].exchange[253], 'b');
    assert_int_equal(set[1].exchange_len, MXCLASH_NAME_MAX);
    /* the root, as the null MX has it */
    assert_int_equal(insert(set, count, 0, "."), 3);
    expect(&set[0], 0, ".");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_longest_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
