/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Opening a book to read it: see book.h. */
#include "book/book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "book/book_parts.h"
#include "book/schema.h"
#include "book/writer.h"
#include "output/error_text.h"

/** How long a read waits for a lock, which only a recovery after a crash takes. */
#define BUSY_MS 2000

static bool fail(char error[BOOK_ERROR_MAX], const char *path, const char *reason)
{
    snprintf(error, BOOK_ERROR_MAX, "%.256s: %s", path, reason);
    return false;
}

/** Why a database is no book that can be read; NULL if it is one. */
static const char *look(sqlite3 *database)
{
    switch (schema_look(database)) {
    case schema_good:
        return NULL;
    case schema_empty:
        return "is empty: nothing was read from a log yet";
    case schema_foreign:
        return "is the database of another program";
    case schema_newer:
        return "is the book of another version of mxclash";
    case schema_failed:
        break;
    }
    return sqlite3_errmsg(database);
}

/** Open the file that has the path now. \return false with the reason in error */
static bool open_file(struct book *book, const char *path, char error[BOOK_ERROR_MAX])
{
    struct stat seen;
    char text[ERROR_TEXT_MAX];
    if (stat(path, &seen) != 0) {
        return fail(error, path, error_text(errno, text));
    }
    sqlite3 *database = NULL;
    const int result =
        sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    const char *reason = NULL;
    if (result != SQLITE_OK) {
        reason = database != NULL ? sqlite3_errmsg(database) : sqlite3_errstr(result);
    } else {
        sqlite3_busy_timeout(database, BUSY_MS);
        reason = look(database);
    }
    if (reason != NULL) {
        fail(error, path, reason);
        sqlite3_close(database);
        return false;
    }
    sqlite3_close(book->database);
    book->database = database;
    book->device = seen.st_dev;
    book->inode = seen.st_ino;
    return true;
}

struct book *book_open(const char *path, char error[BOOK_ERROR_MAX])
{
    struct book *book = calloc(1, sizeof(*book));
    if (book == NULL || (book->path = strdup(path)) == NULL) {
        fail(error, path, "no memory");
        free(book);
        return NULL;
    }
    if (!open_file(book, path, error)) {
        book_close(book);
        return NULL;
    }
    return book;
}

void book_close(struct book *book)
{
    if (book == NULL) {
        return;
    }
    if (book->writer != NULL) {
        writer_close(book->writer);
    } else {
        sqlite3_close(book->database);
    }
    free(book->path);
    free(book);
}

const char *book_error(const struct book *book)
{
    return book->error;
}

bool book_ready(struct book *book)
{
    struct stat seen;
    char text[ERROR_TEXT_MAX];
    if (book->path == NULL) {
        return true;
    }
    if (stat(book->path, &seen) != 0) {
        return fail(book->error, book->path, error_text(errno, text));
    }
    return (seen.st_dev == book->device && seen.st_ino == book->inode) ||
           open_file(book, book->path, book->error);
}

bool book_failed(struct book *book)
{
    return fail(book->error, book->path != NULL ? book->path : "book",
                sqlite3_errmsg(book->database));
}

sqlite3_stmt *book_prepare(struct book *book, const char *query)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(book->database, query, -1, &statement, NULL) != SQLITE_OK) {
        book_failed(book);
        return NULL;
    }
    return statement;
}

bool book_end(struct book *book, sqlite3_stmt *statement, int result)
{
    const bool good = result == SQLITE_ROW || result == SQLITE_DONE;
    if (!good) {
        book_failed(book);
    }
    sqlite3_finalize(statement);
    return good;
}

const char *book_text(sqlite3_stmt *row, int column)
{
    return (const char *)sqlite3_column_text(row, column);
}

int64_t book_number(sqlite3_stmt *row, int column, int64_t otherwise)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL ? otherwise
                                                           : sqlite3_column_int64(row, column);
}
