/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A timer on each worker's own event loop, armed while errands wait: for the rate limit, or because
 * an answer out of the cache gave reason for them, where there is no query to ask them from.
 * Without it they would wait for the worker's next query, and in a quiet resolver for long.
 *
 * Unbound's own timers take no function that is not on its list, so this is an event of libevent's
 * on the loop that Unbound made with it. With another loop (mini-event, libev, the replay tester)
 * there is no timer, and errands go with the queries.
 */
#include "timer.h"

#if !defined(USE_MINI_EVENT) && !defined(HAVE_EV_LOOP) && !defined(HAVE_EV_DEFAULT_LOOP)
#define HAVE_LIBEVENT_LOOP 1
#include "util/ub_event.h"
#include <event2/event.h>
#include <event2/event_struct.h>
#else
#define HAVE_LIBEVENT_LOOP 0
#endif

#define TIMER_MS 100

struct timer {
    struct timer *next; /* guarded by timers->lock */
    const struct timers *timers;
    struct module_env *env;
    int id;
#if HAVE_LIBEVENT_LOOP
    struct event event;
#endif
};

#if HAVE_LIBEVENT_LOOP

static void arm(struct timer *timer)
{
    const struct timeval wait = {.tv_usec = TIMER_MS * 1000L};

    if (!evtimer_pending(&timer->event, NULL))
        evtimer_add(&timer->event, &wait);
}

/** Run on the worker's thread, between its other events. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct timer *timer = arg;
    struct module_env *env = timer->env;
    struct mesh_area *mesh = env->mesh;
    /* add_sub wants the query on whose behalf it is called for its environment only */
    struct module_qstate nobody = {.env = env};

    (void)fd;
    (void)what;
    /* Unbound sets its clock when it handles an event of its own */
    ub_comm_base_now(env->worker_base);
    timer->timers->run(&nobody, timer->id);
    if (mesh->run.count != 0) {
        struct mesh_state *state = (struct mesh_state *)mesh->run.root->key;

        (void)rbtree_delete(&mesh->run, state);
        /* as Unbound does: what waits there need not be new */
        mesh_run(mesh, state, module_event_pass, NULL);
    }
}

static struct timer *timer_new(const struct timers *timers, struct module_env *env, int id)
{
    struct ub_event_base *base =
        env->worker_base != NULL ? comm_base_internal(env->worker_base) : NULL;
    struct timer *timer;

    if (base == NULL || ub_libevent_get_event_base(base) == NULL)
        return NULL;
    timer = calloc(1, sizeof(*timer));
    if (timer == NULL)
        return NULL;
    timer->timers = timers;
    timer->env = env;
    timer->id = id;
    evtimer_assign(&timer->event, ub_libevent_get_event_base(base), on_timer, timer);
    return timer;
}

#else

static void arm(struct timer *timer)
{
    (void)timer;
}

static struct timer *timer_new(const struct timers *timers, struct module_env *env, int id)
{
    (void)timers;
    (void)env;
    (void)id;
    return NULL;
}

#endif

/** This thread's timer, NULL if it can have none, and the load of the module that it was made for:
 * a thread can outlive a load, whose timers are freed. */
static _Thread_local struct timer *timer_of_thread;
static _Thread_local unsigned load_of_thread;

void timer_make(struct timers *timers, struct module_env *env, int id, bool last)
{
    if (last)
        atomic_store_explicit(timer_made(timers, env), env, memory_order_relaxed);
    if (load_of_thread == timers->load)
        return;
    load_of_thread = timers->load;
    timer_of_thread = timer_new(timers, env, id);
    if (timer_of_thread == NULL)
        return;
    pthread_mutex_lock(&timers->lock);
    timer_of_thread->next = timers->first;
    timers->first = timer_of_thread;
    pthread_mutex_unlock(&timers->lock);
}

void timer_arm(const struct timers *timers)
{
    /* the loop is this thread's own: nobody else touches its events */
    if (load_of_thread == timers->load && timer_of_thread != NULL)
        arm(timer_of_thread);
}

void timers_init(struct timers *timers, void (*run)(struct module_qstate *qstate, int id))
{
    static unsigned loads;

    timers->first = NULL;
    for (size_t i = 0; i < TIMERS_MADE; i++)
        atomic_init(&timers->made[i], NULL);
    timers->run = run;
    timers->load = ++loads;
    pthread_mutex_init(&timers->lock, NULL);
}

void timers_deinit(struct timers *timers)
{
    /* the workers and their loops are gone, and with the loops the registration of each event */
    while (timers->first != NULL) {
        struct timer *timer = timers->first;

        timers->first = timer->next;
        free(timer);
    }
    pthread_mutex_destroy(&timers->lock);
}
