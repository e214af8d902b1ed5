/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * mxclash_inspect() in its two parts, for a host in our own tree: what every answer costs stands
 * here, inline, so that a host sets up nothing for an answer in which there is nothing to see.
 */
#ifndef MXCLASH_CORE_ENGINE_INSPECT_H
#define MXCLASH_CORE_ENGINE_INSPECT_H

#include "core/dns/glance.h"
#include "core/engine/outcome.h"

#define INSPECT_SWEEP_EVERY_MS 1000

/** Once a second: a conflict has to expire even where no answer concerns one. */
static inline void inspect_sweep(struct mxclash_engine *engine, mxclash_time now)
{
    mxclash_time due = atomic_load_explicit(&engine->sweep_due, memory_order_relaxed);

    /* now or up to a second ahead, of this thread's clock or of another one's; further ahead: the
     * clock was set back. Two threads at once do no harm. */
    if ((uint64_t)due - (uint64_t)now <= INSPECT_SWEEP_EVERY_MS + BUCKET_SKEW_MAX_MS)
        return;
    atomic_store_explicit(&engine->sweep_due, now + INSPECT_SWEEP_EVERY_MS, memory_order_relaxed);
    engine_sweep(engine, now);
}

/**
 * The first part: count the answer and look at it.
 *
 * \param[out] qname_len  for inspect_further()
 * \return true if that is all
 */
static inline bool inspect_at_a_glance(struct mxclash_engine *engine, const uint8_t *message,
                                       size_t message_len, mxclash_time now, size_t *qname_len)
{
    striped_up(&engine->counters.inspected);
    if (!glance_is_dull(message, message_len, qname_len))
        return false;
    /* it can still show that a conflict has ended */
    if (docket_may_be_open(&engine->docket, message + WIRE_HEADER_OCTETS, *qname_len))
        return false;
    inspect_sweep(engine, now);
    return true;
}

/**
 * The second part, of a message that was parsed, and whose server may speak for the name that was
 * asked. Four answers of ten are one alias of that name, and what its target has. Nothing is wrong
 * with nearly all of them: they are noted in the sieve, and spared the reading of each record.
 *
 * \return true if the answer is done with: one CNAME, at the name that was asked, no DNAME, and
 *     nothing makes a suspect. false: nothing is known, look closely; noting the same once more
 *     does no harm
 */
bool inspect_parsed_alias(struct mxclash_engine *engine, const uint8_t *message, size_t message_len,
                          size_t zone_len, mxclash_time now);

/** What is left then. \return as mxclash_inspect() */
enum mxclash_status inspect_closely(struct mxclash_engine *engine,
                                    const struct mxclash_answer *answer, mxclash_time now);

/** The second part of any message, and what is left. \return as mxclash_inspect() */
enum mxclash_status inspect_further(struct mxclash_engine *engine,
                                    const struct mxclash_answer *answer, size_t qname_len,
                                    mxclash_time now);

#endif
