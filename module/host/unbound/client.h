/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What Unbound calls for replies to clients: see client.c. */
#ifndef MXCLASH_HOST_UNBOUND_CLIENT_H
#define MXCLASH_HOST_UNBOUND_CLIENT_H

#include "host.h"

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
