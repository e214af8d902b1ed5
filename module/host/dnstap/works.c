/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Detector, outputs and prover: see works.h. */
#include "host/dnstap/works.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "host/dnstap/receiver.h"
#include "output/clock.h"

void works_log(void *context, const char *line)
{
    const struct works *works = context;
    /* one call, so that lines of two threads do not mix */
    fprintf(works->log, "%s\n", line);
    fflush(works->log);
}

/** For /metrics. */
static size_t numbers(void *context, struct metrics_number to[RUNTIME_NUMBERS_MAX])
{
    const struct works *works = context;
    size_t count = 0;
    for (int use = 0; use < TAKE_USES; use++) {
        to[count++] = (struct metrics_number){
            "mxclash_dnstap_frames",
            true,
            "Frames of dnstap that came, and what became of them.",
            "use",
            take_use_name((enum take_use)use),
            count_read(&works->frames[use]),
        };
    }
    if (works->receiver == NULL) {
        return count;
    }
    to[count++] = (struct metrics_number){"mxclash_dnstap_senders",
                                          false,
                                          "Senders of dnstap that are connected now.",
                                          NULL,
                                          NULL,
                                          receiver_senders(works->receiver)};
    for (int end = 0; end < RECEIVER_ENDS; end++) {
        to[count++] = (struct metrics_number){
            "mxclash_dnstap_connections_ended",
            true,
            "Connections of dnstap senders that are over, and how they ended.",
            "end",
            receiver_end_name((enum receiver_end)end),
            receiver_ended(works->receiver, (enum receiver_end)end),
        };
    }
    return count;
}

static struct prover *make_prover(const struct works *works)
{
    const struct config *config = runtime_config(works->runtime);
    const struct prover_options options = {
        .base = works->base,
        .engine = runtime_engine(works->runtime),
        .rate = config->probe_rate,
        .whom =
            {
                .resolvers = (const char *const *)config->resolver,
                .resolver_count = config->resolver_count,
                .do_not_ask = (const char *const *)config->do_not_ask,
                .do_not_ask_count = config->do_not_ask_count,
                .may_ask = (const char *const *)config->may_ask,
                .may_ask_count = config->may_ask_count,
                .resolv_conf = works->options.resolv_conf,
            },
    };
    return prover_new(&options);
}

bool works_start(struct works *works)
{
    const struct runtime_host host = {
        .name = "mxclashd",
        .version = MXCLASH_VERSION,
        .config_folder = works->options.config_folder,
        .config_file = works->options.config_file,
        .no_http = works->no_http,
        .log = works_log,
        .numbers = numbers,
        .context = works,
    };
    char error[CONFIG_ERROR_MAX];
    works->runtime = runtime_start(&host, clock_now(), error);
    if (works->runtime == NULL) {
        fprintf(stderr, "mxclashd: %s\n", error);
        return false;
    }
    works->aliases = calloc(1, sizeof(*works->aliases));
    works->prover = works->aliases == NULL ? NULL : make_prover(works);
    if (works->prover == NULL || getrandom(&works->aliases->seed, sizeof(works->aliases->seed),
                                           0) != (ssize_t)sizeof(works->aliases->seed)) {
        fprintf(stderr, "mxclashd: no memory\n");
        works_stop(works);
        return false;
    }
    return true;
}

void works_stop(struct works *works)
{
    prover_free(works->prover);
    works->prover = NULL;
    free(works->aliases);
    works->aliases = NULL;
    runtime_stop(works->runtime, clock_now());
    works->runtime = NULL;
}

void works_take(struct works *works, const uint8_t *frame, size_t len, mxclash_time now)
{
    const enum take_use use =
        take_frame(runtime_engine(works->runtime), works->aliases, frame, len, now);
    count_up(&works->frames[use]);
}
