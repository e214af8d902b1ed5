/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tally events: see tally.h. */
#include "runtime/tally.h"

#include <string.h>

#include "core/engine/tally.h"

/** Whose harm has more bits than least has a line of its own, and so many of those with as many. */
struct lines {
    unsigned least;
    uint64_t spare;
};

static struct lines share_lines(const struct tally_census *census)
{
    struct lines lines = {.least = 64, .spare = TALLY_LINES};

    while (lines.least > 1 && census->conflicts[lines.least] <= lines.spare)
        lines.spare -= census->conflicts[lines.least--];
    return lines;
}

/** \param untold  of the domain, not 0 */
static bool takes_line(struct lines *lines, uint64_t untold)
{
    unsigned bits = 64u - (unsigned)__builtin_clzll(untold);

    if (bits != lines->least || lines->spare == 0)
        return bits > lines->least;
    lines->spare--;
    return true;
}

void tally_tell(struct mxclash_engine *engine, mxclash_time now,
                void (*write)(void *context, const struct mxclash_event *event), void *context)
{
    struct mxclash_event conflict, rest = {.struct_size = sizeof(rest), .type = mxclash_tally};
    struct tally_cursor cursor = {0};
    struct tally_census census;
    struct lines lines;
    unsigned written = 0;
    uint64_t untold;
    bool own_line = false;

    engine_tally_census(engine, &census);
    lines = share_lines(&census);
    while (engine_tally_next(engine, &cursor, &conflict, &untold)) {
        /* all conflicts of a domain go the way of its first */
        if (untold != 0)
            own_line = takes_line(&lines, untold);
        /* harm may have grown since the census: what holds the bound is the count */
        if (own_line && written < TALLY_LINES) {
            conflict.time = now;
            write(context, &conflict);
            written++;
        } else if (untold != 0) {
            rest.held_back++;
            rest.mx_queries += untold;
        }
    }
    if (rest.held_back == 0)
        return;
    rest.time = now;
    write(context, &rest);
}
