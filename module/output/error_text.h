/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What an errno means, as text for a line of the log.
 */
#ifndef MXCLASH_OUTPUT_ERROR_TEXT_H
#define MXCLASH_OUTPUT_ERROR_TEXT_H

/** Room for any text of error_text(). */
#define ERROR_TEXT_MAX 128

/**
 * Say what an errno means. Any thread: strerror() has one buffer for all of them.
 * \param[out] buffer  where the text may be written
 * \return the text, in buffer or in static storage
 */
const char *error_text(int error, char buffer[ERROR_TEXT_MAX]);

#endif
