/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The tables of the book (docs/book.md), and how a database becomes one.
 */
#ifndef MXCLASH_BOOK_SCHEMA_H
#define MXCLASH_BOOK_SCHEMA_H

#include <sqlite3.h>

/** In the header of the file: this is a book of mxclash ("mxcl"). */
#define BOOK_APPLICATION_ID 0x6d78636c
/** user_version of the tables below; raised with every change of them. */
#define BOOK_SCHEMA_VERSION 1

enum schema {
    /** a book of this version */
    schema_good,
    /** a database without tables: not a book yet */
    schema_empty,
    /** a database of another program */
    schema_foreign,
    /** a book of a newer version */
    schema_newer,
    /** it could not be told: sqlite3_errcode() */
    schema_failed,
};

/** Look at what a database is. */
enum schema schema_look(sqlite3 *database);

/** Make the tables of an empty database, in one transaction. \return SQLITE_OK or what failed */
int schema_make(sqlite3 *database);

#endif
