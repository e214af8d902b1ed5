/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The numbers as text, looked at by Prometheus's own tool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output/metrics.h"
#include "outputs.h"

/** Every sample of /metrics, in any order; each number stands for one field of sample_input(). */
static const char *const samples[] = {
    "mxclash_build_info{version=\"" MXCLASH_VERSION
    "\",host=\"unbound\",host_version=\"1.17.1\"} 1",
    "mxclash_answers_inspected_total{source=\"upstream\"} 1",
    "mxclash_answers_inspected_total{source=\"cache\"} 101",
    "mxclash_conflicts_opened_total{kind=\"cname-and-mx\"} 3",
    "mxclash_conflicts_opened_total{kind=\"cname-at-apex\"} 4",
    "mxclash_conflicts_opened_total{kind=\"foreign-mx\"} 5",
    "mxclash_conflicts_opened_total{kind=\"incomplete-mx\"} 6",
    "mxclash_conflicts_opened_total{kind=\"spf-missing\"} 7",
    "mxclash_conflicts_cleared_total{kind=\"cname-and-mx\"} 8",
    "mxclash_conflicts_cleared_total{kind=\"cname-at-apex\"} 9",
    "mxclash_conflicts_cleared_total{kind=\"foreign-mx\"} 10",
    "mxclash_conflicts_cleared_total{kind=\"incomplete-mx\"} 11",
    "mxclash_conflicts_cleared_total{kind=\"spf-missing\"} 12",
    "mxclash_conflicts_expired_total{kind=\"cname-and-mx\"} 13",
    "mxclash_conflicts_expired_total{kind=\"cname-at-apex\"} 14",
    "mxclash_conflicts_expired_total{kind=\"foreign-mx\"} 15",
    "mxclash_conflicts_expired_total{kind=\"incomplete-mx\"} 16",
    "mxclash_conflicts_expired_total{kind=\"spf-missing\"} 17",
    "mxclash_conflicts_evicted_total{kind=\"cname-and-mx\"} 301",
    "mxclash_conflicts_evicted_total{kind=\"cname-at-apex\"} 302",
    "mxclash_conflicts_evicted_total{kind=\"foreign-mx\"} 303",
    "mxclash_conflicts_evicted_total{kind=\"incomplete-mx\"} 304",
    "mxclash_conflicts_evicted_total{kind=\"spf-missing\"} 305",
    "mxclash_conflicts{kind=\"cname-and-mx\",state=\"suspected\"} 18",
    "mxclash_conflicts{kind=\"cname-and-mx\",state=\"confirmed\"} 19",
    "mxclash_conflicts{kind=\"cname-at-apex\",state=\"suspected\"} 20",
    "mxclash_conflicts{kind=\"cname-at-apex\",state=\"confirmed\"} 21",
    "mxclash_conflicts{kind=\"foreign-mx\",state=\"suspected\"} 22",
    "mxclash_conflicts{kind=\"foreign-mx\",state=\"confirmed\"} 23",
    "mxclash_conflicts{kind=\"incomplete-mx\",state=\"suspected\"} 24",
    "mxclash_conflicts{kind=\"incomplete-mx\",state=\"confirmed\"} 25",
    "mxclash_conflicts{kind=\"spf-missing\",state=\"suspected\"} 26",
    "mxclash_conflicts{kind=\"spf-missing\",state=\"confirmed\"} 27",
    "mxclash_probes_total{result=\"both\"} 28",
    "mxclash_probes_total{result=\"cname-only\"} 29",
    "mxclash_probes_total{result=\"mx-only\"} 30",
    "mxclash_probes_total{result=\"neither\"} 31",
    "mxclash_probes_total{result=\"failed\"} 32",
    "mxclash_probes_dropped_total{reason=\"queue-full\"} 33",
    "mxclash_probes_dropped_total{reason=\"stale\"} 34",
    "mxclash_probes_dropped_total{reason=\"host\"} 35",
    "mxclash_probes_dropped_total{reason=\"zone-limit\"} 36",
    "mxclash_affected_mx_answers_total{outcome=\"hidden\"} 37",
    "mxclash_affected_mx_answers_total{outcome=\"repaired\"} 38",
    "mxclash_table_entries 39",
    "mxclash_table_bytes 40",
    "mxclash_table_bytes_limit 41",
    "mxclash_table_evictions_total 42",
    "mxclash_malformed_answers_total 2",
    "mxclash_annotated_answers_total 102",
    "mxclash_state_writes_total{result=\"written\"} 106",
    "mxclash_state_writes_total{result=\"failed\"} 107",
    "mxclash_http_refused_total{reason=\"connections\"} 103",
    "mxclash_http_refused_total{reason=\"deadline\"} 104",
    "mxclash_http_refused_total{reason=\"replies\"} 105",
    "mxclash_conflicts_delayed_total{reason=\"domain-limit\"} 401",
    "mxclash_conflicts_delayed_total{reason=\"rate-limit\"} 402",
    "mxclash_events_total{sink=\"file\"} 201",
    "mxclash_events_total{sink=\"syslog\"} 202",
    "mxclash_events_total{sink=\"host\"} 203",
    "mxclash_events_dropped_total{sink=\"file\"} 204",
    "mxclash_events_dropped_total{sink=\"syslog\"} 205",
    "mxclash_events_dropped_total{sink=\"host\"} 206",
};
#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

/** Every counter differs, so that a number under the wrong name shows. */
static struct metrics_input sample_input(void)
{
    struct metrics_input input = {.inspected_cache = 101,
                                  .annotated = 102,
                                  .http_refused = {103, 104, 105},
                                  .state_written = 106,
                                  .state_failures = 107,
                                  .host = "unbound",
                                  .host_version = "1.17.1"};
    uint64_t next = 1;

    input.engine.inspected = next++;
    input.engine.malformed = next++;
    for (int i = 0; i < MXCLASH_KINDS; i++)
        input.engine.opened[i] = next++;
    for (int i = 0; i < MXCLASH_KINDS; i++)
        input.engine.cleared[i] = next++;
    for (int i = 0; i < MXCLASH_KINDS; i++)
        input.engine.expired[i] = next++;
    for (int i = 0; i < MXCLASH_KINDS; i++)
        for (int j = 0; j < MXCLASH_STATES; j++)
            input.engine.open_now[i][j] = next++;
    for (int i = 0; i < MXCLASH_PROOF_RESULTS; i++)
        input.engine.proofs[i] = next++;
    for (int i = 0; i < MXCLASH_PROOF_DROPS; i++)
        input.engine.proofs_dropped[i] = next++;
    for (int i = 0; i < MXCLASH_DELAYS; i++)
        input.engine.delayed[i] = 401 + (uint64_t)i;
    for (int i = 0; i < MXCLASH_OUTCOMES; i++)
        input.engine.affected_mx[i] = next++;
    input.engine.table_entries = next++;
    input.engine.table_bytes = next++;
    input.engine.table_bytes_limit = next++;
    input.engine.table_evictions = next++;
    for (int i = 0; i < MXCLASH_KINDS; i++)
        input.engine.evicted[i] = 301u + (unsigned)i;
    next = 201;
    for (int i = 0; i < REPORT_SINKS; i++)
        input.report.written[i] = next++;
    for (int i = 0; i < REPORT_SINKS; i++)
        input.report.dropped[i] = next++;
    return input;
}

/** \return how often line stands in text as a whole line */
static unsigned count_line(const char *text, const char *line)
{
    const size_t octets = strlen(line);
    unsigned found = 0;

    for (; *text != '\0'; text = strchr(text, '\n') + 1)
        found += strncmp(text, line, octets) == 0 && text[octets] == '\n';
    return found;
}

static unsigned count_samples(const char *text)
{
    unsigned found = 0;

    for (; *text != '\0'; text = strchr(text, '\n') + 1)
        found += *text != '#';
    return found;
}

/** Feed text to a shell command, each sample with suffix behind it. \return its exit status */
static int feed(const char *command, const char *text, const char *suffix)
{
    FILE *pipe = popen(command, "w");
    int status;

    assert_non_null(pipe);
    while (*text != '\0') {
        const int octets = (int)strcspn(text, "\n");

        fprintf(pipe, "%.*s%s\n", octets, text, *text == '#' ? "" : suffix);
        text += octets + 1;
    }
    status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/** promtool's linter: 0 clean, 3 for style, 1 for what does not parse. */
static void assert_prometheus(const char *text)
{
    assert_int_equal(feed("promtool check metrics", text, ""), 0);
}

/** promtool's linter reads only Prometheus text, but its importer reads OpenMetrics. That wants a
 * time behind every sample. */
static int import_openmetrics(const char *text)
{
    char folder[] = P_tmpdir "/mxclash-metrics-XXXXXX";
    char command[256];
    int status;

    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof(command),
             "cat >%s/in && promtool tsdb create-blocks-from openmetrics %s/in %s/out >%s/log 2>&1",
             folder, folder, folder, folder);
    status = feed(command, text, " 1767323045.000");
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    return status;
}

static void assert_openmetrics(const char *text)
{
    const char *end = strstr(text, "# EOF\n");

    assert_non_null(end);
    assert_string_equal(end, "# EOF\n");
    assert_int_equal(import_openmetrics(text), 0);
}

static char *text_of(const struct metrics_input *input, enum metrics_format format)
{
    char *text = metrics_text(input, format);

    assert_non_null(text);
    return text;
}

static void test_every_sample(void **state)
{
    const struct metrics_input input = sample_input();

    (void)state;
    for (int format = metrics_prometheus; format <= metrics_openmetrics; format++) {
        char *text = text_of(&input, (enum metrics_format)format);

        for (size_t i = 0; i < SAMPLES; i++)
            if (count_line(text, samples[i]) != 1)
                fail_msg("%s stands %u times", samples[i], count_line(text, samples[i]));
        assert_int_equal(count_samples(text), SAMPLES);
        free(text);
    }
}

static void test_prometheus(void **state)
{
    const struct metrics_input input = sample_input();
    char *text = text_of(&input, metrics_prometheus);

    (void)state;
    assert_prometheus(text);
    assert_int_equal(count_line(text, "# TYPE mxclash_probes_total counter"), 1);
    assert_int_equal(count_line(text, "# TYPE mxclash_conflicts gauge"), 1);
    assert_null(strstr(text, "# EOF"));
    free(text);
}

static void test_openmetrics(void **state)
{
    const struct metrics_input input = sample_input();
    char *text = text_of(&input, metrics_openmetrics);

    (void)state;
    assert_openmetrics(text);
    /* the importer does read: it finds a missing end */
    strcpy(strstr(text, "# EOF"), "");
    assert_int_not_equal(import_openmetrics(text), 0);
    assert_int_equal(count_line(text, "# TYPE mxclash_probes counter"), 1);
    assert_int_equal(count_line(text, "# TYPE mxclash_conflicts gauge"), 1);
    assert_null(strstr(text, "_total counter"));
    free(text);
}

/** What only the host can tell stands behind the rest, each family once. */
static void test_numbers_of_the_host(void **state)
{
    static const struct metrics_number numbers[] = {
        {"mxclash_tests", true, "What is counted.", "use", "one", 1},
        {"mxclash_tests", true, "What is counted.", "use", "other\"", 2},
        {"mxclash_things", false, "How many there are.", NULL, NULL, 3},
    };
    struct metrics_input input = sample_input();
    char *text;

    (void)state;
    input.numbers = numbers;
    input.number_count = sizeof(numbers) / sizeof(numbers[0]);
    for (int format = metrics_prometheus; format <= metrics_openmetrics; format++) {
        text = text_of(&input, (enum metrics_format)format);
        assert_int_equal(count_samples(text), SAMPLES + 3);
        assert_int_equal(count_line(text, "mxclash_tests_total{use=\"one\"} 1"), 1);
        assert_int_equal(count_line(text, "mxclash_tests_total{use=\"other\\\"\"} 2"), 1);
        assert_int_equal(count_line(text, "mxclash_things 3"), 1);
        assert_int_equal(count_line(text, "# TYPE mxclash_things gauge"), 1);
        free(text);
    }
    text = text_of(&input, metrics_openmetrics);
    assert_int_equal(count_line(text, "# TYPE mxclash_tests counter"), 1);
    assert_openmetrics(text);
    free(text);
}

/** Nothing has happened yet: every series is there all the same, so that rate() sees it begin. */
static void test_zero(void **state)
{
    const struct metrics_input input = {.host = "", .host_version = ""};
    char *text = text_of(&input, metrics_prometheus);

    (void)state;
    assert_int_equal(count_samples(text), SAMPLES);
    assert_prometheus(text);
    free(text);
}

static void test_escapes(void **state)
{
    struct metrics_input input = sample_input();

    (void)state;
    input.host = "a\"b\\c\nd";
    input.host_version = "1.17.1 \xe6\xb5\x8b";
    for (int format = metrics_prometheus; format <= metrics_openmetrics; format++) {
        char *text = text_of(&input, (enum metrics_format)format);

        assert_int_equal(
            count_line(text, "mxclash_build_info{version=\"" MXCLASH_VERSION
                             "\",host=\"a\\\"b\\\\c\\nd\",host_version=\"1.17.1 \xe6\xb5\x8b\"} 1"),
            1);
        if (format == metrics_prometheus)
            assert_prometheus(text);
        else
            assert_openmetrics(text);
        free(text);
    }
}

static void test_largest_numbers(void **state)
{
    struct metrics_input input = sample_input();
    char *text;

    (void)state;
    memset(&input.engine, 0xff, sizeof(input.engine));
    text = text_of(&input, metrics_prometheus);
    assert_int_equal(count_line(text, "mxclash_table_entries 18446744073709551615"), 1);
    assert_prometheus(text);
    free(text);
}

static struct mxclash_domain sample_domain(const char *owner, enum mxclash_kind kind,
                                           mxclash_time first_seen, uint64_t mx_queries)
{
    struct mxclash_domain domain = {
        .kind = kind, .first_seen = first_seen, .mx_queries = mx_queries};

    SET_NAME(domain.owner, domain.owner_len, owner);
    return domain;
}

static void test_domains(void **state)
{
    struct mxclash_domain domains[] = {
        sample_domain("split.test", mxclash_spf_missing, SAMPLE_TIME, 9),
        sample_domain("b\\\"d.test", mxclash_cname_and_mx, SAMPLE_TIME + 1, 5),
        sample_domain("split.test", mxclash_cname_and_mx, SAMPLE_TIME - 1000, 4),
    };

    (void)state;
    strcpy(domains[0].provider, "alibaba-mail-standard");
    for (int format = metrics_prometheus; format <= metrics_openmetrics; format++) {
        char *text = metrics_domains_text(domains, 3, (enum metrics_format)format);

        assert_non_null(text);
        assert_int_equal(count_line(text,
                                    "mxclash_domain_mx_queries_total{domain=\"split.test\","
                                    "kind=\"spf-missing\",provider=\"alibaba-mail-standard\"} 9"),
                         1);
        assert_int_equal(count_line(text, "mxclash_domain_mx_queries_total{domain=\"split.test\","
                                          "kind=\"cname-and-mx\",provider=\"\"} 4"),
                         1);
        assert_int_equal(count_line(text,
                                    "mxclash_domain_mx_queries_total{domain=\"b\\\\034d.test\","
                                    "kind=\"cname-and-mx\",provider=\"\"} 5"),
                         1);
        /* two conflicts, one domain: the older is told, once */
        assert_int_equal(
            count_line(text, "mxclash_domain_first_seen_timestamp_seconds{domain=\"split.test\"} "
                             "1767323044.678"),
            1);
        assert_int_equal(count_samples(text), 5);
        if (format == metrics_prometheus)
            assert_prometheus(text);
        else
            assert_openmetrics(text);
        free(text);
    }
}

static void test_no_domains(void **state)
{
    char *text = metrics_domains_text(NULL, 0, metrics_prometheus);

    (void)state;
    assert_non_null(text);
    assert_int_equal(count_samples(text), 0);
    assert_prometheus(text);
    free(text);
    text = metrics_domains_text(NULL, 0, metrics_openmetrics);
    assert_non_null(text);
    assert_string_equal(strstr(text, "# EOF"), "# EOF\n");
    free(text);
}

/** Both lists hold the same conflict twice: a series stands once all the same. */
static void test_same_conflict_twice(void **state)
{
    struct mxclash_domain domains[] = {
        sample_domain("a.test", mxclash_cname_and_mx, 5000, 1),
        sample_domain("a.test", mxclash_cname_and_mx, 4001, 2),
    };
    char *text = metrics_domains_text(domains, 2, metrics_prometheus);

    (void)state;
    assert_non_null(text);
    assert_int_equal(count_samples(text), 2);
    assert_int_equal(
        count_line(text, "mxclash_domain_first_seen_timestamp_seconds{domain=\"a.test\"} 4.001"),
        1);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_sample),
        cmocka_unit_test(test_prometheus),
        cmocka_unit_test(test_openmetrics),
        cmocka_unit_test(test_numbers_of_the_host),
        cmocka_unit_test(test_zero),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_largest_numbers),
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_no_domains),
        cmocka_unit_test(test_same_conflict_twice),
    };

    /* a host with a decimal comma, where such a locale is installed */
    setlocale(LC_ALL, "de_DE.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
