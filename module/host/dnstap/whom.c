/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Whom to ask: see whom.h. */
#include "host/dnstap/whom.h"

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

bool whom_init(struct whom *whom, const struct config *config, const char *resolv_conf)
{
    memset(whom, 0, sizeof(*whom));
    whom->nets = calloc(config->do_not_ask_count + config->may_ask_count + 1, sizeof(*whom->nets));
    if (whom->nets == NULL) {
        return false;
    }
    struct ask_net *net = whom->nets;
    whom->policy.do_not_ask = net;
    whom->policy.do_not_ask_count = config->do_not_ask_count;
    /* the configuration has checked each of them */
    for (size_t i = 0; i < config->do_not_ask_count; i++) {
        ask_net_parse(config->do_not_ask[i], net++);
    }
    whom->policy.may_ask = net;
    whom->policy.may_ask_count = config->may_ask_count;
    for (size_t i = 0; i < config->may_ask_count; i++) {
        ask_net_parse(config->may_ask[i], net++);
    }
    for (size_t i = 0; i < config->resolver_count && i < ASK_RESOLVERS_MAX; i++) {
        ask_address_parse(config->resolver[i], &whom->resolvers[whom->resolver_count++]);
    }
    if (whom->resolver_count == 0) {
        take_machines(whom, resolv_conf);
    }
    return true;
}

void whom_free(struct whom *whom)
{
    free(whom->nets);
    whom->nets = NULL;
}
