/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The engine's numbers as our own outputs take them: one struct. Other hosts read them one by one,
 * by name, with mxclash_get_stat(), for this grows with every kind.
 */
#ifndef MXCLASH_CORE_BASE_ENGINE_STATS_H
#define MXCLASH_CORE_BASE_ENGINE_STATS_H

#include "mxclash.h"

/** Numbers since the engine began, and how it stands. One thread's view, not a common instant. */
struct engine_stats {
    uint64_t inspected;
    uint64_t malformed;
    uint64_t opened[MXCLASH_KINDS];
    uint64_t cleared[MXCLASH_KINDS];
    uint64_t expired[MXCLASH_KINDS];
    /** given up while open, for room or because they were to be forgotten: no event tells of these
     */
    uint64_t evicted[MXCLASH_KINDS];
    /** open when they were taken in by mxclash_import() */
    uint64_t imported[MXCLASH_KINDS];
    /** opened or imported, and neither cleared nor expired nor evicted */
    uint64_t open_now[MXCLASH_KINDS][MXCLASH_STATES];
    uint64_t proofs[MXCLASH_PROOF_RESULTS];
    uint64_t proofs_dropped[MXCLASH_PROOF_DROPS];
    /** openings that were refused; each was tried again when its domain was met again */
    uint64_t delayed[MXCLASH_DELAYS];
    uint64_t affected_mx[MXCLASH_OUTCOMES];
    uint64_t table_entries;
    uint64_t table_bytes;
    uint64_t table_bytes_limit;
    uint64_t table_evictions;
    /** cases that mxclash_import() refused */
    uint64_t import_refused;
    /** events that found no room in the queue of mxclash_event_next() */
    uint64_t events_lost;
};

#endif
