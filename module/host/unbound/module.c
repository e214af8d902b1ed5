/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The six functions that Unbound's dynlib module looks up, and nothing else.
 *
 * A query passes through operate() on its way to the next module and again when that one is done.
 * We hold no query up: on the way in it is passed on, on the way out it is finished; only a repair
 * that the operator asked for may send it round once more. What there is to see comes through
 * callbacks, see upstream.c and client.c.
 */
#include "adapter.h"
#include "core/engine/stats.h"

#include <sys/time.h>

#include "util/config_file.h"

#include "build_check.h"
#include "client.h"
#include "core/engine/engine.h"
#include "errand.h"
#include "note.h"
#include "order.h"
#include "repair.h"
#include "upstream.h"

/* Unbound declares none of them: it looks them up by name, see exports.map. */
__attribute__((visibility("default"))) int init(struct module_env *env, int id);
__attribute__((visibility("default"))) void deinit(struct module_env *env, int id);
__attribute__((visibility("default"))) void operate(struct module_qstate *qstate,
                                                    enum module_ev event, int id,
                                                    struct outbound_entry *outbound);
__attribute__((visibility("default"))) void inform_super(struct module_qstate *qstate, int id,
                                                         struct module_qstate *super);
__attribute__((visibility("default"))) void clear(struct module_qstate *qstate, int id);
__attribute__((visibility("default"))) size_t get_mem(struct module_env *env, int id);

/** A function of ours that Unbound calls. */
struct callback {
    void *function;
    enum inplace_cb_list_type type;
    enum { always, of_repair, of_each_reply } when; /* what it is for, if that is wanted */
};

static const struct callback callbacks[] = {
    {(void *)upstream_answer, inplace_cb_query_response, always},
    {(void *)client_reply_fresh, inplace_cb_reply, of_each_reply},
    {(void *)client_reply_cached, inplace_cb_reply_cache, always},
    {(void *)client_reply_failed, inplace_cb_reply_servfail, always},
    {(void *)upstream_question, inplace_cb_query, of_repair},
};
#define CALLBACKS (sizeof(callbacks) / sizeof(callbacks[0]))

/** Between init() and deinit(). The same file loaded twice is one library, which has this once. */
static bool loaded;

static void log_line(void *context, const char *line)
{
    (void)context;
    log_info("%s", line);
}

static mxclash_time time_at_start(const struct module_env *env)
{
    struct timeval tv;

    /* before the workers run there is no clock in the environment yet */
    if (env->now_tv != NULL && env->now_tv->tv_sec != 0)
        return time_of(env->now_tv);
    gettimeofday(&tv, NULL);
    return time_of(&tv);
}

static bool is_wanted(const struct callback *callback, const struct adapter *adapter)
{
    return callback->when == always || (callback->when == of_repair && adapter->repair) ||
           (callback->when == of_each_reply && adapter->each_reply);
}

static bool register_callbacks(struct module_env *env, int id, struct adapter *adapter)
{
    struct dynlibmod_env *dynlib = env->modinfo[id];

    for (size_t i = 0; i < CALLBACKS; i++)
        if (is_wanted(&callbacks[i], adapter) &&
            !dynlib->inplace_cb_register_wrapped(callbacks[i].function, callbacks[i].type, adapter,
                                                 env, id))
            return false;
    return true;
}

/** Without threads Unbound forks its workers once the modules have started: there would be none of
 * our threads in them, and nobody to tell what they find. */
static bool workers_are_threads(const struct module_env *env)
{
#ifdef HAVE_PTHREAD
    (void)env;
    return true;
#else
    return env->cfg->num_threads <= 1;
#endif
}

/** Undo what init() did, as far as it came. */
static void take_down(struct module_env *env, int id)
{
    struct dynlibmod_env *dynlib = env->modinfo[id];
    struct adapter *adapter = dynlib->dyn_env;

    if (adapter == NULL)
        return;
    for (size_t i = 0; i < CALLBACKS; i++)
        dynlib->inplace_cb_delete_wrapped(env, callbacks[i].type, id);
    runtime_stop(adapter->runtime, time_at_start(env));
    timers_deinit(&adapter->timers);
    stubs_deinit(&adapter->stubs);
    free(adapter);
    dynlib->dyn_env = NULL;
    loaded = false;
}

int init(struct module_env *env, int id)
{
    static const struct runtime_host host = {
        .name = "unbound",
        .version = HOST_VERSION,
        .config_folder = HOST_CONFIG_FOLDER,
        .log = log_line,
    };
    char error[CONFIG_ERROR_MAX];
    struct adapter *adapter;
    int iterator;

    /* before anything of env is touched: in another build it lies elsewhere */
    if (!build_check(error, sizeof(error))) {
        log_err("mxclash: %s", error);
        return 0;
    }
    if (!workers_are_threads(env)) {
        log_err("mxclash: this Unbound was built without threads: num-threads must be 1");
        return 0;
    }
    iterator = order_check(env->cfg, id, error, sizeof(error));
    if (iterator < 0) {
        log_err("mxclash: %s", error);
        return 0;
    }
    if (loaded) {
        log_err("mxclash: loaded already: name it once in dynlib-file, and in module-config have "
                "one dynlib for each dynlib-file");
        return 0;
    }
    adapter = calloc(1, sizeof(*adapter));
    if (adapter == NULL || !stubs_init(&adapter->stubs, env->cfg)) {
        free(adapter);
        log_err("mxclash: out of memory");
        return 0;
    }
    adapter->iterator = iterator;
    timers_init(&adapter->timers, errands_start);
    ((struct dynlibmod_env *)env->modinfo[id])->dyn_env = adapter;
    loaded = true;
    adapter->runtime = runtime_start(&host, time_at_start(env), error);
    if (adapter->runtime == NULL) {
        log_err("mxclash: %s", error);
        take_down(env, id);
        return 0;
    }
    adapter->engine = runtime_engine(adapter->runtime);
    adapter->counters = runtime_counters(adapter->runtime);
    adapter->annotate = runtime_config(adapter->runtime)->annotate;
    adapter->repair = runtime_config(adapter->runtime)->repair;
    adapter->each_reply = !client_replies_are_known(env, id, adapter);
    if (adapter->repair)
        order_warn(env->cfg, id);
    if (!register_callbacks(env, id, adapter)) {
        log_err("mxclash: Unbound takes no callback");
        take_down(env, id);
        return 0;
    }
    return 1;
}

/* never called by us: with other dynlib modules in the server, its name may mean theirs */
void deinit(struct module_env *env, int id)
{
    take_down(env, id);
}

/** A query is done: its replies; what else is there to do with it, and what else to ask? */
static __attribute__((noinline)) void finish(struct module_qstate *qstate, int id,
                                             const struct adapter *adapter)
{
    bool errand = is_errand(qstate, id);

    if (!adapter->each_reply)
        client_replies_next(qstate, adapter);
    if (adapter->repair && repair_end(qstate, id))
        return;
    /* once more if a lookup was begun that asks just what this query has asked */
    do {
        bool proof = proof_of(qstate, id) != NULL;

        if (qstate->minfo[id] != NULL)
            errands_finish(qstate, id, false);
        if (proof)
            repair_forget_hidden(qstate->env, adapter, qstate->qinfo.qname,
                                 qstate->qinfo.qname_len);
        errands_start(qstate, id);
    } while (qstate->minfo[id] != NULL);
    /* The modules in front of us did not see an errand begin, and need not see it end: some would
     * keep its answer. This is how a module ends a query on the spot. */
    qstate->ext_state[id] = errand && !somebody_waits(qstate) ? module_error : module_finished;
}

/** A query begins. */
static __attribute__((noinline)) void begin(struct module_qstate *qstate, int id,
                                            struct adapter *adapter)
{
    /* a repair has to be looked for with each query, and a query begins here */
    timer_make(&adapter->timers, qstate->env, id, !adapter->repair);
    if (adapter->repair)
        repair_begin(qstate, id);
    qstate->ext_state[id] = module_wait_module;
}

static __attribute__((noinline, cold)) void refuse(struct module_qstate *qstate,
                                                   enum module_ev event, int id)
{
    log_err("mxclash: unexpected event %s", strmodulevent(event));
    qstate->ext_state[id] = module_error;
}

/* what is not always done is called last, so that what is needs no stack */
void operate(struct module_qstate *qstate, enum module_ev event, int id,
             struct outbound_entry *outbound)
{
    struct adapter *adapter = adapter_of(qstate->env, id);

    (void)outbound;
    if (event == module_event_moddone) {
        if (qstate->qinfo.qtype == LDNS_RR_TYPE_MX || adapter->repair ||
            qstate->minfo[id] != NULL || engine_errands_wait(adapter->engine))
            finish(qstate, id, adapter);
        else
            qstate->ext_state[id] = module_finished;
    } else if (event == module_event_new || event == module_event_pass) {
        if (!timer_is_made(&adapter->timers, qstate->env))
            begin(qstate, id, adapter);
        else
            qstate->ext_state[id] = module_wait_module;
    } else {
        refuse(qstate, event, id);
    }
}

void inform_super(struct module_qstate *qstate, int id, struct module_qstate *super)
{
    /* our queries have no super; nobody else's concern us */
    (void)qstate;
    (void)id;
    (void)super;
}

void clear(struct module_qstate *qstate, int id)
{
    if (qstate->minfo[id] != NULL)
        errands_finish(qstate, id, true);
}

size_t get_mem(struct module_env *env, int id)
{
    struct adapter *adapter = adapter_of(env, id);
    struct engine_stats stats;

    if (adapter == NULL)
        return 0;
    engine_get_stats(adapter->engine, &stats);
    return sizeof(*adapter) + stats.table_bytes;
}
