/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Harm that no event has told of: see tally.h. */
#include "core/engine/tally.h"

#include "core/engine/engine.h"

static uint64_t untold_of(const struct docket_case *c)
{
    return c->mx_queries - c->mx_told;
}

/** \return the first open conflict of a case from this kind on, MXCLASH_KINDS if there is none */
static unsigned next_kind(const struct docket_case *c, unsigned kind)
{
    while (kind < MXCLASH_KINDS && !c->conflicts[kind].open)
        kind++;
    return kind;
}

static void count_case(void *context, const struct docket_case *c)
{
    struct tally_census *census = context;
    unsigned bits = untold_of(c) == 0 ? 0 : 64u - (unsigned)__builtin_clzll(untold_of(c));

    for (unsigned kind = next_kind(c, 0); kind < MXCLASH_KINDS; kind = next_kind(c, kind + 1))
        census->conflicts[bits]++;
}

void engine_tally_census(struct mxclash_engine *engine, struct tally_census *census)
{
    *census = (struct tally_census){{0}};
    docket_visit_open(&engine->docket, count_case, census);
    census->conflicts[0] = 0;
}

/** What a visit is for. */
struct telling {
    const struct casework *work;
    struct tally_cursor *cursor;
    struct mxclash_event *conflict;
    uint64_t untold;
    bool found;
};

static void tell_case(void *context, struct docket_case *c)
{
    struct telling *telling = context;
    struct tally_cursor *cursor = telling->cursor;

    /* another case than the one that was being told */
    if (c->hash != cursor->hash) {
        cursor->hash = c->hash;
        cursor->kind = 0;
    }
    if (untold_of(c) == 0)
        return;
    cursor->kind = next_kind(c, cursor->kind);
    if (cursor->kind == MXCLASH_KINDS)
        return;
    conflict_describe(telling->work, c, (enum mxclash_kind)cursor->kind, mxclash_tally, 0,
                      telling->conflict);
    telling->found = true;
    if (cursor->kind == next_kind(c, 0))
        telling->untold = untold_of(c);
    cursor->kind = next_kind(c, cursor->kind + 1);
    if (cursor->kind == MXCLASH_KINDS)
        c->mx_told = c->mx_queries;
}

bool engine_tally_next(struct mxclash_engine *engine, struct tally_cursor *cursor,
                       struct mxclash_event *conflict, uint64_t *untold)
{
    struct telling telling = {.work = &engine->work, .cursor = cursor, .conflict = conflict};

    while (!telling.found && docket_next_open(&engine->docket, &cursor->at, tell_case, &telling))
        if (!telling.found)
            docket_pass(&cursor->at);
    *untold = telling.untold;
    return telling.found;
}
