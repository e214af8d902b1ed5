/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The operator's command: finds the subcommand and its help.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "mxclash.h"

static enum cli_exit help(int argc, char **argv);
static enum cli_exit version(int argc, char **argv);

struct command {
    const char *name;
    /** another spelling; NULL if none */
    const char *option;
    /** arguments as the usage shows them; "" if none */
    const char *arguments;
    /** what it does, in one line */
    const char *summary;
    enum cli_exit (*run)(int argc, char **argv);
};

static const struct command commands[] = {
    {"check-conf", NULL, "[FILE]", "check a configuration file", cli_check_conf},
    {"doctor", NULL, "[--json] [--pid PID] [--conf FILE]", "say what is missing on this machine",
     cli_doctor},
    {"providers", NULL, "[FILE]", "show the table of mailbox providers", cli_providers},
    {"help", "--help", "", "show this text", help},
    {"version", "--version", "", "show the version", version},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/** \return NULL if there is no such subcommand */
static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) == 0 ||
            (commands[i].option != NULL && strcmp(name, commands[i].option) == 0)) {
            return &commands[i];
        }
    }
    return NULL;
}

static void print_usage(FILE *out)
{
    fputs("usage: mxclash COMMAND [ARGUMENT ...]\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++) {
        char left[64];
        snprintf(left, sizeof(left), "%s %s", commands[i].name, commands[i].arguments);
        fprintf(out, "  %-20s %s\n", left, commands[i].summary);
    }
    fputs("\nExit status: 0 good, 1 fault found, 2 could not tell or bad use. See mxclash(1).\n",
          out);
}

static enum cli_exit help(int argc, char **argv)
{
    if (argc > 1) {
        return cli_bad_use(argv[0], "takes no argument");
    }
    print_usage(stdout);
    return cli_good;
}

static enum cli_exit version(int argc, char **argv)
{
    if (argc > 1) {
        return cli_bad_use(argv[0], "takes no argument");
    }
    puts("mxclash " MXCLASH_VERSION);
    return cli_good;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return cli_trouble;
    }
    const struct command *command = find_command(argv[1]);
    if (command == NULL) {
        fprintf(stderr, "mxclash: no command %s\n", argv[1]);
        print_usage(stderr);
        return cli_trouble;
    }
    cli_begin(command->name, command->arguments);
    enum cli_exit status;
    if (argc == 3 && strcmp(argv[2], "--help") == 0) {
        cli_print_usage(stdout);
        status = cli_good;
    } else {
        status = command->run(argc - 1, argv + 1);
    }
    /* Whoever reads our output must not take half of it for the whole. */
    const bool written = fflush(stdout) == 0 && !ferror(stdout);
    if (!written) {
        perror("mxclash: standard output");
        return cli_trouble;
    }
    return (int)status;
}
