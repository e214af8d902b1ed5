/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Lines on their way into the book: see batch.h. */
#include "book/batch.h"

#include <stdlib.h>
#include <string.h>

#include "book/logline.h"

bool batch_init(struct batch *batch)
{
    *batch = (struct batch){
        .text = malloc(BATCH_OCTETS),
        .lines = calloc(BATCH_LINES, sizeof(*batch->lines)),
        .places = calloc(BATCH_PLACES, sizeof(*batch->places)),
    };
    if (batch->text == NULL || batch->lines == NULL || batch->places == NULL) {
        batch_free(batch);
        return false;
    }
    return true;
}

void batch_free(struct batch *batch)
{
    free(batch->text);
    free(batch->lines);
    free(batch->places);
    *batch = (struct batch){0};
}

bool batch_has_room(const struct batch *batch)
{
    return batch->line_count < BATCH_LINES && BATCH_OCTETS - batch->used >= LOGLINE_MAX;
}

void batch_add(struct batch *batch, const char *text, size_t len, uint64_t number)
{
    batch->lines[batch->line_count++] = (struct batch_line){
        .at = batch->used,
        .len = len,
        .too_long = text == NULL,
        .number = number,
        .place = batch->place_count - 1,
    };
    if (text != NULL) {
        memcpy(batch->text + batch->used, text, len);
        batch->used += len;
    }
}
