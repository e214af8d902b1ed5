/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The tables of the book: see schema.h and docs/book.md. */
#include "book/schema.h"

#include <stdbool.h>
#include <stddef.h>

#define TEXT_OF(number)    #number
#define VALUE_TEXT(number) TEXT_OF(number)

/* One string a table; what the columns mean is in docs/book.md. */
static const char tables[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE host ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE,"
    " version TEXT,"
    " started INTEGER,"
    " stopped INTEGER,"
    " newest INTEGER NOT NULL DEFAULT 0,"
    " summed INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE TABLE conflict ("
    " id INTEGER PRIMARY KEY,"
    " host INTEGER NOT NULL REFERENCES host (id),"
    " domain TEXT NOT NULL,"
    " kind TEXT NOT NULL,"
    " state TEXT NOT NULL,"
    " evidence TEXT,"
    " apex INTEGER,"
    " zone TEXT,"
    " cname_target TEXT,"
    " cname_ttl INTEGER,"
    " mx TEXT NOT NULL DEFAULT '',"
    " provider TEXT,"
    " impact TEXT NOT NULL DEFAULT 'unknown',"
    " hides_spf INTEGER,"
    " spf TEXT,"
    " authority TEXT,"
    " authorities_differ INTEGER,"
    " advice TEXT NOT NULL DEFAULT '',"
    " first_seen INTEGER NOT NULL,"
    " last_seen INTEGER NOT NULL,"
    " told INTEGER NOT NULL,"
    " ended INTEGER,"
    " ending TEXT,"
    " run INTEGER NOT NULL,"
    " mx_queries_before INTEGER NOT NULL DEFAULT 0,"
    " mx_queries_run INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    /* one open conflict of a host, domain and kind */
    "CREATE UNIQUE INDEX conflict_open ON conflict (domain, kind, host) WHERE ended IS NULL;"
    "CREATE INDEX conflict_domain ON conflict (domain, kind, host, id);"
    "CREATE INDEX conflict_host ON conflict (host, told) WHERE ended IS NULL;"
    "CREATE INDEX conflict_ended ON conflict (ended) WHERE ended IS NOT NULL;"
    "CREATE TABLE affected ("
    " domain TEXT NOT NULL,"
    " kind TEXT NOT NULL,"
    " state TEXT NOT NULL,"
    " impact TEXT NOT NULL,"
    " provider TEXT,"
    " cname_target TEXT,"
    " first_seen INTEGER NOT NULL,"
    " last_seen INTEGER NOT NULL,"
    " ended INTEGER,"
    " ending TEXT,"
    " mx_queries INTEGER NOT NULL,"
    " hosts INTEGER NOT NULL,"
    " PRIMARY KEY (domain, kind)"
    ") STRICT, WITHOUT ROWID;"
    /* one for each order of a list of what is open */
    "CREATE INDEX affected_mx_queries ON affected (mx_queries DESC, domain, kind)"
    " WHERE ended IS NULL;"
    "CREATE INDEX affected_first_seen ON affected (first_seen DESC, domain, kind)"
    " WHERE ended IS NULL;"
    "CREATE INDEX affected_last_seen ON affected (last_seen DESC, domain, kind)"
    " WHERE ended IS NULL;"
    "CREATE INDEX affected_domain ON affected (domain, kind) WHERE ended IS NULL;"
    "CREATE TABLE hour ("
    " start INTEGER NOT NULL,"
    " kind TEXT NOT NULL,"
    " mx_queries INTEGER NOT NULL DEFAULT 0,"
    " mx_queries_summed INTEGER NOT NULL DEFAULT 0,"
    " opened INTEGER NOT NULL DEFAULT 0,"
    " cleared INTEGER NOT NULL DEFAULT 0,"
    " expired INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (start, kind)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE place ("
    " device INTEGER NOT NULL,"
    " inode INTEGER NOT NULL,"
    " path TEXT NOT NULL,"
    " offset INTEGER NOT NULL,"
    " line INTEGER NOT NULL,"
    " print_octets INTEGER NOT NULL,"
    " print INTEGER NOT NULL,"
    " read INTEGER NOT NULL,"
    " PRIMARY KEY (device, inode)"
    ") STRICT, WITHOUT ROWID;"
    "PRAGMA application_id = " VALUE_TEXT(BOOK_APPLICATION_ID) ";"
                                                               "PRAGMA user_version = " VALUE_TEXT(
                                                                   BOOK_SCHEMA_VERSION) ";"
                                                                                        "COMMIT;";

/** \return false if it cannot be read */
static bool read_number(sqlite3 *database, const char *query, sqlite3_int64 *number)
{
    sqlite3_stmt *statement;
    int result = sqlite3_prepare_v2(database, query, -1, &statement, NULL);
    if (result != SQLITE_OK) {
        return false;
    }
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        *number = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return result == SQLITE_ROW;
}

enum schema schema_look(sqlite3 *database)
{
    sqlite3_int64 application, version, tables_now;
    if (!read_number(database, "PRAGMA application_id", &application) ||
        !read_number(database, "PRAGMA user_version", &version) ||
        !read_number(database, "SELECT count(*) FROM sqlite_schema", &tables_now)) {
        return schema_failed;
    }
    if (application == 0 && version == 0 && tables_now == 0) {
        return schema_empty;
    }
    if (application != BOOK_APPLICATION_ID) {
        return schema_foreign;
    }
    return version == BOOK_SCHEMA_VERSION ? schema_good : schema_newer;
}

int schema_make(sqlite3 *database)
{
    const int result = sqlite3_exec(database, tables, NULL, NULL, NULL);
    if (result != SQLITE_OK && sqlite3_get_autocommit(database) == 0) {
        sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    }
    return result;
}
