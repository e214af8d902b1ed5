/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Threads of our own: see thread.h. */
#include "output/thread.h"

#include <signal.h>
#ifdef __FreeBSD__
#include <pthread_np.h> /* pthread_setname_np() */
#endif

bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *argument)
{
    sigset_t all, before;
    int error;

    /* a thread inherits the mask, so there is no moment at which a signal could land on it */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return false;
    pthread_setname_np(*thread, name);
    return true;
}
