/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Beginning and end, and what is common to all questions: see ask.h. */
#include "ask/ask.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "ask/inside.h"

#define TIMEOUT_MS     1000
#define TRIES          3
#define TCP_TIMEOUT_MS 5000

const char *ask_status_text(enum ask_status status)
{
    switch (status) {
    case ask_answered:
        return "answered";
    case ask_timeout:
        return "no answer in time";
    case ask_unreachable:
        return "nobody is there";
    case ask_malformed:
        return "its answer cannot be read";
    case ask_forbidden:
        return "such an address is never asked";
    case ask_denied:
        return "not allowed to send";
    case ask_too_many:
        return "too many questions";
    case ask_no_room:
        return "no memory or no socket";
    case ask_lame:
        return "answers, but not as an authority";
    default:
        return "?";
    }
}

struct ask *ask_new(const struct ask_options *options)
{
    if (options->resolver_count > ASK_RESOLVERS_MAX || options->root_count > ASK_ADDRESSES_MAX) {
        return NULL;
    }
    struct ask *ask = calloc(1, sizeof(*ask));
    if (ask == NULL) {
        return NULL;
    }
    ask->base = options->base;
    ask->policy = options->policy;
    for (size_t i = 0; i < options->resolver_count; i++) {
        ask->resolvers[ask->resolver_count++] = options->resolvers[i];
    }
    for (size_t i = 0; i < options->root_count; i++) {
        ask->roots[ask->root_count++] = options->roots[i];
    }
    ask->timeout_ms = options->timeout_ms != 0 ? options->timeout_ms : TIMEOUT_MS;
    ask->tries = options->tries != 0 ? options->tries : TRIES;
    ask->tcp_timeout_ms = options->tcp_timeout_ms != 0 ? options->tcp_timeout_ms : TCP_TIMEOUT_MS;
    ask->questions = options->questions != 0 && options->questions < ASK_QUESTIONS_MAX
                         ? options->questions
                         : ASK_QUESTIONS_MAX;
    ask->may_send = options->may_send;
    ask->context = options->context;
    ask->resolve = ask_resolve_within;
    TAILQ_INIT(&ask->running);
    TAILQ_INIT(&ask->waiting);
    TAILQ_INIT(&ask->jobs);
    return ask;
}

void ask_free(struct ask *ask)
{
    if (ask == NULL) {
        return;
    }
    struct ask_exchange *exchange;
    while ((exchange = TAILQ_FIRST(&ask->waiting)) != NULL ||
           (exchange = TAILQ_FIRST(&ask->running)) != NULL) {
        ask_exchange_drop(exchange);
    }
    struct ask_job *job;
    while ((job = TAILQ_FIRST(&ask->jobs)) != NULL) {
        job->drop(job);
    }
    free(ask);
}

unsigned ask_packets(const struct ask *ask)
{
    return ask->packets;
}
