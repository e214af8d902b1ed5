/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A dynlib module that only passes queries on: what Unbound's own replays are measured against.
 * It says that it was loaded, so that a run without it is noticed.
 */
#include "config.h"

#include "util/log.h"
#include "util/module.h"

int init(struct module_env *env, int id);
void deinit(struct module_env *env, int id);
void operate(struct module_qstate *qstate, enum module_ev event, int id,
             struct outbound_entry *outbound);
void inform_super(struct module_qstate *qstate, int id, struct module_qstate *super);
void clear(struct module_qstate *qstate, int id);
size_t get_mem(struct module_env *env, int id);

int init(struct module_env *env, int id)
{
    (void)env;
    (void)id;
    log_info("empty module: started");
    return 1;
}

void deinit(struct module_env *env, int id)
{
    (void)env;
    (void)id;
    log_info("empty module: stopped");
}

void operate(struct module_qstate *qstate, enum module_ev event, int id,
             struct outbound_entry *outbound)
{
    (void)outbound;
    qstate->ext_state[id] = event == module_event_moddone ? module_finished : module_wait_module;
}

void inform_super(struct module_qstate *qstate, int id, struct module_qstate *super)
{
    (void)qstate;
    (void)id;
    (void)super;
}

void clear(struct module_qstate *qstate, int id)
{
    (void)qstate;
    (void)id;
}

size_t get_mem(struct module_env *env, int id)
{
    (void)env;
    (void)id;
    return 0;
}
