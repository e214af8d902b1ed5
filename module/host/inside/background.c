/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A prover on a thread of its own: the first half of mxclash-prover.h.
 *
 * Whoever gave the detector something wakes the thread by way of a descriptor, and only if it is
 * not awake already: awake it looks by itself as long as there is anything left to do.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/engine/structs.h"
#include "mxclash-prover.h"
#include "output/thread.h"
#include "prove/prover.h"

/** Between two ticks, see mxclash_tick(). */
#define TICK_US  200000
#define RATE_MAX 100000

struct mxclash_prover {
    struct mxclash_engine *engine;
    struct event_base *base;
    struct prover *prover;
    struct event *woken;
    struct event *tick;
    pthread_t thread;
    /** an eventfd */
    int wake;
    /** the thread has been woken, or looks by itself */
    atomic_bool awake;
    atomic_bool over;
};

static void wake_up(struct mxclash_prover *prover)
{
    const uint64_t one = 1;
    /* a full counter has been read by nobody yet, so the thread comes anyway */
    while (write(prover->wake, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

static void on_tick(evutil_socket_t none, short what, void *context)
{
    static const struct timeval interval = {.tv_usec = TICK_US};
    struct mxclash_prover *prover = context;
    (void)none;
    (void)what;
    prover_go(prover->prover);
    const bool held = mxclash_tick(prover->engine);
    if (held || prover_is_busy(prover->prover)) {
        evtimer_add(prover->tick, &interval);
        return;
    }
    /* An exchange, as there: of two one sees the other. What came since the last look found the
     * thread awake, and woke nobody. */
    atomic_exchange(&prover->awake, false);
    mxclash_prover_go(prover);
}

static void on_wake(evutil_socket_t wake, short what, void *context)
{
    static const struct timeval interval = {.tv_usec = TICK_US};
    struct mxclash_prover *prover = context;
    uint64_t count;
    (void)what;
    if (read(wake, &count, sizeof(count)) < 0) {
        return;
    }
    if (atomic_load(&prover->over)) {
        event_base_loopbreak(prover->base);
        return;
    }
    prover_go(prover->prover);
    evtimer_add(prover->tick, &interval);
}

static void *run(void *context)
{
    struct mxclash_prover *prover = context;
    event_base_dispatch(prover->base);
    return NULL;
}

static void free_parts(struct mxclash_prover *prover)
{
    prover_free(prover->prover);
    if (prover->woken != NULL) {
        event_free(prover->woken);
    }
    if (prover->tick != NULL) {
        event_free(prover->tick);
    }
    if (prover->base != NULL) {
        event_base_free(prover->base);
    }
    if (prover->wake >= 0) {
        close(prover->wake);
    }
    free(prover);
}

static struct event_base *make_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;
    if (config != NULL) {
        /* one thread alone calls it; and what the host's environment says is the host's */
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
        base = event_base_new_with_config(config);
        event_config_free(config);
    }
    return base;
}

/** \return false if there is no memory, no thread or no descriptor */
static bool start(struct mxclash_prover *prover, const struct mxclash_prover_options *options)
{
    prover->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    prover->base = make_base();
    if (prover->wake < 0 || prover->base == NULL) {
        return false;
    }
    const struct prover_options inner = {
        .base = prover->base,
        .engine = prover->engine,
        .rate = options->rate,
        .whom =
            {
                .resolvers = options->resolvers,
                .resolver_count = options->resolver_count,
                .do_not_ask = options->do_not_ask,
                .do_not_ask_count = options->do_not_ask_count,
                .may_ask = options->may_ask,
                .may_ask_count = options->may_ask_count,
                .resolv_conf = ASK_RESOLV_CONF,
            },
    };
    prover->prover = prover_new(&inner);
    prover->tick = evtimer_new(prover->base, on_tick, prover);
    prover->woken = event_new(prover->base, prover->wake, EV_READ | EV_PERSIST, on_wake, prover);
    return prover->prover != NULL && prover->tick != NULL && prover->woken != NULL &&
           event_add(prover->woken, NULL) == 0 &&
           thread_start(&prover->thread, "mxclash-prover", run, prover);
}

static bool is_address(const char *text)
{
    struct sockaddr_storage address;
    return ask_address_parse(text, &address);
}

static bool is_net(const char *text)
{
    struct ask_net net;
    return ask_net_parse(text, &net);
}

/** \return the first text that is none, NULL if all are good */
static const char *find_bad(const char *const *texts, uint64_t count, bool (*is_good)(const char *))
{
    for (uint64_t i = 0; i < count; i++) {
        if (!is_good(texts[i])) {
            return texts[i];
        }
    }
    return NULL;
}

/** \param[out] error  what is wrong; cut to error_size */
static bool are_good(const struct mxclash_prover_options *options, char *error, size_t error_size)
{
    const char *bad;
    if (options->rate < 1 || options->rate > RATE_MAX) {
        snprintf(error, error_size, "rate is %u: it must be 1 to %d", options->rate, RATE_MAX);
    } else if (options->resolver_count > ASK_RESOLVERS_MAX) {
        snprintf(error, error_size, "there are more than %d resolvers", ASK_RESOLVERS_MAX);
    } else if ((bad = find_bad(options->resolvers, options->resolver_count, is_address)) != NULL) {
        snprintf(error, error_size, "resolver %s: it must be ADDRESS or ADDRESS@PORT", bad);
    } else if ((bad = find_bad(options->do_not_ask, options->do_not_ask_count, is_net)) != NULL) {
        snprintf(error, error_size, "do_not_ask %s: it must be ADDRESS/BITS or ADDRESS", bad);
    } else if ((bad = find_bad(options->may_ask, options->may_ask_count, is_net)) != NULL) {
        snprintf(error, error_size, "may_ask %s: it must be ADDRESS/BITS or ADDRESS", bad);
    } else {
        return true;
    }
    return false;
}

/** Read the caller's struct. \return false if it is too short, or wants what we do not know */
static bool take_options(struct mxclash_prover_options *ours,
                         const struct mxclash_prover_options *given)
{
    if (given == NULL) {
        mxclash_prover_options_init(ours, sizeof(*ours));
        return true;
    }
    if (given->struct_size < sizeof(*ours) ||
        struct_unknown(sizeof(*ours), given, given->struct_size) != given->struct_size) {
        return false;
    }
    struct_take(ours, sizeof(*ours), given, given->struct_size);
    return true;
}

uint32_t mxclash_prover_abi(void)
{
    return MXCLASH_PROVER_ABI;
}

void mxclash_prover_options_init(struct mxclash_prover_options *options, uint32_t struct_size)
{
    const struct mxclash_prover_options defaults = {.rate = 10};
    if (struct_size < sizeof(options->struct_size)) {
        return;
    }
    options->struct_size = struct_size;
    struct_give(options, &defaults, sizeof(defaults));
}

enum mxclash_status mxclash_prover_new(struct mxclash_engine *engine,
                                       const struct mxclash_prover_options *options,
                                       struct mxclash_prover **prover, char *error,
                                       size_t error_size)
{
    struct mxclash_prover_options ours;
    if (error_size != 0) {
        error[0] = '\0';
    }
    if (!take_options(&ours, options)) {
        snprintf(error, error_size,
                 "struct_size is %u: it is too small, or wants what this library does not know",
                 options->struct_size);
        return mxclash_invalid;
    }
    if (!are_good(&ours, error, error_size)) {
        return mxclash_invalid;
    }
    struct mxclash_prover *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return mxclash_no_memory;
    }
    made->engine = engine;
    if (!start(made, &ours)) {
        free_parts(made);
        snprintf(error, error_size, "there is no memory, no thread or no descriptor to prove with");
        return mxclash_no_memory;
    }
    *prover = made;
    return mxclash_ok;
}

void mxclash_prover_go(struct mxclash_prover *prover)
{
    if (prover != NULL && mxclash_errands_wait(prover->engine) &&
        !atomic_exchange(&prover->awake, true)) {
        wake_up(prover);
    }
}

void mxclash_prover_free(struct mxclash_prover *prover)
{
    if (prover == NULL) {
        return;
    }
    atomic_store(&prover->over, true);
    wake_up(prover);
    pthread_join(prover->thread, NULL);
    free_parts(prover);
}
