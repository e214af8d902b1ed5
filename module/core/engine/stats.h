/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The engine's numbers for our own outputs, see engine_stats.h. */
#ifndef MXCLASH_CORE_ENGINE_STATS_H
#define MXCLASH_CORE_ENGINE_STATS_H

#include "core/base/engine_stats.h"

/** Read the counters. Blocking: none. */
void engine_get_stats(const struct mxclash_engine *engine, struct engine_stats *stats);

#endif
