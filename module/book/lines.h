/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Cutting what was read of a log into lines.
 */
#ifndef MXCLASH_BOOK_LINES_H
#define MXCLASH_BOOK_LINES_H

#include <stdbool.h>
#include <stddef.h>

/** Octets of a buffer that holds any line with its end, and some more. */
#define LINES_BUFFER (256u << 10)

/**
 * Called with each whole line without its end (LF; a CR before it goes too).
 * \param text  NULL: the line was longer than LOGLINE_MAX
 * \return false to stop behind this line
 */
typedef bool (*lines_fn)(void *context, const char *text, size_t len);

/**
 * Cut a text into lines.
 *
 * \param[in,out] skipping  the text begins inside a line that is too long; kept for the next call
 * \return octets that are done with: up to the end of the last whole line, or all of them where
 *     they are a part of a line that is too long
 */
size_t lines_cut(const char *text, size_t len, bool *skipping, lines_fn each, void *context);

#endif
