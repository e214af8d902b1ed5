/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The answers under /api/v1/ as JSON, described for users in docs/api.md.
 */
#ifndef MXCLASH_WEB_API_H
#define MXCLASH_WEB_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "book/book.h"
#include "web/http.h"

struct providers;

/** Most conflicts of one answer, and how many where none is said. */
#define API_LIMIT_MAX     1000
#define API_LIMIT_DEFAULT 50
/** Most days of a time line, and how many where none is said. */
#define API_DAYS_MAX     400
#define API_DAYS_DEFAULT 30
/** Up to so many days a time line has a point for each hour, above one for each day (UTC). */
#define API_DAYS_BY_HOUR 7
/** Members of the lists of a summary. */
#define API_TOP 10

/**
 * Answer a request under /api/v1/.
 * \param providers  as in struct web_options
 * \param now  milliseconds since the epoch
 * \return as a handler of http.h
 */
bool api_answer(const char *database, const struct providers *providers, int64_t now,
                const struct http_request *request, struct http_reply *reply);

/*
 * The parts, for the report as well. Each returns a new object, or NULL: with book_error() set, or
 * without memory.
 */

json_t *api_summary(struct book *book, int64_t now);

/** \param kind  NULL: all kinds */
json_t *api_timeline(struct book *book, const char *kind, unsigned days, int64_t now);

json_t *api_list(struct book *book, const struct book_filter *filter, enum book_sort sort,
                 size_t limit, const char *after);

/** \param domain  as book_domain() writes it. The list conflicts is empty for an unknown one. */
json_t *api_domain(struct book *book, const struct providers *providers, const char *domain);

#endif
