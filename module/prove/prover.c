/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Proofs and lookups: see prover.h. */
#include "prove/prover.h"

#include <event2/event.h>
#include <stdlib.h>

#include "core/base/bucket.h"
#include "output/clock.h"
#include "prove/lookup.h"
#include "prove/proof.h"

/** How often what waits is looked at: for the rate, or for its time. */
#define LOOK_MS 50
/** Questions asked for one proof or lookup, to find who serves the name: a stranger has a say in
 * how many there are. From the roots down to a zone whose servers lie in other zones it takes some
 * thirty. */
#define QUESTIONS_MAX 64
/** A server that does not answer is asked twice, in three seconds. */
#define TRY_MS     1000
#define TRIES      2
#define TRY_TCP_MS 5000

struct prover {
    struct asking asking;
    struct whom whom;
    struct authorities authorities;
    struct event *look;
    struct bucket packets;
    unsigned running;
    struct proof proofs[PROVER_PROOFS_MAX];
    struct lookup lookups[PROVER_LOOKUPS_MAX];
};

/** For ask: when may so many packets be sent? */
static int may_send(void *context, const struct sockaddr_storage *server, unsigned packets)
{
    struct prover *prover = context;
    struct bucket *bucket = &prover->packets;
    const int64_t cost = (int64_t)packets * BUCKET_TOKEN;
    (void)server;
    bucket_refill(bucket, clock_steady_ms());
    if (bucket_take(bucket, cost)) {
        return 0;
    }
    return (int)((cost - bucket->tokens + bucket->rate - 1) / bucket->rate);
}

static void look_soon(struct prover *prover)
{
    const struct timeval wait = {.tv_usec = LOOK_MS * 1000L};
    if (!evtimer_pending(prover->look, NULL)) {
        evtimer_add(prover->look, &wait);
    }
}

static void on_look(evutil_socket_t socket, short what, void *context)
{
    (void)socket;
    (void)what;
    prover_go(context);
}

static void on_over(void *context)
{
    struct prover *prover = context;
    prover->running--;
    /* not at once: what is over is still on the stack */
    look_soon(prover);
}

static void begin_proofs(struct prover *prover)
{
    struct mxclash_proof wanted = {.struct_size = sizeof(wanted)};
    for (size_t i = 0; i < PROVER_PROOFS_MAX; i++) {
        if (prover->proofs[i].busy) {
            continue;
        }
        if (!mxclash_proof_next(prover->asking.engine, clock_now(), &wanted)) {
            return;
        }
        prover->running++;
        proof_begin(&prover->proofs[i], &prover->asking, &wanted);
    }
}

static void begin_lookups(struct prover *prover)
{
    struct mxclash_lookup wanted = {.struct_size = sizeof(wanted)};
    for (size_t i = 0; i < PROVER_LOOKUPS_MAX; i++) {
        if (prover->lookups[i].busy) {
            continue;
        }
        if (!mxclash_lookup_next(prover->asking.engine, clock_now(), &wanted)) {
            return;
        }
        prover->running++;
        lookup_begin(&prover->lookups[i], &prover->asking, &wanted);
    }
}

void prover_go(struct prover *prover)
{
    if (!mxclash_errands_wait(prover->asking.engine)) {
        return;
    }
    begin_proofs(prover);
    begin_lookups(prover);
    if (mxclash_errands_wait(prover->asking.engine)) {
        look_soon(prover);
    }
}

bool prover_is_busy(const struct prover *prover)
{
    return prover->running != 0 || mxclash_errands_wait(prover->asking.engine);
}

struct prover *prover_new(const struct prover_options *options)
{
    struct prover *prover = calloc(1, sizeof(*prover));
    if (prover == NULL || !whom_init(&prover->whom, &options->whom)) {
        free(prover);
        return NULL;
    }
    const struct ask_options ask_options = {
        .base = options->base,
        .resolvers = prover->whom.resolvers,
        .resolver_count = prover->whom.resolver_count,
        .roots = prover->whom.roots,
        .root_count = prover->whom.root_count,
        .policy = &prover->whom.policy,
        .timeout_ms = TRY_MS,
        .tries = TRIES,
        .tcp_timeout_ms = TRY_TCP_MS,
        .questions = QUESTIONS_MAX,
        .may_send = may_send,
        .context = prover,
    };
    /* TCP is two packets at once */
    bucket_init(&prover->packets, options->rate, options->rate > 2 ? options->rate : 2);
    prover->asking = (struct asking){
        .ask = ask_new(&ask_options),
        .engine = options->engine,
        .authorities = &prover->authorities,
        .over = on_over,
        .context = prover,
    };
    prover->look = evtimer_new(options->base, on_look, prover);
    if (prover->asking.ask == NULL || prover->look == NULL) {
        prover_free(prover);
        return NULL;
    }
    return prover;
}

void prover_free(struct prover *prover)
{
    if (prover == NULL) {
        return;
    }
    ask_free(prover->asking.ask);
    if (prover->look != NULL) {
        event_free(prover->look);
    }
    whom_free(&prover->whom);
    free(prover);
}
