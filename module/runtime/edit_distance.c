/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * How far a mistyped word is from a known one.
 */
#include "runtime/edit_distance.h"

#include <stddef.h>
#include <string.h>

/** ASCII only: the reader's locale must not matter. */
static char lower(char letter)
{
    if (letter >= 'A' && letter <= 'Z') {
        return (char)(letter - 'A' + 'a');
    }
    return letter;
}

unsigned edit_distance(const char *one, const char *other)
{
    if (strlen(one) > EDIT_DISTANCE_WORD_MAX || strlen(other) > EDIT_DISTANCE_WORD_MAX) {
        return EDIT_DISTANCE_FAR;
    }
    /* row[j]: distance from what was read of one to the first j octets of other */
    unsigned row[EDIT_DISTANCE_WORD_MAX + 1];
    const size_t len = strlen(other);
    for (size_t j = 0; j <= len; j++) {
        row[j] = (unsigned)j;
    }
    for (size_t i = 0; one[i] != '\0'; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 1; j <= len; j++) {
            unsigned best = diagonal + (lower(one[i]) != lower(other[j - 1]));
            diagonal = row[j];
            if (row[j] + 1 < best) {
                best = row[j] + 1;
            }
            if (row[j - 1] + 1 < best) {
                best = row[j - 1] + 1;
            }
            row[j] = best;
        }
    }
    return row[len];
}
