/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The event queue and its writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>

#include "report_fixture.h"

struct wanted {
    const struct report *report;
    enum report_sink sink;
    uint64_t written, dropped;
};

static bool counted(void *context)
{
    const struct wanted *wanted = context;
    struct report_stats stats;

    report_get_stats(wanted->report, &stats);
    return stats.written[wanted->sink] == wanted->written &&
           stats.dropped[wanted->sink] == wanted->dropped;
}

static void assert_counted(const struct report *report, enum report_sink sink, uint64_t written,
                           uint64_t dropped)
{
    struct wanted wanted = {report, sink, written, dropped};

    assert_true(wait_until(counted, &wanted, 60000));
}

static void test_file_and_host(void **state)
{
    struct fixture *fixture = *state;
    struct report_options options = options_for(fixture);
    struct mxclash_event event = sample_event();
    struct report *report;
    struct stat seen;
    unsigned broken;
    char text[LINE_MAX_OCTETS];

    options.log_host = true;
    umask(0);
    report = report_start(&options);
    assert_non_null(report);
    event.type = mxclash_started;
    report_submit(report, &event);
    event.type = mxclash_opened;
    report_submit(report, &event);
    /* a copy was taken */
    memset(&event, 0xff, sizeof(event));
    assert_counted(report, report_file, 2, 0);
    /* started is not for the host's log */
    assert_counted(report, report_host, 1, 0);
    assert_counted(report, report_syslog, 0, 0);
    report_stop(report);

    assert_said(&fixture->log, 1, "mxclash: opened confirmed cname-and-mx split.test: ");
    assert_int_equal(count_json(fixture->path, &broken), 2);
    assert_int_equal(broken, 0);
    assert_true(read_file(fixture->path, text, sizeof(text)) > 0);
    assert_non_null(strstr(text, "\"event\":\"started\",\"host\":\"ns1.example\""));
    assert_int_equal(stat(fixture->path, &seen), 0);
    assert_int_equal(seen.st_mode & 07777, 0640);
}

static void test_stop_drains(void **state)
{
    struct fixture *fixture = *state;
    struct report_options options = options_for(fixture);
    const struct mxclash_event event = sample_event();
    struct report *report;
    unsigned broken;

    for (unsigned round = 1; round <= 20; round++) {
        report = report_start(&options);
        for (int i = 0; i < 10; i++)
            report_submit(report, &event);
        report_stop(report);
        assert_int_equal(count_json(fixture->path, &broken), round * 10);
        assert_int_equal(broken, 0);
    }
    report_stop(NULL);
}

static void test_nothing_enabled(void **state)
{
    struct fixture *fixture = *state;
    struct report_options options = options_for(fixture);
    const struct mxclash_event event = sample_event();
    struct report *report;

    options.log_file = "";
    report = report_start(&options);
    report_submit(report, &event);
    for (int sink = 0; sink < REPORT_SINKS; sink++)
        assert_counted(report, (enum report_sink)sink, 0, 0);
    report_stop(report);
    assert_int_equal(fixture->log.count, 0);
}

/** Fill the queue while the writer stands still: what does not fit is counted, nobody waits. */
static void fill_queue(struct fixture *fixture, const struct mxclash_event *event,
                       unsigned submitted, unsigned fits)
{
    struct report_options options = options_for(fixture);
    struct report *report;
    unsigned broken;

    options.log_host = true;
    pthread_mutex_lock(&fixture->log.gate);
    report = report_start(&options);
    for (unsigned i = 0; i < submitted; i++)
        report_submit(report, event);
    assert_counted(report, report_host, 0, submitted - fits);
    /* the event in the writer's hands has reached the file already; the others wait */
    assert_counted(report, report_file, 1, submitted - fits);
    pthread_mutex_unlock(&fixture->log.gate);
    assert_counted(report, report_file, fits, submitted - fits);
    assert_counted(report, report_host, fits, submitted - fits);
    /* there is room again */
    report_submit(report, event);
    assert_counted(report, report_file, fits + 1, submitted - fits);
    report_stop(report);
    assert_int_equal(count_json(fixture->path, &broken), fits + 1);
    assert_int_equal(broken, 0);
}

static void test_queue_full_of_events(void **state)
{
    struct mxclash_event event = sample_event();

    event.mx_count = 0;
    fill_queue(*state, &event, REPORT_QUEUE_EVENTS + 5, REPORT_QUEUE_EVENTS);
}

static void test_queue_full_of_octets(void **state)
{
    struct mxclash_event event = sample_event();
    unsigned fits;

    while (event.mx_count < MXCLASH_MX_MAX)
        set_mx(&event, 10, "mx.example");
    /* a queued event costs a link and a size beside itself */
    fits = REPORT_QUEUE_OCTETS / (MXCLASH_EVENT_SIZE(&event) + 2 * sizeof(void *));
    assert_in_range(fits, 100, REPORT_QUEUE_EVENTS - 1);
    fill_queue(*state, &event, REPORT_QUEUE_EVENTS, fits);
}

struct submitter {
    struct report *report;
    pthread_t thread;
};

#define SUBMITTERS 4
#define SUBMITTED  2000

static void *submit_many(void *argument)
{
    const struct submitter *submitter = argument;
    struct mxclash_event event = sample_event();

    for (int i = 0; i < SUBMITTED; i++)
        report_submit(submitter->report, &event);
    return NULL;
}

/** Many threads: every event is written or counted as dropped, and no line is broken. */
static void test_threads(void **state)
{
    struct fixture *fixture = *state;
    struct report_options options = options_for(fixture);
    struct submitter submitters[SUBMITTERS];
    struct report_stats stats;
    struct report *report = report_start(&options);
    unsigned broken;

    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i].report = report;
        assert_int_equal(pthread_create(&submitters[i].thread, NULL, submit_many, &submitters[i]),
                         0);
    }
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_join(submitters[i].thread, NULL);
    report_get_stats(report, &stats);
    assert_counted(report, report_file, SUBMITTERS * SUBMITTED - stats.dropped[report_file],
                   stats.dropped[report_file]);
    report_stop(report);
    assert_int_equal(count_json(fixture->path, &broken),
                     SUBMITTERS * SUBMITTED - stats.dropped[report_file]);
    assert_int_equal(broken, 0);
}

/** A file that cannot be opened: said once, counted, tried again, said when it is back. */
static bool is_back(void *context)
{
    char last[LINE_MAX_OCTETS];

    return lines_said(context, last) == 2;
}

static void test_path_not_writable(void **state)
{
    struct fixture *fixture = *state;
    struct report_options options = options_for(fixture);
    const struct mxclash_event event = sample_event();
    struct report *report;
    unsigned broken;

    /* a folder is in the way: that stops even root */
    assert_int_equal(mkdir(fixture->path, 0700), 0);
    report = report_start(&options);
    report_submit(report, &event);
    report_submit(report, &event);
    assert_counted(report, report_file, 0, 2);
    assert_said(&fixture->log, 1,
                ": Is a directory; events are dropped and counted until it is back");
    assert_int_equal(rmdir(fixture->path), 0);
    /* no event is needed for the next try */
    assert_true(wait_until(is_back, &fixture->log, (REPORT_RETRY_S + 10) * 1000));
    assert_said(&fixture->log, 2, ": is back, 2 events were dropped");
    report_submit(report, &event);
    assert_counted(report, report_file, 1, 2);
    report_stop(report);
    assert_int_equal(count_json(fixture->path, &broken), 1);
}

/** Events for the other sinks go their way while the file fails. */
static void test_sinks_are_apart(void **state)
{
    struct fixture *fixture = *state;
    struct report_options options = options_for(fixture);
    const struct mxclash_event event = sample_event();
    struct report *report;

    options.log_file = "/nonexistent-folder/events.json";
    options.log_host = true;
    report = report_start(&options);
    report_submit(report, &event);
    assert_counted(report, report_host, 1, 0);
    assert_counted(report, report_file, 0, 1);
    report_stop(report);
}

/** No log daemon: the events are lost, and it is told. */
static void test_syslog_without_a_daemon(void **state)
{
    struct fixture *fixture = *state;
    struct report_options options = options_for(fixture);
    struct mxclash_event event = sample_event();
    struct report *report;

    options.log_file = "";
    options.log_syslog = true;
    options.syslog_path = "/nonexistent-folder/log";
    report = report_start(&options);
    report_submit(report, &event);
    event.type = mxclash_stopped;
    report_submit(report, &event);
    assert_counted(report, report_syslog, 0, 2);
    report_stop(report);
    assert_said(&fixture->log, 1, "mxclash: log-syslog: No such file or directory; events are ");
}

/** Find a thread of ours by its name. \return its number, 0 if there is none */
static int find_thread(const char *name)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    int found = 0;

    assert_non_null(tasks);
    while (found == 0 && (task = readdir(tasks)) != NULL) {
        char path[300], comm[64];

        snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task->d_name);
        if (read_file(path, comm, sizeof(comm)) > 0 && strncmp(comm, name, strlen(name)) == 0)
            found = atoi(task->d_name);
    }
    closedir(tasks);
    return found;
}

static void test_signals_blocked(void **state)
{
    static const int signals[] = {SIGHUP,  SIGINT,  SIGTERM, SIGPIPE, SIGALRM,
                                  SIGCHLD, SIGUSR1, SIGXFSZ, SIGQUIT};
    struct report_options options = options_for(*state);
    struct report *report = report_start(&options);
    char path[64], status[4096];
    const char *field;
    uint64_t blocked;
    sigset_t ours;

    snprintf(path, sizeof(path), "/proc/self/task/%d/status", find_thread("mxclash-report"));
    assert_true(read_file(path, status, sizeof(status)) > 0);
    field = strstr(status, "SigBlk:");
    assert_non_null(field);
    blocked = strtoull(field + strlen("SigBlk:"), NULL, 16);
    pthread_sigmask(SIG_BLOCK, NULL, &ours);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        assert_true((blocked >> (signals[i] - 1) & 1) == 1);
        /* the caller's mask is as it was */
        assert_int_equal(sigismember(&ours, signals[i]), 0);
    }
    report_stop(report);
}

static void test_sink_names(void **state)
{
    (void)state;
    assert_string_equal(report_sink_name(report_file), "file");
    assert_string_equal(report_sink_name(report_syslog), "syslog");
    assert_string_equal(report_sink_name(report_host), "host");
    assert_string_equal(report_sink_name(REPORT_SINKS), "?");
}

/** The signal of a size limit would end the process; in the writer it is blocked. */
static void test_size_limit(void **state)
{
    struct fixture *fixture = *state;
    struct report_options options = options_for(fixture);
    const struct mxclash_event event = sample_event();
    struct report *report = report_start(&options);
    unsigned broken;

    report_submit(report, &event);
    assert_counted(report, report_file, 1, 0);
    limit_file(700);
    report_submit(report, &event);
    report_submit(report, &event);
    assert_counted(report, report_file, 1, 2);
    limit_file(RLIM_INFINITY);
    assert_said(&fixture->log, 1, ": File too large; events are dropped");
    report_stop(report);
    assert_int_equal(count_json(fixture->path, &broken), 1);
    assert_int_equal(broken, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_file_and_host),
        TEST(test_stop_drains),
        TEST(test_nothing_enabled),
        TEST(test_queue_full_of_events),
        TEST(test_queue_full_of_octets),
        TEST(test_threads),
        TEST(test_path_not_writable),
        TEST(test_sinks_are_apart),
        TEST(test_syslog_without_a_daemon),
        TEST(test_signals_blocked),
        TEST(test_sink_names),
        TEST(test_size_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
