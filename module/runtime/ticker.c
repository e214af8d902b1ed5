/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The ticker: see ticker.h. */
#include "runtime/ticker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "output/thread.h"

struct ticker {
    struct mxclash_engine *engine;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows; never held while the engine is called */
    pthread_cond_t changed;
    bool awake;
    bool stopping;
};

/** Wait TICKER_MS or until stopping. Lock held. */
static void wait_tick(struct ticker *ticker)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICKER_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (!ticker->stopping &&
           pthread_cond_timedwait(&ticker->changed, &ticker->lock, &until) != ETIMEDOUT)
        ;
}

static void *run(void *argument)
{
    struct ticker *ticker = argument;

    pthread_mutex_lock(&ticker->lock);
    while (!ticker->stopping) {
        if (!ticker->awake) {
            pthread_cond_wait(&ticker->changed, &ticker->lock);
            continue;
        }
        wait_tick(ticker);
        /* before the call: what begins to wait during it wakes us again */
        ticker->awake = false;
        pthread_mutex_unlock(&ticker->lock);
        if (mxclash_tick(ticker->engine))
            ticker_wake(ticker);
        pthread_mutex_lock(&ticker->lock);
    }
    pthread_mutex_unlock(&ticker->lock);
    return NULL;
}

struct ticker *ticker_start(struct mxclash_engine *engine)
{
    struct ticker *ticker = calloc(1, sizeof(*ticker));
    pthread_condattr_t attributes;

    if (ticker == NULL)
        return NULL;
    ticker->engine = engine;
    pthread_mutex_init(&ticker->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ticker->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (thread_start(&ticker->thread, "mxclash-tick", run, ticker))
        return ticker;
    pthread_cond_destroy(&ticker->changed);
    pthread_mutex_destroy(&ticker->lock);
    free(ticker);
    return NULL;
}

void ticker_wake(struct ticker *ticker)
{
    pthread_mutex_lock(&ticker->lock);
    ticker->awake = true;
    pthread_cond_signal(&ticker->changed);
    pthread_mutex_unlock(&ticker->lock);
}

void ticker_stop(struct ticker *ticker)
{
    if (ticker == NULL)
        return;
    pthread_mutex_lock(&ticker->lock);
    ticker->stopping = true;
    pthread_cond_signal(&ticker->changed);
    pthread_mutex_unlock(&ticker->lock);
    pthread_join(ticker->thread, NULL);
    pthread_cond_destroy(&ticker->changed);
    pthread_mutex_destroy(&ticker->lock);
    free(ticker);
}
