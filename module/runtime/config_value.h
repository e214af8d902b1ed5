/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The kinds of value in the configuration file. Every function checks the text of one value and
 * returns false after config_fault() at place, with the cure in the text.
 */
#ifndef MXCLASH_RUNTIME_CONFIG_VALUE_H
#define MXCLASH_RUNTIME_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/config_text.h"

/** yes or no, nothing else. \param[out] flag  written only on true */
bool config_flag(const struct config_place *place, const char *text, bool *flag);

/** Decimal digits only. \param[out] number  min to max; written only on true */
bool config_number(const struct config_place *place, const char *text, unsigned min, unsigned max,
                   unsigned *number);

/**
 * Octets, as Unbound writes them: digits, then perhaps k, m or g (powers of 1024), then perhaps b,
 * in either case.
 * \param min, max  in octets, min over 0
 * \param[out] octets  min to max; written only on true
 */
bool config_size(const struct config_place *place, const char *text, uint64_t min, uint64_t max,
                 size_t *octets);

/** An absolute path of a file, which need not be there; or "" for none. */
bool config_path(const struct config_place *place, const char *text);

/** Room for any value of http-listen. */
#define CONFIG_LISTEN_MAX 128

/**
 * `address@port` with an IPv4 or IPv6 literal, or the absolute path of a unix socket; not "".
 * \param[out] where  the same in one form: 127.0.0.1@09853 is 127.0.0.1@9853; written only on true
 */
bool config_listen(const struct config_place *place, const char *text,
                   char where[CONFIG_LISTEN_MAX]);

/** Is a place of config_listen() this machine's own, a socket or loopback? */
bool config_is_near(const struct config_place *place, const char *where);

/** `address`, or `address@port` with an IPv4 or IPv6 literal. */
bool config_server(const struct config_place *place, const char *text);

/** `address/bits`, or an address alone. */
bool config_net(const struct config_place *place, const char *text);

/** A domain name in ASCII (A-labels). */
bool config_domain(const struct config_place *place, const char *text);

#endif
