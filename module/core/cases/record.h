/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A case written down, so that another engine goes on where this one is: see mxclash_export(). The
 * case's shard is locked.
 */
#ifndef MXCLASH_CORE_CASES_RECORD_H
#define MXCLASH_CORE_CASES_RECORD_H

#include "core/cases/conflict.h"

/** Of the format that is written; others are not read. */
#define RECORD_VERSION 1

/** What a record holds, read and found sound. */
struct case_record {
    uint8_t owner[MXCLASH_NAME_MAX];
    uint8_t target[MXCLASH_NAME_MAX];
    struct mxclash_mx mx[MXCLASH_MX_MAX];
    uint8_t mx_count;
    /** bits of kinds: what was last told was as the record has it */
    uint8_t as_told;
    /** as the case has it, but for its lists and blocks, and what only counts while it is worked
     * on */
    struct docket_case facts;
};

enum record_worth { record_good, record_malformed, record_unknown };

/** Write a case. \param[out] octets  room for MXCLASH_EXPORT_MAX. \return octets written */
size_t record_write(const struct docket_case *c, uint8_t *octets);

/** Read what may be a record; everything in it is checked. Times that lie ahead of now are now.
 * \param[out] record  whole only if it is good */
enum record_worth record_read(const uint8_t *octets, size_t len, mxclash_time now,
                              struct case_record *record);

/**
 * Make the case that was added for a record's owner what the record says; nothing is told.
 * \return false if there is no room for what hangs on it
 */
bool record_apply(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                  const struct case_record *record, mxclash_time now);

#endif
