/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The numbers of `mxclash serve` as Prometheus text 0.0.4, listed in docs/api.md. */
#ifndef MXCLASH_WEB_SERVE_METRICS_H
#define MXCLASH_WEB_SERVE_METRICS_H

#include <stddef.h>

#include "book/book.h"
#include "web/http.h"

/** All that /metrics tells, taken at one moment by the caller. */
struct serve_metrics {
    struct book_counters counters;
    struct http_counts http;
};

/** \return malloc()ed, freed by the caller; NULL if there is no memory */
char *serve_metrics_text(const struct serve_metrics *metrics, size_t *octets);

#endif
