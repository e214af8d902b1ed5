/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Addresses as text, and which are never asked: see address.h. */
#include "ask/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Nets that are never asked unless the operator says otherwise, and what they are called. */
static const struct never {
    const char *why;
    struct ask_net net;
} never[] = {
    {"unspecified", {AF_INET, 8, {0}}}, /* this network, RFC 1122 3.2.1.3 */
    {"loopback", {AF_INET, 8, {127}}},
    {"link-local", {AF_INET, 16, {169, 254}}}, /* RFC 3927 */
    {"multicast", {AF_INET, 4, {224}}},
    {"reserved", {AF_INET, 4, {240}}}, /* the broadcast address among them */
    {"unspecified", {AF_INET6, 128, {0}}},
    {"loopback", {AF_INET6, 128, {[15] = 1}}},
    {"link-local", {AF_INET6, 10, {0xfe, 0x80}}},
    {"multicast", {AF_INET6, 8, {0xff}}},
};

/** IPv6 nets whose last 4 octets are an IPv4 address that a packet may reach. */
static const struct ask_net holds_ipv4[] = {
    {AF_INET6, 96, {[10] = 0xff, [11] = 0xff}}, /* mapped, RFC 4291 2.5.5.2 */
    {AF_INET6, 96, {0}},                        /* compatible, RFC 4291 2.5.5.1 */
    {AF_INET6, 96, {[8] = 0xff, [9] = 0xff}},   /* translated, RFC 2765 2.1 */
    {AF_INET6, 96, {0x00, 0x64, 0xff, 0x9b}},   /* NAT64, RFC 6052 2.1 */
};

static size_t octets_of(sa_family_t family)
{
    return family == AF_INET ? 4 : 16;
}

static bool net_holds(const struct ask_net *net, sa_family_t family, const uint8_t *octets)
{
    const size_t whole = net->bits / 8;
    const unsigned rest = net->bits % 8;
    if (net->family != family || memcmp(net->octets, octets, whole) != 0) {
        return false;
    }
    return rest == 0 || (net->octets[whole] ^ octets[whole]) >> (8 - rest) == 0;
}

static bool any_holds(const struct ask_net *nets, size_t count, sa_family_t family,
                      const uint8_t *octets)
{
    for (size_t i = 0; i < count; i++) {
        if (net_holds(&nets[i], family, octets)) {
            return true;
        }
    }
    return false;
}

bool ask_net_parse(const char *text, struct ask_net *net)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    const size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    struct ask_net read = {.family = AF_INET};
    if (len >= sizeof(address)) {
        return false;
    }
    memcpy(address, text, len);
    address[len] = '\0';
    if (inet_pton(AF_INET, address, read.octets) != 1) {
        read.family = AF_INET6;
        if (inet_pton(AF_INET6, address, read.octets) != 1) {
            return false;
        }
    }
    const size_t octets = octets_of(read.family);
    unsigned long bits = octets * 8;
    if (slash != NULL) {
        char *end;
        if (slash[1] < '0' || slash[1] > '9') {
            return false;
        }
        bits = strtoul(slash + 1, &end, 10);
        if (*end != '\0' || bits > octets * 8) {
            return false;
        }
    }
    for (size_t bit = bits; bit < octets * 8; bit++) {
        if (read.octets[bit / 8] & 0x80 >> bit % 8) {
            return false;
        }
    }
    read.bits = (uint8_t)bits;
    *net = read;
    return true;
}

/** \return false if text is no port */
static bool read_port(const char *text, in_port_t *port)
{
    char *end;
    if (*text < '0' || *text > '9') {
        return false;
    }
    const unsigned long number = strtoul(text, &end, 10);
    *port = htons((uint16_t)number);
    return *end == '\0' && number >= 1 && number <= UINT16_MAX;
}

bool ask_address_parse(const char *text, struct sockaddr_storage *address)
{
    char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
    const char *at = strchr(text, '@');
    const size_t len = at != NULL ? (size_t)(at - text) : strlen(text);
    in_port_t port = htons(ASK_PORT);
    struct sockaddr_storage read = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)&read;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&read;
    if (len >= sizeof(host) || (at != NULL && !read_port(at + 1, &port))) {
        return false;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = port;
        *address = read;
        return true;
    }
    char *link = strchr(host, '%');
    if (link != NULL) {
        *link = '\0';
        six->sin6_scope_id = if_nametoindex(link + 1);
        if (six->sin6_scope_id == 0) {
            return false;
        }
    }
    if (inet_pton(AF_INET6, host, &six->sin6_addr) != 1) {
        return false;
    }
    six->sin6_family = AF_INET6;
    six->sin6_port = port;
    *address = read;
    return true;
}

static in_port_t port_of(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                                : ((const struct sockaddr_in *)address)->sin_port);
}

static const uint8_t *octets_at(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6
               ? ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr
               : (const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr;
}

char *ask_address_text(const struct sockaddr_storage *address, char text[ASK_ADDRESS_TEXT_MAX])
{
    if (ask_address_len(address) == 0 ||
        inet_ntop(address->ss_family, octets_at(address), text, INET6_ADDRSTRLEN) == NULL) {
        snprintf(text, ASK_ADDRESS_TEXT_MAX, "?");
        return text;
    }
    const size_t len = strlen(text);
    if (port_of(address) != ASK_PORT) {
        snprintf(text + len, ASK_ADDRESS_TEXT_MAX - len, "@%u", port_of(address));
    }
    return text;
}

struct mxclash_address ask_address_public(const struct sockaddr_storage *address)
{
    struct mxclash_address public = {0};
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        public.family = 4;
        public.port = ntohs(four->sin_port);
        memcpy(public.octets, &four->sin_addr, sizeof(four->sin_addr));
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        public.family = 6;
        public.port = ntohs(six->sin6_port);
        memcpy(public.octets, &six->sin6_addr, sizeof(six->sin6_addr));
    }
    return public;
}

socklen_t ask_address_len(const struct sockaddr_storage *address)
{
    switch (address->ss_family) {
    case AF_INET:
        return sizeof(struct sockaddr_in);
    case AF_INET6:
        return sizeof(struct sockaddr_in6);
    default:
        return 0;
    }
}

bool ask_address_equal(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    return a->ss_family == b->ss_family && ask_address_len(a) != 0 && port_of(a) == port_of(b) &&
           memcmp(octets_at(a), octets_at(b), octets_of(a->ss_family)) == 0;
}

/** Why the octets of one form of an address are refused; *allowed if the operator allows them. */
static const char *refused_form(const struct ask_policy *policy, sa_family_t family,
                                const uint8_t *octets, bool *allowed)
{
    if (any_holds(policy->do_not_ask, policy->do_not_ask_count, family, octets)) {
        return "do-not-ask";
    }
    if (any_holds(policy->may_ask, policy->may_ask_count, family, octets)) {
        *allowed = true;
        return NULL;
    }
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        if (net_holds(&never[i].net, family, octets)) {
            return never[i].why;
        }
    }
    return NULL;
}

const char *ask_address_refused(const struct ask_policy *policy,
                                const struct sockaddr_storage *address)
{
    bool allowed = false;
    if (ask_address_len(address) == 0) {
        return "no address";
    }
    if (port_of(address) == 0) {
        return "port 0";
    }
    const uint8_t *octets = octets_at(address);
    const char *why = refused_form(policy, address->ss_family, octets, &allowed);
    if (why != NULL || allowed || address->ss_family != AF_INET6) {
        return why;
    }
    for (size_t i = 0; i < sizeof(holds_ipv4) / sizeof(holds_ipv4[0]); i++) {
        if (net_holds(&holds_ipv4[i], AF_INET6, octets)) {
            return refused_form(policy, AF_INET, octets + 12, &allowed);
        }
    }
    return NULL;
}
