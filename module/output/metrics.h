/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The numbers as Prometheus text 0.0.4 or OpenMetrics 1.0.0.
 */
#ifndef MXCLASH_OUTPUT_METRICS_H
#define MXCLASH_OUTPUT_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/engine_stats.h"
#include "output/report.h"

enum metrics_format { metrics_prometheus, metrics_openmetrics };

/** Why the HTTP server served a client not at all, or not to the end. */
enum http_refusal {
    /** too many connections at once */
    http_refusal_connections = 0,
    /** not done with by its deadline */
    http_refusal_deadline,
    /** too many replies wait for their readers, or there was no memory */
    http_refusal_replies,
    HTTP_REFUSALS,
};

/** A number that only the host has, with one label or none. Those of a family stand in a row. */
struct metrics_number {
    /** without _total */
    const char *name;
    bool counter;
    /** holds neither backslash, quote nor line end */
    const char *help;
    /** NULL = none */
    const char *label;
    const char *label_value;
    uint64_t value;
};

/** All that /metrics tells, taken at one moment by the caller. */
struct metrics_input {
    struct engine_stats engine;
    struct report_stats report;
    /** client replies from the cache that were looked at */
    uint64_t inspected_cache;
    uint64_t annotated;
    uint64_t http_refused[HTTP_REFUSALS];
    /** the state file */
    uint64_t state_written, state_failures;
    /** name and version of the host, as "unbound" and "1.17.1"; escaped by metrics_text() */
    const char *host;
    const char *host_version;
    /** borrowed for the call */
    const struct metrics_number *numbers;
    size_t number_count;
};

/** \return malloc()ed text, freed by the caller; NULL if there is no memory */
char *metrics_text(const struct metrics_input *input, enum metrics_format format);

/** The text of /metrics/domains. \return as metrics_text() */
char *metrics_domains_text(const struct mxclash_domain *domains, size_t count,
                           enum metrics_format format);

#endif
