/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What the book tells as JSON: see book_json.h. */
#include "book/book_json.h"

#include <stdio.h>
#include <time.h>

const char *book_time_text(int64_t time, char text[BOOK_TIME_TEXT_MAX])
{
    const time_t seconds = (time_t)(time / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    const size_t octets = strftime(text, BOOK_TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + octets, BOOK_TIME_TEXT_MAX - octets, ".%03dZ", (int)(time % 1000));
    return text;
}

static json_t *time_or_null(int64_t time)
{
    char text[BOOK_TIME_TEXT_MAX];
    return time == 0 ? json_null() : json_string(book_time_text(time, text));
}

static json_t *truth(int value)
{
    return value < 0 ? json_null() : json_boolean(value);
}

static json_t *mx_list(const struct book_conflict *conflict)
{
    json_t *list = json_array();
    for (size_t i = 0; i < conflict->mx_count; i++) {
        json_t *record = json_pack("{s:i, s:s}", "preference", (int)conflict->mx[i].preference,
                                   "exchange", conflict->mx[i].exchange);
        if (json_array_append_new(list, record) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *advice_list(const struct book_conflict *conflict)
{
    json_t *list = json_array();
    for (size_t i = 0; i < conflict->advice_count; i++) {
        if (json_array_append_new(list, json_string(conflict->advice[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *book_json_affected(const struct book_affected *affected)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:o, s:o, s:o, s:s?, s:I, s:I}", "domain",
                     affected->domain, "kind", affected->kind, "state", affected->state, "impact",
                     affected->impact, "provider", affected->provider, "cname_target",
                     affected->cname_target, "first_seen", time_or_null(affected->first_seen),
                     "last_seen", time_or_null(affected->last_seen), "ended",
                     time_or_null(affected->ended), "ending", affected->ending, "mx_queries",
                     (json_int_t)affected->mx_queries, "hosts", (json_int_t)affected->hosts);
}

json_t *book_json_conflict(const struct book_conflict *conflict)
{
    json_t *cname = conflict->cname_target == NULL
                        ? json_null()
                        : json_pack("{s:s, s:I}", "target", conflict->cname_target, "ttl",
                                    (json_int_t)conflict->cname_ttl);
    /* clang-format off */
    return json_pack("{s:s, s:s, s:s, s:s?, s:o, s:s?, s:o, s:o, s:s?, s:s,"
                     " s:o, s:s?, s:s?, s:o, s:o, s:o, s:I, s:o, s:s, s:o, s:o, s:s?}",
                     "domain", conflict->domain,
                     "kind", conflict->kind,
                     "state", conflict->state,
                     "evidence", conflict->evidence,
                     "apex", truth(conflict->apex),
                     "zone", conflict->zone,
                     "cname", cname,
                     "mx", mx_list(conflict),
                     "provider", conflict->provider,
                     "impact", conflict->impact,
                     "hides_spf", truth(conflict->hides_spf),
                     "spf", conflict->spf,
                     "authority", conflict->authority,
                     "authorities_differ", truth(conflict->authorities_differ),
                     "first_seen", time_or_null(conflict->first_seen),
                     "last_seen", time_or_null(conflict->last_seen),
                     "mx_queries", (json_int_t)conflict->mx_queries,
                     "advice", advice_list(conflict),
                     "host", conflict->host,
                     "told", time_or_null(conflict->told),
                     "ended", time_or_null(conflict->ended),
                     "ending", conflict->ending);
    /* clang-format on */
}
