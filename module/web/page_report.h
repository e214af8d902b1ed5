/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The page with its data in it, as one file that needs no server. */
#ifndef MXCLASH_WEB_PAGE_REPORT_H
#define MXCLASH_WEB_PAGE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "book/book.h"

struct providers;

/** Most open conflicts of one file, those with the most MX queries; some 10 KiB each. */
#define PAGE_REPORT_CONFLICTS_MAX 1000

/** How many open conflicts a report has, of how many. */
struct page_report_size {
    uint64_t shown;
    uint64_t total;
};

/**
 * Write a report.
 *
 * \param providers  as in struct web_options
 * \param now  milliseconds since the epoch
 * \param out  that it was written the caller finds out, with ferror()
 * \param[out] written  only on true
 * \param[out] error  why not, room for BOOK_ERROR_MAX, on false; out may have a part of it then
 */
bool page_report_write(struct book *book, const struct providers *providers, int64_t now, FILE *out,
                       struct page_report_size *written, char error[BOOK_ERROR_MAX]);

#endif
