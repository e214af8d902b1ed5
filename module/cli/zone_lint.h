/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What is wrong in a zone file. */
#ifndef MXCLASH_CLI_ZONE_LINT_H
#define MXCLASH_CLI_ZONE_LINT_H

#include "ask/name.h"
#include "cli/zone_file.h"
#include "runtime/config.h"

/** Findings that are kept; the others are counted. */
#define ZONE_FINDINGS_MAX 10000

struct zone_finding {
    struct zone_place place;
    /** a kind of the event log, or one of check-zone's own; static */
    const char *tag;
    /** no fault, and it does not make the exit status 1 */
    bool note;
    char *text;
};

struct zone_lint {
    const struct config *config;
    struct zone_file *file;
    struct ask_name origin;
    struct progress progress;
    unsigned long records;
    /** sorted by place */
    size_t count;
    struct zone_finding *findings;
    /** beyond ZONE_FINDINGS_MAX */
    unsigned long more;
    /** faults among all findings */
    unsigned long faults;
    bool no_memory;
};

/** Add a finding. */
void zone_lint_find(struct zone_lint *lint, const struct zone_place *place, const char *tag,
                    bool note, const char *format, ...) __attribute__((format(printf, 5, 6)));

/** Read the file and find what is wrong. \return false if it cannot be read: errno says why */
bool zone_lint_run(struct zone_lint *lint);

void zone_lint_free(struct zone_lint *lint);

struct zone_names;

/** What the detector says of the names that have an MX: see zone_verdict.c. */
void zone_lint_judge(struct zone_lint *lint, const struct zone_names *names);

#endif
