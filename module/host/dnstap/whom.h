/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Whom the sidecar asks for the servers of a zone, and whom it never asks. */
#ifndef MXCLASH_HOST_DNSTAP_WHOM_H
#define MXCLASH_HOST_DNSTAP_WHOM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "ask/ask.h"
#include "runtime/config.h"

struct whom {
    struct sockaddr_storage resolvers[ASK_RESOLVERS_MAX];
    size_t resolver_count;
    /** static; where to begin if there is no resolver, or none answers */
    const struct sockaddr_storage *roots;
    size_t root_count;
    struct ask_policy policy;
    /** what policy refers to, both in one block */
    struct ask_net *nets;
};

/**
 * Read it out of the configuration and of resolv.conf(5).
 *
 * The resolver that is observed is not asked unless `resolver:` names it: it would say what it has
 * in its cache, and tell us of our own questions. So of the machine's resolvers those that are this
 * machine itself are passed over, be it by an address of loopback or of an interface.
 *
 * \param resolv_conf  path of the machine's own resolvers
 * \return false if there is no memory
 */
bool whom_init(struct whom *whom, const struct config *config, const char *resolv_conf);

void whom_free(struct whom *whom);

#endif
