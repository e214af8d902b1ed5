/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Beginning and end, and what is common to all questions: see ask.h. */
#include "ask/ask.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ask/inside.h"

#define TIMEOUT_MS     1000
#define TRIES          3
#define TCP_TIMEOUT_MS 5000
/** How long resolvers that did not answer are left alone. */
#define SILENCE_MS 60000

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

static void on_start(evutil_socket_t socket, short what, void *context)
{
    struct ask_job *job = context;
    (void)socket;
    (void)what;
    job->begin(job);
}

bool ask_job_start(struct ask *ask, struct ask_job *job)
{
    const struct timeval at_once = {0};
    job->ask = ask;
    job->start = evtimer_new(ask->base, on_start, job);
    if (job->start == NULL) {
        return false;
    }
    event_add(job->start, &at_once);
    TAILQ_INSERT_TAIL(&ask->jobs, job, link);
    return true;
}

void ask_job_end(struct ask_job *job)
{
    TAILQ_REMOVE(&job->ask->jobs, job, link);
    event_free(job->start);
}

unsigned ask_packets(const struct ask *ask)
{
    return ask->packets;
}

int64_t ask_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void ask_resolvers_are_silent(struct ask *ask)
{
    ask->silent_until_ms = ask_now_ms() + SILENCE_MS;
}

bool ask_uses_roots(const struct ask *ask)
{
    return ask->root_count != 0 &&
           (ask->resolver_count == 0 || ask_now_ms() < ask->silent_until_ms);
}

bool ask_send_within(struct ask *ask, struct ask_budget *budget,
                     const struct ask_question *question, ask_reply_fn *done, void *context,
                     enum ask_status *status)
{
    if (budget->questions == 0) {
        *status = ask_too_many;
        return false;
    }
    budget->questions--;
    *status = ask_no_room;
    return ask_send(ask, question, done, context);
}
