/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the API answers with, out of the book: see api.h.
 *
 * A walk that finds no memory ends early and leaves no object: half a list would look like a whole
 * one.
 */
#include "book/book_json.h"
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

/** 0 is no time. */
static json_t *json_time(int64_t time)
{
    char text[BOOK_TIME_TEXT_MAX];

    return time == 0 ? json_null() : json_string(book_time_text(time, text));
}

/** \return null for NULL, and for what is no UTF-8 */
static json_t *json_text(const char *text)
{
    json_t *value = text == NULL ? NULL : json_string(text);

    return value == NULL ? json_null() : value;
}

static json_t *json_count(uint64_t count)
{
    return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

/* --- lists --- */

static bool add_affected(void *context, const struct book_affected *affected)
{
    return append(context, book_json_affected(affected));
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

/** The groups of a summary on their way. */
struct shares {
    struct growing kinds, impacts, providers;
};

static bool add_share(void *context, enum book_group by, const struct book_share *share)
{
    struct shares *shares = context;

    return append(by == book_group_kind     ? &shares->kinds
                  : by == book_group_impact ? &shares->impacts
                                            : &shares->providers,
                  json_pack("{s:o, s:o, s:o}", "value",
                            share->value[0] == '\0' ? json_null() : json_text(share->value),
                            "conflicts", json_count(share->open), "mx_queries",
                            json_count(share->mx_queries)));
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
    struct shares shares = {.kinds = grow(), .impacts = grow(), .providers = grow()};
    struct book_summary sum;
    const bool summed = book_overview(book, &sum, API_TOP, add_share, &shares);

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
                     "kinds", grown(&shares.kinds, summed),
                     "impacts", grown(&shares.impacts, summed),
                     "providers", grown(&shares.providers, summed),
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

/** The conflicts of a domain on their way. */
struct of_domain {
    struct growing growing;
    const struct providers *providers;
};

static bool add_conflict(void *context, const struct book_conflict *conflict)
{
    struct of_domain *of = context;
    json_t *object = book_json_conflict(conflict);

    if (json_object_set_new(object, "told_as", advice_json(conflict, of->providers)) == 0)
        return append(&of->growing, object);
    json_decref(object);
    of->growing.failed = true;
    return false;
}

json_t *api_domain(struct book *book, const struct providers *providers, const char *domain)
{
    struct of_domain of = {.growing = grow(), .providers = providers};
    json_t *list = grown(&of.growing, book_show(book, domain, add_conflict, &of));

    return list == NULL ? NULL : json_pack("{s:s, s:o}", "domain", domain, "conflicts", list);
}
