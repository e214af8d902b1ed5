/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The operator's command: finds the subcommand and its help.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/help.h"
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
    {"check", NULL, "DOMAIN [--server A@P] [--resolver A@P] [--root A@P] [--json]",
     "ask a domain's authorities, say what is wrong", cli_check},
    {"check-conf", NULL, "[FILE]", "check a configuration file", cli_check_conf},
    {"check-zone", NULL, "FILE --origin NAME [--json]", "look for conflicts in a zone file",
     cli_check_zone},
    {"list", NULL, "[--log FILE] [--sort ORDER] [--limit N] [--json] [OPTION ...]",
     "list the affected domains", cli_list},
    {"show", NULL, "DOMAIN [--log FILE] [--letter] [--language en|zh] [--json]",
     "show all that is known of a domain, and how to mend it", cli_show},
    {"report", NULL, "--html FILE [--log FILE]", "write the page with its data in one file",
     cli_report},
    {"serve", NULL, "[--log FILE]", "follow the logs, keep the book, serve the page", cli_serve},
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
        fprintf(out, "  %s%s%s\n        %s\n", commands[i].name,
                commands[i].arguments[0] != '\0' ? " " : "", commands[i].arguments,
                commands[i].summary);
    }
    fputs("\nExit status: 0 good, 1 fault found, 2 could not tell or bad use.\n"
          "COMMAND --help shows more of one. See mxclash(1).\n",
          out);
}

/** All that `COMMAND --help` says, in the same order for each. */
static void print_help(const struct command *command)
{
    const struct help *help = help_of(command->name);
    cli_print_usage(stdout);
    if (help == NULL) {
        return;
    }
    printf("\n%s", help->text);
    if (help->examples != NULL) {
        fputs("\nExamples:\n", stdout);
        for (const char *line = help->examples; *line != '\0'; line = strchr(line, '\n') + 1) {
            printf("  %.*s\n", (int)strcspn(line, "\n"), line);
        }
    }
    printf("\nExit status:\n  0  %s\n", help->good);
    if (help->bad != NULL) {
        printf("  1  %s\n", help->bad);
    }
    printf("  2  %s\n\nSee mxclash(1).\n", help->trouble);
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
        print_help(command);
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
