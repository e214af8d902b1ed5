/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Listening sockets: `address@port` or the absolute path of a unix socket.
 */
#ifndef MXCLASH_OUTPUT_LISTEN_H
#define MXCLASH_OUTPUT_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

/** Room for the reason of a failure. */
#define LISTEN_REASON_MAX 160

/** One listening socket. */
struct listen_socket {
    /** non-blocking, close-on-exec; owned by the caller */
    int fd;
    /** what we made at the path of a unix socket, so that nothing else is ever removed there */
    bool has_file;
    dev_t device;
    ino_t inode;
};

/**
 * Open a listening socket.
 *
 * A unix socket gets mode 0660. A socket file that nobody listens on any more is replaced; a
 * socket in use, or a file of another type, is a failure. IPv6 addresses take IPv6 only.
 *
 * \param where  `address@port` with an IPv4 or IPv6 literal and a port from 0 (any free one) to
 *     65535, or an absolute path
 * \param[out] opened  written only on true
 * \param[out] reason  why not, on false
 */
bool listen_open(const char *where, struct listen_socket *opened, char reason[LISTEN_REASON_MAX]);

/** Remove the file of a unix socket at where, if it is still the one that we made. */
void listen_remove_file(const char *where, const struct listen_socket *opened);

#endif
