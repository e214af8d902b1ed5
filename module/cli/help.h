/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What `mxclash COMMAND --help` says of a command behind its usage. */
#ifndef MXCLASH_CLI_HELP_H
#define MXCLASH_CLI_HELP_H

struct help {
    /** of the subcommand */
    const char *name;
    /** whole lines: what it does, its options */
    const char *text;
    /** lines of examples, without their two blanks; NULL = none */
    const char *examples;
    /** what exit status 0, 1 and 2 mean for it; the second is NULL if there is no 1 */
    const char *good;
    const char *bad;
    const char *trouble;
};

/** \return NULL if nothing is written of that command */
const struct help *help_of(const char *name);

#endif
