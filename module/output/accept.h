/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What a client asks for in its Accept header (RFC 9110 12.5.1).
 */
#ifndef MXCLASH_OUTPUT_ACCEPT_H
#define MXCLASH_OUTPUT_ACCEPT_H

#include "output/metrics.h"

/**
 * Choose the format of the metrics: OpenMetrics if it is named, with a q above 0 and not below
 * that of text/plain; else Prometheus text, also for an Accept that we cannot serve at all.
 *
 * \param accept  value of the header; NULL if there is none
 */
enum metrics_format accept_format(const char *accept);

#endif
