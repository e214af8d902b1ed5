/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the API answers with, out of the book: see api.h.
 *
 * A walk that finds no memory ends early and leaves no object: half a list would look like a whole
 * one.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mxclash.h"
#include "web/advice_json.h"
#include "web/api.h"

#define DAY_HOURS 24

/** Something that grows while the book is walked. */
struct growing {
    json_t *list;
    bool failed;
};

static bool append(struct growing *growing, json_t *value)
{
    growing->failed = json_array_append_new(growing->list, value) != 0;
    return !growing->failed;
}

/** \return the list, or NULL if the walk failed */
static json_t *grown(struct growing *growing, bool walked)
{
    if (walked && !growing->failed)
        return growing->list;
    json_decref(growing->list);
    return NULL;
}

static struct growing grow(void)
{
    return (struct growing){.list = json_array()};
}

/** RFC 3339 as in the log; 0 is no time. */
static json_t *json_time(int64_t time)
{
    const time_t seconds = (time_t)(time / 1000);
    struct tm utc;
    char text[96];

    if (time <= 0 || gmtime_r(&seconds, &utc) == NULL)
        return json_null();
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
             utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (int)(time % 1000));
    return json_string(text);
}

/** \return null for NULL, and for what is no UTF-8 */
static json_t *json_text(const char *text)
{
    json_t *value = text == NULL ? NULL : json_string(text);

    return value == NULL ? json_null() : value;
}

static json_t *json_known(int known)
{
    return known < 0 ? json_null() : json_boolean(known != 0);
}

static json_t *json_count(uint64_t count)
{
    return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

/* --- lists --- */

static bool add_affected(void *context, const struct book_affected *a)
{
    /* clang-format off */
    return append(context, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                                     "domain", json_text(a->domain),
                                     "kind", json_text(a->kind),
                                     "state", json_text(a->state),
                                     "impact", json_text(a->impact),
                                     "provider", json_text(a->provider),
                                     "cname_target", json_text(a->cname_target),
                                     "first_seen", json_time(a->first_seen),
                                     "last_seen", json_time(a->last_seen),
                                     "ended", json_time(a->ended),
                                     "ending", json_text(a->ending),
                                     "mx_queries", json_count(a->mx_queries),
                                     "hosts", json_count(a->hosts)));
    /* clang-format on */
}

json_t *api_list(struct book *book, const struct book_filter *filter, enum book_sort sort,
                 size_t limit, const char *after)
{
    struct growing growing = grow();
    struct book_page page = {.total = 0};
    const bool walked =
        book_list(book, filter, sort, limit, after, true, add_affected, &growing, &page);
    json_t *list = grown(&growing, walked);

    if (list == NULL)
        return NULL;
    return json_pack("{s:o, s:o, s:o}", "conflicts", list, "total", json_count(page.total), "next",
                     page.next[0] == '\0' ? json_null() : json_string(page.next));
}

/* --- summary --- */

static bool add_share(void *context, const struct book_share *share)
{
    return append(context,
                  json_pack("{s:o, s:o, s:o}", "value",
                            share->value[0] == '\0' ? json_null() : json_text(share->value),
                            "conflicts", json_count(share->open), "mx_queries",
                            json_count(share->mx_queries)));
}

static json_t *groups(struct book *book, enum book_group by)
{
    struct growing growing = grow();

    return grown(&growing, book_groups(book, by, API_TOP, add_share, &growing));
}

static bool add_host(void *context, const struct book_host *host)
{
    return append(context,
                  json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "host", json_text(host->host),
                            "version", json_text(host->version), "started",
                            json_time(host->started), "stopped", json_time(host->stopped), "newest",
                            json_time(host->newest), "open", json_count(host->open)));
}

static json_t *hosts(struct book *book)
{
    struct growing growing = grow();

    return grown(&growing, book_hosts(book, add_host, &growing));
}

static json_t *worst(struct book *book)
{
    const struct book_filter open = {.which = book_open_now};
    struct growing growing = grow();

    return grown(&growing, book_list(book, &open, book_by_mx_queries, API_TOP, NULL, false,
                                     add_affected, &growing, NULL));
}

json_t *api_summary(struct book *book, int64_t now)
{
    struct book_summary sum;

    if (!book_sum(book, &sum))
        return NULL;
    /* clang-format off */
    return json_pack("{s:s, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:o, s:o},"
                     " s:o, s:o, s:o, s:o, s:o}",
                     "version", MXCLASH_VERSION,
                     "time", json_time(now),
                     "newest", json_time(sum.newest),
                     "ended", json_count(sum.ended),
                     "open",
                         "conflicts", json_count(sum.open),
                         "domains", json_count(sum.domains),
                         "confirmed", json_count(sum.confirmed),
                         "suspected", json_count(sum.open - sum.confirmed),
                         "mx_queries", json_count(sum.mx_queries),
                     "kinds", groups(book, book_group_kind),
                     "impacts", groups(book, book_group_impact),
                     "providers", groups(book, book_group_provider),
                     "domains", worst(book),
                     "hosts", hosts(book));
    /* clang-format on */
}

/* --- time line --- */

/** Hours on their way into points of one hour or one day. */
struct points {
    struct growing growing;
    unsigned hours_each;
    unsigned hours_in;
    struct book_hour sum;
};

static bool end_point(struct points *points)
{
    const struct book_hour *sum = &points->sum;

    if (points->hours_in == 0)
        return true;
    points->hours_in = 0;
    /* clang-format off */
    return append(&points->growing,
                  json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
                            "time", json_time(sum->start),
                            "opened", json_count(sum->opened),
                            "cleared", json_count(sum->cleared),
                            "expired", json_count(sum->expired),
                            "open", json_count(sum->open),
                            "mx_queries", json_count(sum->mx_queries)));
    /* clang-format on */
}

static bool add_hour(void *context, const struct book_hour *hour)
{
    struct points *points = context;
    struct book_hour *sum = &points->sum;

    if (points->hours_in == 0)
        *sum = (struct book_hour){.start = hour->start};
    sum->opened += hour->opened;
    sum->cleared += hour->cleared;
    sum->expired += hour->expired;
    sum->mx_queries += hour->mx_queries;
    sum->open = hour->open;
    return ++points->hours_in < points->hours_each || end_point(points);
}

json_t *api_timeline(struct book *book, const char *kind, unsigned days, int64_t now)
{
    struct points points = {.growing = grow(),
                            .hours_each = days <= API_DAYS_BY_HOUR ? 1 : DAY_HOURS};
    const int64_t step = points.hours_each * BOOK_HOUR_MS;
    const int64_t from = now / step * step - ((int64_t)days * DAY_HOURS * BOOK_HOUR_MS - step);
    const bool walked = book_timeline(book, kind, from < 0 ? 0 : from, now, add_hour, &points) &&
                        end_point(&points);
    json_t *list = grown(&points.growing, walked);

    if (list == NULL)
        return NULL;
    return json_pack("{s:I, s:o}", "step_s", (json_int_t)(step / 1000), "points", list);
}

/* --- one domain --- */

static json_t *mx_list(const struct book_conflict *c)
{
    struct growing growing = grow();
    bool added = true;

    for (size_t i = 0; i < c->mx_count && added; i++)
        added =
            append(&growing, json_pack("{s:I, s:o}", "preference", (json_int_t)c->mx[i].preference,
                                       "exchange", json_text(c->mx[i].exchange)));
    return grown(&growing, added);
}

static json_t *words(const char *const *list, size_t count)
{
    struct growing growing = grow();
    bool added = true;

    for (size_t i = 0; i < count && added; i++)
        added = append(&growing, json_text(list[i]));
    return grown(&growing, added);
}

static json_t *cname(const struct book_conflict *c)
{
    if (c->cname_target == NULL)
        return json_null();
    return json_pack("{s:o, s:I}", "target", json_text(c->cname_target), "ttl",
                     (json_int_t)c->cname_ttl);
}

/** The conflicts of a domain on their way. */
struct of_domain {
    struct growing growing;
    const struct providers *providers;
};

static bool add_conflict(void *context, const struct book_conflict *c)
{
    struct of_domain *of = context;

    /* clang-format off */
    return append(&of->growing, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
                                     " s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                                     "domain", json_text(c->domain),
                                     "host", c->host[0] == '\0' ? json_null() : json_text(c->host),
                                     "kind", json_text(c->kind),
                                     "state", json_text(c->state),
                                     "evidence", json_text(c->evidence),
                                     "apex", json_known(c->apex),
                                     "zone", json_text(c->zone),
                                     "cname", cname(c),
                                     "mx", mx_list(c),
                                     "provider", json_text(c->provider),
                                     "impact", json_text(c->impact),
                                     "hides_spf", json_known(c->hides_spf),
                                     "spf", json_text(c->spf),
                                     "authority", json_text(c->authority),
                                     "authorities_differ", json_known(c->authorities_differ),
                                     "first_seen", json_time(c->first_seen),
                                     "last_seen", json_time(c->last_seen),
                                     "told", json_time(c->told),
                                     "ended", json_time(c->ended),
                                     "ending", json_text(c->ending),
                                     "mx_queries", json_count(c->mx_queries),
                                     "advice", words(c->advice, c->advice_count),
                                     "told_as", advice_json(c, of->providers)));
    /* clang-format on */
}

json_t *api_domain(struct book *book, const struct providers *providers, const char *domain)
{
    struct of_domain of = {.growing = grow(), .providers = providers};
    json_t *list = grown(&of.growing, book_show(book, domain, add_conflict, &of));

    return list == NULL ? NULL : json_pack("{s:s, s:o}", "domain", domain, "conflicts", list);
}
