/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What to tell people of a conflict, as JSON: one object for each language. */
#ifndef MXCLASH_WEB_ADVICE_JSON_H
#define MXCLASH_WEB_ADVICE_JSON_H

#include <jansson.h>

#include "book/book.h"

struct providers;

/**
 * \param providers  NULL: what a provider documents is not told
 * \return NULL if there is no memory
 */
json_t *advice_json(const struct book_conflict *conflict, const struct providers *providers);

#endif
