/* SPDX-License-Identifier: BSD-3-Clause */
/** \file How a file is known again: see place.h. */
#include "book/place.h"

#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/** \return false if the file is shorter */
static bool hash_before(int file, uint64_t offset, uint32_t octets, uint64_t *print)
{
    char text[PLACE_PRINT_MAX];
    if (octets > PLACE_PRINT_MAX || octets > offset || offset > INT64_MAX ||
        pread(file, text, octets, (off_t)(offset - octets)) != (ssize_t)octets) {
        return false;
    }
    *print = XXH3_64bits(text, octets);
    return true;
}

bool place_take_print(struct place *place, int file)
{
    const uint32_t octets =
        place->offset < PLACE_PRINT_MAX ? (uint32_t)place->offset : PLACE_PRINT_MAX;
    if (!hash_before(file, place->offset, octets, &place->print)) {
        return false;
    }
    place->print_octets = octets;
    return true;
}

bool place_fits(const struct place *place, int file)
{
    uint64_t print;
    return place->print_octets == 0 ||
           (hash_before(file, place->offset, place->print_octets, &print) && print == place->print);
}
