/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What Unbound calls for questions and answers upstream: see upstream.c. */
#ifndef MXCLASH_HOST_UNBOUND_UPSTREAM_H
#define MXCLASH_HOST_UNBOUND_UPSTREAM_H

#include "host.h"

/** Called by Unbound for every answer from upstream; arguments are module.h's. */
int upstream_answer(struct module_qstate *qstate, struct dns_msg *response, int id, void *arg);

/** Called by Unbound before a question is sent upstream, if answers are repaired; module.h's. */
int upstream_question(struct query_info *qinfo, uint16_t flags, struct module_qstate *qstate,
                      struct sockaddr_storage *addr, socklen_t addrlen, uint8_t *zone,
                      size_t zonelen, struct regional *region, int id, void *arg);

#endif
