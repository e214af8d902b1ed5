/* SPDX-License-Identifier: BSD-3-Clause */
/** \file One detector for all of a process: the second half of mxclash-prover.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/engine/structs.h"
#include "mxclash-prover.h"

struct mxclash_shared {
    struct mxclash_shared *next;
    char *name;
    /** how many hold it, under the lock */
    unsigned holders;
    struct mxclash_engine *engine;
    /** NULL: nobody proves */
    struct mxclash_prover *prover;
    /** what was taken of each counter so far */
    uint32_t stats;
    _Atomic uint64_t *taken;
};

/** Of the list, and of the counts of holders in it. It is held while a detector is made, so that
 * the others who want the same one wait for it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mxclash_shared *first;

static void shared_free(struct mxclash_shared *shared)
{
    mxclash_prover_free(shared->prover);
    mxclash_engine_free(shared->engine);
    free(shared->taken);
    free(shared->name);
    free(shared);
}

/** Of a caller's struct a copy as long as it is, so that the engine judges what it holds. */
static enum mxclash_status make_engine(struct mxclash_shared *shared,
                                       const struct mxclash_options *given, char *error,
                                       size_t error_size)
{
    if (given->struct_size < STRUCT_LEAST(mxclash_options, ignore) || given->seed != 0) {
        return mxclash_engine_new(given, &shared->engine, error, error_size);
    }
    struct mxclash_options *options = malloc(given->struct_size);
    if (options == NULL) {
        return mxclash_no_memory;
    }
    memcpy(options, given, given->struct_size);
    enum mxclash_status status = mxclash_no_memory;
    if (getrandom(&options->seed, sizeof(options->seed), 0) == (ssize_t)sizeof(options->seed)) {
        status = mxclash_engine_new(options, &shared->engine, error, error_size);
    }
    free(options);
    return status;
}

static enum mxclash_status make(struct mxclash_shared *shared, const char *name,
                                const struct mxclash_options *options,
                                const struct mxclash_prover_options *prover_options, char *error,
                                size_t error_size)
{
    struct mxclash_stat stat = {.struct_size = sizeof(stat)};
    enum mxclash_status status = make_engine(shared, options, error, error_size);
    if (status != mxclash_ok) {
        return status;
    }
    while (mxclash_get_stat(shared->engine, shared->stats, &stat)) {
        shared->stats++;
    }
    shared->name = strdup(name);
    shared->taken = calloc(shared->stats, sizeof(*shared->taken));
    if (shared->name == NULL || shared->taken == NULL) {
        return mxclash_no_memory;
    }
    return options->probe == 0 ? mxclash_ok
                               : mxclash_prover_new(shared->engine, prover_options, &shared->prover,
                                                    error, error_size);
}

static struct mxclash_shared *find(const char *name)
{
    struct mxclash_shared *shared = first;
    while (shared != NULL && strcmp(shared->name, name) != 0) {
        shared = shared->next;
    }
    return shared;
}

/** With the lock held. */
static enum mxclash_status get(const char *name, const struct mxclash_options *options,
                               const struct mxclash_prover_options *prover_options,
                               struct mxclash_shared **shared, char *error, size_t error_size)
{
    struct mxclash_shared *found = find(name);
    if (found == NULL) {
        found = calloc(1, sizeof(*found));
        if (found == NULL) {
            return mxclash_no_memory;
        }
        const enum mxclash_status status =
            make(found, name, options, prover_options, error, error_size);
        if (status != mxclash_ok) {
            shared_free(found);
            return status;
        }
        found->next = first;
        first = found;
    }
    found->holders++;
    *shared = found;
    return mxclash_ok;
}

enum mxclash_status mxclash_shared_get(const char *name, const struct mxclash_options *options,
                                       const struct mxclash_prover_options *prover_options,
                                       struct mxclash_shared **shared, char *error,
                                       size_t error_size)
{
    if (error_size != 0) {
        error[0] = '\0';
    }
    pthread_mutex_lock(&lock);
    const enum mxclash_status status =
        get(name, options, prover_options, shared, error, error_size);
    pthread_mutex_unlock(&lock);
    return status;
}

void mxclash_shared_release(struct mxclash_shared *shared)
{
    if (shared == NULL) {
        return;
    }
    pthread_mutex_lock(&lock);
    const bool last = --shared->holders == 0;
    if (last) {
        struct mxclash_shared **at = &first;
        while (*at != shared) {
            at = &(*at)->next;
        }
        *at = shared->next;
    }
    pthread_mutex_unlock(&lock);
    /* nobody finds it any more, so it ends without the lock: its thread is waited for */
    if (last) {
        shared_free(shared);
    }
}

struct mxclash_engine *mxclash_shared_engine(const struct mxclash_shared *shared)
{
    return shared->engine;
}

void mxclash_shared_go(struct mxclash_shared *shared)
{
    mxclash_prover_go(shared->prover);
}

bool mxclash_shared_growth(struct mxclash_shared *shared, uint32_t index, struct mxclash_stat *stat)
{
    if (index >= shared->stats || !mxclash_get_stat(shared->engine, index, stat)) {
        return false;
    }
    if (stat->is_counter == 0) {
        return true;
    }
    /* one thread's view may be older than what another has taken since: then it has grown by 0 */
    uint64_t taken = atomic_load(&shared->taken[index]);
    while (taken < stat->value &&
           !atomic_compare_exchange_weak(&shared->taken[index], &taken, stat->value)) {
    }
    stat->value = taken < stat->value ? stat->value - taken : 0;
    return true;
}
