/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A file with a table of mailbox providers (docs/providers.md): reads it and tells its faults.
 */
#ifndef MXCLASH_RUNTIME_PROVIDER_FILE_H
#define MXCLASH_RUNTIME_PROVIDER_FILE_H

#include <stddef.h>

#include "core/providers/providers.h"
#include "runtime/config_text.h"

/**
 * Read a file as far as a table may reach. Never waits, see config_open().
 *
 * \param[out] text  to be freed by the caller; len octets, no NUL; written only on NULL
 * \param[out] len   0 to PROVIDERS_TEXT_MAX + 1, the latter for any larger file
 * \return NULL, or why it cannot be read; valid until the next call of strerror()
 */
const char *provider_file_read(const char *path, char **text, size_t *len);

/**
 * Read the table that provider_file_read() got.
 *
 * \param path  for the fault
 * \param[out] error  on NULL: `FILE:LINE: what is wrong`
 * \return freed with providers_free(); NULL if the text breaks the format or is too large, or if
 *     there is no memory
 */
struct providers *provider_file_parse(const char *path, const char *text, size_t len,
                                      char error[CONFIG_ERROR_MAX]);

#endif
