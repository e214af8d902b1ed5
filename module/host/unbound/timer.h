/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The timers of the workers: see timer.c. */
#ifndef MXCLASH_HOST_UNBOUND_TIMER_H
#define MXCLASH_HOST_UNBOUND_TIMER_H

#include "host.h"

#include <pthread.h>

struct timer;
struct timers {
    pthread_mutex_t lock; /* guards the list */
    struct timer *first;
    unsigned load; /* which load of the module it is */
    /** what a timer calls, with a query that is there for its environment only */
    void (*run)(struct module_qstate *qstate, int id);
};

void timers_init(struct timers *timers, void (*run)(struct module_qstate *qstate, int id));

/** Free the timers. The workers are gone. */
void timers_deinit(struct timers *timers);

/** Make the timer of this thread, whose environment env is, if it was not made. */
void timer_make(struct timers *timers, struct module_env *env, int id);

/** See to it that timers->run is called soon on this thread. It cannot be if the thread has no
 * timer yet: it has had no query but what the cache answered. */
void timer_arm(const struct timers *timers);

#endif
