/* SPDX-License-Identifier: BSD-3-Clause */
/** \file `mxclash report --html FILE`: the page with its data in it, as one file. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "book/book.h"
#include "cli/cli.h"
#include "cli/open_book.h"
#include "cli/options.h"
#include "output/clock.h"
#include "runtime/options.h"
#include "web/page_report.h"

static bool write_report(struct book *book, const struct providers *providers, FILE *out,
                         struct page_report_size *size, char error[BOOK_ERROR_MAX])
{
    if (!page_report_write(book, providers, clock_now(), out, size, error)) {
        return false;
    }
    if (fflush(out) != 0 || ferror(out)) {
        snprintf(error, BOOK_ERROR_MAX, "%s", strerror(errno));
        return false;
    }
    return true;
}

/** Written beside it and renamed: nobody finds half a report. */
static bool write_file(struct book *book, const struct providers *providers, const char *path,
                       struct page_report_size *size, char error[BOOK_ERROR_MAX])
{
    char new_path[PATH_MAX];
    if (snprintf(new_path, sizeof(new_path), "%s.new", path) >= (int)sizeof(new_path)) {
        snprintf(error, BOOK_ERROR_MAX, "%s", strerror(ENAMETOOLONG));
        return false;
    }
    FILE *out = fopen(new_path, "we");
    if (out == NULL) {
        snprintf(error, BOOK_ERROR_MAX, "%s", strerror(errno));
        return false;
    }
    bool good = write_report(book, providers, out, size, error);
    if (fclose(out) != 0 && good) {
        snprintf(error, BOOK_ERROR_MAX, "%s", strerror(errno));
        good = false;
    }
    if (good && rename(new_path, path) == -1) {
        snprintf(error, BOOK_ERROR_MAX, "%s", strerror(errno));
        good = false;
    }
    if (!good) {
        unlink(new_path);
    }
    return good;
}

static enum cli_exit report(struct book *book, const struct config *config, const char *path)
{
    char error[BOOK_ERROR_MAX];
    const bool to_stdout = strcmp(path, "-") == 0;
    struct page_report_size size = {.shown = 0};
    struct providers *providers = config_to_providers(config);
    const bool good = to_stdout ? write_report(book, providers, stdout, &size, error)
                                : write_file(book, providers, path, &size, error);
    providers_free(providers);
    if (!good) {
        fprintf(stderr, "mxclash report: %s: %s\n", path, error);
        return cli_trouble;
    }
    fprintf(to_stdout ? stderr : stdout, "%s: %" PRIu64 " of %" PRIu64 " open conflicts\n", path,
            size.shown, size.total);
    return cli_good;
}

enum cli_exit cli_report(int argc, char **argv)
{
    struct option_values logs = {.count = 0};
    const char *html = NULL;
    const char *none[1];
    const struct option options[] = {
        {.name = "--html", .text = &html},
        {.name = "--log", .values = &logs},
        {.name = NULL},
    };
    struct cli_config loaded;
    if (!cli_options(argc, argv, options, 0, none)) {
        return cli_trouble;
    }
    if (html == NULL || html[0] == '\0') {
        return cli_bad_use(argv[0], "--html must name the file to write; - is standard output");
    }
    if (!cli_load_config(NULL, &loaded)) {
        return cli_trouble;
    }
    struct book *book = cli_open_book(argv[0], &logs, &loaded.config);
    const enum cli_exit status = book == NULL ? cli_trouble : report(book, &loaded.config, html);
    book_close(book);
    config_free(&loaded.config);
    return status;
}
