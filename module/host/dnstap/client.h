/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Answers to clients: whose MX was asked for, and whether it was shown. */
#ifndef MXCLASH_HOST_DNSTAP_CLIENT_H
#define MXCLASH_HOST_DNSTAP_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "mxclash.h"

/** Tell the detector of an answer to a client, if it is one to an MX question. */
void client_response(struct mxclash_engine *engine, const uint8_t *message, size_t len,
                     mxclash_time now);

#endif
