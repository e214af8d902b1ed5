/* SPDX-License-Identifier: BSD-3-Clause */
/** \file One lookup: see lookup.h. */
#include "prove/lookup.h"

#include "ask/finding.h"
#include "output/clock.h"

static void end_lookup(struct lookup *lookup, const struct mxclash_lookup_reply *reply)
{
    struct asking *asking = lookup->asking;
    mxclash_lookup_end(asking->engine, &lookup->lookup, reply, clock_now());
    lookup->busy = false;
    asking->over(asking->context);
}

static void on_result(void *context, const struct ask_result *result)
{
    struct lookup *lookup = context;
    struct ask_finding finding;
    const unsigned packets = ask_packets(lookup->asking->ask);
    if (packets > 1) {
        mxclash_lookup_sent(lookup->asking->engine, packets - 1);
    }
    ask_finding_take(&finding, lookup->lookup.qtype, result);
    end_lookup(lookup, &finding.reply);
    ask_finding_free(&finding);
}

void lookup_begin(struct lookup *lookup, struct asking *asking, const struct mxclash_lookup *wanted)
{
    static const struct mxclash_lookup_reply nothing = {.struct_size = sizeof(nothing)};
    struct ask_name target;
    *lookup = (struct lookup){.busy = true, .asking = asking, .lookup = *wanted};
    if (!ask_name_set(&target, wanted->target, wanted->target_len) ||
        !ask_resolve(asking->ask, &target, wanted->qtype, on_result, lookup)) {
        end_lookup(lookup, &nothing);
    }
}
