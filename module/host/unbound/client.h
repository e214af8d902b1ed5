/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What Unbound calls for replies to clients: see client.c. */
#ifndef MXCLASH_HOST_UNBOUND_CLIENT_H
#define MXCLASH_HOST_UNBOUND_CLIENT_H

#include "adapter.h"

/**
 * May client_replies_next() stand in for client_reply_fresh()? Not where clients may get other
 * replies than it sees, nor where these are annotated.
 */
bool client_replies_are_known(const struct module_env *env, int id, const struct adapter *adapter);

/**
 * A query is done, and its clients get their replies next: tell of each if they asked for MX. In
 * place of client_reply_fresh(), for which Unbound would go through its list for every reply of any
 * type, and make each anew that could be a copy of the one before.
 */
void client_replies_next(const struct module_qstate *qstate, const struct adapter *adapter);

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

#endif
