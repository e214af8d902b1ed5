/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Whom to ask: see whom.h. */
#include "prove/whom.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static bool same_host(const struct sockaddr *a, const struct sockaddr_storage *b)
{
    if (a == NULL || a->sa_family != b->ss_family) {
        return false;
    }
    if (b->ss_family == AF_INET) {
        return ((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)b)->sin_addr.s_addr;
    }
    return b->ss_family == AF_INET6 &&
           memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
                  &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    }
    return address->ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static bool is_this_machine(const struct ifaddrs *interfaces,
                            const struct sockaddr_storage *address)
{
    if (is_loopback(address)) {
        return true;
    }
    for (; interfaces != NULL; interfaces = interfaces->ifa_next) {
        if (same_host(interfaces->ifa_addr, address)) {
            return true;
        }
    }
    return false;
}

/** The machine's resolvers but those that are the machine itself. */
static void take_machines(struct whom *whom, const char *resolv_conf)
{
    struct sockaddr_storage found[ASK_RESOLVERS_MAX];
    const size_t count = ask_read_resolv_conf(resolv_conf, found);
    struct ifaddrs *interfaces = NULL;
    if (getifaddrs(&interfaces) != 0) {
        interfaces = NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_this_machine(interfaces, &found[i])) {
            whom->resolvers[whom->resolver_count++] = found[i];
        }
    }
    if (interfaces != NULL) {
        freeifaddrs(interfaces);
    }
    whom->root_count = ask_root_hints(&whom->roots);
}

/** Read nets to where they go. \return how many are good */
static size_t take_nets(const char *const *texts, size_t count, struct ask_net *nets)
{
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        taken += ask_net_parse(texts[i], &nets[taken]);
    }
    return taken;
}

bool whom_init(struct whom *whom, const struct whom_options *options)
{
    memset(whom, 0, sizeof(*whom));
    whom->nets =
        calloc(options->do_not_ask_count + options->may_ask_count + 1, sizeof(*whom->nets));
    if (whom->nets == NULL) {
        return false;
    }
    struct ask_policy *policy = &whom->policy;
    policy->do_not_ask = whom->nets;
    policy->do_not_ask_count =
        take_nets(options->do_not_ask, options->do_not_ask_count, whom->nets);
    struct ask_net *may_ask = whom->nets + policy->do_not_ask_count;
    policy->may_ask = may_ask;
    policy->may_ask_count = take_nets(options->may_ask, options->may_ask_count, may_ask);
    for (size_t i = 0; i < options->resolver_count && whom->resolver_count < ASK_RESOLVERS_MAX;
         i++) {
        whom->resolver_count +=
            ask_address_parse(options->resolvers[i], &whom->resolvers[whom->resolver_count]);
    }
    if (whom->resolver_count == 0) {
        take_machines(whom, options->resolv_conf);
    }
    return true;
}

void whom_free(struct whom *whom)
{
    free(whom->nets);
    whom->nets = NULL;
}
