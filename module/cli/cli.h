/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the subcommands of the operator's command share.
 */
#ifndef MXCLASH_CLI_CLI_H
#define MXCLASH_CLI_CLI_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "runtime/config.h"

/** Unbound's configuration folder; the build sets the one that its Unbound uses. */
#ifndef CONFIG_FOLDER
#define CONFIG_FOLDER "/etc/unbound"
#endif

/** Exit status of the command. */
enum cli_exit {
    /** healthy: nothing found */
    cli_good = 0,
    /** a fault found: a conflict, a bad configuration file */
    cli_bad = 1,
    /** could not tell, or bad use */
    cli_trouble = 2,
};

/** A subcommand begins: what its usage shows. \param arguments  "" if none. Both are borrowed. */
void cli_begin(const char *name, const char *arguments);

/** Say how the subcommand is used. */
void cli_print_usage(FILE *out);

/**
 * Say on stderr how a subcommand is used wrongly, and how it is used rightly.
 * \param name  of the subcommand, as in argv[0] of it
 * \return cli_trouble, so that a subcommand can return it
 */
enum cli_exit cli_bad_use(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * Read the arguments of a subcommand that takes one FILE or none.
 * \param[out] path  NULL if there is none; borrowed from argv; written only on true
 * \return false after cli_bad_use()
 */
bool cli_one_file(int argc, char **argv, const char **path);

/** The configuration and where it comes from. */
struct cli_config {
    /** of the file that holds, or would hold if it were there */
    const char *path;
    bool there;
    struct config config;
    char located[PATH_MAX];
};

/**
 * Read the configuration as the module would.
 * \param path  of the file, borrowed as long as loaded; NULL = look where the module looks
 * \param[out] loaded  its config is freed with config_free() if true is returned, else not valid
 * \return false after the fault was told on stderr
 */
bool cli_load_config(const char *path, struct cli_config *loaded);

/*
 * One function for each subcommand: argv[0] is the subcommand's name, argv[argc] is NULL. Findings
 * go to stdout, faults to stderr.
 */

/** `check-conf [FILE]`: read the configuration file as the module would. */
enum cli_exit cli_check_conf(int argc, char **argv);

/** `check DOMAIN`: ask the authorities themselves, and say what is wrong. */
enum cli_exit cli_check(int argc, char **argv);

/** `check-zone FILE`: look for conflicts in a zone file. */
enum cli_exit cli_check_zone(int argc, char **argv);

/** `list`: the affected domains. */
enum cli_exit cli_list(int argc, char **argv);

/** `show DOMAIN`: all that is known of a domain, and how to mend it. */
enum cli_exit cli_show(int argc, char **argv);

/** `report --html FILE`: the page with its data in one file. */
enum cli_exit cli_report(int argc, char **argv);

/** `serve`: follow the logs, keep the book, serve the page. */
enum cli_exit cli_serve(int argc, char **argv);

/** `providers [FILE]`: show the table of mailbox providers that holds, or that of a file. */
enum cli_exit cli_providers(int argc, char **argv);

/** `doctor [--json] [--pid PID] [--conf UNBOUND.CONF]`: say what is missing on this machine. */
enum cli_exit cli_doctor(int argc, char **argv);

#endif
