/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tables of text that fit the terminal: cells that are too wide go on in the next line. */
#ifndef MXCLASH_CLI_TABLE_H
#define MXCLASH_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/terminal.h"

#define TABLE_COLUMNS_MAX 12

struct table;

/** \param headers  of the columns, ends with NULL, at most TABLE_COLUMNS_MAX \return NULL if there
 * is no memory */
struct table *table_new(const char *const *headers);

/**
 * Add a row, whose cells are added one after the other, as many as there are columns.
 * \param text  copied; a line end in it ends a line of the cell
 */
void table_add(struct table *table, enum paint paint, const char *text);

/** \return false if there was no memory for all: what is printed lacks something */
bool table_print(const struct table *table, FILE *stream, size_t columns);

void table_free(struct table *table);

#endif
