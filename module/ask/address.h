/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Whom we ask: addresses as text, and which of them are never asked.
 *
 * The addresses of nameservers are a stranger's choice: whoever publishes a domain decides where
 * its questions go. So what would reach this machine itself, or all machines of a link, is never
 * asked, in whichever form IPv6 writes it.
 */
#ifndef MXCLASH_ASK_ADDRESS_H
#define MXCLASH_ASK_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "mxclash.h"

/** The port of the DNS, and the only one at which a nameserver that was found is asked. */
#define ASK_PORT 53

/** A net: the first bits of its octets count. IPv4 has 4 octets, IPv6 16. */
struct ask_net {
    sa_family_t family;
    uint8_t bits;
    uint8_t octets[16];
};

/**
 * Which addresses are asked. The operator's do_not_ask is stronger than may_ask, and that is
 * stronger than the nets that are never asked by themselves.
 */
struct ask_policy {
    const struct ask_net *do_not_ask;
    size_t do_not_ask_count;
    const struct ask_net *may_ask;
    size_t may_ask_count;
};

/**
 * Read `ADDRESS/BITS`, or an address alone, which is a net of one. Bits behind the net's own must
 * be 0, so that a slip of the pen is no larger or smaller net than was meant.
 * \param[out] net  written only on true
 */
bool ask_net_parse(const char *text, struct ask_net *net);

/**
 * Read `ADDRESS@PORT`, or an address alone for port 53. An IPv6 address on a link has its interface
 * behind it (fe80::1%eth0).
 * \param[out] address  written only on true
 */
bool ask_address_parse(const char *text, struct sockaddr_storage *address);

/** Octets that hold any address as text. */
#define ASK_ADDRESS_TEXT_MAX 96

/** Write an address; `@PORT` stands behind it if it is not 53. \return text */
char *ask_address_text(const struct sockaddr_storage *address, char text[ASK_ADDRESS_TEXT_MAX]);

/** The same address as a detector takes it; family 0 if it is neither IPv4 nor IPv6. */
struct mxclash_address ask_address_public(const struct sockaddr_storage *address);

/** Length of an address for connect(); 0 if it is neither IPv4 nor IPv6. */
socklen_t ask_address_len(const struct sockaddr_storage *address);

/** Same family, address and port? */
bool ask_address_equal(const struct sockaddr_storage *a, const struct sockaddr_storage *b);

/**
 * May this address be asked?
 * \return NULL if so; else why not, as in `loopback` or `do-not-ask`: static
 */
const char *ask_address_refused(const struct ask_policy *policy,
                                const struct sockaddr_storage *address);

#endif
