/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The writer's prepared statements: see statements.h. */
#include "book/statements.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

static const char *const texts[STATEMENTS] = {
    [statement_begin] = "BEGIN IMMEDIATE",
    [statement_commit] = "COMMIT",
    [statement_find_host] = "SELECT id FROM host WHERE name = ?1",
    [statement_add_host] = "INSERT INTO host (name) VALUES (?1)",
    [statement_touch_host] = "UPDATE host SET newest = ?2 WHERE id = ?1 AND newest < ?2",
    [statement_host_started] =
        "UPDATE host SET started = ?2, version = coalesce(?3, version) WHERE id = ?1"
        " AND coalesce(started, 0) <= ?2",
    [statement_host_stopped] =
        "UPDATE host SET stopped = ?2 WHERE id = ?1 AND coalesce(stopped, 0) <= ?2",
    [statement_host_summed] = "UPDATE host SET summed = ?2 WHERE id = ?1 AND summed < ?2",
    [statement_find_open] = "SELECT id, run, mx_queries_run, told, first_seen FROM conflict"
                            " WHERE domain = ?1 AND kind = ?2 AND host = ?3 AND ended IS NULL",
    /* that run, or one between the first and the last that the row holds */
    [statement_find_ended] =
        "SELECT id, told, ending FROM conflict WHERE domain = ?1 AND kind = ?2 AND host = ?3"
        " AND first_seen <= ?4 AND run >= ?4 AND ended IS NOT NULL ORDER BY id DESC LIMIT 1",
    [statement_add_conflict] =
        "INSERT INTO conflict (host, domain, kind, state, evidence, apex, zone, cname_target,"
        " cname_ttl, mx, provider, impact, hides_spf, spf, authority, authorities_differ, advice,"
        " first_seen, last_seen, told, run, mx_queries_run, ended, ending)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
        " ?18, ?19, ?20, ?18, ?21, ?22, ?23)",
    [statement_change_conflict] =
        "UPDATE conflict SET state = ?2, evidence = ?3, apex = ?4, zone = ?5, cname_target = ?6,"
        " cname_ttl = ?7, mx = ?8, provider = ?9, impact = ?10, hides_spf = ?11, spf = ?12,"
        " authority = ?13, authorities_differ = ?14, advice = ?15 WHERE id = ?1",
    [statement_tally_conflict] =
        "UPDATE conflict SET first_seen = min(first_seen, ?2), last_seen = max(last_seen, ?3),"
        " told = ?4,"
        " mx_queries_before = mx_queries_before + CASE WHEN run = ?2 THEN 0 ELSE mx_queries_run "
        "END,"
        " mx_queries_run = CASE WHEN run = ?2 THEN max(mx_queries_run, ?5) ELSE ?5 END,"
        " run = ?2, state = coalesce(?6, state) WHERE id = ?1",
    [statement_end_conflict] = "UPDATE conflict SET ended = ?2, ending = ?3 WHERE id = ?1",
    [statement_reopen_conflict] = "UPDATE conflict SET ended = NULL, ending = NULL WHERE id = ?1",
    [statement_open_rows] =
        "SELECT state, impact, provider, cname_target, first_seen, last_seen,"
        " mx_queries_before + mx_queries_run FROM conflict"
        " WHERE domain = ?1 AND kind = ?2 AND ended IS NULL ORDER BY told DESC, id DESC",
    [statement_ended_sum] =
        "SELECT min(first_seen), max(last_seen), sum(mx_queries_before + mx_queries_run),"
        " count(DISTINCT host) FROM conflict WHERE domain = ?1 AND kind = ?2",
    [statement_ended_last] =
        "SELECT state, impact, provider, cname_target, ended, ending FROM conflict"
        " WHERE domain = ?1 AND kind = ?2 ORDER BY ended DESC, id DESC LIMIT 1",
    [statement_set_affected] =
        "INSERT INTO affected (domain, kind, state, impact, provider, cname_target, first_seen,"
        " last_seen, mx_queries, hosts, ended, ending)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
        " ON CONFLICT (domain, kind) DO UPDATE SET state = ?3, impact = ?4, provider = ?5,"
        " cname_target = ?6, first_seen = ?7, last_seen = ?8, mx_queries = ?9, hosts = ?10,"
        " ended = ?11, ending = ?12",
    [statement_drop_affected] = "DELETE FROM affected WHERE domain = ?1 AND kind = ?2",
    [statement_add_hour] =
        "INSERT INTO hour (start, kind, mx_queries, mx_queries_summed, opened, cleared, expired)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (start, kind) DO UPDATE SET"
        " mx_queries = mx_queries + ?3, mx_queries_summed = mx_queries_summed + ?4,"
        " opened = opened + ?5, cleared = cleared + ?6, expired = expired + ?7",
    [statement_set_place] = "INSERT OR REPLACE INTO place"
                            " (device, inode, path, offset, line, print_octets, print, read)"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [statement_places] =
        "SELECT device, inode, path, offset, line, print_octets, print, read FROM place"
        " ORDER BY read DESC",
    [statement_trim_places] =
        "DELETE FROM place WHERE (device, inode) IN"
        " (SELECT device, inode FROM place ORDER BY read DESC LIMIT -1 OFFSET ?1)",
    [statement_old_ended] = "SELECT id, domain, kind FROM conflict WHERE ended < ?1 LIMIT ?2",
    [statement_old_hours] = "DELETE FROM hour WHERE start < ?1",
    /* of one host after the other, so that the index of each is used */
    [statement_silent] = "SELECT c.id, c.domain, c.kind FROM host AS h CROSS JOIN conflict AS c"
                         " WHERE c.host = h.id AND c.ended IS NULL"
                         " AND c.told < max(?1, min(?2, coalesce(h.started, 0))) LIMIT ?3",
    [statement_too_many_ended] =
        "SELECT id, domain, kind FROM conflict WHERE ended IS NOT NULL ORDER BY ended LIMIT ?1",
    [statement_too_many_open] =
        "SELECT id, domain, kind FROM conflict WHERE ended IS NULL ORDER BY told LIMIT ?1",
    [statement_delete_conflict] = "DELETE FROM conflict WHERE id = ?1",
    [statement_count] = "SELECT count(*) FROM conflict",
};

int statements_prepare(struct statements *statements, sqlite3 *database)
{
    memset(statements, 0, sizeof(*statements));
    statements->database = database;
    for (int i = 0; i < STATEMENTS; i++) {
        const int result = sqlite3_prepare_v3(database, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                              &statements->prepared[i], NULL);
        if (result != SQLITE_OK) {
            statements_finalize(statements);
            return result;
        }
    }
    return SQLITE_OK;
}

void statements_finalize(struct statements *statements)
{
    for (int i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(statements->prepared[i]);
        statements->prepared[i] = NULL;
    }
}

/** \return SQLITE_OK or what failed */
static int bind_one(sqlite3_stmt *statement, int at, char type, va_list *values)
{
    if (type == 'i') {
        return sqlite3_bind_int64(statement, at, va_arg(*values, int64_t));
    }
    if (type == 't') {
        return sqlite3_bind_text(statement, at, va_arg(*values, const char *), -1, SQLITE_STATIC);
    }
    const int64_t known = type == 'o' ? va_arg(*values, int64_t) : va_arg(*values, int);
    return known < 0 ? sqlite3_bind_null(statement, at) : sqlite3_bind_int64(statement, at, known);
}

static sqlite3_stmt *bind(struct statements *statements, enum statement which, const char *types,
                          va_list *values)
{
    sqlite3_stmt *statement = statements->prepared[which];
    for (int at = 1; *types != '\0'; types++, at++) {
        if (bind_one(statement, at, *types, values) != SQLITE_OK) {
            statements->unbound = true;
        }
    }
    return statement;
}

sqlite3_stmt *statements_bind(struct statements *statements, enum statement which,
                              const char *types, ...)
{
    va_list values;
    va_start(values, types);
    sqlite3_stmt *statement = bind(statements, which, types, &values);
    va_end(values);
    return statement;
}

int statements_run(struct statements *statements, enum statement which, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    sqlite3_stmt *statement = bind(statements, which, types, &values);
    va_end(values);
    return statements_end(statement, sqlite3_step(statement));
}

int statements_end(sqlite3_stmt *statement, int result)
{
    sqlite3_reset(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}
