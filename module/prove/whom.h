/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Whom a prover asks for the servers of a zone, and whom it never asks. */
#ifndef MXCLASH_PROVE_WHOM_H
#define MXCLASH_PROVE_WHOM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "ask/ask.h"

/** What the operator says of it; borrowed. Of the texts each is as ask_address_parse() and
 * ask_net_parse() take it; what they do not take is passed over. */
struct whom_options {
    const char *const *resolvers;
    size_t resolver_count;
    const char *const *do_not_ask;
    size_t do_not_ask_count;
    const char *const *may_ask;
    size_t may_ask_count;
    /** path of the machine's own resolvers, in the syntax of resolv.conf(5) */
    const char *resolv_conf;
};

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
 * Make it of what the operator says, and of resolv.conf(5).
 *
 * The resolver that is observed is not asked unless the operator names it: it would say what it has
 * in its cache, and tell us of our own questions. So of the machine's resolvers those that are this
 * machine itself are passed over, be it by an address of loopback or of an interface.
 *
 * \return false if there is no memory
 */
bool whom_init(struct whom *whom, const struct whom_options *options);

void whom_free(struct whom *whom);

#endif
