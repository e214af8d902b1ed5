/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the subcommands of the operator's command share.
 */
#ifndef MXCLASH_CLI_CLI_H
#define MXCLASH_CLI_CLI_H

/** Exit status of the command. */
enum cli_exit {
    /** healthy: nothing found */
    cli_good = 0,
    /** a fault found: a conflict, a bad configuration file */
    cli_bad = 1,
    /** could not tell, or bad use */
    cli_trouble = 2,
};

/**
 * Say on stderr how a subcommand is used wrongly, and how it is used rightly.
 * \param name  of the subcommand, as in argv[0] of it
 * \return cli_trouble, so that a subcommand can return it
 */
enum cli_exit cli_bad_use(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * One function for each subcommand: argv[0] is the subcommand's name, argv[argc] is NULL. Findings
 * go to stdout, faults to stderr.
 */

/** `check-conf [FILE]`: read the configuration file as the module would. */
enum cli_exit cli_check_conf(int argc, char **argv);

#endif
