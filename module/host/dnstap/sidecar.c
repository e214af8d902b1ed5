/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The sidecar that receives: see sidecar.h. */
#include "host/dnstap/sidecar.h"

#include <event2/event.h>
#include <signal.h>

#include "host/dnstap/inherited.h"
#include "host/dnstap/receiver.h"
#include "host/dnstap/works.h"
#include "output/clock.h"
#include "runtime/config_value.h"

static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

struct sidecar {
    struct works works;
    struct event *signals[SIGNALS];
    /** sockets that we were given */
    size_t adopted;
    enum sidecar_exit status;
};

static void on_frame(void *context, const uint8_t *frame, size_t len)
{
    struct sidecar *sidecar = context;
    works_take(&sidecar->works, frame, len, clock_now());
}

static void on_taken(void *context)
{
    struct sidecar *sidecar = context;
    prover_go(sidecar->works.prover);
}

static void on_log(void *context, const char *line)
{
    struct sidecar *sidecar = context;
    works_log(&sidecar->works, line);
}

/** Listen where the configuration says. \return false after a line on stderr */
static bool listen_all(struct sidecar *sidecar)
{
    const struct config *config = runtime_config(sidecar->works.runtime);
    char reason[LISTEN_REASON_MAX + CONFIG_LISTEN_MAX];
    if (config->dnstap_listen_count == 0 && sidecar->adopted == 0) {
        fprintf(stderr, "mxclashd: there is nothing to listen at: write dnstap-listen: into the "
                        "configuration, such as dnstap-listen: \"/run/mxclash/dnstap.sock\"\n");
        return false;
    }
    if (!receiver_listen(sidecar->works.receiver, config->dnstap_listen,
                         config->dnstap_listen_count, reason, sizeof(reason))) {
        fprintf(stderr, "mxclashd: %s\n", reason);
        return false;
    }
    return true;
}

/** Can the configuration that lies there now be read? \return false after a line on stderr */
static bool config_is_good(const struct sidecar_options *options)
{
    char error[CONFIG_ERROR_MAX];
    char path[4096];
    struct config config;
    const char *file = options->config_file;
    bool holds = true;
    if (file == NULL) {
        if (!config_locate(options->config_folder, path, sizeof(path), &holds) || !holds) {
            return true;
        }
        file = path;
    }
    if (!config_load(file, &config, error)) {
        fprintf(stderr, "mxclashd: %s; the old configuration holds on\n", error);
        return false;
    }
    config_free(&config);
    return true;
}

/** Begin anew with the configuration that lies there now. Senders stay connected: what they send
 * meanwhile waits in their sockets. */
static void reload(struct sidecar *sidecar)
{
    if (!config_is_good(&sidecar->works.options)) {
        return;
    }
    works_stop(&sidecar->works);
    if (!works_start(&sidecar->works)) {
        sidecar->status = sidecar_failed;
        event_base_loopbreak(sidecar->works.base);
        return;
    }
    /* the rest is received still */
    listen_all(sidecar);
    works_log(&sidecar->works, "mxclash: the configuration was read anew");
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
    struct sidecar *sidecar = context;
    (void)what;
    if (number == SIGHUP) {
        reload(sidecar);
    } else {
        event_base_loopbreak(sidecar->works.base);
    }
}

static bool catch_signals(struct sidecar *sidecar)
{
    for (size_t i = 0; i < SIGNALS; i++) {
        sidecar->signals[i] = evsignal_new(sidecar->works.base, signals[i], on_signal, sidecar);
        if (sidecar->signals[i] == NULL || evsignal_add(sidecar->signals[i], NULL) != 0) {
            return false;
        }
    }
    return true;
}

static bool adopt(struct sidecar *sidecar)
{
    int sockets[INHERITED_MAX];
    sidecar->adopted = inherited_sockets(sockets);
    for (size_t i = 0; i < sidecar->adopted; i++) {
        if (!receiver_adopt(sidecar->works.receiver, sockets[i])) {
            return false;
        }
    }
    return true;
}

/** \return false after a line on stderr */
static bool start(struct sidecar *sidecar)
{
    struct works *works = &sidecar->works;
    works->base = event_base_new();
    const struct receiver_options options = {
        .base = works->base,
        .frame = on_frame,
        .taken = on_taken,
        .log = on_log,
        .context = sidecar,
    };
    if (works->base != NULL) {
        works->receiver = receiver_new(&options);
    }
    if (works->receiver == NULL || !catch_signals(sidecar) || !adopt(sidecar)) {
        fprintf(stderr, "mxclashd: no memory\n");
        return false;
    }
    return works_start(works) && listen_all(sidecar);
}

enum sidecar_exit sidecar_receive(const struct sidecar_options *options)
{
    struct sidecar sidecar = {.works = {.options = *options, .log = stderr},
                              .status = sidecar_failed};
    if (start(&sidecar)) {
        sidecar.status = sidecar_good;
        works_log(&sidecar.works, "mxclash: waits for dnstap senders");
        event_base_dispatch(sidecar.works.base);
    }
    /* first: its HTTP thread reads the receiver's counters */
    works_stop(&sidecar.works);
    receiver_free(sidecar.works.receiver);
    for (size_t i = 0; i < SIGNALS; i++) {
        if (sidecar.signals[i] != NULL) {
            event_free(sidecar.signals[i]);
        }
    }
    if (sidecar.works.base != NULL) {
        event_base_free(sidecar.works.base);
    }
    return sidecar.status;
}
