/* SPDX-License-Identifier: BSD-3-Clause */
/** \file How the subcommand that runs is used: see cli.h. */
#include <stdarg.h>

#include "cli/cli.h"

/** Of the subcommand that runs. */
static const char *running, *takes;

void cli_begin(const char *name, const char *arguments)
{
    running = name;
    takes = arguments;
}

void cli_print_usage(FILE *out)
{
    fprintf(out, "usage: mxclash %s%s%s\n", running, takes[0] != '\0' ? " " : "", takes);
}

enum cli_exit cli_bad_use(const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "mxclash %s: ", name);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    cli_print_usage(stderr);
    return cli_trouble;
}
