/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the mailbox kinds in the life of a domain: foreign-mx, incomplete-mx,
 * spf-missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "txt_answers.h"

#define STANDARD                                                                                   \
    MX_ANSWER(.mx = {"mx1.qiye.aliyun.com", "mx2.qiye.aliyun.com", "mx3.qiye.aliyun.com"})
#define SPF "v=spf1 include:spf.qiye.aliyun.com -all"

static void expect(enum mxclash_event_type type, enum mxclash_kind kind,
                   enum mxclash_evidence evidence)
{
    const struct mxclash_event *event =
        expect_event("shop.test", type, kind, mxclash_confirmed, evidence);

    assert_int_equal(event->cname_target_len, 0);
}

/** Take the proof that waits, which asks TXT too. */
static void prove_spf(const char *text)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    assert_true(take_proof(&proof));
    assert_int_equal(proof.qtype_count, 3);
    assert_int_equal(proof.qtypes[2], wire_type_txt);
    answer_proof(&proof, STANDARD);
    answer_proof(&proof, NO_CNAME());
    txt_answer("shop.test", text, &proof);
    end_proof(&proof);
}

static void test_complete(void **state)
{
    (void)state;
    see("shop.test", STANDARD);
    see_txt("shop.test", SPF);
    expect_no_event();
    expect_no_proof();
    assert_int_equal(stats_now().table_entries, 0);
}

static void test_incomplete(void **state)
{
    (void)state;
    see("shop.test", MX_ANSWER(.mx = {"mx1.qiye.aliyun.com"}));
    expect(mxclash_opened, mxclash_incomplete_mx, mxclash_same_answer);
    /* all is said: nothing is asked, and the CNAME's side is not touched */
    expect_no_proof();
    assert_true(client_mx("shop.test", false));
    expect_no_proof();
    see("shop.test", STANDARD);
    expect(mxclash_cleared, mxclash_incomplete_mx, mxclash_same_answer);
}

static void test_foreign(void **state)
{
    (void)state;
    see("shop.test", MX_ANSWER(.mx = {"mx1.qiye.aliyun.com", "mx2.qiye.aliyun.com",
                                      "mx3.qiye.aliyun.com", "mx1.emailsrvr.com"}));
    expect(mxclash_opened, mxclash_foreign_mx, mxclash_same_answer);
    see("shop.test", STANDARD);
    expect(mxclash_cleared, mxclash_foreign_mx, mxclash_same_answer);
}

/** Another foreign host is told, once an hour: the log must not go on naming one that is gone. */
static void test_foreign_changes(void **state)
{
    static const struct reply one = {.qtype = wire_type_mx,
                                     .mx = {"mx1.qiye.aliyun.com", "mx2.qiye.aliyun.com",
                                            "mx3.qiye.aliyun.com", "mx1.emailsrvr.com"}};
    static const struct reply two = {.qtype = wire_type_mx,
                                     .mx = {"mx1.qiye.aliyun.com", "mx2.qiye.aliyun.com",
                                            "mx3.qiye.aliyun.com", "mx2.emailsrvr.com"}};

    (void)state;
    see("shop.test", one);
    expect(mxclash_opened, mxclash_foreign_mx, mxclash_same_answer);
    see("shop.test", one);
    expect_no_event();
    see("shop.test", two);
    expect(mxclash_changed, mxclash_foreign_mx, mxclash_same_answer);
    for (int i = 0; i < 59; i++, detector.now += MINUTE) {
        see("shop.test", one);
        see("shop.test", two);
    }
    expect_no_event();
    detector.now += MINUTE;
    see("shop.test", one);
    expect(mxclash_changed, mxclash_foreign_mx, mxclash_same_answer);
}

/** Only an authority's whole answer to the MX question tells. */
static void test_not_judged(void **state)
{
    (void)state;
    see("shop.test", MX_ANSWER(.mx = {"mx1.qiye.aliyun.com"}, .no_aa = true));
    see("shop.test", MX_ANSWER(.mx = {"mx1.qiye.aliyun.com"}, .qname = "www.shop.test"));
    see("shop.test", (struct reply){.qtype = wire_type_any, .mx = {"mx1.qiye.aliyun.com"}});
    see("shop.test", MX_ANSWER(.mx = {"mx1.qiye.aliyun.com"}, .rcode = MESSAGE_SERVFAIL));
    expect_no_event();
    expect_no_proof();
}

static void test_spf_missing(void **state)
{
    (void)state;
    see("shop.test", STANDARD);
    see_txt("shop.test", "v=spf1 ip4:192.0.2.1 -all");
    expect_no_event();
    prove_spf("v=spf1 ip4:192.0.2.1 -all");
    expect(mxclash_opened, mxclash_spf_missing, mxclash_probe);
    detector.now += MINUTE;
    see_txt("shop.test", SPF);
    expect(mxclash_cleared, mxclash_spf_missing, mxclash_probe);
}

static void test_spf_in_the_other_order(void **state)
{
    (void)state;
    see_txt("shop.test", "v=spf1 ip4:192.0.2.1 -all");
    see("shop.test", STANDARD);
    prove_spf("v=spf1 ip4:192.0.2.1 -all");
    expect(mxclash_opened, mxclash_spf_missing, mxclash_probe);
    detector.now += HOUR;
    see("shop.test", STANDARD);
    prove_spf(SPF);
    expect(mxclash_cleared, mxclash_spf_missing, mxclash_probe);
}

/** It may have been mended since: the proof decides. */
static void test_spf_mended_meanwhile(void **state)
{
    (void)state;
    see_txt("shop.test", "v=spf1 ip4:192.0.2.1 -all");
    see("shop.test", STANDARD);
    prove_spf(SPF);
    expect_no_event();
}

/** A record that would take long to read is not read: it raises no alarm. */
static void test_spf_without_end(void **state)
{
    static char text[60000] = "v=spf1";

    (void)state;
    while (strlen(text) < sizeof(text) - 30)
        strcat(text, " include:a.example include:b");
    see("shop.test", STANDARD);
    see_txt("shop.test", text);
    expect_no_proof();
    /* it ends an alarm, too: nobody can say that the include is not in it */
    see_txt("shop.test", "v=spf1 ip4:192.0.2.1 -all");
    prove_spf("v=spf1 ip4:192.0.2.1 -all");
    expect(mxclash_opened, mxclash_spf_missing, mxclash_probe);
    see_txt("shop.test", text);
    expect(mxclash_cleared, mxclash_spf_missing, mxclash_probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DETECTOR(test_complete),
        WITH_DETECTOR(test_incomplete),
        WITH_DETECTOR(test_foreign),
        WITH_DETECTOR(test_foreign_changes),
        WITH_DETECTOR(test_not_judged),
        WITH_DETECTOR(test_spf_missing),
        WITH_DETECTOR(test_spf_in_the_other_order),
        WITH_DETECTOR(test_spf_mended_meanwhile),
        WITH_DETECTOR(test_spf_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
