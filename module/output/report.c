/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The queue of events and the thread that feeds the sinks: see report.h. */
#include "output/report.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "output/clock.h"
#include "output/eventlog.h"
#include "output/json.h"
#include "output/systemlog.h"
#include "output/thread.h"

/** One event that waits. */
struct item {
    struct item *next;
    /** octets of the whole item */
    size_t octets;
    /** a struct mxclash_event without the unused end of its mx */
    _Alignas(max_align_t) unsigned char event[];
};

struct report {
    /* set at the start, then read only */
    bool enabled[REPORT_SINKS];
    char *host;
    void (*host_log)(void *context, const char *line);
    int64_t (*duty)(void *context, bool last);
    void *context;
    pthread_t thread;

    /** guards what follows, never held while a sink works */
    pthread_mutex_t lock;
    /** the queue is no longer empty, or stopping was set */
    pthread_cond_t work;
    struct item *first;
    struct item **last;
    /** events and octets that are queued or in the writer's hands */
    size_t events;
    size_t octets;
    bool stopping;

    /* any thread */
    _Atomic uint64_t written[REPORT_SINKS];
    _Atomic uint64_t dropped[REPORT_SINKS];

    /** the writer's own */
    struct eventlog file;
    struct systemlog system;
    /** monotonic milliseconds */
    int64_t duty_at_ms;
};

static int64_t monotonic_s(void)
{
    return clock_steady_ms() / 1000;
}

/** The host's log is for people: there the detector's own start and stop would only be noise. */
static bool sink_takes(const struct report *report, enum report_sink sink,
                       const struct mxclash_event *event)
{
    if (sink == report_host && event->type != mxclash_opened && event->type != mxclash_changed &&
        event->type != mxclash_cleared && event->type != mxclash_expired)
        return false;
    return report->enabled[sink];
}

static void count(struct report *report, enum report_sink sink, bool written)
{
    atomic_fetch_add_explicit(written ? &report->written[sink] : &report->dropped[sink], 1,
                              memory_order_relaxed);
}

static void count_dropped(struct report *report, const struct mxclash_event *event)
{
    for (int sink = 0; sink < REPORT_SINKS; sink++)
        if (sink_takes(report, (enum report_sink)sink, event))
            count(report, (enum report_sink)sink, false);
}

static void write_json(struct report *report, const struct mxclash_event *event)
{
    const bool to_file = sink_takes(report, report_file, event);
    const bool to_syslog = sink_takes(report, report_syslog, event);
    char *json;

    if (!to_file && !to_syslog)
        return;
    json = json_event(event, report->host);
    if (to_file)
        count(report, report_file,
              json != NULL && eventlog_write(&report->file, json, monotonic_s()));
    if (to_syslog)
        count(report, report_syslog, json != NULL && systemlog_write(&report->system, json));
    free(json);
}

static void write_readable(struct report *report, const struct mxclash_event *event)
{
    char *line;

    if (!sink_takes(report, report_host, event))
        return;
    line = readable_event(event);
    if (line != NULL)
        report->host_log(report->context, line);
    count(report, report_host, line != NULL);
    free(line);
}

/** \return when the writer is to wake up though there is no event, monotonic ms: for its duty, or
 * for a file that could not be opened */
static int64_t wake_at_ms(const struct report *report)
{
    const bool file_missing = report->enabled[report_file] && report->file.fd == -1;
    const int64_t retry_at_ms = file_missing ? report->file.retry_at_s * 1000 : INT64_MAX;

    return retry_at_ms < report->duty_at_ms ? retry_at_ms : report->duty_at_ms;
}

/** Wait for events, or until it is time. \return the queue, NULL if none */
static struct item *take_queue(struct report *report, bool *stopping)
{
    const int64_t at_ms = wake_at_ms(report);
    const struct timespec at = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
    struct item *taken;

    pthread_mutex_lock(&report->lock);
    while (report->first == NULL && !report->stopping) {
        if (at_ms == INT64_MAX)
            pthread_cond_wait(&report->work, &report->lock);
        else if (pthread_cond_timedwait(&report->work, &report->lock, &at) == ETIMEDOUT)
            break;
    }
    taken = report->first;
    report->first = NULL;
    report->last = &report->first;
    *stopping = report->stopping;
    pthread_mutex_unlock(&report->lock);
    return taken;
}

static void give_room(struct report *report, const struct item *item)
{
    pthread_mutex_lock(&report->lock);
    report->events--;
    report->octets -= item->octets;
    pthread_mutex_unlock(&report->lock);
}

void report_write(struct report *report, const struct mxclash_event *event)
{
    write_json(report, event);
    write_readable(report, event);
}

static void do_duty(struct report *report, bool last)
{
    const int64_t wait_ms = report->duty(report->context, last);

    report->duty_at_ms = wait_ms == INT64_MAX ? INT64_MAX : clock_steady_ms() + wait_ms;
}

static void *writer(void *argument)
{
    struct report *report = argument;
    bool stopping = false;

    /* what is queued when stopping is set comes with the same take, and nothing comes after it */
    while (!stopping) {
        struct item *item = take_queue(report, &stopping);

        if (report->enabled[report_file])
            eventlog_check(&report->file, monotonic_s());
        while (item != NULL) {
            struct item *next = item->next;
            const struct mxclash_event *event = (const struct mxclash_event *)item->event;

            if (event->type == mxclash_stopped && report->duty != NULL)
                do_duty(report, true);
            report_write(report, event);
            give_room(report, item);
            free(item);
            item = next;
        }
        if (!stopping && clock_steady_ms() >= report->duty_at_ms)
            do_duty(report, false);
    }
    eventlog_close(&report->file);
    systemlog_close(&report->system);
    return NULL;
}

/** \return false with nothing left behind */
static bool make_locks(struct report *report)
{
    pthread_condattr_t monotonic;
    int error;

    if (pthread_mutex_init(&report->lock, NULL) != 0)
        return false;
    if (pthread_condattr_init(&monotonic) != 0) {
        pthread_mutex_destroy(&report->lock);
        return false;
    }
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    error = pthread_cond_init(&report->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (error != 0)
        pthread_mutex_destroy(&report->lock);
    return error == 0;
}

static void free_report(struct report *report)
{
    pthread_cond_destroy(&report->work);
    pthread_mutex_destroy(&report->lock);
    free(report->host);
    free(report);
}

struct report *report_start(const struct report_options *options)
{
    struct report *report = calloc(1, sizeof(*report));

    if (report == NULL)
        return NULL;
    if (!make_locks(report)) {
        free(report);
        return NULL;
    }
    report->enabled[report_file] = options->log_file[0] != '\0';
    report->enabled[report_syslog] = options->log_syslog;
    report->enabled[report_host] = options->log_host;
    report->host_log = options->host_log;
    report->duty = options->duty;
    report->duty_at_ms = options->duty == NULL ? INT64_MAX : 0;
    report->context = options->context;
    report->last = &report->first;
    eventlog_init(&report->file, options->log_file, options->host_log, options->context);
    systemlog_init(&report->system, options->syslog_path, options->program, options->host_log,
                   options->context);
    report->host = strdup(options->host);
    if (report->host == NULL || !thread_start(&report->thread, "mxclash-report", writer, report)) {
        free_report(report);
        return NULL;
    }
    return report;
}

void report_submit(struct report *report, const struct mxclash_event *event)
{
    const size_t event_octets = MXCLASH_EVENT_SIZE(event);
    const size_t octets = offsetof(struct item, event) + event_octets;
    struct item *item = malloc(octets);
    bool queued = false;

    if (item == NULL) {
        count_dropped(report, event);
        return;
    }
    item->next = NULL;
    item->octets = octets;
    memcpy(item->event, event, event_octets);

    pthread_mutex_lock(&report->lock);
    if (report->events < REPORT_QUEUE_EVENTS && octets <= REPORT_QUEUE_OCTETS - report->octets) {
        /* the writer only sleeps while the queue is empty */
        if (report->first == NULL)
            pthread_cond_signal(&report->work);
        *report->last = item;
        report->last = &item->next;
        report->events++;
        report->octets += octets;
        queued = true;
    }
    pthread_mutex_unlock(&report->lock);
    if (!queued) {
        count_dropped(report, event);
        free(item);
    }
}

void report_stop(struct report *report)
{
    if (report == NULL)
        return;
    pthread_mutex_lock(&report->lock);
    report->stopping = true;
    pthread_cond_signal(&report->work);
    pthread_mutex_unlock(&report->lock);
    pthread_join(report->thread, NULL);
    free_report(report);
}

void report_get_stats(const struct report *report, struct report_stats *stats)
{
    for (int sink = 0; sink < REPORT_SINKS; sink++) {
        stats->written[sink] = atomic_load_explicit(&report->written[sink], memory_order_relaxed);
        stats->dropped[sink] = atomic_load_explicit(&report->dropped[sink], memory_order_relaxed);
    }
}

const char *report_sink_name(enum report_sink sink)
{
    static const char *const names[REPORT_SINKS] = {
        [report_file] = "file", [report_syslog] = "syslog", [report_host] = "host"};

    return (unsigned)sink < REPORT_SINKS ? names[sink] : "?";
}
