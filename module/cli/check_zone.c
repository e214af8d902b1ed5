/* SPDX-License-Identifier: BSD-3-Clause */
/** \file `mxclash check-zone FILE --origin NAME`: look for conflicts in a zone file. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/zone_lint.h"
#include "mxclash.h"

struct arguments {
    const char *path;
    const char *origin;
    bool json;
};

/** \return false after cli_bad_use() */
static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"origin", required_argument, NULL, 'o'}, {"json", no_argument, NULL, 'j'}, {0}};
    int option;
    optind = 1;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (option == 'o') {
            arguments->origin = optarg;
        } else if (option == 'j') {
            arguments->json = true;
        } else {
            cli_bad_use(argv[0], option == ':' ? "%s needs a NAME" : "no option %s",
                        argv[optind - 1]);
            return false;
        }
    }
    if (argc - optind != 1) {
        cli_bad_use(argv[0], argc == optind ? "no FILE" : "more than one FILE");
        return false;
    }
    if (arguments->origin == NULL) {
        cli_bad_use(argv[0], "no --origin: a zone file does not say which zone it is");
        return false;
    }
    arguments->path = argv[optind];
    return true;
}

/** A path, with nothing in it that a terminal obeys. */
static void print_path(const char *path)
{
    for (; *path != '\0'; path++) {
        putchar((unsigned char)*path >= ' ' && *path != 0x7f ? *path : '?');
    }
}

static void show(const struct zone_lint *lint)
{
    for (size_t i = 0; i < lint->count; i++) {
        const struct zone_finding *finding = &lint->findings[i];
        print_path(zone_file_name(lint->file, finding->place.file));
        printf(":%lu: %s%s%s%s: %s\n", finding->place.line,
               paint_begin(stdout, finding->note ? paint_doubtful : paint_bad),
               finding->note ? "note: " : "", finding->tag, paint_end(stdout), finding->text);
    }
    if (lint->more != 0) {
        printf("and %lu more\n", lint->more);
    }
    print_path(zone_file_name(lint->file, 0));
    printf(": %lu lines, %lu records: ", zone_file_lines(lint->file), lint->records);
    if (lint->faults == 0) {
        puts("no fault");
    } else {
        printf("%lu fault%s\n", lint->faults, lint->faults == 1 ? "" : "s");
    }
}

/** \return false if there is no memory */
static bool print_json(const struct zone_lint *lint)
{
    char origin[MXCLASH_NAME_TEXT_MAX];
    json_t *findings = json_array();
    mxclash_name_to_text(lint->origin.octets, lint->origin.len, origin);
    for (size_t i = 0; i < lint->count; i++) {
        const struct zone_finding *finding = &lint->findings[i];
        json_t *file = json_string(zone_file_name(lint->file, finding->place.file));
        json_array_append_new(findings,
                              json_pack("{s:o, s:I, s:s, s:b, s:s}", "file",
                                        file != NULL ? file : json_null(), "line",
                                        (json_int_t)finding->place.line, "tag", finding->tag,
                                        "note", finding->note, "text", finding->text));
    }
    json_t *all = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "origin", origin, "result",
                            lint->faults == 0 ? "healthy" : "conflict", "lines",
                            (json_int_t)zone_file_lines(lint->file), "records",
                            (json_int_t)lint->records, "faults", (json_int_t)lint->faults,
                            "not_shown", (json_int_t)lint->more, "findings", findings);
    char *text = all != NULL ? json_dumps(all, JSON_INDENT(2)) : NULL;
    if (text != NULL) {
        puts(text);
    }
    json_decref(all);
    free(text);
    return text != NULL;
}

/** Lint, and tell. */
static enum cli_exit run(struct zone_lint *lint, const struct arguments *arguments)
{
    ldns_rdf *origin = ask_name_rdf(&lint->origin);
    enum cli_exit status = cli_trouble;
    lint->file = origin != NULL ? zone_file_new(arguments->path, origin) : NULL;
    if (lint->file == NULL) {
        lint->no_memory = true;
    } else if (!zone_lint_run(lint)) {
        fprintf(stderr, "%s: %s\n", arguments->path, strerror(errno));
    } else if (!lint->no_memory) {
        if (!arguments->json) {
            show(lint);
        }
        lint->no_memory = arguments->json && !print_json(lint);
        status = lint->faults == 0 ? cli_good : cli_bad;
    }
    if (lint->no_memory) {
        fputs("mxclash check-zone: no memory\n", stderr);
        status = cli_trouble;
    }
    zone_lint_free(lint);
    ldns_rdf_deep_free(origin);
    return status;
}

enum cli_exit cli_check_zone(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct cli_config loaded;
    uint8_t name[MXCLASH_NAME_MAX];
    size_t len;
    if (!read_arguments(argc, argv, &arguments)) {
        return cli_trouble;
    }
    if (mxclash_name_from_text(arguments.origin, name, &len) != mxclash_ok) {
        return cli_bad_use(argv[0], "%s is no domain name", arguments.origin);
    }
    if (!cli_load_config(NULL, &loaded)) {
        return cli_trouble;
    }
    struct zone_lint lint = {.config = &loaded.config};
    ask_name_set(&lint.origin, name, len);
    const enum cli_exit status = run(&lint, &arguments);
    config_free(&loaded.config);
    return status;
}
