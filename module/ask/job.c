/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What finds and resolutions have in common: how they begin, the clock, whose turn it is.
 * See inside.h. */
#include <event2/event.h>
#include <time.h>

#include "ask/inside.h"

/** How long resolvers that did not answer are left alone. */
#define SILENCE_MS 60000

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
