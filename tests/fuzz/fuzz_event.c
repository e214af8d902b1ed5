/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Fuzz target: events with whatever names, numbers and texts, on their way to every sink: the
 * JSON line in the file and to the log daemon, the line in the host's log, the metrics of domains.
 *
 * An input begins with one octet: 14 has the events go all the way through the queue, 15 does so
 * with a log file that ends inside a line, 16 more has the metrics written. Then come the machine's
 * name (its length first) and up to EVENTS_MAX events as source_event() reads them.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <jansson.h>

#include "event_source.h"
#include "exposition.h"
#include "fuzz.h"
#include "output/json.h"
#include "output/metrics.h"
#include "output/report.h"

#define EVENTS_MAX 4
enum { log_number = 500, daemon_number };
#define TIME_MAX INT64_C(253402300799999)

static bool is_conflict(const struct mxclash_event *event)
{
    return event->type != mxclash_started && event->type != mxclash_stopped;
}

/** Does the host's log tell of it? */
static bool is_told(const struct mxclash_event *event)
{
    return event->type == mxclash_opened || event->type == mxclash_changed ||
           event->type == mxclash_cleared || event->type == mxclash_expired;
}

/* --- the JSON line -----------------------------------------------------------------------------
 */

static void check_string(const json_t *value, const char *wanted)
{
    MUST(json_is_string(value) && strcmp(json_string_value(value), wanted) == 0);
}

static void check_name(const json_t *value, const uint8_t *name, size_t name_len)
{
    char text[MXCLASH_NAME_TEXT_MAX];

    if (mxclash_name_to_text(name, name_len, text) == mxclash_ok)
        check_string(value, text);
    else
        MUST(json_is_null(value));
}

/** RFC 3339 with milliseconds, of the nearest time that it can write. */
static void check_time(const json_t *value, mxclash_time time)
{
    mxclash_time written;
    const char *text = json_string_value(value);
    struct tm utc = {0};
    int ms, read = 0;

    MUST(text != NULL && strlen(text) == 24);
    MUST(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
                &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &ms, &read) == 7 &&
         read == 24);
    utc.tm_year -= 1900;
    utc.tm_mon--;
    written = timegm(&utc) * INT64_C(1000) + ms;
    MUST(written == (time < 0 ? 0 : time > TIME_MAX ? TIME_MAX : time));
}

static void check_authority(const json_t *value, const struct mxclash_address *authority)
{
    const char *text = json_string_value(value);
    struct in6_addr octets;

    if (authority->family == 4) {
        MUST(text != NULL && inet_pton(AF_INET, text, &octets) == 1);
        MUST(memcmp(&octets, authority->octets, sizeof(struct in_addr)) == 0);
    } else if (authority->family == 6) {
        MUST(text != NULL && inet_pton(AF_INET6, text, &octets) == 1);
        MUST(memcmp(&octets, authority->octets, sizeof(octets)) == 0);
    } else {
        MUST(json_is_null(value));
    }
}

/** Texts of the operator's and the host's: null stands for none and for what is no UTF-8. */
static void check_text(const json_t *value, const char *text)
{
    json_t *known = text == NULL ? NULL : json_string(text);

    if (known == NULL)
        MUST(json_is_null(value));
    else
        check_string(value, text);
    json_decref(known);
}

static void check_mx(const json_t *list, const struct mxclash_event *event)
{
    MUST(json_is_array(list) && json_array_size(list) == event->mx_count);
    for (size_t i = 0; i < event->mx_count; i++) {
        const json_t *one = json_array_get(list, i);

        MUST(json_object_size(one) == 2);
        MUST(json_integer_value(json_object_get(one, "preference")) == event->mx[i].preference);
        check_name(json_object_get(one, "exchange"), event->mx[i].exchange,
                   event->mx[i].exchange_len);
    }
}

static void check_advice(const json_t *list, uint32_t advice)
{
    size_t steps = 0;

    MUST(json_is_array(list));
    for (int bit = 0; bit < MXCLASH_ADVICES; bit++)
        if ((advice & UINT32_C(1) << bit) != 0)
            check_string(json_array_get(list, steps++), mxclash_advice_name(UINT32_C(1) << bit));
    MUST(json_array_size(list) == steps);
}

static void check_cname(const json_t *cname, const struct mxclash_event *event)
{
    if (event->cname_target_len == 0) {
        MUST(json_is_null(cname));
        return;
    }
    MUST(json_object_size(cname) == 2);
    check_name(json_object_get(cname, "target"), event->cname_target, event->cname_target_len);
    MUST(json_integer_value(json_object_get(cname, "ttl")) == event->cname_ttl);
}

/** What is yes, no or unknown. */
static void check_third(const json_t *value, bool known, bool yes)
{
    MUST(known ? json_is_boolean(value) && json_is_true(value) == yes : json_is_null(value));
}

static void check_conflict(const json_t *object, const struct mxclash_event *event)
{
    uint64_t queries = (uint64_t)json_integer_value(json_object_get(object, "mx_queries"));

    MUST(json_object_size(object) == 22);
    check_name(json_object_get(object, "domain"), event->owner, event->owner_len);
    check_name(json_object_get(object, "zone"), event->zone, event->zone_len);
    check_string(json_object_get(object, "kind"), mxclash_kind_name(event->kind));
    check_string(json_object_get(object, "state"), mxclash_state_name(event->state));
    check_string(json_object_get(object, "evidence"), mxclash_evidence_name(event->evidence));
    check_string(json_object_get(object, "impact"), mxclash_impact_name(event->impact));
    check_third(json_object_get(object, "apex"), event->apex != mxclash_apex_unknown,
                event->apex == mxclash_apex_yes);
    check_third(json_object_get(object, "hides_spf"), event->hides_spf != mxclash_unknown,
                event->hides_spf == mxclash_yes);
    check_text(json_object_get(object, "spf"), mxclash_spf_name(event->spf));
    check_third(json_object_get(object, "authorities_differ"),
                event->servers != mxclash_servers_unknown,
                event->servers == mxclash_servers_differ);
    check_cname(json_object_get(object, "cname"), event);
    check_mx(json_object_get(object, "mx"), event);
    check_text(json_object_get(object, "provider"),
               event->provider[0] != '\0' ? event->provider : NULL);
    check_authority(json_object_get(object, "authority"), &event->authority);
    check_time(json_object_get(object, "first_seen"), event->first_seen);
    check_time(json_object_get(object, "last_seen"), event->last_seen);
    MUST(queries == (event->mx_queries > INT64_MAX ? INT64_MAX : event->mx_queries));
    check_advice(json_object_get(object, "advice"), event->advice);
    MUST(json_integer_value(json_object_get(object, "held_back")) == event->held_back);
}

/** One line of ASCII without control octets, but for DEL, which JSON lets stand. */
static bool is_line(const char *text)
{
    while ((unsigned char)*text >= 0x20 && (unsigned char)*text <= 0x7f)
        text++;
    return *text == '\0';
}

static void check_json(const char *line, const struct mxclash_event *event, const char *host)
{
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

    MUST(is_line(line));
    MUST(json_is_object(object));
    check_time(json_object_get(object, "time"), event->time);
    check_string(json_object_get(object, "event"), mxclash_event_type_name(event->type));
    check_text(json_object_get(object, "host"), host);
    if (is_conflict(event))
        check_conflict(object, event);
    else
        MUST(json_object_size(object) == 4 && json_object_get(object, "version") != NULL);
    json_decref(object);
}

/* --- the sinks ---------------------------------------------------------------------------------
 */

/** What the host's log got. */
struct told {
    char *lines[EVENTS_MAX + 1];
    size_t count;
};

static void host_log(void *context, const char *line)
{
    struct told *told = context;

    MUST(told->count <= EVENTS_MAX);
    MUST((told->lines[told->count++] = strdup(line)) != NULL);
}

/** Open a log daemon's socket that lives as long as we do and needs no name. */
static int open_daemon(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[] = P_tmpdir "/mxclash-fuzz-XXXXXX";
    int daemon = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int file;

    MUST(daemon >= 0 && mkdtemp(folder) != NULL);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/log", folder);
    MUST(bind(daemon, (struct sockaddr *)&address, sizeof(address)) == 0);
    MUST((file = open(address.sun_path, O_PATH | O_CLOEXEC)) >= 0);
    MUST(dup3(file, daemon_number, O_CLOEXEC) == daemon_number);
    close(file);
    unlink(address.sun_path);
    rmdir(folder);
    return daemon;
}

/** Each event is one line, in order, and the lines are all that the file got. */
static void check_file(bool half_line, const struct mxclash_event *events, size_t count,
                       const char *host)
{
    off_t octets = lseek(log_number, 0, SEEK_END);
    char *text = calloc(1, (size_t)octets + 1), *line = text;

    MUST(text != NULL && pread(log_number, text, (size_t)octets, 0) == octets);
    if (half_line && count != 0) {
        MUST(strncmp(line, "{\n", 2) == 0);
        line += 2;
    }
    for (size_t i = 0; i < count; i++) {
        char *end = strchr(line, '\n');

        MUST(end != NULL);
        *end = '\0';
        check_json(line, &events[i], host);
        line = end + 1;
    }
    MUST(line == text + octets || count == 0);
    free(text);
}

static void check_daemon(int daemon, const struct mxclash_event *events, size_t count,
                         const char *host)
{
    static char line[65536];

    for (size_t i = 0; i < count; i++) {
        ssize_t octets = recv(daemon, line, sizeof(line) - 1, 0);
        const char *json;

        MUST(octets > 0);
        line[octets] = '\0';
        MUST(strlen(line) == (size_t)octets && is_line(line));
        MUST((json = strstr(line, ": @cee: ")) != NULL);
        check_json(json + strlen(": @cee: "), &events[i], host);
    }
    MUST(recv(daemon, line, sizeof(line), 0) == -1);
}

static void check_readable(const char *line, const struct mxclash_event *event)
{
    char owner[MXCLASH_NAME_TEXT_MAX], head[MXCLASH_NAME_TEXT_MAX + 128];

    mxclash_name_to_text(event->owner, event->owner_len, owner);
    snprintf(head, sizeof(head), "mxclash: %s %s %s %s: ", mxclash_event_type_name(event->type),
             mxclash_state_name(event->state), mxclash_kind_name(event->kind), owner);
    MUST(fuzz_log_line(line) && strncmp(line, head, strlen(head)) == 0);
}

static void check_told(struct told *told, const struct mxclash_event *events, size_t count)
{
    size_t lines = 0;

    for (size_t i = 0; i < count; i++) {
        if (!is_told(&events[i]))
            continue;
        MUST(lines < told->count);
        check_readable(told->lines[lines], &events[i]);
        free(told->lines[lines++]);
    }
    MUST(lines == told->count);
}

/** What the writer thread calls, called here. */
static void check_texts(const struct mxclash_event *event, const char *host)
{
    char *json = json_event(event, host);
    char *readable = is_told(event) ? readable_event(event) : NULL;

    MUST(json != NULL);
    check_json(json, event, host);
    if (is_told(event))
        check_readable(readable, event);
    free(json);
    free(readable);
}

/** Through the queue and its thread into all sinks. */
static void check_report(bool half_line, const struct mxclash_event *events, size_t count,
                         const char *host)
{
    static int daemon = -1;
    struct told told = {.count = 0};
    const struct report_options options = {
        .log_file = "/proc/self/fd/500",
        .log_syslog = true,
        .syslog_path = "/proc/self/fd/501",
        .program = "fuzz",
        .log_host = true,
        .host = host,
        .host_log = host_log,
        .context = &told,
    };
    struct report *report;

    if (daemon == -1) {
        fuzz_file_open(log_number);
        daemon = open_daemon();
    }
    fuzz_file_fill(log_number, "{", half_line);
    MUST((report = report_start(&options)) != NULL);
    for (size_t i = 0; i < count; i++)
        report_submit(report, &events[i]);
    report_stop(report);
    check_file(half_line, events, count, host);
    check_daemon(daemon, events, count, host);
    check_told(&told, events, count);
}

/* --- the metrics -------------------------------------------------------------------------------
 */

static void check_text_of(char *text, bool openmetrics, size_t samples_min)
{
    MUST(text != NULL && exposition_check(text, openmetrics) >= samples_min);
    free(text);
}

/** All other metrics know of an input only what the host is called, and numbers. */
static void check_metrics(const struct mxclash_event *event, const char *host)
{
    struct metrics_input input = {.host = host, .host_version = host};

    memset(&input.engine, (int)event->mx_queries, sizeof(input.engine));
    check_text_of(metrics_text(&input, metrics_prometheus), false, 50);
    check_text_of(metrics_text(&input, metrics_openmetrics), true, 50);
}

/** The engine's names are good ones, in lower case: so are these, with the root for a bad one. */
static struct mxclash_domain domain_of(const struct mxclash_event *event)
{
    struct mxclash_domain domain = {
        .owner_len = 1,
        .kind = event->kind,
        .state = event->state,
        .mx_queries = event->mx_queries,
        .first_seen = event->first_seen,
        .last_seen = event->last_seen,
    };
    char text[MXCLASH_NAME_TEXT_MAX];
    size_t len;

    strcpy(domain.provider, event->provider);
    if (mxclash_name_to_text(event->owner, event->owner_len, text) == mxclash_ok) {
        MUST(mxclash_name_from_text(text, domain.owner, &len) == mxclash_ok);
        domain.owner_len = (uint8_t)len;
    }
    return domain;
}

/** Whatever stands twice among the domains, no series does. */
static void check_domains(const struct mxclash_event *events, size_t count)
{
    static struct mxclash_domain domains[EVENTS_MAX];
    size_t known = 0;

    for (size_t i = 0; i < count; i++)
        if (events[i].kind < MXCLASH_KINDS)
            domains[known++] = domain_of(&events[i]);
    check_text_of(metrics_domains_text(domains, known, metrics_prometheus), false,
                  known == 0 ? 0 : 2);
    check_text_of(metrics_domains_text(domains, known, metrics_openmetrics), true,
                  known == 0 ? 0 : 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mxclash_event events[EVENTS_MAX];
    struct source source = {data, size};
    uint8_t choice = source_octet(&source);
    size_t count = 0;
    char host[256];

    source_text(&source, host);
    while (count < EVENTS_MAX && source.size > 0) {
        source_event(&source, &events[count]);
        count++;
    }
    for (size_t i = 0; i < count; i++)
        check_texts(&events[i], host);
    /* a thread each time: too slow for every input */
    if ((choice & 0x0e) == 0x0e)
        check_report(choice & 1, events, count, host);
    check_domains(events, count);
    if (count != 0 && (choice & 0x70) == 0x10)
        check_metrics(&events[0], host);
    return 0;
}
