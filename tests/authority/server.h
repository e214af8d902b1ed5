/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The sockets of the test authority: UDP and TCP on loopback addresses, one thread.
 */
#ifndef TESTS_AUTHORITY_SERVER_H
#define TESTS_AUTHORITY_SERVER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVER_ADDRESSES_MAX 8
/** Connections at once; one more takes the place of the oldest. */
#define SERVER_CONNECTIONS_MAX 64

/**
 * Make the answer to one message.
 *
 * \param message  the query, message_len octets
 * \param[out] reply  reply_len octets, freed with free(), only on true
 * \return false if nothing is to be sent
 */
typedef bool (*server_answer)(void *context, const uint8_t *message, size_t message_len, bool udp,
                              uint8_t **reply, size_t *reply_len);

struct server;

/**
 * Listen on UDP and TCP at every address, all with the same port.
 *
 * \param port  0 has one chosen
 * \return NULL after a sentence on stderr, as for an address that is not loopback
 */
struct server *server_open(const char *const *addresses, size_t address_count, uint16_t port,
                           server_answer answer, void *context);

/** \return the port that is listened on */
uint16_t server_port(const struct server *server);

/**
 * Serve until a signal or the deadline.
 *
 * \param signals  the signals that may interrupt, in the form of ppoll()
 * \param deadline_s  seconds of CLOCK_MONOTONIC
 * \return false when the deadline has passed or nothing can be waited for, true after a signal
 */
bool server_run(struct server *server, const sigset_t *signals, int64_t deadline_s);

/** Close everything; NULL is allowed. */
void server_close(struct server *server);

#endif
