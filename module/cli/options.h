/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Options of a subcommand: `--name VALUE`, `--name=VALUE` and `--name`.
 */
#ifndef MXCLASH_CLI_OPTIONS_H
#define MXCLASH_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/** Most values of an option that may be repeated. */
#define OPTION_VALUES_MAX 64

/** Values of an option that may be repeated. */
struct option_values {
    const char *value[OPTION_VALUES_MAX];
    size_t count;
};

/** One option; exactly one of the pointers is set. */
struct option {
    const char *name;
    /** set where it stands; it takes no value */
    bool *flag;
    /** takes a value, once */
    const char **text;
    /** takes a value, and may be repeated */
    struct option_values *values;
    /** takes a number from 1 to max */
    unsigned long *number;
    unsigned long max;
};

/**
 * Read the arguments of a subcommand. `--` ends the options.
 *
 * \param options  ends with one whose name is NULL
 * \param most  most operands that are allowed
 * \param[out] operands  room for most + 1; borrowed from argv, NULL behind the last one
 * \return false after cli_bad_use()
 */
bool cli_options(int argc, char **argv, const struct option *options, size_t most,
                 const char **operands);

#endif
