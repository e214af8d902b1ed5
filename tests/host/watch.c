/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Linked into a copy of our module, it says how many answers the detector had inspected when it was
 * freed. The linker's --wrap puts it between.
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/engine/stats.h"
#include "mxclash.h"

void __real_mxclash_engine_free(struct mxclash_engine *engine);
void __wrap_mxclash_engine_free(struct mxclash_engine *engine);

void __wrap_mxclash_engine_free(struct mxclash_engine *engine)
{
    struct engine_stats stats;

    engine_get_stats(engine, &stats);
    fprintf(stderr, "watch: %" PRIu64 " answers\n", stats.inspected);
    __real_mxclash_engine_free(engine);
}
