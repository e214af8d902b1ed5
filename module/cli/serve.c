/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * `mxclash serve`: follows the logs, keeps the book, serves the page.
 *
 * It runs in the foreground as whoever starts it, and needs no rights but to read the logs and to
 * write into the folder of the book. SIGTERM and SIGINT end it.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "book/keeper.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "runtime/options.h"
#include "web/web.h"

/** What the book holds is for those who may read the log. */
#define PRIVATE_UMASK 027

/** Any thread. */
static void say(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "mxclash serve: %s\n", line);
}

static void count(void *context, struct book_counters *counters)
{
    keeper_count(context, counters);
}

/** Block the signals that end us on every thread to come: one place waits for them. */
static void block_signals(sigset_t *ending)
{
    sigset_t blocked;
    sigemptyset(ending);
    sigaddset(ending, SIGTERM);
    sigaddset(ending, SIGINT);
    blocked = *ending;
    sigaddset(&blocked, SIGPIPE);
    /* a rotation needs no signal; who sends one all the same does no harm */
    sigaddset(&blocked, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
}

static void wait_for_end(const sigset_t *ending)
{
    int signal;
    while (sigwait(ending, &signal) != 0) {
    }
}

static struct web *start_page(const struct config *config, const struct providers *providers,
                              struct keeper *keeper)
{
    char error[256];
    const struct web_options options = {
        .listen = config->page_listen,
        .listen_count = config->page_listen_count,
        .hosts = config->page_host,
        .host_count = config->page_host_count,
        .group = config->page_group,
        .database = config->database,
        .providers = providers,
        .say = say,
        .counters = count,
        .context = keeper,
    };
    struct web *web = web_new(&options, error, sizeof(error));
    if (web == NULL) {
        say(NULL, error);
    }
    return web;
}

static enum cli_exit serve(const struct config *config, const struct option_values *logs)
{
    const struct keeper_options options = {
        .database = config->database,
        .logs = logs->value,
        .log_count = logs->count,
        .retention_days = config->retention_days,
        .say = say,
    };
    sigset_t ending;
    umask(PRIVATE_UMASK);
    block_signals(&ending);
    struct keeper *keeper = keeper_new(&options);
    if (keeper == NULL) {
        say(NULL, "no memory, descriptor or thread");
        return cli_trouble;
    }
    struct providers *providers = config_to_providers(config);
    struct web *web = start_page(config, providers, keeper);
    const bool good = web != NULL;
    if (good) {
        wait_for_end(&ending);
    }
    web_free(web);
    providers_free(providers);
    keeper_free(keeper);
    return good ? cli_good : cli_trouble;
}

enum cli_exit cli_serve(int argc, char **argv)
{
    struct option_values logs = {.count = 0};
    const char *none[1];
    const struct option options[] = {{.name = "--log", .values = &logs}, {.name = NULL}};
    struct cli_config loaded;
    if (!cli_options(argc, argv, options, 0, none) || !cli_load_config(NULL, &loaded)) {
        return cli_trouble;
    }
    const struct config *config = &loaded.config;
    enum cli_exit status = cli_trouble;
    if (logs.count == 0 && config->log_file[0] != '\0') {
        logs.value[logs.count++] = config->log_file;
    }
    if (logs.count == 0) {
        say(NULL, "no log to follow: log-file: of the configuration names none, nor does --log");
    } else if (config->database[0] == '\0') {
        say(NULL, "the configuration says database: \"\"; name a file for the book");
    } else {
        status = serve(config, &logs);
    }
    config_free(&loaded.config);
    return status;
}
