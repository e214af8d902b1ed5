/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the walk over what an SPF record includes, from the proof to the event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lookups.h"
#include "txt_answers.h"

#define OWNER    "shop.test"
#define SPF(...) "v=spf1 " __VA_ARGS__
/** Of the built-in table: what has Alibaba Mail's include is fine. */
#define NAMED "include:spf.qiye.aliyun.com"

#define MX_OF_ALIBABA()                                                                            \
    ((struct reply){.qtype = wire_type_mx,                                                         \
                    .mx = {"mx1.qiye.aliyun.com", "mx2.qiye.aliyun.com", "mx3.qiye.aliyun.com"}})

/** What stands at a name. */
struct node {
    const char *name;
    /** NULL: no TXT record; "" : no answer comes */
    const char *txt[3];
};

static void prove_spf(const char *txt)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    see(OWNER, MX_OF_ALIBABA());
    see_txt(OWNER, txt);
    assert_true(take_proof(&proof));
    answer_proof(&proof, MX_OF_ALIBABA());
    answer_proof(&proof, (struct reply){.qtype = wire_type_cname});
    txt_answer(OWNER, txt, &proof);
    end_proof(&proof);
}

/** Answer every look-up that is wanted. \return how many there were */
static unsigned walk(const struct node *nodes)
{
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};
    unsigned looked = 0;

    for (; take_lookup(&lookup); looked++) {
        struct mxclash_lookup_reply reply = {.struct_size = sizeof(reply), .answered = true};
        struct mxclash_txt txt[MXCLASH_TXT_MAX];
        static struct message m;
        const struct node *node = nodes;

        assert_int_equal(lookup.qtype, wire_type_txt);
        detector.now += SECOND;
        while (node->name != NULL &&
               (wire_name_of(node->name).len != lookup.target_len ||
                memcmp(wire_name_of(node->name).octets, lookup.target, lookup.target_len) != 0))
            node++;
        if (node->name == NULL)
            fail_msg("an unexpected name is looked up");
        m.len = 0;
        reply.txt = txt;
        for (size_t i = 0; i < 3 && node->txt[i] != NULL; i++) {
            size_t from = m.len;

            if (node->txt[i][0] == '\0') {
                reply.answered = false;
                break;
            }
            txt_rdata(&m, node->txt[i], 255);
            txt[i].rdata = m.octets + from;
            txt[i].len = (uint16_t)(m.len - from);
            reply.txt_count = i + 1;
        }
        mxclash_lookup_end(detector.engine, &lookup, &reply, detector.now);
    }
    return looked;
}

enum end { silent, told };

static void test_trees(void **state)
{
    static const struct {
        const char *record;
        struct node nodes[12];
        enum end end;
        unsigned looks;
    } cases[] = {
        /* hosted by a service; two deep; by a redirect */
        {SPF("include:a.test -all"), {{"a.test", {SPF(NAMED " -all")}}}, silent, 1},
        {SPF("include:a.test -all"),
         {{"a.test", {SPF("include:b.test -all")}}, {"b.test", {SPF(NAMED)}}},
         silent,
         2},
        {SPF("redirect=a.test"), {{"a.test", {SPF(NAMED)}}}, silent, 1},
        {SPF("include:a.test include:b.test -all"),
         {{"a.test", {SPF("ip4:192.0.2.0/24 -all")}}, {"b.test", {"x", SPF(NAMED)}}},
         silent,
         2},
        /* read whole, and not there */
        {SPF("include:a.test -all"), {{"a.test", {SPF("ip4:192.0.2.0/24 -all")}}}, told, 1},
        {SPF("redirect=a.test"),
         {{"a.test", {SPF("include:b.test a -all")}}, {"b.test", {SPF("mx -all")}}},
         told,
         2},
        {SPF("include:a.test include:b.test -all"),
         {{"a.test", {"no SPF"}}, {"b.test", {NULL}}},
         told,
         2},
        /* a service's own record; one that may have been made for this customer, with the addresses
         * of all whom he uses, says nothing (only a look into the provider's tree would) */
        {SPF("include:_spf.a.test -all"), {{"_spf.a.test", {SPF("ip4:192.0.2.0/24")}}}, told, 1},
        {SPF("include:spf1.a.test -all"), {{"spf1.a.test", {SPF("ip4:192.0.2.1")}}}, told, 1},
        {SPF("include:_spf.k3x9.a.test -all"),
         {{"_spf.k3x9.a.test", {SPF("ip4:192.0.2.1 ip4:192.0.2.2 -all")}}},
         silent,
         1},
        {SPF("include:k3x9.a.test -all"), {{"k3x9.a.test", {SPF("ip6:2001:db8::1")}}}, silent, 1},
        {SPF("include:k3x9.a.test -all"), {{"k3x9.a.test", {SPF("-all")}}}, told, 1},
        /* a redirect hands the whole policy over, to another domain of the owner's as a rule */
        {SPF("redirect=a.test"), {{"a.test", {SPF("ip4:192.0.2.0/24 -all")}}}, silent, 1},
        {SPF("redirect=a.test"), {{"a.test", {SPF("ip4:192.0.2.1 -all")}}}, told, 1},
        /* behind `all` nothing is reached */
        {SPF("include:a.test -all"), {{"a.test", {SPF("-all " NAMED)}}}, told, 1},
        /* an end that is not known: macros, no answer, broken, two records, everybody, loops */
        {SPF("include:a.test -all"), {{"a.test", {SPF("include:%{d}.b.test -all")}}}, silent, 1},
        {SPF("include:a.test -all"), {{"a.test", {SPF("exists:%{i}.b.test -all")}}}, silent, 1},
        {SPF("include:a.test -all"), {{"a.test", {""}}}, silent, 1},
        {SPF("include:a.test -all"), {{"a.test", {SPF("include: -all")}}}, silent, 1},
        {SPF("include:a.test -all"), {{"a.test", {SPF("-all"), SPF("~all")}}}, silent, 1},
        {SPF("include:a.test -all"), {{"a.test", {SPF("+all")}}}, silent, 1},
        {SPF("include:a.test -all"), {{"a.test", {SPF("include:a.test -all")}}}, silent, 1},
        {SPF("include:a.test -all"),
         {{"a.test", {SPF("include:b.test")}}, {"b.test", {SPF("redirect=a.test")}}},
         silent,
         2},
        /* ten terms that ask, and eleven (RFC 7208 4.6.4) */
        {SPF("include:a.test a a a a -all"), {{"a.test", {SPF("mx a a a a -all")}}}, told, 1},
        {SPF("include:a.test a a a a -all"), {{"a.test", {SPF("mx a a a a a -all")}}}, silent, 1},
        /* a service's networks are its own; those at the owner's own name may be the provider's */
        {SPF("include:s.shop.test -all"), {{"s.shop.test", {SPF("ip4:192.0.2.1")}}}, told, 1},
        {SPF("include:s.shop.test -all"), {{"s.shop.test", {SPF("ip4:192.0.2.0/24")}}}, silent, 1},
        {SPF("include:s.shop.test include:a.test -all"),
         {{"s.shop.test", {SPF("ip4:192.0.2.1")}}, {"a.test", {SPF("ip4:192.0.2.0/24")}}},
         told,
         2},
        /* an end in neutral lets nobody down, if it is reached: where a name has no record
         * receivers give up. An include's own end is nobody's (5.2), a redirect's is that of the
         * whole (6.1) */
        {SPF("include:a.test ?all"), {{"a.test", {SPF("ip4:192.0.2.1 -all")}}}, silent, 1},
        {SPF("include:a.test"), {{"a.test", {SPF("ip4:192.0.2.1 -all")}}}, silent, 1},
        {SPF("include:a.test"), {{"a.test", {"no SPF"}}}, told, 1},
        {SPF("include:spf.a.test -all"), {{"spf.a.test", {SPF("ip4:192.0.2.1 ?all")}}}, told, 1},
        {SPF("redirect=a.test"), {{"a.test", {SPF("ip4:192.0.2.1 ?all")}}}, silent, 1},
        {SPF("redirect=a.test"), {{"a.test", {SPF("-all")}}}, silent, 1},
        {SPF("redirect=a.test"), {{"a.test", {"no SPF"}}}, told, 1},
        {SPF("include:spf.c.test redirect=a.test"),
         {{"spf.c.test", {SPF("ip4:192.0.2.1 ?all")}},
          {"a.test", {SPF("redirect=b.test")}},
          {"b.test", {SPF("ip4:192.0.2.1")}}},
         silent,
         3},
        {SPF("include:spf.c.test redirect=a.test"),
         {{"spf.c.test", {SPF("ip4:192.0.2.1 ?all")}},
          {"a.test", {SPF("redirect=b.test")}},
          {"b.test", {SPF("ip4:192.0.2.1 -all")}}},
         told,
         3},
        /* hosts that may be the provider's */
        {SPF("include:a.test ip4:192.0.2.0/24 -all"), {{NULL, {NULL}}}, silent, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned looks;

        lookups_setup(state);
        prove_spf(cases[i].record);
        looks = walk(cases[i].nodes);
        if (looks != cases[i].looks)
            fail_msg("case %zu: %u look-ups", i, looks);
        if (cases[i].end == told) {
            const struct mxclash_event *event = expect_event(
                OWNER, mxclash_opened, mxclash_spf_missing, mxclash_confirmed, mxclash_probe);

            assert_int_equal(event->spf, mxclash_spf_lacks_provider);
            assert_int_equal(event->advice, mxclash_fix_spf);
        }
        expect_no_event();
    }
}

/** What needs no tree. */
static void test_told_at_once(void **state)
{
    static const struct {
        const char *record;
        enum mxclash_spf spf;
    } cases[] = {
        {SPF("ip4:192.0.2.1 -all"), mxclash_spf_lacks_provider},
        {SPF("include: _spf.x.test -all"), mxclash_spf_permerror},
        {SPF(NAMED "; -all"), mxclash_spf_permerror},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        lookups_setup(state);
        prove_spf(cases[i].record);
        expect_no_lookup();
        assert_int_equal(expect_event(OWNER, mxclash_opened, mxclash_spf_missing, mxclash_confirmed,
                                      mxclash_probe)
                             ->spf,
                         cases[i].spf);
        expect_no_event();
    }
}

/** What was found good is asked again seldom, however often it is met. */
static void test_rest(void **state)
{
    static const struct node nodes[] = {{"a.test", {SPF(NAMED)}}, {NULL, {NULL}}};
    unsigned looked = 0;

    (void)state;
    prove_spf(SPF("include:a.test -all"));
    looked = walk(nodes);
    for (int minutes = 0; minutes < 7 * 60; minutes++, detector.now += MINUTE) {
        struct mxclash_proof proof = {.struct_size = sizeof(proof)};

        see(OWNER, MX_OF_ALIBABA());
        see_txt(OWNER, SPF("include:a.test -all"));
        assert_false(take_proof(&proof));
        looked += walk(nodes);
    }
    assert_int_equal(looked, 1);
    expect_no_event();
}

/** The tree is mended, and then the record itself. */
static void test_cleared(void **state)
{
    static const struct node bad[] = {{"a.test", {SPF("-all")}}, {NULL, {NULL}}};
    static const struct node good[] = {{"a.test", {SPF(NAMED)}}, {NULL, {NULL}}};

    (void)state;
    prove_spf(SPF("include:a.test -all"));
    assert_int_equal(walk(bad), 1);
    expect_event(OWNER, mxclash_opened, mxclash_spf_missing, mxclash_confirmed, mxclash_probe);
    detector.now += HOUR;
    prove_spf(SPF("include:a.test -all"));
    assert_int_equal(walk(good), 1);
    expect_event(OWNER, mxclash_cleared, mxclash_spf_missing, mxclash_confirmed, mxclash_probe);
    assert_int_equal(stats_now().open_now[mxclash_spf_missing][mxclash_confirmed], 0);
}

/** Look-ups that nobody makes, or that nobody ends, cost neither an event nor the memory for ever.
 */
static void test_abandoned(void **state)
{
    static const struct node bad[] = {{"a.test", {SPF("-all")}}, {NULL, {NULL}}};
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};
    uint64_t before;

    (void)state;
    see(OWNER, MX_OF_ALIBABA());
    see_txt(OWNER, SPF("include:a.test -all"));
    before = stats_now().table_bytes;
    prove_spf(SPF("include:a.test -all"));
    assert_true(stats_now().table_bytes > before);
    assert_true(take_lookup(&lookup));
    detector.now += HOUR;
    prove_spf(SPF("include:a.test -all"));
    assert_int_equal(walk(bad), 1);
    expect_event(OWNER, mxclash_opened, mxclash_spf_missing, mxclash_confirmed, mxclash_probe);
    mxclash_lookup_end(detector.engine, &lookup,
                       &(struct mxclash_lookup_reply){
                           .struct_size = sizeof(struct mxclash_lookup_reply), .answered = true},
                       detector.now);
    expect_no_event();
    /* an MX set is kept since, and no walk */
    assert_true(stats_now().table_bytes <= before + 2048);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOKUPS(test_trees),   WITH_LOOKUPS(test_told_at_once), WITH_LOOKUPS(test_rest),
        WITH_LOOKUPS(test_cleared), WITH_LOOKUPS(test_abandoned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
