/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A zone file, record by record: RFC 1035 5, with $TTL (RFC 2308 4) and BIND's $INCLUDE. ldns reads
 * the records; a line is held in memory, the file is not.
 */
#ifndef MXCLASH_CLI_ZONE_FILE_H
#define MXCLASH_CLI_ZONE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ask/ldns.h"
#include "cli/terminal.h"

/** Files that a zone may have: itself and all that it includes. */
#define ZONE_FILES_MAX 256
/** How deep files may include others. */
#define ZONE_DEPTH_MAX 16

/** Where something stands. */
struct zone_place {
    /** of zone_file_name() */
    unsigned file;
    /** the first of a record */
    unsigned long line;
};

struct zone_file;

struct zone_reader {
    void *context;
    /** \param rr  borrowed for the call */
    void (*record)(void *context, const struct zone_place *place, const ldns_rr *rr);
    /** something cannot be read, or is passed over: \param text  borrowed for the call */
    void (*fault)(void *context, const struct zone_place *place, const char *text);
    /** NULL = none */
    struct progress *progress;
    /** what is being done, for progress */
    const char *doing;
};

/**
 * \param path    of the zone file, borrowed
 * \param origin  of the zone, borrowed; both until zone_file_free()
 * \return NULL if there is no memory
 */
struct zone_file *zone_file_new(const char *path, const ldns_rdf *origin);

void zone_file_free(struct zone_file *zone);

/** Read all from the start; may be called again. \return false if the zone file itself cannot be
 * read; errno says why */
bool zone_file_read(struct zone_file *zone, const struct zone_reader *reader);

/** \return the path of a file as it was opened; as long as zone is there */
const char *zone_file_name(const struct zone_file *zone, unsigned number);

/** Lines read the last time, in all files. */
unsigned long zone_file_lines(const struct zone_file *zone);

#endif
