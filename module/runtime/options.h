/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What of the configuration is the detector's. */
#ifndef MXCLASH_RUNTIME_OPTIONS_H
#define MXCLASH_RUNTIME_OPTIONS_H

#include "core/providers/providers.h"
#include "mxclash.h"
#include "runtime/config.h"

/** \return the options of a detector, but for its seed, suffixes and callbacks. They borrow from
 * config. */
struct mxclash_options config_to_options(const struct config *config);

/** The table of providers that the configuration chose. \return for providers_free(); NULL if there
 * is no memory */
struct providers *config_to_providers(const struct config *config);

#endif
