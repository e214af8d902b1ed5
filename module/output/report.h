/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The way of an event out of the resolver: a bounded queue and one writer thread that feeds the
 * sinks. Whoever submits never waits; a full queue drops the event and counts it.
 */
#ifndef MXCLASH_OUTPUT_REPORT_H
#define MXCLASH_OUTPUT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "mxclash.h"
#include "output/eventlog.h"

/** Where events go; their names are the `sink` label of the metrics. */
enum report_sink { report_file = 0, report_syslog, report_host, REPORT_SINKS };

/** Most events and octets that wait for the writer. */
#define REPORT_QUEUE_EVENTS 1024
#define REPORT_QUEUE_OCTETS (2u << 20)

struct report_options {
    /** JSON lines file; "" = none. Borrowed until report_stop(). */
    const char *log_file;
    bool log_syslog;
    /** socket of the log daemon; NULL: where libc has it. Borrowed until report_stop(). */
    const char *syslog_path;
    /** the program that we are in, as lines to syslog name it; borrowed until report_stop() */
    const char *program;
    bool log_host;
    /** name of this machine for the event's `host` field; copied */
    const char *host;
    /**
     * Write one readable line into the host's own log; called from the writer thread only.
     * Also used, whatever log_host says, for one line when a sink fails and one when it is back.
     */
    void (*host_log)(void *context, const char *line);
    /**
     * What else is to be done from time to time; NULL: nothing. Called from the writer thread: soon
     * after the start, then after the milliseconds that it returned, and once more, with last,
     * before the event of type stopped is written, if there is one. It may take its time, and may
     * call report_write().
     */
    int64_t (*duty)(void *context, bool last);
    void *context;
};

struct report;

/**
 * Start the writer thread, all signals blocked in it.
 * A file that cannot be opened now is no error here: it is said once through host_log, counted,
 * and tried again every REPORT_RETRY_S while events for it are dropped and counted.
 * \return NULL if there is no memory or no thread
 */
struct report *report_start(const struct report_options *options);

/** Queue a copy of event. Any thread, never blocks on a sink: one short mutex, one allocation. */
void report_submit(struct report *report, const struct mxclash_event *event);

/** Write an event at once, past the queue. From a duty only. */
void report_write(struct report *report, const struct mxclash_event *event);

/** Write what is queued, join the thread, close, free. NULL is allowed. */
void report_stop(struct report *report);

/** Counters for the metrics. Any thread. */
struct report_stats {
    uint64_t written[REPORT_SINKS];
    uint64_t dropped[REPORT_SINKS];
};
void report_get_stats(const struct report *report, struct report_stats *stats);

/** Name of a sink for the metrics: `file`, `syslog`, `host`. */
const char *report_sink_name(enum report_sink sink);

#endif
