/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What the files that read a book share, see book.h. */
#ifndef MXCLASH_BOOK_BOOK_PARTS_H
#define MXCLASH_BOOK_BOOK_PARTS_H

#include <sqlite3.h>
#include <sys/types.h>

#include "book/book.h"

struct writer;

struct book {
    sqlite3 *database;
    /** of the file; NULL: in memory */
    char *path;
    /** which file it is: another one may take its name */
    dev_t device;
    ino_t inode;
    /** whose connection database is, if it is in memory */
    struct writer *writer;
    char error[BOOK_ERROR_MAX];
};

/** Make sure that the book is the one at its path. \return false with the error kept */
bool book_ready(struct book *book);

/** Keep what SQLite says. \return false */
bool book_failed(struct book *book);

/** Prepare a query. \return NULL with the error kept */
sqlite3_stmt *book_prepare(struct book *book, const char *query);

/** End a walk. \param result  of the last step. \return false with the error kept if it failed */
bool book_end(struct book *book, sqlite3_stmt *statement, int result);

/** A column's text; NULL for NULL. */
const char *book_text(sqlite3_stmt *row, int column);

/** A column's number; otherwise for NULL. */
int64_t book_number(sqlite3_stmt *row, int column, int64_t otherwise);

#endif
