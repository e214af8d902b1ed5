/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The configuration file: its keys, their defaults, and how a file is read over them.
 */
#include "runtime/config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/config_text.h"
#include "runtime/config_value.h"
#include "runtime/edit_distance.h"
#include "runtime/provider_file.h"

enum kind {
    kind_flag,
    kind_number,
    kind_size,
    kind_path,
    kind_group,
    kind_provider_file,
    /* the kinds from here on may stand in the file more than once */
    kind_listen,
    kind_listen_near,
    kind_domain,
    kind_domain_file,
    kind_server,
    kind_net,
    kind_host,
};

struct key {
    const char *name;
    enum kind kind;
    /** of the member of struct config that takes the value; 0 for ignored domains */
    size_t offset;
    /** of the member that counts a list */
    size_t count_offset;
    /** bounds of a number, or of octets */
    uint64_t min;
    uint64_t max;
    /** the default as it would stand in the file; NULL = nothing */
    const char *preset;
    /** shown where a value is missing, with quotes where a file would have them */
    const char *example;
};

#define MEMBER(name) .offset = offsetof(struct config, name)
#define LIST(name)   MEMBER(name), .count_offset = offsetof(struct config, name##_count)

/** The order is that of docs/configuration.md. */
static const struct key keys[] = {
    {"log-file", kind_path, MEMBER(log_file), .preset = "",
     .example = "\"/var/log/unbound/mxclash.json\""},
    {"log-syslog", kind_flag, MEMBER(log_syslog), .preset = "no", .example = "no"},
    {"log-host", kind_flag, MEMBER(log_host), .preset = "yes", .example = "yes"},
    {"tally-interval", kind_number, MEMBER(tally_interval_s), .min = 0, .max = 86400,
     .preset = "300", .example = "300"},
    {"state-file", kind_path, MEMBER(state_file), .preset = "",
     .example = "\"/var/lib/unbound/mxclash.state\""},
    {"database", kind_path, MEMBER(database), .preset = "/var/lib/mxclash/book.db",
     .example = "\"/var/lib/mxclash/book.db\""},
    {"retention-days", kind_number, MEMBER(retention_days), .min = 1, .max = 36500, .preset = "90",
     .example = "90"},
    {"page-listen", kind_listen, LIST(page_listen), .preset = "127.0.0.1@9854",
     .example = "127.0.0.1@9854"},
    {"page-host", kind_host, LIST(page_host), .example = "resolver1.example.net"},
    {"page-group", kind_group, MEMBER(page_group), .preset = "", .example = "www-data"},
    {"http-listen", kind_listen, LIST(http_listen), .preset = "127.0.0.1@9853",
     .example = "127.0.0.1@9853"},
    {"dnstap-listen", kind_listen_near, LIST(dnstap_listen),
     .example = "\"/run/mxclash/dnstap.sock\""},
    {"table-size", kind_size, MEMBER(table_size), .min = 1 << 18, .max = UINT64_C(1) << 36,
     .preset = "16m", .example = "16m"},
    {"probe", kind_flag, MEMBER(probe), .preset = "yes", .example = "yes"},
    {"probe-rate", kind_number, MEMBER(probe_rate), .min = 1, .max = 100000, .preset = "10",
     .example = "10"},
    {"confirm-after", kind_number, MEMBER(confirm_after_s), .min = 0, .max = 60, .preset = "2",
     .example = "2"},
    {"recheck-interval", kind_number, MEMBER(recheck_interval_s), .min = 1, .max = 604800,
     .preset = "3600", .example = "3600"},
    {"expire-after", kind_number, MEMBER(expire_after_s), .min = 60, .max = 31536000,
     .preset = "172800", .example = "172800"},
    {"annotate", kind_flag, MEMBER(annotate), .preset = "no", .example = "no"},
    {"repair", kind_flag, MEMBER(repair), .preset = "no", .example = "no"},
    {"top-domains", kind_number, MEMBER(top_domains), .min = 0, .max = 10000, .preset = "100",
     .example = "100"},
    {"resolver", kind_server, LIST(resolver), .example = "192.0.2.53"},
    {"do-not-ask", kind_net, LIST(do_not_ask), .example = "10.0.0.0/8"},
    {"may-ask", kind_net, LIST(may_ask), .example = "127.0.0.0/8"},
    {"ignore-domain", kind_domain, .example = "example.org"},
    {"ignore-file", kind_domain_file, .example = "\"/etc/unbound/mxclash.ignore\""},
    {"provider-file", kind_provider_file, MEMBER(provider_file), .preset = "",
     .example = "\"/etc/unbound/mxclash.providers\""},
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

/** Name of the clause that may head the file, as server: heads Unbound's. */
static const char clause[] = "mxclash";

/** Edits that still make a mistyped key. */
#define TYPING_ERRORS 2u

struct loader {
    struct config *config;
    struct config_lines lines;
    /** line where each key stood first; 0 = not yet */
    unsigned long first_line[KEYS];
    /** line where a kind_listen says "", which means none; 0 = nowhere */
    unsigned long none_line[KEYS];
    /** a key or the clause has been read */
    bool begun;
};

/** Append a copy of text. \return false if there is no memory; the list is as before */
static bool add_text(char ***list, size_t *count, const char *text)
{
    /* The room is the next power of two, so only the count need be kept. */
    if ((*count & (*count - 1)) == 0) {
        const size_t room = *count == 0 ? 1 : *count * 2;
        char **more = realloc(*list, room * sizeof(**list));
        if (more == NULL) {
            return false;
        }
        *list = more;
    }
    char *copy = strdup(text);
    if (copy == NULL) {
        return false;
    }
    (*list)[(*count)++] = copy;
    return true;
}

static void free_texts(char ***list, size_t *count)
{
    for (size_t i = 0; i < *count; i++) {
        free((*list)[i]);
    }
    free(*list);
    *list = NULL;
    *count = 0;
}

static bool no_memory(const struct config_place *place)
{
    return config_fault(place, "no memory");
}

static bool set_path(struct config *config, const struct config_place *place, const struct key *key,
                     const char *text)
{
    if (key->kind != kind_group && !config_path(place, text)) {
        return false;
    }
    char **member = (char **)(void *)((char *)config + key->offset);
    char *copy = strdup(text);
    if (copy == NULL) {
        return no_memory(place);
    }
    free(*member);
    *member = copy;
    return true;
}

/** Keep a table of mailbox providers. A fault inside of it has its own place. */
static bool set_provider_file(struct config *config, const struct config_place *place,
                              const struct key *key, const char *path)
{
    char shown[CONFIG_QUOTE_MAX];
    if (!set_path(config, place, key, path)) {
        return false;
    }
    if (path[0] == '\0') {
        return true;
    }
    const char *reason =
        provider_file_read(path, &config->provider_text, &config->provider_text_len);
    if (reason != NULL) {
        return config_fault(place, "cannot read %s: %s", config_quote(path, shown), reason);
    }
    struct providers *providers =
        provider_file_parse(path, config->provider_text, config->provider_text_len, place->error);
    providers_free(providers);
    return providers != NULL;
}

/** A key's list in struct config. */
struct list {
    char ***texts;
    size_t *count;
};

static struct list list_of(struct config *config, const struct key *key)
{
    return (struct list){(char ***)(void *)((char *)config + key->offset),
                         (size_t *)(void *)((char *)config + key->count_offset)};
}

static bool add_listen(struct config *config, const struct config_place *place,
                       const struct key *key, const char *text)
{
    const struct list list = list_of(config, key);
    char shown[CONFIG_QUOTE_MAX];
    char where[CONFIG_LISTEN_MAX];
    if (!config_listen(place, text, where) ||
        (key->kind == kind_listen_near && !config_is_near(place, where))) {
        return false;
    }
    for (size_t i = 0; i < *list.count; i++) {
        if (strcmp((*list.texts)[i], where) == 0) {
            return config_fault(place, "%s stands here twice; take one out",
                                config_quote(where, shown));
        }
    }
    return add_text(list.texts, list.count, where) || no_memory(place);
}

static bool add_domain(struct config *config, const struct config_place *place, const char *text)
{
    return config_domain(place, text) &&
           (add_text(&config->ignore, &config->ignore_count, text) || no_memory(place));
}

/** Read the names of an ignore-file: one a line. A fault inside of it has its own place. */
static bool add_domain_file(struct config *config, const struct config_place *place,
                            const char *path)
{
    char shown[CONFIG_QUOTE_MAX];
    if (!config_path(place, path)) {
        return false;
    }
    if (path[0] == '\0') {
        return true;
    }
    struct config_lines lines;
    const char *reason = config_lines_open(&lines, path, place->error);
    if (reason != NULL) {
        return config_fault(place, "cannot read %s: %s", config_quote(path, shown), reason);
    }
    bool good = true;
    while (good) {
        const enum config_line line = config_lines_next(&lines);
        if (line != config_line_read) {
            good = line == config_line_end;
            break;
        }
        char *name;
        good = config_take_value(&lines.place, lines.text, &name) &&
               (name == NULL || add_domain(config, &lines.place, name));
    }
    config_lines_close(&lines);
    return good;
}

/** A list of servers, nets or names; "" adds nothing. */
static bool add_to_list(struct config *config, const struct config_place *place,
                        const struct key *key, const char *text)
{
    const struct list list = list_of(config, key);
    if (text[0] == '\0') {
        return true;
    }
    if (!(key->kind == kind_server ? config_server
          : key->kind == kind_net  ? config_net
                                   : config_domain)(place, text)) {
        return false;
    }
    return add_text(list.texts, list.count, text) || no_memory(place);
}

/** Check a value and put it into config. \return false after config_fault() */
static bool set_value(struct config *config, const struct config_place *place,
                      const struct key *key, const char *text)
{
    void *member = (char *)config + key->offset;
    switch (key->kind) {
    case kind_flag:
        return config_flag(place, text, member);
    case kind_number:
        return config_number(place, text, (unsigned)key->min, (unsigned)key->max, member);
    case kind_size:
        return config_size(place, text, key->min, key->max, member);
    case kind_path:
    case kind_group:
        return set_path(config, place, key, text);
    case kind_provider_file:
        return set_provider_file(config, place, key, text);
    case kind_listen:
    case kind_listen_near:
        return add_listen(config, place, key, text);
    case kind_domain:
        return add_domain(config, place, text);
    case kind_domain_file:
        return add_domain_file(config, place, text);
    case kind_server:
    case kind_net:
    case kind_host:
        return add_to_list(config, place, key, text);
    }
    return false;
}

bool config_defaults(struct config *config)
{
    char error[CONFIG_ERROR_MAX];
    memset(config, 0, sizeof(*config));
    for (size_t i = 0; i < KEYS; i++) {
        const struct config_place place = {.path = "", .key = keys[i].name, .error = error};
        if (keys[i].preset != NULL && !set_value(config, &place, &keys[i], keys[i].preset)) {
            config_free(config);
            return false;
        }
    }
    return true;
}

void config_free(struct config *config)
{
    free(config->log_file);
    free(config->state_file);
    free(config->database);
    free(config->page_group);
    free(config->provider_file);
    free(config->provider_text);
    free_texts(&config->http_listen, &config->http_listen_count);
    free_texts(&config->page_listen, &config->page_listen_count);
    free_texts(&config->dnstap_listen, &config->dnstap_listen_count);
    free_texts(&config->page_host, &config->page_host_count);
    free_texts(&config->ignore, &config->ignore_count);
    free_texts(&config->resolver, &config->resolver_count);
    free_texts(&config->do_not_ask, &config->do_not_ask_count);
    free_texts(&config->may_ask, &config->may_ask_count);
    memset(config, 0, sizeof(*config));
}

/** \return index of the key that name means; KEYS after config_fault() */
static size_t find_key(const struct config_place *place, const char *name)
{
    char shown[CONFIG_QUOTE_MAX];
    const char *nearest = NULL;
    unsigned nearest_distance = TYPING_ERRORS + 1;
    for (size_t i = 0; i < KEYS; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return i;
        }
        const unsigned distance = edit_distance(name, keys[i].name);
        if (distance < nearest_distance) {
            nearest = keys[i].name;
            nearest_distance = distance;
        }
    }
    if (nearest != NULL) {
        config_fault(place, "unknown key %s; did you mean %s?", config_quote(name, shown), nearest);
    } else {
        config_fault(place, "unknown key %s; mxclash.conf(5) lists the keys",
                     config_quote(name, shown));
    }
    return KEYS;
}

/**
 * The rules of a list of listeners as a whole: its first line replaces the default, and "" stands
 * alone.
 * \return false after config_fault()
 */
static bool prepare_listen(struct loader *loader, const struct config_place *place, size_t index,
                           unsigned long first_line, const char *text)
{
    const struct list list = list_of(loader->config, &keys[index]);
    const bool none = text[0] == '\0';
    if (first_line == 0) {
        free_texts(list.texts, list.count);
        loader->none_line[index] = none ? place->line : 0;
        return true;
    }
    if (none || loader->none_line[index] > 0) {
        return config_fault(place, "%s; keep only one of the two",
                            none ? "\"\" means none, but a line above gives another value"
                                 : "a line above says \"\", which means none");
    }
    return true;
}

static bool read_clause(struct loader *loader, char *behind)
{
    if (!config_is_end(config_skip_blanks(behind))) {
        return config_fault(&loader->lines.place,
                            "text behind %s:; write each key in a line of its own", clause);
    }
    if (loader->begun) {
        return config_fault(&loader->lines.place,
                            "%s: stands below other lines; it may head the file, once", clause);
    }
    loader->begun = true;
    return true;
}

static bool read_key(struct loader *loader, const char *name, char *behind)
{
    struct config_place place = loader->lines.place;
    const size_t index = find_key(&place, name);
    if (index == KEYS) {
        return false;
    }
    const struct key *key = &keys[index];
    const unsigned long first_line = loader->first_line[index];
    place.key = key->name;
    if (first_line > 0 && key->kind < kind_listen) {
        return config_fault(&place, "stands in line %lu already; take one out", first_line);
    }
    char *text;
    if (!config_take_value(&place, behind, &text)) {
        return false;
    }
    if (text == NULL) {
        return config_fault(&place, "no value; write one such as %s", key->example);
    }
    if (first_line == 0) {
        loader->first_line[index] = place.line;
    }
    if (key->kind == kind_listen || key->kind == kind_listen_near) {
        if (!prepare_listen(loader, &place, index, first_line, text)) {
            return false;
        }
        if (text[0] == '\0') {
            return true;
        }
    }
    return set_value(loader->config, &place, key, text);
}

/** Read the line in loader->lines. \return false after config_fault() */
static bool read_line(struct loader *loader)
{
    char shown[CONFIG_QUOTE_MAX];
    char *name = config_skip_blanks(loader->lines.text);
    if (config_is_end(name)) {
        return true;
    }
    char *end = name + strcspn(name, ": \t#\"'");
    if (end == name) {
        return config_fault(&loader->lines.place, "no key at %s; write key: value",
                            config_quote(name, shown));
    }
    if (*end != ':') {
        *end = '\0';
        return config_fault(&loader->lines.place, "no colon right behind %s; write key: value",
                            config_quote(name, shown));
    }
    *end = '\0';
    if (strcmp(name, clause) == 0) {
        return read_clause(loader, end + 1);
    }
    loader->begun = true;
    return read_key(loader, name, end + 1);
}

bool config_load(const char *path, struct config *config, char error[CONFIG_ERROR_MAX])
{
    struct loader loader = {.config = config};
    const struct config_place whole = {.path = path, .error = error};
    if (!config_defaults(config)) {
        return no_memory(&whole);
    }
    const char *reason = config_lines_open(&loader.lines, path, error);
    if (reason != NULL) {
        config_free(config);
        return config_fault(&whole, "%s", reason);
    }
    enum config_line line;
    bool good = true;
    while (good && (line = config_lines_next(&loader.lines)) != config_line_end) {
        good = line == config_line_read && read_line(&loader);
    }
    config_lines_close(&loader.lines);
    if (!good) {
        config_free(config);
    }
    return good;
}

bool config_locate(const char *folder, char *path, size_t path_size, bool *holds)
{
    const char *named = getenv("MXCLASH_CONF");
    /* An empty variable names nothing: it is how a service file takes the setting back. */
    const bool is_named = named != NULL && named[0] != '\0';
    const int len = is_named ? snprintf(path, path_size, "%s", named)
                             : snprintf(path, path_size, "%s/mxclash.conf", folder);
    if (len < 0 || (size_t)len >= path_size) {
        return false;
    }
    /* A link that leads nowhere is there too. */
    struct stat seen;
    *holds = is_named || lstat(path, &seen) == 0 || errno != ENOENT;
    return true;
}
