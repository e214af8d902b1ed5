/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The page as one document, made by page/join.sh: page_head, the data in JSON or nothing,
 * page_tail.
 *
 * The data stand in a script element: they hold no `<`, see page_report.c.
 */
#ifndef MXCLASH_WEB_PAGE_H
#define MXCLASH_WEB_PAGE_H

#include <stddef.h>

extern const char page_head[];
extern const size_t page_head_octets;
extern const char page_tail[];
extern const size_t page_tail_octets;

/** Content-Security-Policy of the document. */
extern const char page_policy[];

#endif
