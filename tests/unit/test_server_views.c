/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of what the servers of a zone say of one owner, and whether they agree. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "core/cases/server_views.h"
#include "detector.h"

enum {
    HAS_CNAME = view_has_cname,
    HAS_MX = view_has_mx,
    LACKS_CNAME = view_lacks_cname,
    LACKS_MX = view_lacks_mx,
};

static struct server_views views;

static int setup(void **state)
{
    (void)state;
    views_clear(&views);
    return 0;
}

static struct mxclash_address v4(unsigned number)
{
    return (struct mxclash_address){
        .family = 4,
        .port = 53,
        .octets = {192, 0, (uint8_t)(2 + (number >> 8)), (uint8_t)number},
    };
}

static void note(unsigned server, unsigned flags)
{
    struct mxclash_address address = v4(server);

    views_note(&views, &address, flags);
}

static const char *judgement(void)
{
    switch (views_judge(&views)) {
    case mxclash_servers_agree:
        return "agree";
    case mxclash_servers_differ:
        return "differ";
    default:
        return "unknown";
    }
}

static void test_judgement(void **state)
{
    /* what servers 1, 2 and 3 said, 0: nothing */
    static const struct {
        unsigned said[3];
        const char *wanted;
    } cases[] = {
        {{0}, "unknown"},
        {{HAS_CNAME}, "unknown"},
        {{HAS_MX}, "unknown"},
        {{HAS_CNAME | HAS_MX}, "agree"},
        /* each was asked for one of them only */
        {{HAS_CNAME, HAS_MX}, "unknown"},
        {{HAS_CNAME, HAS_CNAME}, "unknown"},
        /* no authority has both */
        {{HAS_CNAME | LACKS_MX}, "unknown"},
        {{HAS_MX | LACKS_CNAME}, "unknown"},
        {{LACKS_CNAME | LACKS_MX}, "unknown"},
        {{HAS_CNAME | LACKS_MX, HAS_MX}, "differ"},
        {{HAS_CNAME, HAS_MX | LACKS_CNAME}, "differ"},
        {{HAS_CNAME | LACKS_MX, HAS_MX | LACKS_CNAME}, "differ"},
        {{HAS_MX | LACKS_CNAME, HAS_CNAME | LACKS_MX}, "differ"},
        {{LACKS_CNAME | LACKS_MX, HAS_CNAME | LACKS_MX}, "unknown"},
        {{LACKS_CNAME | LACKS_MX, HAS_CNAME, HAS_MX}, "unknown"},
        /* one that has both is enough, whatever the others lack */
        {{HAS_CNAME | LACKS_MX, HAS_MX | LACKS_CNAME, HAS_CNAME | HAS_MX}, "agree"},
        {{HAS_CNAME | HAS_MX, LACKS_CNAME | LACKS_MX}, "agree"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setup(state);
        for (unsigned server = 0; server < 3; server++)
            note(server, cases[i].said[server]);
        assert_string_equal(judgement(), cases[i].wanted);
        /* in whatever order they speak */
        setup(state);
        for (unsigned server = 3; server-- > 0;)
            note(server, cases[i].said[server]);
        assert_string_equal(judgement(), cases[i].wanted);
    }
}

/** A later word takes the place of an earlier one about the same record, and leaves the other. */
static void test_later_word(void **state)
{
    (void)state;
    note(1, HAS_CNAME);
    note(1, HAS_MX);
    assert_string_equal(judgement(), "agree");
    note(1, LACKS_MX);
    note(2, HAS_MX);
    assert_string_equal(judgement(), "differ");
    note(2, HAS_CNAME);
    assert_string_equal(judgement(), "agree");
    note(2, LACKS_CNAME);
    note(1, LACKS_CNAME);
    note(1, HAS_MX);
    assert_string_equal(judgement(), "unknown");
    assert_int_equal(views.count, 2);
}

static void test_clear(void **state)
{
    (void)state;
    note(1, HAS_CNAME | HAS_MX);
    views_clear(&views);
    assert_string_equal(judgement(), "unknown");
    assert_int_equal(views.count, 0);
}

/** More servers than there is room for: the one that came first is forgotten first. */
static void test_more_servers(void **state)
{
    (void)state;
    note(0, HAS_CNAME | HAS_MX);
    for (unsigned server = 1; server < VIEWS_MAX; server++)
        note(server, LACKS_CNAME | LACKS_MX);
    assert_string_equal(judgement(), "agree");
    /* a word of one that is there needs no room */
    note(2, LACKS_CNAME | LACKS_MX);
    assert_string_equal(judgement(), "agree");
    note(VIEWS_MAX, HAS_MX);
    assert_string_equal(judgement(), "unknown");
    note(VIEWS_MAX + 1, HAS_CNAME | HAS_MX);
    for (unsigned server = VIEWS_MAX + 2; server < VIEWS_MAX * 2 + 1; server++) {
        note(server, LACKS_MX);
        assert_string_equal(judgement(), "agree");
        assert_int_equal(views.count, VIEWS_MAX);
    }
    note(VIEWS_MAX * 2 + 1, LACKS_MX);
    assert_string_equal(judgement(), "unknown");
    for (unsigned server = 0; server < 1000; server++)
        note(server, LACKS_MX);
    assert_int_equal(views.count, VIEWS_MAX);
}

/** Address and port make a server. */
static void test_addresses(void **state)
{
    struct mxclash_address in = v4(1);
    struct mxclash_address in6 = {.family = 6, .port = 53, .octets = {[15] = 1}};

    (void)state;
    views_note(&views, &in, HAS_CNAME);
    views_note(&views, &in, HAS_CNAME);
    assert_int_equal(views.count, 1);
    in.port = 5353;
    views_note(&views, &in, HAS_CNAME);
    assert_int_equal(views.count, 2);
    views_note(&views, &in6, HAS_CNAME);
    views_note(&views, &in6, HAS_CNAME);
    assert_int_equal(views.count, 3);
    in6.octets[0] = 0x20;
    views_note(&views, &in6, HAS_CNAME);
    assert_int_equal(views.count, 4);
}

/** Who it was is not known, or nothing was said: nothing is noted. */
static void test_nobody(void **state)
{
    struct mxclash_address in = v4(1);
    struct mxclash_address none = {0}, other = {.family = 1, .port = 53};

    (void)state;
    views_note(&views, &none, HAS_CNAME);
    views_note(&views, &other, HAS_CNAME);
    views_note(&views, &in, 0);
    assert_int_equal(views.count, 0);
}

/** Only what an authority itself says of the name that was asked is its view: where one of the two
 * records was a cache's word, or the end of a chain, nothing is known. */
static void test_servers_of_a_suspect(void **state)
{
    const struct {
        struct reply first, second;
        enum mxclash_servers servers;
    } cases[] = {
        {A_IS_CNAME(), MX_IS_MX(), mxclash_servers_agree},
        {A_IS_CNAME(), MX_IS_MX(.forwarded = true), mxclash_servers_unknown},
        {A_IS_CNAME(.forwarded = true), MX_IS_MX(), mxclash_servers_unknown},
        {A_IS_CNAME(), MX_IS_MX(.qname = "www.shop.test"), mxclash_servers_unknown},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        detector_setup(state);
        see("shop.test", cases[i].first);
        see("shop.test", cases[i].second);
        /* now that there is a case it is noted */
        see("shop.test", cases[i].first);
        fail_proof();
        assert_int_equal(next_event("shop.test")->servers, cases[i].servers);
    }
}

/** What a forwarder says is no view of an authority's server, even if it comes with AA. */
static void test_servers_behind_a_forwarder(void **state)
{
    (void)state;
    see("shop.test", MX_IS_BOTH());
    assert_int_equal(next_event("shop.test")->servers, mxclash_servers_agree);
    see("tiny.test", MX_IS_BOTH(.forwarded = true));
    assert_int_equal(next_event("tiny.test")->servers, mxclash_servers_unknown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_judgement, setup),
        cmocka_unit_test_setup(test_later_word, setup),
        cmocka_unit_test_setup(test_clear, setup),
        cmocka_unit_test_setup(test_more_servers, setup),
        cmocka_unit_test_setup(test_addresses, setup),
        cmocka_unit_test_setup(test_nobody, setup),
        WITH_DETECTOR(test_servers_of_a_suspect),
        WITH_DETECTOR(test_servers_behind_a_forwarder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
