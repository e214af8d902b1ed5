/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Start and stop: see runtime.h. */
#include "runtime/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <libpsl.h>

#include "core/base/counters.h"
#include "core/engine/stats.h"
#include "output/clock.h"
#include "output/httpd.h"
#include "output/metrics.h"
#include "output/report.h"
#include "runtime/options.h"
#include "runtime/state_file.h"
#include "runtime/tally.h"
#include "runtime/ticker.h"

/** How soon after its start the writer looks again whether all has started. */
#define START_MS 100

struct runtime {
    struct runtime_host host;
    struct config config;
    struct mxclash_engine *engine;
    psl_ctx_t *suffixes;
    struct report *report;
    struct httpd *httpd;
    struct ticker *ticker;
    /** the event was told: from then on the writer's duty finds all that it needs */
    _Atomic bool started;
    struct state_file state;
    /** the writer's own: when each is due, monotonic milliseconds; 0: not yet reckoned */
    int64_t tally_at_ms, state_at_ms;
    struct host_counters counters;
    _Atomic uint64_t http_refused[HTTP_REFUSALS];
};

static void on_event(void *context, const struct mxclash_event *event)
{
    struct runtime *runtime = context;

    report_submit(runtime->report, event);
}

static void on_held(void *context)
{
    struct runtime *runtime = context;

    ticker_wake(runtime->ticker);
}

static void host_log(void *context, const char *line)
{
    struct runtime *runtime = context;

    runtime->host.log(runtime->host.context, line);
}

static void write_tally(void *context, const struct mxclash_event *event)
{
    struct runtime *runtime = context;

    report_write(runtime->report, event);
}

/** Is it time, or the last time? Then reckon from now on. */
static bool is_due(int64_t *at_ms, int64_t interval_ms, int64_t now_ms, bool last)
{
    bool due = last || (*at_ms != 0 && now_ms >= *at_ms);

    if (due || *at_ms == 0)
        *at_ms = now_ms + interval_ms;
    return due;
}

/** What the writer does from time to time: tallies, and the state file. */
static int64_t on_duty(void *context, bool last)
{
    struct runtime *runtime = context;
    const int64_t now_ms = clock_steady_ms();
    const int64_t tally_ms = (int64_t)runtime->config.tally_interval_s * 1000;
    int64_t wait_ms = INT64_MAX;

    if (!runtime->started)
        return START_MS;
    if (tally_ms != 0) {
        if (is_due(&runtime->tally_at_ms, tally_ms, now_ms, false))
            tally_tell(runtime->engine, clock_now(), write_tally, runtime);
        wait_ms = runtime->tally_at_ms - now_ms;
    }
    if (runtime->config.state_file[0] == '\0')
        return wait_ms;
    if (is_due(&runtime->state_at_ms, STATE_FILE_INTERVAL_MS, now_ms, last) &&
        !state_file_write(&runtime->state, runtime->engine))
        runtime->state_at_ms = now_ms + STATE_FILE_RETRY_MS;
    return wait_ms < runtime->state_at_ms - now_ms ? wait_ms : runtime->state_at_ms - now_ms;
}

static char *make_metrics(void *context, enum metrics_format format)
{
    struct runtime *runtime = context;
    struct metrics_number numbers[RUNTIME_NUMBERS_MAX];
    struct metrics_input input = {.host = runtime->host.name,
                                  .host_version = runtime->host.version};

    engine_get_stats(runtime->engine, &input.engine);
    report_get_stats(runtime->report, &input.report);
    input.inspected_cache = striped_read(&runtime->counters.cached);
    input.annotated = striped_read(&runtime->counters.annotated);
    for (int i = 0; i < HTTP_REFUSALS; i++)
        input.http_refused[i] = count_read(&runtime->http_refused[i]);
    input.numbers = numbers;
    if (runtime->host.numbers != NULL)
        input.number_count = runtime->host.numbers(runtime->host.context, numbers);
    input.state_written = count_read(&runtime->state.written);
    input.state_failures = count_read(&runtime->state.failures);
    return metrics_text(&input, format);
}

static char *make_domains(void *context, enum metrics_format format)
{
    struct runtime *runtime = context;
    size_t max = runtime->config.top_domains;
    struct mxclash_domain *domains = calloc(max != 0 ? max : 1, sizeof(*domains));
    char *text;

    if (domains == NULL)
        return NULL;
    domains[0].struct_size = sizeof(domains[0]);
    text =
        metrics_domains_text(domains, mxclash_top_domains(runtime->engine, domains, max), format);
    free(domains);
    return text;
}

/** Find and read the configuration; say what holds. */
static bool load_config(struct runtime *runtime, char error[CONFIG_ERROR_MAX])
{
    char path[4096];
    char line[sizeof(path) + 128];
    bool holds;

    if (runtime->host.config_file != NULL)
        return config_load(runtime->host.config_file, &runtime->config, error);
    if (!config_locate(runtime->host.config_folder, path, sizeof(path), &holds)) {
        snprintf(error, CONFIG_ERROR_MAX, "the path of mxclash.conf is too long");
        return false;
    }
    if (!holds) {
        snprintf(line, sizeof(line), "mxclash: no %s, the defaults hold", path);
        host_log(runtime, line);
        if (config_defaults(&runtime->config))
            return true;
        snprintf(error, CONFIG_ERROR_MAX, "out of memory");
        return false;
    }
    return config_load(path, &runtime->config, error);
}

static bool start_engine(struct runtime *runtime, char error[CONFIG_ERROR_MAX])
{
    const struct config *config = &runtime->config;
    struct mxclash_options options = config_to_options(config);

    options.on_event = on_event;
    options.on_held = on_held;
    options.context = runtime;
    /* the system's list if it is newer than libpsl's own; in a chroot without it, libpsl's own */
    runtime->suffixes = psl_latest(NULL);
    if (runtime->suffixes == NULL)
        host_log(runtime, "mxclash: there is no public suffix list on this machine: the last two "
                          "labels of a name are taken for its holder's domain; install "
                          "publicsuffix");
    options.suffixes = runtime->suffixes;
    if (getrandom(&options.seed, sizeof(options.seed), 0) != (ssize_t)sizeof(options.seed)) {
        snprintf(error, CONFIG_ERROR_MAX, "the system gives no random numbers");
        return false;
    }
    switch (mxclash_engine_new(&options, &runtime->engine, NULL, 0)) {
    case mxclash_ok:
        break;
    case mxclash_invalid:
        snprintf(error, CONFIG_ERROR_MAX,
                 "table-size %zu leaves no room beside %zu ignored domains and the table of "
                 "providers; make it larger",
                 config->table_size, config->ignore_count);
        return false;
    default:
        snprintf(error, CONFIG_ERROR_MAX, "no memory for table-size %zu", config->table_size);
        return false;
    }
    runtime->ticker = ticker_start(runtime->engine);
    if (runtime->ticker == NULL)
        snprintf(error, CONFIG_ERROR_MAX, "no thread for the detector");
    return runtime->ticker != NULL;
}

static bool start_report(struct runtime *runtime, char error[CONFIG_ERROR_MAX])
{
    char name[256] = "";
    struct report_options options = {
        .log_file = runtime->config.log_file,
        .log_syslog = runtime->config.log_syslog,
        .program = runtime->host.name,
        .log_host = runtime->config.log_host,
        .host = name,
        .host_log = host_log,
        .duty = on_duty,
        .context = runtime,
    };

    gethostname(name, sizeof(name) - 1);
    runtime->report = report_start(&options);
    if (runtime->report == NULL)
        snprintf(error, CONFIG_ERROR_MAX, "no thread for the log");
    return runtime->report != NULL;
}

static bool start_httpd(struct runtime *runtime, char error[CONFIG_ERROR_MAX])
{
    struct httpd_options options = {
        .listen = runtime->config.http_listen,
        .listen_count = runtime->config.http_listen_count,
        .metrics = make_metrics,
        .domains = make_domains,
        .host_log = host_log,
        .context = runtime,
        .refused = runtime->http_refused,
    };

    if (options.listen_count == 0 || runtime->host.no_http)
        return true;
    runtime->httpd = httpd_start(&options);
    if (runtime->httpd == NULL)
        snprintf(error, CONFIG_ERROR_MAX, "no thread for http-listen");
    return runtime->httpd != NULL;
}

static void tell(struct runtime *runtime, enum mxclash_event_type type, mxclash_time now)
{
    struct mxclash_event event;

    memset(&event, 0, offsetof(struct mxclash_event, mx));
    event.struct_size = sizeof(event);
    event.type = (uint8_t)type;
    event.time = now;
    report_submit(runtime->report, &event);
}

struct runtime *runtime_start(const struct runtime_host *host, mxclash_time now,
                              char error[CONFIG_ERROR_MAX])
{
    struct runtime *runtime = aligned_alloc(64, (sizeof(*runtime) + 63) / 64 * 64);

    if (runtime == NULL) {
        snprintf(error, CONFIG_ERROR_MAX, "out of memory");
        return NULL;
    }
    memset(runtime, 0, sizeof(*runtime));
    runtime->host = *host;
    if (!load_config(runtime, error)) {
        free(runtime);
        return NULL;
    }
    /* before the threads, which count and read its writes */
    state_file_init(&runtime->state, runtime->config.state_file, host_log, runtime);
    if (!start_report(runtime, error) || !start_engine(runtime, error) ||
        !start_httpd(runtime, error)) {
        runtime_stop(runtime, now);
        return NULL;
    }
    if (runtime->config.state_file[0] != '\0')
        state_file_read(&runtime->state, runtime->engine, now);
    tell(runtime, mxclash_started, now);
    runtime->started = true;
    return runtime;
}

void runtime_stop(struct runtime *runtime, mxclash_time now)
{
    if (runtime == NULL)
        return;
    httpd_stop(runtime->httpd);
    ticker_stop(runtime->ticker);
    /* what waits for an impact is told without: the second call lets the last ones go */
    if (runtime->engine != NULL && mxclash_tick(runtime->engine))
        mxclash_tick(runtime->engine);
    if (runtime->started)
        tell(runtime, mxclash_stopped, now);
    report_stop(runtime->report);
    mxclash_engine_free(runtime->engine);
    psl_free(runtime->suffixes);
    config_free(&runtime->config);
    free(runtime);
}

struct mxclash_engine *runtime_engine(struct runtime *runtime)
{
    return runtime->engine;
}

struct host_counters *runtime_counters(struct runtime *runtime)
{
    return &runtime->counters;
}

const struct config *runtime_config(const struct runtime *runtime)
{
    return &runtime->config;
}
