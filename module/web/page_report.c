/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The report: see page_report.h. What page.js reads of the data is what is written here. */
#include "web/page_report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "web/api.h"
#include "web/page.h"

/** The ranges that the page offers, in days. */
static const unsigned ranges[] = {1, 7, 30, 90};

struct report {
    struct book *book;
    const struct providers *providers;
    int64_t now;
    FILE *out;
};

static bool write_text(void *context, const char *text, size_t octets)
{
    FILE *out = context;

    for (const char *end = text + octets; text < end; text++)
        if (*text == '<')
            fputs("\\u003c", out);
        else
            putc(*text, out);
    return true;
}

static int dump(const char *text, size_t octets, void *context)
{
    return write_text(context, text, octets) ? 0 : -1;
}

/** Write `"name":object`, and a comma before it but for the first. \return false if there is none
 */
static bool write_member(struct report *report, bool first, const char *name, json_t *object)
{
    json_t *key = json_string(name);
    bool good = object != NULL && key != NULL;

    if (good) {
        if (!first)
            putc(',', report->out);
        good = json_dump_callback(key, dump, report->out, JSON_COMPACT | JSON_ENCODE_ANY) == 0;
        putc(':', report->out);
        good = json_dump_callback(object, dump, report->out, JSON_COMPACT | JSON_ENCODE_ANY) == 0 &&
               good;
    }
    json_decref(key);
    json_decref(object);
    return good;
}

static bool write_timelines(struct report *report)
{
    json_t *all = json_object();

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        char days[16];

        snprintf(days, sizeof(days), "%u", ranges[i]);
        if (json_object_set_new(all, days,
                                api_timeline(report->book, NULL, ranges[i], report->now)) != 0) {
            json_decref(all);
            return false;
        }
    }
    return write_member(report, false, "timelines", all);
}

/** One of each domain, for it may have several kinds. */
static bool write_domains(struct report *report, const json_t *conflicts)
{
    json_t *seen = json_object(), *conflict;
    bool good = seen != NULL, first = true;
    size_t i;

    fputs(",\"domains\":{", report->out);
    json_array_foreach(conflicts, i, conflict)
    {
        const char *domain = json_string_value(json_object_get(conflict, "domain"));

        if (!good || json_object_get(seen, domain) != NULL)
            continue;
        good = json_object_set_new(seen, domain, json_true()) == 0 &&
               write_member(report, first, domain,
                            api_domain(report->book, report->providers, domain));
        first = false;
    }
    putc('}', report->out);
    json_decref(seen);
    return good;
}

static bool write_data(struct report *report, struct page_report_size *written)
{
    const struct book_filter open = {.which = book_open_now};
    json_t *list =
        api_list(report->book, &open, book_by_mx_queries, PAGE_REPORT_CONFLICTS_MAX, NULL);
    json_t *conflicts = json_object_get(list, "conflicts");
    json_t *total = json_object_get(list, "total");
    bool good = list != NULL;

    putc('{', report->out);
    if (good) {
        written->shown = json_array_size(conflicts);
        written->total = (uint64_t)json_integer_value(total);
    }
    good = good && write_member(report, true, "summary", api_summary(report->book, report->now)) &&
           write_timelines(report) && write_member(report, false, "total", json_incref(total)) &&
           write_member(report, false, "conflicts", json_incref(conflicts)) &&
           write_domains(report, conflicts);
    putc('}', report->out);
    json_decref(list);
    return good;
}

bool page_report_write(struct book *book, const struct providers *providers, int64_t now, FILE *out,
                       struct page_report_size *written, char error[BOOK_ERROR_MAX])
{
    struct report report = {.book = book, .providers = providers, .now = now, .out = out};

    fwrite(page_head, 1, page_head_octets, out);
    if (!write_data(&report, written)) {
        const char *reason = book_error(book);

        snprintf(error, BOOK_ERROR_MAX, "%s", reason[0] == '\0' ? "no memory" : reason);
        return false;
    }
    putc('\n', out);
    fwrite(page_tail, 1, page_tail_octets, out);
    return true;
}
