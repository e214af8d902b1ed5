/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Whether HTTP answers, and what the counters say: see doctor.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "mxclash.h"

/** More than a page of counters has. */
#define REPLY_SIZE (256u << 10)
#define PATIENCE_S 5

union place {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un path;
};

/** Read `address@port` or a path, as config.h has checked it. \return the size, 0 if too long */
static socklen_t read_place(const struct doctor_host *host, const char *listen, union place *place)
{
    char text[PATH_MAX];
    memset(place, 0, sizeof(*place));
    if (listen[0] == '/') {
        doctor_inside(host, listen, text);
        place->path.sun_family = AF_UNIX;
        if (strlen(text) >= sizeof(place->path.sun_path)) {
            return 0;
        }
        memcpy(place->path.sun_path, text, strlen(text) + 1);
        return sizeof(place->path);
    }
    const char *at = strchr(listen, '@');
    const uint16_t port = htons((uint16_t)strtoul(at + 1, NULL, 10));
    snprintf(text, sizeof(text), "%.*s", (int)(at - listen), listen);
    if (inet_pton(AF_INET, text, &place->v4.sin_addr) == 1) {
        place->v4.sin_family = AF_INET;
        place->v4.sin_port = port;
        return sizeof(place->v4);
    }
    inet_pton(AF_INET6, text, &place->v6.sin6_addr);
    place->v6.sin6_family = AF_INET6;
    place->v6.sin6_port = port;
    return sizeof(place->v6);
}

/** Ask for the counters. \param reply  of REPLY_SIZE \return errno, 0 if there is a reply */
static int fetch(const union place *place, socklen_t size, char *reply)
{
    static const char request[] =
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const int tried = socket(place->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    reply[0] = '\0';
    if (tried < 0) {
        return errno;
    }
    setsockopt(tried, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(tried, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    size_t len = 0;
    ssize_t got = -1;
    if (connect(tried, &place->any, size) == 0 &&
        send(tried, request, sizeof(request) - 1, MSG_NOSIGNAL) == sizeof(request) - 1) {
        while (len < REPLY_SIZE - 1 &&
               (got = recv(tried, reply + len, REPLY_SIZE - 1 - len, 0)) > 0) {
            len += (size_t)got;
        }
    }
    const int why = got < 0 ? errno : 0;
    close(tried);
    reply[len] = '\0';
    return why;
}

static void check_version(struct doctor_findings *findings, const struct doctor_host *host,
                          const char *page)
{
    static const char series[] = "\nmxclash_build_info{";
    const char *info = strstr(page, series);
    const char *version = info != NULL ? strstr(info, "version=\"" MXCLASH_VERSION "\"") : NULL;
    if (info == NULL) {
        doctor_say(findings, doctor_bad, "http", "give http-listen a place that nobody else has",
                   "somebody else answers there: no mxclash_build_info in /metrics");
    } else if (version == NULL || version > strchr(info + 1, '\n')) {
        char cure[64];
        snprintf(cure, sizeof(cure), "restart %s, or install both anew", doctor_name(host));
        doctor_say(findings, doctor_warn, "version", cure,
                   "what runs is of another version than this command, " MXCLASH_VERSION);
    } else {
        doctor_say(findings, doctor_ok, "version", NULL, "what runs is " MXCLASH_VERSION);
    }
}

static void check_counters(struct doctor_findings *findings, const struct doctor_host *host,
                           const char *page)
{
    static const char *const sinks[] = {"file", "syslog"};
    const double seen = doctor_value(page, "mxclash_answers_inspected_total{source=\"upstream\"}");
    if (seen >= 0) {
        doctor_say(findings, seen > 0 ? doctor_ok : doctor_warn, "answers",
                   seen > 0 ? NULL : "ask the resolver something, and say it again",
                   "%.0f answers of authorities were looked at", seen);
    }
    for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++) {
        char series[80];
        snprintf(series, sizeof(series), "mxclash_events_dropped_total{sink=\"%s\"}", sinks[i]);
        const double dropped = doctor_value(page, series);
        if (dropped > 0) {
            char cure[64];
            snprintf(cure, sizeof(cure), "see %s's log for the reason", doctor_name(host));
            doctor_say(findings, doctor_warn, "events", cure,
                       "%.0f events did not get into the log (%s) since the start", dropped,
                       sinks[i]);
        }
    }
}

/** \return whether the page could be read */
static bool check_listener(struct doctor_findings *findings, const struct doctor_host *host,
                           const char *listen, char *reply)
{
    union place place;
    const socklen_t size = read_place(host, listen, &place);
    const int why = size != 0 ? fetch(&place, size, reply) : ENAMETOOLONG;
    if (why == EAGAIN || why == EWOULDBLOCK || (why == 0 && reply[0] == '\0')) {
        doctor_say(findings, doctor_bad, "http", "see who holds its connections",
                   "%s takes a connection and does not answer", listen);
    } else if (why == EACCES || why == EPERM) {
        doctor_say(findings, doctor_warn, "http", "say it as root", "%s: %s", listen,
                   strerror(why));
    } else if (why != 0) {
        char cure[96];
        snprintf(cure, sizeof(cure),
                 "see %s's log for the reason; another process may have the port",
                 doctor_name(host));
        doctor_say(findings, doctor_bad, "http", cure, "%s: %s", listen, strerror(why));
    } else if (strncmp(reply, "HTTP/1.1 200 ", 13) != 0) {
        doctor_say(findings, doctor_bad, "http", "give http-listen a place that nobody else has",
                   "%s answers /metrics with %.*s", listen, (int)strcspn(reply, "\r\n"), reply);
    } else {
        doctor_say(findings, doctor_ok, "http", NULL, "%s answers", listen);
        return true;
    }
    return false;
}

void doctor_http(struct doctor_findings *findings, const struct doctor_host *host,
                 const struct config *config)
{
    if (config->http_listen_count == 0) {
        doctor_say(findings, doctor_warn, "http", "set http-listen",
                   "no http-listen: nobody can read the counters");
        return;
    }
    char *reply = doctor_runs(host) ? malloc(REPLY_SIZE) : NULL;
    bool read = false;
    for (size_t i = 0; i < config->http_listen_count && reply != NULL; i++) {
        const bool first = !read;
        read = check_listener(findings, host, config->http_listen[i], reply) || read;
        if (first && read) {
            check_version(findings, host, reply);
            if (host->kind == doctor_sidecar) {
                doctor_senders(findings, config, reply);
            }
            check_counters(findings, host, reply);
        }
    }
    free(reply);
}
