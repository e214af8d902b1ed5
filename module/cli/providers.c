/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * `mxclash providers [FILE]`: show the table of mailbox providers that holds, or that of a file.
 *
 * It is shown in the format of a provider-file (docs/providers.md), so that what is shown can be
 * changed and used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "runtime/config_text.h"
#include "runtime/provider_file.h"

static void print_value(const char *key, const char *value)
{
    /* a line that may just be so long would not be read back with more space in it */
    const int key_room = strlen(value) < PROVIDERS_LINE_MAX - 16 ? 11 : 0;
    printf("  %-*s %s\n", key_room, key, value);
}

static void print_patterns(const struct provider *section)
{
    for (size_t i = 0; i < section->pattern_count; i++) {
        const struct provider_pattern *pattern = &section->patterns[i];
        char name[MXCLASH_NAME_TEXT_MAX];
        mxclash_name_to_text(pattern->name, pattern->name_len, name);
        printf("  %-11s %s%s\n", pattern->token ? "token" : "mx", pattern->below ? "*." : "", name);
    }
}

static void print_set(const struct provider_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        char name[MXCLASH_NAME_TEXT_MAX];
        mxclash_name_to_text(set->mx[i].exchange, set->mx[i].exchange_len, name);
        printf("  %-11s %3u %s\n", "expect", set->mx[i].preference, name);
    }
}

static void print_strings(const char *key, const struct provider_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++) {
        print_value(key, strings->text[i]);
    }
}

static void print_section(const struct provider *section)
{
    printf("\n%s %s\n", section->filter ? "filter" : "provider", section->name);
    print_value("title", section->title);
    if (strcmp(section->family, section->name) != 0) {
        print_value("family", section->family);
    }
    print_patterns(section);
    if (section->order_only) {
        print_value("preferences", "order");
    }
    for (size_t i = 0; i < section->set_count; i++) {
        if (i > 0) {
            puts("  or");
        }
        print_set(&section->sets[i]);
    }
    print_strings("spf", &section->spf);
    print_strings("source", &section->sources);
}

/** \param path  of the file that the table was read from; NULL = none, it is built in */
static void print_table(const struct providers *providers, const char *path)
{
    char shown[CONFIG_QUOTE_MAX];
    printf("# Mailbox providers, %s%s\n", path != NULL ? "from " : "built in",
           path != NULL ? config_quote(path, shown) : "");
    for (size_t i = 0; i < providers_count(providers); i++) {
        print_section(providers_at(providers, i));
    }
}

/** Show the table of a file. */
static enum cli_exit show_file(const char *path)
{
    char error[CONFIG_ERROR_MAX];
    char *text;
    size_t len;
    const char *reason = provider_file_read(path, &text, &len);
    if (reason != NULL) {
        fprintf(stderr, "%s: %s\n", path, reason);
        return cli_bad;
    }
    struct providers *providers = provider_file_parse(path, text, len, error);
    free(text);
    if (providers == NULL) {
        fprintf(stderr, "%s\n", error);
        return cli_bad;
    }
    print_table(providers, path);
    providers_free(providers);
    return cli_good;
}

/** Show the table that the configuration chooses. */
static enum cli_exit show_configured(void)
{
    struct cli_config loaded;
    if (!cli_load_config(NULL, &loaded)) {
        return cli_bad;
    }
    const struct config *config = &loaded.config;
    const char *path = config->provider_text != NULL ? config->provider_file : NULL;
    char error[CONFIG_ERROR_MAX];
    struct providers *providers =
        path != NULL
            ? provider_file_parse(path, config->provider_text, config->provider_text_len, error)
            : providers_builtin(error);
    if (providers != NULL) {
        print_table(providers, path);
    } else {
        fprintf(stderr, "%s\n", error);
    }
    providers_free(providers);
    config_free(&loaded.config);
    return providers != NULL ? cli_good : cli_trouble;
}

enum cli_exit cli_providers(int argc, char **argv)
{
    const char *path;
    if (!cli_one_file(argc, argv, &path)) {
        return cli_trouble;
    }
    return path != NULL ? show_file(path) : show_configured();
}
