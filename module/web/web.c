/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The page, the API and the metrics of `mxclash serve`: see web.h. */
#include "web/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/clock.h"
#include "web/api.h"
#include "web/http.h"
#include "web/page.h"
#include "web/serve_metrics.h"

struct web {
    struct web_options options;
    struct http *http;
    /** the document without data */
    char *page;
    size_t page_octets;
};

static void plain(struct http_reply *reply, unsigned status, const char *text)
{
    reply->status = status;
    reply->type = "text/plain; charset=utf-8";
    reply->static_body = text;
    reply->octets = strlen(text);
}

static bool answer_health(const struct web *web, struct http_reply *reply)
{
    struct book_counters counters = {.lines = 0};

    web->options.counters(web->options.context, &counters);
    if (counters.database_failing)
        plain(reply, 503, "the book cannot be written\n");
    else
        plain(reply, 200, "ok\n");
    return true;
}

static bool answer_metrics(const struct web *web, struct http_reply *reply)
{
    struct serve_metrics metrics = {.http = {.connections = 0}};

    web->options.counters(web->options.context, &metrics.counters);
    http_read_counts(web->http, &metrics.http);
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    reply->body = serve_metrics_text(&metrics, &reply->octets);
    return reply->body != NULL;
}

static bool answer(void *context, const struct http_request *request, struct http_reply *reply)
{
    const struct web *web = context;

    if (strncmp(request->path, "/api/", 5) == 0)
        return api_answer(web->options.database, web->options.providers, clock_now(), request,
                          reply);
    if (strcmp(request->path, "/healthz") == 0)
        return answer_health(web, reply);
    if (strcmp(request->path, "/metrics") == 0)
        return answer_metrics(web, reply);
    if (strcmp(request->path, "/") != 0)
        return http_fault(reply, 404, "path", "there is nothing here; the page is at /");
    reply->type = "text/html; charset=utf-8";
    reply->policy = page_policy;
    reply->static_body = web->page;
    reply->octets = web->page_octets;
    return true;
}

static bool join_page(struct web *web)
{
    web->page_octets = page_head_octets + page_tail_octets;
    web->page = malloc(web->page_octets);
    if (web->page == NULL)
        return false;
    memcpy(web->page, page_head, page_head_octets);
    memcpy(web->page + page_head_octets, page_tail, page_tail_octets);
    return true;
}

struct web *web_new(const struct web_options *options, char *error, size_t size)
{
    struct web *web = calloc(1, sizeof(*web));
    const struct http_options http = {.listen = options->listen,
                                      .listen_count = options->listen_count,
                                      .hosts = options->hosts,
                                      .host_count = options->host_count,
                                      .group = options->group,
                                      .say = options->say,
                                      .say_context = options->context,
                                      .handler = answer,
                                      .handler_context = web};

    if (web == NULL || !join_page(web)) {
        snprintf(error, size, "no memory");
        free(web);
        return NULL;
    }
    web->options = *options;
    if (!http_start(&http, &web->http, error, size)) {
        web_free(web);
        return NULL;
    }
    return web;
}

void web_free(struct web *web)
{
    if (web == NULL)
        return;
    http_stop(web->http);
    free(web->page);
    free(web);
}
