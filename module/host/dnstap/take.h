/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What a frame tells the detector.
 */
#ifndef MXCLASH_HOST_DNSTAP_TAKE_H
#define MXCLASH_HOST_DNSTAP_TAKE_H

#include <stddef.h>
#include <stdint.h>

#include "host/dnstap/aliases.h"
#include "mxclash.h"

/** What became of a frame. */
enum take_use {
    /** an answer from upstream, which was looked at */
    take_inspected = 0,
    /** an answer to a client */
    take_client,
    /** a query, or an answer between others: it says nothing to us */
    take_passed_over,
    /** no dnstap, or a response without a message */
    take_malformed,
    TAKE_USES,
};

/** As labels have it; static. */
const char *take_use_name(enum take_use use);

/**
 * Hand a frame to the detector.
 * \param aliases  what frames have shown before
 * \param frame  borrowed for the call
 * \param now  by the clock of this process
 */
enum take_use take_frame(struct mxclash_engine *engine, struct aliases *aliases,
                         const uint8_t *frame, size_t len, mxclash_time now);

/** \return when a frame's answer came by its sender's clock; 0 if it does not say, or says a time
 * that no clock shows */
mxclash_time take_time_of(const uint8_t *frame, size_t len);

#endif
