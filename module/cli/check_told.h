/* SPDX-License-Identifier: BSD-3-Clause */
/** \file An event of the detector as what is told of it: advice with the domain's own names. */
#ifndef MXCLASH_CLI_CHECK_TOLD_H
#define MXCLASH_CLI_CHECK_TOLD_H

#include "advice/advice.h"
#include "mxclash.h"

struct providers;

/**
 * Make the advice of an event.
 * \param[out] advice  freed with advice_free(); valid only on true
 * \return false if there is no memory
 */
bool told_advice(const struct providers *providers, const struct mxclash_event *event,
                 struct advice *advice);

/** What there is for the web alone, beside the advice about a CNAME; NULL if the event is about
 * none. \return for free() */
char *told_for_the_web(const struct mxclash_event *event);

#endif
