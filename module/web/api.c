/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The API: which answer a request means, and with which parameters; see api.h. */
#include "web/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mxclash.h"

#define PREFIX        "/api/v1/"
#define DOMAIN_PREFIX PREFIX "conflicts/"

/** One request on its way. */
struct call {
    struct book *book;
    const struct providers *providers;
    int64_t now;
    const struct http_request *request;
    struct http_reply *reply;
};

/* --- parameters --- */

/** \param allowed  names, each with a blank in front and behind. \return false with a fault */
static bool known_parameters(const struct call *call, const char *allowed)
{
    const struct http_request *request = call->request;

    for (size_t i = 0; i < request->parameter_count; i++) {
        const char *name = request->parameters[i].name;
        char wanted[32];

        snprintf(wanted, sizeof(wanted), " %.29s ", name);
        if (strchr(name, ' ') != NULL || strstr(allowed, wanted) == NULL)
            return http_fault(call->reply, 400, "parameter", "no parameter is called %.40s",
                              name) &&
                   false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(name, request->parameters[k].name) == 0)
                return http_fault(call->reply, 400, "parameter", "%s is given twice", name) &&
                       false;
    }
    return true;
}

/** \return NULL where it is not given, or given as nothing */
static const char *parameter(const struct call *call, const char *name)
{
    const struct http_request *request = call->request;

    for (size_t i = 0; i < request->parameter_count; i++)
        if (strcmp(request->parameters[i].name, name) == 0)
            return request->parameters[i].value[0] == '\0' ? NULL : request->parameters[i].value;
    return NULL;
}

/** \param[in,out] number  stays where the parameter is not given. \return false with a fault */
static bool number_parameter(const struct call *call, const char *name, unsigned max,
                             unsigned *number)
{
    const char *text = parameter(call, name);
    char *end = NULL;
    unsigned long value;

    if (text == NULL)
        return true;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < 1 || value > max) {
        http_fault(call->reply, 400, "parameter", "%s must be a number from 1 to %u", name, max);
        return false;
    }
    *number = (unsigned)value;
    return true;
}

/** A word of the log. \param[out] word  NULL where it is not given. \return false with a fault */
static bool word_parameter(const struct call *call, const char *name, const char **word)
{
    *word = parameter(call, name);
    if (*word != NULL &&
        (strlen(*word) > BOOK_WORD_MAX ||
         (*word)[strspn(*word, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')) {
        http_fault(call->reply, 400, "parameter",
                   "%s must be a word of a-z, 0-9 and hyphen, as docs/api.md lists them", name);
        return false;
    }
    return true;
}

static bool state_parameter(const struct call *call, struct book_filter *filter)
{
    const char *state = parameter(call, "state");

    if (state == NULL || strcmp(state, "open") == 0)
        filter->which = book_open_now;
    else if (strcmp(state, "suspected") == 0 || strcmp(state, "confirmed") == 0)
        filter->state = state;
    else if (strcmp(state, "ended") == 0)
        filter->which = book_ended;
    else if (strcmp(state, "all") == 0)
        filter->which = book_all;
    else {
        http_fault(call->reply, 400, "parameter",
                   "state must be open, suspected, confirmed, ended or all");
        return false;
    }
    return true;
}

static bool query_parameter(const struct call *call, struct book_filter *filter)
{
    filter->query = parameter(call, "q");
    if (filter->query != NULL && strlen(filter->query) >= MXCLASH_NAME_TEXT_MAX) {
        http_fault(call->reply, 400, "parameter", "q is longer than any name");
        return false;
    }
    return true;
}

static bool sort_parameter(const struct call *call, enum book_sort *sort)
{
    const char *name = parameter(call, "sort");

    *sort = book_by_mx_queries;
    if (name == NULL || book_sort_from_name(name, sort))
        return true;
    http_fault(call->reply, 400, "parameter", "sort must be %s, %s, %s or %s", book_sort_names[0],
               book_sort_names[1], book_sort_names[2], book_sort_names[3]);
    return false;
}

/* --- answers --- */

/** Send an object, or say why there is none. */
static bool give(const struct call *call, json_t *object)
{
    if (object == NULL && book_error(call->book)[0] != '\0')
        return http_fault(call->reply, 503, "book", "the book cannot be read: %s",
                          book_error(call->book));
    call->reply->body = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
    call->reply->octets = call->reply->body == NULL ? 0 : strlen(call->reply->body);
    json_decref(object);
    return call->reply->body != NULL;
}

static bool answer_summary(const struct call *call)
{
    return !known_parameters(call, "") || give(call, api_summary(call->book, call->now));
}

static bool answer_timeline(const struct call *call)
{
    unsigned days = API_DAYS_DEFAULT;
    const char *kind;

    return !known_parameters(call, " days kind ") ||
           !number_parameter(call, "days", API_DAYS_MAX, &days) ||
           !word_parameter(call, "kind", &kind) ||
           give(call, api_timeline(call->book, kind, days, call->now));
}

static bool pass_over(void *context, const struct book_affected *affected)
{
    (void)context;
    (void)affected;
    return true;
}

static bool answer_list(const struct call *call)
{
    struct book_filter filter = {.which = book_open_now};
    unsigned limit = API_LIMIT_DEFAULT;
    enum book_sort sort;
    const char *after;
    json_t *list;

    if (!known_parameters(call, " state kind provider impact q sort limit after ") ||
        !state_parameter(call, &filter) || !word_parameter(call, "kind", &filter.kind) ||
        !word_parameter(call, "provider", &filter.provider) ||
        !word_parameter(call, "impact", &filter.impact) || !query_parameter(call, &filter) ||
        !sort_parameter(call, &sort) || !number_parameter(call, "limit", API_LIMIT_MAX, &limit))
        return true;
    if (filter.provider != NULL && strcmp(filter.provider, "none") == 0)
        filter.provider = "";
    after = parameter(call, "after");
    list = api_list(call->book, &filter, sort, limit, after);
    /* the book says so in words only; but if it can be read from the start, it is the cursor */
    if (list == NULL && after != NULL &&
        book_list(call->book, &filter, sort, 1, NULL, false, pass_over, NULL, NULL))
        return http_fault(call->reply, 400, "cursor", "after must be next of the page before");
    return give(call, list);
}

static bool answer_domain(const struct call *call)
{
    char domain[MXCLASH_NAME_TEXT_MAX];
    json_t *object;

    if (!known_parameters(call, ""))
        return true;
    if (!book_domain(call->request->path + sizeof(DOMAIN_PREFIX) - 1, domain))
        return http_fault(call->reply, 400, "domain",
                          "this is no domain name in ASCII; other octets are written as \\DDD");
    object = api_domain(call->book, call->providers, domain);
    if (object != NULL && json_array_size(json_object_get(object, "conflicts")) == 0) {
        json_decref(object);
        return http_fault(call->reply, 404, "domain", "the book has no conflict of this domain");
    }
    return give(call, object);
}

bool api_answer(const char *database, const struct providers *providers, int64_t now,
                const struct http_request *request, struct http_reply *reply)
{
    struct call call = {.providers = providers, .now = now, .request = request, .reply = reply};
    bool (*answer)(const struct call *) = NULL;
    char error[BOOK_ERROR_MAX];
    bool good;

    if (strcmp(request->path, PREFIX "summary") == 0)
        answer = answer_summary;
    else if (strcmp(request->path, PREFIX "timeline") == 0)
        answer = answer_timeline;
    else if (strcmp(request->path, PREFIX "conflicts") == 0)
        answer = answer_list;
    else if (strncmp(request->path, DOMAIN_PREFIX, sizeof(DOMAIN_PREFIX) - 1) == 0)
        answer = answer_domain;
    if (answer == NULL)
        return http_fault(reply, 404, "path", "there is nothing here; docs/api.md lists what is");
    /* opened anew each time: it costs a fraction of what the answer does, and no thread has to keep
     * a book that may be set aside meanwhile */
    call.book = book_open(database, error);
    if (call.book == NULL)
        return http_fault(reply, 503, "book", "the book cannot be read: %s", error);
    good = answer(&call);
    book_close(call.book);
    return good;
}
