/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Events as JSON and as readable lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/json.h"
#include "outputs.h"

static void assert_json(const struct mxclash_event *event, const char *host, const char *expected)
{
    char *text = json_event(event, host);

    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static json_t *parse(const struct mxclash_event *event)
{
    char *text = json_event(event, "h");
    json_t *object;

    assert_non_null(text);
    assert_null(strchr(text, '\n'));
    object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    free(text);
    return object;
}

static void assert_field(const struct mxclash_event *event, const char *field, const char *expected)
{
    json_t *object = parse(event);
    const char *value = json_string_value(json_object_get(object, field));

    if (expected == NULL) {
        assert_true(json_is_null(json_object_get(object, field)));
    } else {
        assert_non_null(value);
        assert_string_equal(value, expected);
    }
    json_decref(object);
}

static void test_every_field_in_order(void **state)
{
    const struct mxclash_event event = sample_event();

    (void)state;
    assert_json(
        &event, "ns1.example",
        "{\"time\":\"2026-01-02T03:04:05.678Z\",\"event\":\"opened\","
        "\"domain\":\"split.test\",\"kind\":\"cname-and-mx\",\"state\":\"confirmed\","
        "\"evidence\":\"probe\",\"apex\":true,\"zone\":\"test\","
        "\"cname\":{\"target\":\"www.cdn.test\",\"ttl\":300},"
        "\"mx\":[{\"preference\":5,\"exchange\":\"mx1.qiye.aliyun.com\"}],"
        "\"provider\":\"alibaba-mail-standard\",\"impact\":\"implicit-mx\","
        "\"hides_spf\":true,\"spf\":null,\"authority\":\"127.0.0.1\",\"authorities_differ\":null,"
        "\"first_seen\":\"2026-01-02T03:03:05.678Z\","
        "\"last_seen\":\"2026-01-02T03:04:05.678Z\",\"mx_queries\":7,"
        "\"advice\":[\"remove-cname\",\"replace-cname-with-address\"],"
        "\"host\":\"ns1.example\",\"held_back\":0}");
}

static void test_unknown_is_null(void **state)
{
    struct mxclash_event event = {.type = mxclash_changed,
                                  .state = mxclash_suspected,
                                  .apex = mxclash_apex_unknown,
                                  .hides_spf = mxclash_unknown};

    (void)state;
    SET_NAME(event.owner, event.owner_len, "a.test");
    event.evidence = mxclash_separate_answers;
    assert_json(&event, NULL,
                "{\"time\":\"1970-01-01T00:00:00.000Z\",\"event\":\"changed\","
                "\"domain\":\"a.test\",\"kind\":\"cname-and-mx\",\"state\":\"suspected\","
                "\"evidence\":\"separate-answers\",\"apex\":null,\"zone\":null,\"cname\":null,"
                "\"mx\":[],\"provider\":null,\"impact\":\"unknown\",\"hides_spf\":null,"
                "\"spf\":null,\"authority\":null,\"authorities_differ\":null,"
                "\"first_seen\":\"1970-01-01T00:00:00.000Z\","
                "\"last_seen\":\"1970-01-01T00:00:00.000Z\",\"mx_queries\":0,\"advice\":[],"
                "\"host\":null,\"held_back\":0}");
    event.apex = mxclash_apex_no;
    json_t *object = parse(&event);
    assert_true(json_is_false(json_object_get(object, "apex")));
    json_decref(object);
}

static void test_started_and_stopped(void **state)
{
    struct mxclash_event event = {.type = mxclash_started, .time = SAMPLE_TIME};

    (void)state;
    assert_json(&event, "h",
                "{\"time\":\"2026-01-02T03:04:05.678Z\",\"event\":\"started\",\"host\":\"h\","
                "\"version\":\"" MXCLASH_VERSION "\"}");
    event.type = mxclash_stopped;
    assert_field(&event, "event", "stopped");
}

static void test_times(void **state)
{
    static const struct {
        mxclash_time time;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        /* what RFC 3339 cannot write becomes the nearest that it can */
        {253402300800000, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {-1, "1970-01-01T00:00:00.000Z"},
        {INT64_MIN, "1970-01-01T00:00:00.000Z"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mxclash_event event = sample_event();

        event.time = cases[i].time;
        event.first_seen = cases[i].time;
        event.last_seen = cases[i].time;
        assert_field(&event, "time", cases[i].text);
        assert_field(&event, "first_seen", cases[i].text);
        assert_field(&event, "last_seen", cases[i].text);
    }
}

static void test_addresses(void **state)
{
    struct mxclash_event event = sample_event();

    (void)state;
    set_authority(&event, "192.0.2.1");
    assert_field(&event, "authority", "192.0.2.1");
    set_authority(&event, "2001:db8::1");
    assert_field(&event, "authority", "2001:db8::1");
    event.authority.family = 1;
    assert_field(&event, "authority", NULL);
}

/** Fill in the longest name, each octet of which must be escaped. */
static void set_longest_name(uint8_t name[MXCLASH_NAME_MAX], uint8_t *name_len)
{
    static const uint8_t labels[] = {63, 63, 63, 61};
    size_t at = 0;

    for (size_t i = 0; i < sizeof(labels); i++) {
        name[at++] = labels[i];
        memset(name + at, 0xff - (int)i, labels[i]);
        at += labels[i];
    }
    name[at++] = 0;
    assert_int_equal(at, MXCLASH_NAME_MAX);
    *name_len = MXCLASH_NAME_MAX;
}

static void test_authorities(void **state)
{
    struct mxclash_event event = sample_event();
    json_t *object;

    (void)state;
    event.servers = mxclash_servers_differ;
    object = parse(&event);
    assert_true(json_is_true(json_object_get(object, "authorities_differ")));
    json_decref(object);
    event.servers = mxclash_servers_agree;
    object = parse(&event);
    assert_true(json_is_false(json_object_get(object, "authorities_differ")));
    json_decref(object);
}

static void test_largest_event(void **state)
{
    struct mxclash_event event = sample_event();
    json_t *object, *mx;
    char *line;

    (void)state;
    set_longest_name(event.owner, &event.owner_len);
    set_longest_name(event.zone, &event.zone_len);
    set_longest_name(event.cname_target, &event.cname_target_len);
    for (event.mx_count = 0; event.mx_count < MXCLASH_MX_MAX; event.mx_count++) {
        struct mxclash_mx *last = &event.mx[event.mx_count];

        last->preference = UINT16_MAX;
        set_longest_name(last->exchange, &last->exchange_len);
    }
    event.mx_queries = UINT64_MAX;
    event.cname_ttl = UINT32_MAX;
    event.held_back = UINT32_MAX;
    event.advice = UINT32_MAX;

    object = parse(&event);
    mx = json_object_get(object, "mx");
    assert_int_equal(json_array_size(mx), MXCLASH_MX_MAX);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(mx, 15), "preference")),
                     65535);
    assert_int_equal(json_string_length(json_object_get(object, "domain")), 250 * 4 + 3);
    assert_int_equal(json_integer_value(json_object_get(object, "mx_queries")), INT64_MAX);
    assert_int_equal(json_integer_value(json_object_get(object, "held_back")), UINT32_MAX);
    assert_int_equal(json_array_size(json_object_get(object, "advice")), MXCLASH_ADVICES);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(object, "cname"), "ttl")),
                     UINT32_MAX);
    json_decref(object);

    line = readable_event(&event);
    assert_non_null(line);
    assert_non_null(strstr(line, " and 12 more ("));
    free(line);
}

static void test_hostile_octets(void **state)
{
    struct mxclash_event event = sample_event();
    char *text;

    (void)state;
    /* a name may hold anything: quotes, line ends, octets that are no UTF-8 */
    SET_NAME(event.owner, event.owner_len, "\\\"\\010\\000\\255<b>.test");
    assert_field(&event, "domain", "\\034\\010\\000\\255\\060b\\062.test");
    /* the operator's own texts may be UTF-8, and are escaped; what is no UTF-8 is unknown */
    strcpy(event.provider, "courrier-\xc3\xa9t\xc3\xa9");
    text = json_event(&event, "bad\xff");
    assert_non_null(strstr(text, "\"provider\":\"courrier-\\u00E9t\\u00E9\""));
    assert_non_null(strstr(text, "\"host\":null"));
    free(text);
    text = readable_event(&event);
    for (const char *at = text; *at != '\0'; at++)
        assert_in_range(*at, ' ', '~');
    free(text);
}

static int allocations_left;

static void *limited_malloc(size_t octets)
{
    return allocations_left-- > 0 ? malloc(octets) : NULL;
}

/** Whatever allocation fails: no text or a whole text, nothing leaked (the sanitizer looks). */
static void test_no_memory(void **state)
{
    const struct mxclash_event event = sample_event();
    char *text = NULL;
    int most;

    (void)state;
    json_set_alloc_funcs(limited_malloc, free);
    for (most = 0; most < 1000 && allocations_left <= 0; most++) {
        allocations_left = most;
        text = json_event(&event, "h");
        if (text != NULL) {
            assert_int_equal(text[0], '{');
            assert_int_equal(text[strlen(text) - 1], '}');
        }
        free(text);
    }
    json_set_alloc_funcs(malloc, free);
    assert_in_range(most, 20, 999);
    assert_non_null(text);
}

static void assert_readable(const struct mxclash_event *event, const char *expected)
{
    char *line = readable_event(event);

    assert_non_null(line);
    assert_string_equal(line, expected);
    free(line);
}

static void test_readable(void **state)
{
    struct mxclash_event event = sample_event();

    (void)state;
    assert_readable(&event,
                    "mxclash: opened confirmed cname-and-mx split.test: CNAME www.cdn.test hides "
                    "MX 5 mx1.qiye.aliyun.com (probe, authority 127.0.0.1, impact implicit-mx, SPF "
                    "hidden too); "
                    "advice: remove-cname, "
                    "replace-cname-with-address");
    event.type = mxclash_changed;
    event.evidence = mxclash_same_answer;
    event.authority.family = 0;
    event.impact = mxclash_impact_unknown;
    event.hides_spf = mxclash_no;
    event.servers = mxclash_servers_differ;
    event.advice = 0;
    set_mx(&event, 10, "mx2.qiye.aliyun.com");
    assert_readable(&event,
                    "mxclash: changed confirmed cname-and-mx split.test: CNAME www.cdn.test hides "
                    "MX 5 mx1.qiye.aliyun.com, 10 mx2.qiye.aliyun.com (same-answer, the "
                    "authorities differ)");
    event.servers = mxclash_servers_agree;
    event.kind = mxclash_foreign_mx;
    assert_readable(&event, "mxclash: changed confirmed foreign-mx split.test: MX 5 "
                            "mx1.qiye.aliyun.com, 10 mx2.qiye.aliyun.com mixes hosts of "
                            "alibaba-mail-standard with others (same-answer)");
    event.kind = mxclash_incomplete_mx;
    assert_readable(&event, "mxclash: changed confirmed incomplete-mx split.test: MX 5 "
                            "mx1.qiye.aliyun.com, 10 mx2.qiye.aliyun.com is not the set that "
                            "alibaba-mail-standard documents (same-answer)");
    event.kind = mxclash_spf_missing;
    event.held_back = 3;
    assert_readable(&event, "mxclash: changed confirmed spf-missing split.test: the SPF record "
                            "lacks the include of alibaba-mail-standard (same-answer); 3 such "
                            "events held back before");
    event.held_back = 0;
    event.kind = mxclash_cname_at_apex;
    event.mx_count = 0;
    assert_readable(&event, "mxclash: changed confirmed cname-at-apex split.test: the zone apex is "
                            "a CNAME to www.cdn.test (same-answer)");
    event.type = mxclash_cleared;
    assert_readable(&event, "mxclash: cleared confirmed cname-at-apex split.test: was open for "
                            "60 s, met 7 MX queries");
    event.type = mxclash_expired;
    event.first_seen = INT64_MIN;
    event.last_seen = INT64_MAX;
    assert_readable(&event, "mxclash: expired confirmed cname-at-apex split.test: was open for "
                            "253402300799 s, met 7 MX queries");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_in_order),
        cmocka_unit_test(test_unknown_is_null),
        cmocka_unit_test(test_started_and_stopped),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_authorities),
        cmocka_unit_test(test_largest_event),
        cmocka_unit_test(test_hostile_octets),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_readable),
    };

    /* times are UTC wherever the machine stands */
    setenv("TZ", "Asia/Shanghai", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
