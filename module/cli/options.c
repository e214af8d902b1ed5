/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Options of a subcommand: see options.h. */
#include "cli/options.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const struct option *find(const struct option *options, const char *name, size_t len)
{
    for (; options->name != NULL; options++) {
        if (strlen(options->name) == len && memcmp(options->name, name, len) == 0) {
            return options;
        }
    }
    return NULL;
}

/** \return false after cli_bad_use() */
static bool set(const char *command, const struct option *option, const char *value)
{
    if (option->values != NULL) {
        if (option->values->count == OPTION_VALUES_MAX) {
            cli_bad_use(command, "more than %d of %s", OPTION_VALUES_MAX, option->name);
            return false;
        }
        option->values->value[option->values->count++] = value;
        return true;
    }
    if (option->text != NULL) {
        if (*option->text != NULL) {
            cli_bad_use(command, "%s twice", option->name);
            return false;
        }
        *option->text = value;
        return true;
    }
    char *end;
    const unsigned long number = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || number < 1 || number > option->max) {
        cli_bad_use(command, "%s takes a number from 1 to %lu", option->name, option->max);
        return false;
    }
    *option->number = number;
    return true;
}

/** Read the option at argv[*at]; *at is then its last argument. */
static bool take(int argc, char **argv, int *at, const struct option *options)
{
    const char *text = argv[*at];
    const size_t len = strcspn(text, "=");
    const struct option *option = find(options, text, len);
    if (option == NULL) {
        cli_bad_use(argv[0], "no option %s; write ./%s for a file", text, text);
        return false;
    }
    if (option->flag != NULL) {
        if (text[len] == '=') {
            cli_bad_use(argv[0], "%s takes no value", option->name);
            return false;
        }
        *option->flag = true;
        return true;
    }
    if (text[len] == '=') {
        return set(argv[0], option, text + len + 1);
    }
    if (*at + 1 >= argc) {
        cli_bad_use(argv[0], "%s takes a value", option->name);
        return false;
    }
    return set(argv[0], option, argv[++*at]);
}

bool cli_options(int argc, char **argv, const struct option *options, size_t most,
                 const char **operands)
{
    size_t count = 0;
    bool over = false;
    for (int i = 1; i < argc; i++) {
        if (!over && strcmp(argv[i], "--") == 0) {
            over = true;
        } else if (!over && argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!take(argc, argv, &i, options)) {
                return false;
            }
        } else if (count == most) {
            cli_bad_use(argv[0], most == 0 ? "takes no argument %s" : "one argument too many: %s",
                        argv[i]);
            return false;
        } else {
            operands[count++] = argv[i];
        }
    }
    operands[count] = NULL;
    return true;
}
