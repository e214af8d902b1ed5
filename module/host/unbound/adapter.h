/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the files of this adapter share. Unbound's headers are included here and nowhere else in
 * the project.
 */
#ifndef MXCLASH_HOST_UNBOUND_ADAPTER_H
#define MXCLASH_HOST_UNBOUND_ADAPTER_H

/* config.h of Unbound must come first: it sets what the system's headers show */
#include "config.h"

#include "dynlibmod/dynlibmod.h"
#include "iterator/iter_delegpt.h"
#include "iterator/iterator.h"
#include "services/cache/dns.h"
#include "services/cache/rrset.h"
#include "services/mesh.h"
#include "sldns/pkthdr.h"
#include "sldns/sbuffer.h"
#include "util/data/dname.h"
#include "util/log.h"
#include "util/module.h"
#include "util/net_help.h"
#include "util/netevent.h"
#include "util/regional.h"

#include "host_build.h"
#include <pthread.h>

#include "runtime/runtime.h"

/** The timers of the workers, see timer.c. */
struct timer;
struct timers {
    pthread_mutex_t lock; /* guards the list */
    struct timer *first;
    unsigned load; /* which load of the module it is */
    /** what a timer calls, with a query that is there for its environment only */
    void (*run)(struct module_qstate *qstate, int id);
};

/** The names of stub-zones, sorted, see stubs.c. */
struct stub_name {
    uint8_t name[MXCLASH_NAME_MAX];
};
struct stubs {
    struct stub_name *names;
    size_t count;
};

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

/** Is the Unbound that loads us the one we were made for? \param[out] why  a sentence if not */
bool build_check(char *why, size_t why_size);

/**
 * Are the modules in an order in which we can work?
 * \param id  our own place
 * \param[out] why  a sentence if not
 * \return the iterator's place, -1 if not
 */
int order_check(const struct config_file *cfg, int id, char *why, size_t why_size);

/** Say in the log what the order of the modules keeps from being repaired. */
void order_warn(const struct config_file *cfg, int id);

/** Read the names of the stub-zones. \return false if there is no memory */
bool stubs_init(struct stubs *stubs, const struct config_file *cfg);
void stubs_deinit(struct stubs *stubs);

/** Did the operator give the servers that were asked their zone's name, by a stub-zone? */
bool stubs_hold(const struct stubs *stubs, const struct delegpt *dp);

/** Called by Unbound for every answer from upstream; arguments are module.h's. */
int upstream_answer(struct module_qstate *qstate, struct dns_msg *response, int id, void *arg);

/** Called by Unbound before a question is sent upstream, if answers are repaired; module.h's. */
int upstream_question(struct query_info *qinfo, uint16_t flags, struct module_qstate *qstate,
                      struct sockaddr_storage *addr, socklen_t addrlen, uint8_t *zone,
                      size_t zonelen, struct regional *region, int id, void *arg);

/** Called by Unbound for every reply to a client, fresh, from the cache, and where it is SERVFAIL;
 * module.h's. */
int client_reply_fresh(struct query_info *qinfo, struct module_qstate *qstate,
                       struct reply_info *rep, int rcode, struct edns_data *edns,
                       struct edns_option **opt_list_out, struct comm_reply *repinfo,
                       struct regional *region, struct timeval *start_time, int id, void *arg);
int client_reply_cached(struct query_info *qinfo, struct module_qstate *qstate,
                        struct reply_info *rep, int rcode, struct edns_data *edns,
                        struct edns_option **opt_list_out, struct comm_reply *repinfo,
                        struct regional *region, struct timeval *start_time, int id, void *arg);
int client_reply_failed(struct query_info *qinfo, struct module_qstate *qstate,
                        struct reply_info *rep, int rcode, struct edns_data *edns,
                        struct edns_option **opt_list_out, struct comm_reply *repinfo,
                        struct regional *region, struct timeval *start_time, int id, void *arg);

/** Does a reply show a CNAME at the name that was asked, and no MX of it? */
bool reply_hides_mx(const struct query_info *qinfo, const struct reply_info *rep);

/** Does a reply show a CNAME at the name that was asked, alone or beside its MX? */
bool reply_shows_alias(const struct query_info *qinfo, const struct reply_info *rep);

/**
 * Add an Extended DNS Error to a reply, if its client speaks EDNS and it surely fits.
 * \param[in,out] list  options of this reply; what is added comes from region
 * \return true if it was added
 */
bool annotate(const struct query_info *qinfo, const struct reply_info *rep,
              const struct edns_data *edns, const struct comm_reply *repinfo,
              enum mxclash_kind kind, struct regional *region, struct edns_option **list);

struct repair_mark;

/* repair_begin(), repair_answer() and repair_end() are called only if answers are repaired. */

/** A query begins: if it asks a hidden MX, send it past the cache. */
void repair_begin(struct module_qstate *qstate, int id);

/** An answer came to a client's query: if it is an MX answer out of which Unbound took the MX of a
 * confirmed conflict, put the MX there. */
void repair_answer(struct module_qstate *qstate, int id, const struct iter_qstate *iq,
                   struct dns_msg *response);

/** The iterator goes on to another name than a repair's own: it may use the cache for that. */
void repair_use_cache(struct module_qstate *qstate, struct repair_mark *mark);

/** A query is done: see to it that it shows the MX. \return true if it goes on, ext_state is set */
bool repair_end(struct module_qstate *qstate, int id);

/** A proof may just have confirmed a conflict: a cached message that hides the MX must go. */
void repair_forget_hidden(struct module_env *env, const struct adapter *adapter, uint8_t *owner,
                          size_t owner_len);

/** What is kept with a query that is being repaired. */
struct repair_mark {
    /** the authority failed: the query is done as without us, and its answer kept so long */
    bool gave_up;
    time_t keep_s;
    mxclash_time began;
    /** it goes past the cache */
    bool past_cache;
    /** the answer at hand was changed and may not be stored */
    bool store_off;
    /** as the query had them: other modules and the operator set them too */
    int no_cache_lookup;
    int no_cache_store;
};

/** What a query of ours, or a client's that is being repaired, has sent so far. */
struct outlay {
    mxclash_time since; /* when it was asked, or when it last heard what became of a packet */
    unsigned packets;
    unsigned timeouts;
};

/** Is a query an errand? */
bool is_errand(const struct module_qstate *qstate, int id);

/** Does anyone wait for what a query comes to: clients, or other queries? */
bool somebody_waits(const struct module_qstate *qstate);

/** \return the outlay of a query that is an errand, or has a repair's mark */
struct outlay *errand_outlay(const struct module_qstate *qstate, int id);

/** Such a query was answered, or not, and has sent so many packets for it: note them, and charge
 * what has not been paid. \param packets  at least 1 */
void errand_charge(struct module_qstate *qstate, int id, unsigned packets, mxclash_time now);

/** Mark a client's query. \return NULL if there is no memory */
struct repair_mark *errand_mark_repair(struct module_qstate *qstate, int id);

/** \return the mark of a query, NULL if it has none */
struct repair_mark *errand_repair_mark(const struct module_qstate *qstate, int id);

void timers_init(struct timers *timers, void (*run)(struct module_qstate *qstate, int id));

/** Free the timers. The workers are gone. */
void timers_deinit(struct timers *timers);

/** Make the timer of this thread, whose environment env is, if it was not made. */
void timer_make(struct timers *timers, struct module_env *env, int id);

/** See to it that timers->run is called soon on this thread. It cannot be if the thread has no
 * timer yet: it has had no query but what the cache answered. */
void timer_arm(const struct timers *timers);

/** The proof that a query asks a question of, NULL if the query is somebody else's. */
const struct mxclash_proof *proof_of(const struct module_qstate *qstate, int id);

/** If a proof or a lookup may be made now, ask its questions as queries of their own. The query at
 * hand is not held up: it only lends its environment. */
void errands_start(struct module_qstate *qstate, int id);

/** There is an errand, and the query is done, or, with thrown_away, is dropped before it was: tell
 * whoever asked for it. */
void errands_finish(struct module_qstate *qstate, int id, bool thrown_away);

#endif
