/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The timers of the workers: see timer.c. */
#ifndef MXCLASH_HOST_UNBOUND_TIMER_H
#define MXCLASH_HOST_UNBOUND_TIMER_H

#include "host.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** Environments that are remembered to need nothing more. */
#define TIMERS_MADE 64

struct timer;
struct timers {
    /** by where they lie: to look here takes less than a thread's own memory, of which a module has
     * to ask where it is */
    _Atomic(const struct module_env *) made[TIMERS_MADE];
    pthread_mutex_t lock; /* guards the list */
    struct timer *first;
    unsigned load; /* which load of the module it is */
    /** what a timer calls, with a query that is there for its environment only */
    void (*run)(struct module_qstate *qstate, int id);
};

void timers_init(struct timers *timers, void (*run)(struct module_qstate *qstate, int id));

/** Free the timers. The workers are gone. */
void timers_deinit(struct timers *timers);

/** Make the timer of this thread, whose environment env is, if it was not made.
 * \param last  it need not be seen to with each query: timer_is_made() from now on */
void timer_make(struct timers *timers, struct module_env *env, int id, bool last);

/** The place in which an environment is remembered. */
static inline _Atomic(const struct module_env *) *timer_made(struct timers *timers,
                                                             const struct module_env *env)
{
    return &timers->made[((uintptr_t)env >> 6) % TIMERS_MADE];
}

/** \return true if timer_make() need not be called; false perhaps even so */
static inline bool timer_is_made(struct timers *timers, const struct module_env *env)
{
    return atomic_load_explicit(timer_made(timers, env), memory_order_relaxed) == env;
}

/** See to it that timers->run is called soon on this thread. It cannot be if the thread has no
 * timer yet: it has had no query but what the cache answered. */
void timer_arm(const struct timers *timers);

#endif
