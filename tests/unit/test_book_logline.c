/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Unit tests of reading a line of the event log, and of cutting a log into lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book/lines.h"
#include "book/logline.h"
#include "output/json.h"

static struct logline line;

static void read_text(const char *text)
{
    logline_read(text, strlen(text), &line);
}

#define KEY                                                                                        \
    "\"time\":\"2026-11-28T10:00:00.250Z\",\"domain\":\"Example.COM.\",\"kind\":\"cname-and-mx\","

static void test_what_the_module_writes(void **state)
{
    (void)state;
    struct mxclash_event event = {.type = mxclash_opened,
                                  .kind = mxclash_cname_and_mx,
                                  .state = mxclash_confirmed,
                                  .evidence = mxclash_probe,
                                  .apex = mxclash_apex_yes,
                                  .impact = mxclash_implicit_mx,
                                  .servers = mxclash_servers_agree,
                                  .hides_spf = mxclash_unknown,
                                  .time = INT64_C(1795860000123),
                                  .first_seen = INT64_C(1795850000000),
                                  .last_seen = INT64_C(1795860000123),
                                  .mx_queries = 7,
                                  .advice = mxclash_remove_cname | mxclash_move_cname,
                                  .cname_ttl = 600,
                                  .provider = "alibaba-mail-standard"};
    size_t len;
    assert_int_equal(mxclash_name_from_text("example.com", event.owner, &len), mxclash_ok);
    event.owner_len = event.zone_len = (uint8_t)len;
    memcpy(event.zone, event.owner, len);
    assert_int_equal(mxclash_name_from_text("a\\046b.cdn.test", event.cname_target, &len),
                     mxclash_ok);
    event.cname_target_len = (uint8_t)len;
    event.mx_count = 1;
    event.mx[0].preference = 5;
    assert_int_equal(mxclash_name_from_text("mx.example.net", event.mx[0].exchange, &len),
                     mxclash_ok);
    event.mx[0].exchange_len = (uint8_t)len;
    char *text = json_event(&event, "resolver1");
    assert_non_null(text);
    read_text(text);
    assert_int_equal(line.kind, logline_opened);
    assert_int_equal(line.time, event.time);
    assert_string_equal(line.host, "resolver1");
    const struct book_conflict *conflict = &line.conflict;
    assert_string_equal(conflict->domain, "example.com");
    assert_string_equal(conflict->kind, "cname-and-mx");
    assert_string_equal(conflict->state, "confirmed");
    assert_string_equal(conflict->evidence, "probe");
    assert_int_equal(conflict->apex, 1);
    assert_string_equal(conflict->zone, "example.com");
    assert_string_equal(conflict->cname_target, "a\\046b.cdn.test");
    assert_int_equal(conflict->cname_ttl, 600);
    assert_int_equal(conflict->mx_count, 1);
    assert_int_equal(conflict->mx[0].preference, 5);
    assert_string_equal(conflict->mx[0].exchange, "mx.example.net");
    assert_string_equal(conflict->provider, "alibaba-mail-standard");
    assert_string_equal(conflict->impact, "implicit-mx");
    assert_int_equal(conflict->hides_spf, -1);
    assert_int_equal(conflict->authorities_differ, 0);
    assert_int_equal(conflict->first_seen, event.first_seen);
    assert_int_equal(conflict->mx_queries, 7);
    assert_int_equal(conflict->advice_count, 2);
    assert_string_equal(conflict->advice[1], "move-cname");
    logline_free(&line);
    free(text);
}

static void test_names_come_in_one_form(void **state)
{
    (void)state;
    read_text("{" KEY "\"event\":\"opened\",\"state\":\"confirmed\"}");
    assert_int_equal(line.kind, logline_opened);
    assert_string_equal(line.conflict.domain, "example.com");
    assert_int_equal(line.conflict.first_seen, line.time);
    assert_string_equal(line.conflict.impact, "unknown");
    logline_free(&line);
    /* a log that was written by hand: nothing of it may reach a terminal as it is */
    read_text("{\"time\":\"2026-11-28T10:00:00Z\",\"event\":\"opened\",\"state\":\"confirmed\","
              "\"kind\":\"cname-and-mx\",\"domain\":\"a\\u001b[31m.test\",\"host\":\"h\\u001b[2J\","
              "\"provider\":\"p\\u0007\",\"authority\":\"\\u0000\"}");
    assert_int_equal(line.kind, logline_malformed);
    logline_free(&line);
    read_text("{\"time\":\"2026-11-28T10:00:00Z\",\"event\":\"opened\",\"state\":\"confirmed\","
              "\"kind\":\"cname-and-mx\",\"domain\":\"a\\u001b[31m.test\",\"host\":\"h\\u001b[2J\","
              "\"provider\":\"p\\u0007\",\"authority\":\"a b\"}");
    assert_int_equal(line.kind, logline_opened);
    assert_string_equal(line.conflict.domain, "a\\027\\09131m.test");
    assert_string_equal(line.host, "");
    assert_null(line.conflict.provider);
    assert_null(line.conflict.authority);
    logline_free(&line);
}

static void test_tallies(void **state)
{
    (void)state;
    read_text("{" KEY "\"event\":\"tally\",\"state\":\"confirmed\",\"mx_queries\":12,"
              "\"provider\":\"fastmail\","
              "\"first_seen\":\"2026-11-27T10:00:00.000Z\",\"since\":\"2026-11-28T09:55:00.000Z\","
              "\"host\":\"r\"}");
    assert_int_equal(line.kind, logline_tally);
    assert_int_equal(line.conflict.mx_queries, 12);
    assert_string_equal(line.conflict.provider, "fastmail");
    assert_int_equal(line.time - line.conflict.first_seen, 24 * 3600 * 1000 + 250);
    logline_free(&line);
    read_text(
        "{\"time\":\"2026-11-28T10:00:00Z\",\"event\":\"tally\",\"domain\":null,"
        "\"domains\":40,\"mx_queries\":99,\"since\":\"2026-11-28T09:55:00Z\",\"host\":\"r\"}");
    assert_int_equal(line.kind, logline_tally_summed);
    assert_int_equal(line.conflict.mx_queries, 99);
    logline_free(&line);
}

/** As the module writes them. */
static void test_tallies_of_the_module(void **state)
{
    (void)state;
    struct mxclash_event event = {.type = mxclash_tally,
                                  .kind = mxclash_spf_missing,
                                  .state = mxclash_confirmed,
                                  .time = INT64_C(1795860000123),
                                  .first_seen = INT64_C(1795850000000),
                                  .last_seen = INT64_C(1795859990000),
                                  .mx_queries = 7,
                                  .held_back = 3};
    size_t len;
    char *text = json_event(&event, "resolver1");
    assert_non_null(text);
    read_text(text);
    assert_int_equal(line.kind, logline_tally_summed);
    assert_int_equal(line.conflict.mx_queries, 7);
    logline_free(&line);
    free(text);
    assert_int_equal(mxclash_name_from_text("example.com", event.owner, &len), mxclash_ok);
    event.owner_len = (uint8_t)len;
    text = json_event(&event, "resolver1");
    assert_non_null(text);
    read_text(text);
    assert_int_equal(line.kind, logline_tally);
    assert_string_equal(line.conflict.kind, "spf-missing");
    assert_string_equal(line.conflict.state, "confirmed");
    assert_int_equal(line.conflict.first_seen, event.first_seen);
    assert_int_equal(line.conflict.last_seen, event.last_seen);
    assert_int_equal(line.conflict.mx_queries, 7);
    logline_free(&line);
    free(text);
}

static void test_newer_logs(void **state)
{
    (void)state;
    read_text("{\"time\":\"2026-11-28T10:00:00Z\",\"event\":\"reloaded\",\"x\":[1,{}]}");
    assert_int_equal(line.kind, logline_unknown);
    logline_free(&line);
    read_text("{" KEY "\"event\":\"opened\",\"state\":\"proved-twice\",\"impact\":\"new-word\","
              "\"more\":{\"deep\":[1]},\"mx\":\"none\",\"advice\":[\"new-advice\",1]}");
    assert_int_equal(line.kind, logline_opened);
    assert_string_equal(line.conflict.state, "proved-twice");
    assert_string_equal(line.conflict.impact, "new-word");
    assert_int_equal(line.conflict.mx_count, 0);
    assert_int_equal(line.conflict.advice_count, 1);
    logline_free(&line);
}

static void test_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *fault;
    } bad[] = {
        {"", "no JSON object"},
        {"[]", "no JSON object"},
        {"{\"event\":", "no JSON object"},
        {"{}", "no event"},
        {"{\"event\":3}", "no event"},
        {"{\"event\":\"opened\"}", "no time"},
        {"{\"event\":\"opened\",\"time\":\"yesterday\"}", "no time"},
        {"{\"event\":\"opened\",\"time\":\"2026-11-28T10:00:00Z\"}", "no domain"},
        {"{\"event\":\"opened\",\"time\":\"2026-11-28T10:00:00Z\",\"domain\":\"a..b\"}",
         "no domain"},
        {"{\"event\":\"opened\",\"time\":\"2026-11-28T10:00:00Z\",\"domain\":\"a.b\","
         "\"kind\":\"No Word\"}",
         "no kind"},
        {"{" KEY "\"event\":\"cleared\"}", "no state"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        read_text(bad[i].text);
        assert_int_equal(line.kind, logline_malformed);
        assert_string_equal(line.fault, bad[i].fault);
        logline_free(&line);
    }
}

static void test_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t time;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-28T10:00:00.250Z", INT64_C(1795860000250)},
        {"2026-11-28T10:00:00.2509999Z", INT64_C(1795860000250)},
        {"2026-11-28T18:00:00.250+08:00", INT64_C(1795860000250)},
        {"2026-11-28T05:00:00.25-05:00", INT64_C(1795860000250)},
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
        {"9999-12-31T23:59:59.999-01:00", INT64_C(253402300799999)},
        {"1969-01-01T00:00:00Z", 0},
    };
    static const char *const bad[] = {"",
                                      "2026",
                                      "2026-11-28",
                                      "2026-11-28T10:00:00",
                                      "2026-13-28T10:00:00Z",
                                      "2026-11-28T24:00:00Z",
                                      "2026-11-28T10:00:00.Z",
                                      "2026-11-28T10:00:00Zx",
                                      "2026-11-28T10:00:00+8:00",
                                      "-026-11-28T10:00:00Z",
                                      "2026-11-28T10:00:00+08:00x"};
    int64_t time = -1;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(logline_time(good[i].text, &time));
        assert_int_equal(time, good[i].time);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(logline_time(bad[i], &time));
    }
}

/* --- cutting -------------------------------------------------------------------------------------
 */

static char cut[512];

static bool keep(void *context, const char *text, size_t len)
{
    const size_t used = strlen(cut);
    (void)context;
    snprintf(cut + used, sizeof(cut) - used, "%.*s|", text == NULL ? 3 : (int)len,
             text == NULL ? "..." : text);
    return true;
}

static void test_partial_line_waits(void **state)
{
    (void)state;
    bool skipping = false;
    cut[0] = '\0';
    assert_int_equal(lines_cut("one\r\n\ntwo\nthr", 13, &skipping, keep, NULL), 10);
    assert_string_equal(cut, "one||two|");
    assert_false(skipping);
}

static void test_line_that_never_ends(void **state)
{
    (void)state;
    const size_t len = LOGLINE_MAX + 2;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'x', len);
    bool skipping = false;
    cut[0] = '\0';
    assert_int_equal(lines_cut(text, len, &skipping, keep, NULL), len);
    assert_true(skipping);
    assert_int_equal(lines_cut("xx\ngood\n", 8, &skipping, keep, NULL), 8);
    assert_false(skipping);
    assert_string_equal(cut, "...|good|");
    /* one that may just be so long */
    cut[0] = '\0';
    text[LOGLINE_MAX] = '\n';
    assert_int_equal(lines_cut(text, LOGLINE_MAX + 1, &skipping, keep, NULL), LOGLINE_MAX + 1);
    assert_memory_equal(cut, "xxxx", 4);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_module_writes),
        cmocka_unit_test(test_names_come_in_one_form),
        cmocka_unit_test(test_tallies),
        cmocka_unit_test(test_tallies_of_the_module),
        cmocka_unit_test(test_newer_logs),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_partial_line_waits),
        cmocka_unit_test(test_line_that_never_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
