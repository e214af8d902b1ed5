/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Where a subcommand finds the book: made in memory from logs, or the database of the
 * configuration. */
#ifndef MXCLASH_CLI_OPEN_BOOK_H
#define MXCLASH_CLI_OPEN_BOOK_H

#include "book/book.h"
#include "cli/options.h"
#include "runtime/config.h"

/**
 * Open the book that a subcommand is to read.
 *
 * \param command  its name, for faults
 * \param logs  of --log; with none it is the configuration's database
 * \return closed with book_close(); NULL after the fault was told on stderr
 */
struct book *cli_open_book(const char *command, const struct option_values *logs,
                           const struct config *config);

#endif
