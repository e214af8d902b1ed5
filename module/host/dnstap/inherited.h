/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Listening sockets that whoever started us has opened: systemd's socket activation,
 * sd_listen_fds(3). */
#ifndef MXCLASH_HOST_DNSTAP_INHERITED_H
#define MXCLASH_HOST_DNSTAP_INHERITED_H

#include <stddef.h>

/** Sockets that are taken over. */
#define INHERITED_MAX 16

/**
 * Take the sockets over; a second call finds none.
 * \param[out] sockets  non-blocking, close-on-exec; the caller's
 * \return how many; what is no listening stream socket is closed and left out
 */
size_t inherited_sockets(int sockets[INHERITED_MAX]);

#endif
