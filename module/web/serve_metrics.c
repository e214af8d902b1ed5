/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The numbers of `mxclash serve`: see serve_metrics.h. */
#include "web/serve_metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "mxclash.h"

static void head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counter(FILE *out, const char *name, const char *help, uint64_t value)
{
    head(out, name, "counter", help);
    fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static void gauge(FILE *out, const char *name, const char *help, uint64_t value)
{
    head(out, name, "gauge", help);
    fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static void write_book(FILE *out, const struct book_counters *of)
{
    const int64_t committed = of->committed < 0 ? 0 : of->committed;

    counter(out, "mxclash_serve_lines_total", "Lines read from the logs.", of->lines);
    counter(out, "mxclash_serve_octets_total", "Octets read from the logs.", of->octets);
    counter(out, "mxclash_serve_malformed_lines_total",
            "Lines that are no event, too long, or lack what an event must have.",
            of->lines_malformed);
    counter(out, "mxclash_serve_events_total", "Events that the book took.", of->events);
    counter(out, "mxclash_serve_unknown_events_total",
            "Events of a kind that this version does not know: passed over.", of->events_unknown);
    counter(out, "mxclash_serve_log_faults_total", "Times that a log could not be read.",
            of->log_faults);
    counter(out, "mxclash_serve_database_faults_total", "Times that the book could not be written.",
            of->database_faults);
    counter(out, "mxclash_serve_database_set_aside_total", "Corrupt books set aside.",
            of->set_aside);
    gauge(out, "mxclash_serve_logs_open", "Logs that are open.", of->logs_open);
    gauge(out, "mxclash_serve_octets_behind", "Octets in the logs that the book has not got yet.",
          of->octets_behind);
    gauge(out, "mxclash_serve_database_failing", "1 if the last try to write the book failed.",
          of->database_failing);
    head(out, "mxclash_serve_committed_timestamp_seconds", "gauge",
         "When the book was last written, as Unix time; 0 if never.");
    fprintf(out, "mxclash_serve_committed_timestamp_seconds %" PRId64 ".%03d\n", committed / 1000,
            (int)(committed % 1000));
}

static void write_http(FILE *out, const struct http_counts *of)
{
    head(out, "mxclash_serve_http_replies_total", "counter", "Replies, by the class of status.");
    for (int class = 2; class <= 5; class ++)
        fprintf(out, "mxclash_serve_http_replies_total{class=\"%dxx\"} %" PRIu64 "\n", class,
                of->replies[class]);
    counter(out, "mxclash_serve_http_deadlines_total", "Connections ended at their deadline.",
            of->deadlines);
    counter(out, "mxclash_serve_http_refused_total",
            "Connections closed at once: too many, or too many of one address.", of->refused);
    gauge(out, "mxclash_serve_http_connections", "Connections now.", of->connections);
}

char *serve_metrics_text(const struct serve_metrics *metrics, size_t *octets)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, octets);
    bool whole;

    if (out == NULL)
        return NULL;
    head(out, "mxclash_serve_build_info", "gauge", "Always 1; the label says what is running.");
    fprintf(out, "mxclash_serve_build_info{version=\"%s\"} 1\n", MXCLASH_VERSION);
    write_book(out, &metrics->counters);
    write_http(out, &metrics->http);
    whole = ferror(out) == 0;
    if (fclose(out) != 0 || !whole) {
        free(text);
        return NULL;
    }
    return text;
}
