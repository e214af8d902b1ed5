/* SPDX-License-Identifier: BSD-3-Clause */
/** \file One load of the module, which all files of this adapter work on. */
#ifndef MXCLASH_HOST_UNBOUND_ADAPTER_H
#define MXCLASH_HOST_UNBOUND_ADAPTER_H

#include "host.h"

#include "runtime/runtime.h"
#include "stubs.h"
#include "timer.h"

/**
 * One load of the module. Shared by all worker threads, which copy the environment that points
 * to it; but for the list of timers nothing in it changes between init and deinit.
 */
struct adapter {
    struct runtime *runtime;
    struct mxclash_engine *engine;
    struct host_counters *counters;
    struct timers timers;
    struct stubs stubs;
    int iterator; /* its place among the modules */
    bool annotate;
    bool repair;
    /** fresh replies are told of one by one, by client_reply_fresh(), and not by
     * client_replies_next() */
    bool each_reply;
};

/** The adapter of a query's environment, set by init. */
static inline struct adapter *adapter_of(const struct module_env *env, int id)
{
    return ((struct dynlibmod_env *)env->modinfo[id])->dyn_env;
}

/** The time of a worker, also when a tester makes it up. */
static inline mxclash_time time_of(const struct timeval *tv)
{
    return (mxclash_time)tv->tv_sec * 1000 + tv->tv_usec / 1000;
}

#endif
