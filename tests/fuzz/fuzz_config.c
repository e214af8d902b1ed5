/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Fuzz target: configuration files. An input is a configuration; behind a first FUZZ_DIVIDER comes
 * what stands in an ignore-file, behind a second one what stands in a provider-file. The input
 * names the two by the paths below.
 *
 * A file that is taken must hold what its documentation promises, must make a detector, and must
 * come back the same when it is written out and read again. A fault must name its first bad line.
 */
#include <arpa/inet.h>

#include "fuzz.h"
#include "mxclash.h"
#include "runtime/config.h"
#include "runtime/config_text.h"
#include "runtime/options.h"

enum { config_number = 500, ignore_number, provider_number, around_number, scratch_number = 977 };
#define PATH(number) "/proc/self/fd/" #number
static const char config_path_text[] = PATH(500);
static const char around_path_text[] = PATH(503);
/** What an input is held against; an input that names it is passed over. */
static const char scratch_path_text[] = PATH(977);

/* --- what is taken -----------------------------------------------------------------------------
 */

static void check_listen(char *const *listens, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = listens[i];
        const char *at = strchr(text, '@');
        uint8_t octets[sizeof(struct in6_addr)];
        char address[INET6_ADDRSTRLEN];

        for (size_t j = 0; j < i; j++)
            MUST(strcmp(text, listens[j]) != 0);
        if (text[0] == '/') {
            MUST(strlen(text) <= 107 && text[strlen(text) - 1] != '/');
            continue;
        }
        MUST(at != NULL && at - text < (ptrdiff_t)sizeof(address));
        MUST(strtoul(at + 1, NULL, 10) - 1 < 65535);
        snprintf(address, sizeof(address), "%.*s", (int)(at - text), text);
        MUST(inet_pton(AF_INET, address, octets) == 1 || inet_pton(AF_INET6, address, octets) == 1);
    }
}

static void check_path(const char *path)
{
    MUST(path[0] == '\0' || (path[0] == '/' && path[strlen(path) - 1] != '/'));
}

static void check_values(const struct config *config)
{
    uint8_t name[MXCLASH_NAME_MAX];
    size_t name_len;

    check_path(config->log_file);
    check_path(config->database);
    check_path(config->provider_file);
    check_listen(config->http_listen, config->http_listen_count);
    check_listen(config->page_listen, config->page_listen_count);
    check_listen(config->dnstap_listen, config->dnstap_listen_count);
    MUST(config->retention_days >= 1 && config->retention_days <= 36500);
    MUST(config->table_size >= 262144 && config->table_size <= (size_t)1 << 36);
    MUST(config->probe_rate >= 1 && config->probe_rate <= 100000);
    MUST(config->confirm_after_s <= 60);
    MUST(config->recheck_interval_s >= 1 && config->recheck_interval_s <= 604800);
    MUST(config->expire_after_s >= 60 && config->expire_after_s <= 31536000);
    MUST(config->top_domains <= 10000);
    MUST((config->provider_text != NULL) == (config->provider_file[0] != '\0'));
    for (size_t i = 0; i < config->ignore_count; i++)
        MUST(mxclash_name_from_text(config->ignore[i], name, &name_len) == mxclash_ok);
}

/** What the file says must be what a detector takes; only room may lack. */
static void check_engine(const struct config *config)
{
    const struct mxclash_options options = config_to_options(config);
    struct mxclash_engine *engine;
    const bool small = config->ignore_count <= 16 && config->provider_text_len <= 1024;

    /* larger ones only take time */
    if (config->table_size > 1 << 20)
        return;
    if (mxclash_engine_new(&options, &engine, NULL, 0) == mxclash_ok)
        mxclash_engine_free(engine);
    else
        MUST(!small || config->provider_text != NULL);
}

/* --- written out and read again ----------------------------------------------------------------
 */

/** \return true if a value that ends at one of stops ends with the text, not before it */
static bool ends_whole(const char *text, const char *stops)
{
    while (*text != '\0' && strchr(stops, *text) == NULL)
        text += *text == '\\' && text[1] != '\0' ? 2 : 1;
    return *text == '\0';
}

static bool ends_with_backslash(const char *text)
{
    size_t backslashes = 0;

    for (size_t at = strlen(text); at > 0 && text[at - 1] == '\\'; at--)
        backslashes++;
    return backslashes % 2 != 0;
}

static void write_value(FILE *out, const char *key, const char *value)
{
    const char *quote = "";

    if (value[0] == '\0' || !ends_whole(value, " \t#\"'"))
        quote = ends_whole(value, "\"") && !ends_with_backslash(value) ? "\"" : "'";
    fprintf(out, "%s:%s%s%s\n", key, quote, value, quote);
}

static void write_number(FILE *out, const char *key, size_t value)
{
    fprintf(out, "%s: %zu\n", key, value);
}

static void write_flag(FILE *out, const char *key, bool value)
{
    fprintf(out, "%s: %s\n", key, value ? "yes" : "no");
}

static void write_list(FILE *out, const char *key, char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        write_value(out, key, list[i]);
}

static void write_listens(FILE *out, const char *key, char *const *listens, size_t count)
{
    write_list(out, key, listens, count);
    if (count == 0)
        write_value(out, key, "");
}

/** Write a file that says the same, each key in its plainest form, ignored files resolved. */
static void write_config(FILE *out, const struct config *config)
{
    write_value(out, "log-file", config->log_file);
    write_flag(out, "log-syslog", config->log_syslog);
    write_flag(out, "log-host", config->log_host);
    write_value(out, "database", config->database);
    write_number(out, "retention-days", config->retention_days);
    write_listens(out, "http-listen", config->http_listen, config->http_listen_count);
    write_listens(out, "page-listen", config->page_listen, config->page_listen_count);
    write_list(out, "resolver", config->resolver, config->resolver_count);
    write_list(out, "do-not-ask", config->do_not_ask, config->do_not_ask_count);
    write_list(out, "may-ask", config->may_ask, config->may_ask_count);
    write_number(out, "table-size", config->table_size);
    write_flag(out, "probe", config->probe);
    write_number(out, "probe-rate", config->probe_rate);
    write_number(out, "confirm-after", config->confirm_after_s);
    write_number(out, "recheck-interval", config->recheck_interval_s);
    write_number(out, "expire-after", config->expire_after_s);
    write_flag(out, "annotate", config->annotate);
    write_flag(out, "repair", config->repair);
    write_number(out, "top-domains", config->top_domains);
    for (size_t i = 0; i < config->ignore_count; i++)
        write_value(out, "ignore-domain", config->ignore[i]);
    write_value(out, "provider-file", config->provider_file);
}

static void compare_lists(char **one, size_t one_count, char **other, size_t other_count)
{
    MUST(one_count == other_count);
    for (size_t i = 0; i < one_count; i++)
        MUST(strcmp(one[i], other[i]) == 0);
}

static void compare_configs(const struct config *one, const struct config *other)
{
    MUST(strcmp(one->log_file, other->log_file) == 0);
    MUST(strcmp(one->database, other->database) == 0);
    MUST(strcmp(one->provider_file, other->provider_file) == 0);
    MUST(one->log_syslog == other->log_syslog && one->log_host == other->log_host);
    MUST(one->retention_days == other->retention_days);
    MUST(one->table_size == other->table_size);
    MUST(one->probe == other->probe && one->probe_rate == other->probe_rate);
    MUST(one->confirm_after_s == other->confirm_after_s);
    MUST(one->recheck_interval_s == other->recheck_interval_s);
    MUST(one->expire_after_s == other->expire_after_s);
    MUST(one->annotate == other->annotate && one->repair == other->repair);
    MUST(one->top_domains == other->top_domains);
    MUST(one->provider_text_len == other->provider_text_len);
    MUST(one->provider_text_len == 0 ||
         memcmp(one->provider_text, other->provider_text, one->provider_text_len) == 0);
    compare_lists(one->http_listen, one->http_listen_count, other->http_listen,
                  other->http_listen_count);
    compare_lists(one->page_listen, one->page_listen_count, other->page_listen,
                  other->page_listen_count);
    compare_lists(one->resolver, one->resolver_count, other->resolver, other->resolver_count);
    compare_lists(one->do_not_ask, one->do_not_ask_count, other->do_not_ask,
                  other->do_not_ask_count);
    compare_lists(one->may_ask, one->may_ask_count, other->may_ask, other->may_ask_count);
    compare_lists(one->ignore, one->ignore_count, other->ignore, other->ignore_count);
}

static void check_written(const struct config *config)
{
    char error[CONFIG_ERROR_MAX];
    char *text = NULL;
    size_t octets;
    struct config again;
    FILE *out = open_memstream(&text, &octets);

    MUST(out != NULL);
    write_config(out, config);
    MUST(fclose(out) == 0);
    fuzz_file_fill(scratch_number, text, octets);
    MUST(config_load(scratch_path_text, &again, error));
    compare_configs(config, &again);
    config_free(&again);
    free(text);
}

/* --- faults ------------------------------------------------------------------------------------
 */

/** The line that a fault names is the first bad one: what stands below it does not matter. */
static void check_line(const uint8_t *data, size_t size, const char *error)
{
    char path[sizeof(config_path_text) + 1];
    char other[CONFIG_ERROR_MAX];
    struct config config;
    unsigned long line;

    snprintf(path, sizeof(path), "%s:", config_path_text);
    /* the fault is inside of another file, which may be this one under another name */
    if (strncmp(error, path, strlen(path)) != 0 || memmem(data, size, "fd", 2) != NULL)
        return;
    line = strtoul(error + strlen(path), NULL, 10);
    MUST(line >= 1 && (line == 1 || fuzz_line_at(data, size, line) < size));
    fuzz_file_fill(scratch_number, data, fuzz_line_at(data, size, line));
    MUST(config_load(scratch_path_text, &config, other));
    config_free(&config);
    fuzz_file_fill(scratch_number, data, fuzz_line_at(data, size, line + 1));
    MUST(!config_load(scratch_path_text, &config, other));
    MUST(strcmp(error + strlen(config_path_text), other + strlen(scratch_path_text)) == 0);
}

/** A comment above the first line changes nothing but the number of a line. */
static void check_below_comment(const uint8_t *data, size_t size, const char *error)
{
    static const char comment[] = "# \"'\\ x: y y y y y y y y y y y y y y y y y y y y y y y y y\n";
    const size_t config_len = strlen(config_path_text);
    char other[CONFIG_ERROR_MAX], *behind, *other_behind;
    struct config config;
    bool good;

    if ((size > 0 && data[0] == 0xef) || memmem(data, size, "fd", 2) != NULL)
        return; /* a byte order mark stands at the very start */
    fuzz_file_fill(scratch_number, comment, strlen(comment));
    MUST(size == 0 || pwrite(scratch_number, data, size, strlen(comment)) == (ssize_t)size);
    good = config_load(scratch_path_text, &config, other);
    MUST(good == (error == NULL));
    if (good) {
        config_free(&config);
        return;
    }
    MUST(strtoul(other + config_len + 1, &other_behind, 10) ==
         strtoul(error + config_len + 1, &behind, 10) + 1);
    /* a fault may name a line above it */
    MUST(strcmp(behind, other_behind) == 0 || strstr(behind, "in line") != NULL);
}

static void check_fault(char error[CONFIG_ERROR_MAX])
{
    MUST(memchr(error, '\0', CONFIG_ERROR_MAX) != NULL);
    /* it goes into logs */
    MUST(fuzz_log_line(error));
}

static void load(const uint8_t *data, size_t size)
{
    char error[CONFIG_ERROR_MAX];
    struct config config;

    memset(error, 'x', sizeof(error));
    fuzz_file_fill(config_number, data, size);
    if (!config_load(config_path_text, &config, error)) {
        check_fault(error);
        check_line(data, size, error);
        check_below_comment(data, size, error);
        return;
    }
    check_values(&config);
    check_engine(&config);
    check_written(&config);
    check_below_comment(data, size, NULL);
    config_free(&config);
}

/** The whole input as the ignore-file of a good configuration. */
static void load_ignored(const uint8_t *data, size_t size)
{
    char error[CONFIG_ERROR_MAX];
    struct config config;

    memset(error, 'x', sizeof(error));
    fuzz_file_fill(ignore_number, data, size);
    if (config_load(around_path_text, &config, error)) {
        check_values(&config);
        config_free(&config);
    } else {
        check_fault(error);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char around[] = "ignore-file: \"" PATH(501) "\"\n";
    const size_t config_size = fuzz_part(data, size);
    static bool ready;

    if (!ready) {
        for (int number = config_number; number <= around_number; number++)
            fuzz_file_open(number);
        fuzz_file_open(scratch_number);
        fuzz_file_fill(around_number, around, strlen(around));
        ready = true;
    }
    if (memmem(data, size, "977", 3) != NULL)
        return 0;
    if (config_size == size) {
        load_ignored(data, size);
        fuzz_file_fill(ignore_number, "", 0);
        fuzz_file_fill(provider_number, "", 0);
    } else {
        const uint8_t *ignored = data + config_size + 1;
        const size_t left = size - config_size - 1;
        const size_t ignored_size = fuzz_part(ignored, left);

        fuzz_file_fill(ignore_number, ignored, ignored_size);
        fuzz_file_fill(provider_number, ignored + ignored_size + (ignored_size < left),
                       left - ignored_size - (ignored_size < left));
    }
    load(data, config_size);
    return 0;
}
