/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Reads the text of a provider table, format in docs/providers.md: see providers.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dns/names.h"
#include "core/providers/index.h"

struct parser {
    struct providers *table;
    /** what the caller gave */
    const char *text;
    size_t len;
    /** titles and sources are kept */
    bool words;
    /** sources of the section, where they are not kept */
    unsigned sources;
    /** the built-in text is being read in place of an `include` */
    bool including;
    /** its section that is being read is left out */
    bool skipping;
    /** the section that is being read; NULL before the first */
    struct provider *section;
    unsigned line;
    /** line of the section's head, for what is missing in it */
    unsigned section_line;
    /** the next `expect` begins another set */
    bool new_set;
    /** an `or` waits for its `expect` */
    bool dangling_or;
    char *error;
};

struct key {
    const char *name;
    /** \param value  one trimmed line, not empty unless the key takes none. \return false on error
     */
    bool (*read)(struct parser *parser, char *value);
    bool in_filter;
    bool empty;
    /** needs no section */
    bool outside;
};

/** Say what is wrong, with its line. \return false, so that a caller can return it */
__attribute__((format(printf, 2, 3))) static bool fail(struct parser *parser, const char *format,
                                                       ...)
{
    va_list arguments;
    int len = snprintf(parser->error, PROVIDERS_ERROR_MAX, "%u: ", parser->line);

    va_start(arguments, format);
    vsnprintf(parser->error + len, PROVIDERS_ERROR_MAX - (size_t)len, format, arguments);
    va_end(arguments);
    return false;
}

/** Make room for one member more; the room doubles. \return where the array is now, NULL if there
 * is no memory: then it is where it was */
static void *make_room(struct parser *parser, void *array, size_t count, size_t member_octets)
{
    void *grown;

    if ((count & (count - 1)) != 0)
        return array;
    grown = realloc(array, (count == 0 ? 1 : count * 2) * member_octets);
    if (grown == NULL)
        fail(parser, "not enough memory");
    return grown;
}

/** Give back the room that make_room() left behind the last member. \return where the array is now
 */
static void *fit(void *array, size_t count, size_t member_octets)
{
    /* smaller, so it does not fail; if it should, the array is where it was */
    void *fitted = count == 0 ? NULL : realloc(array, count * member_octets);

    return fitted == NULL ? array : fitted;
}

static void fit_section(struct provider *section)
{
    section->patterns = fit(section->patterns, section->pattern_count, sizeof(*section->patterns));
    for (size_t i = 0; i < section->set_count; i++)
        section->sets[i].mx =
            fit(section->sets[i].mx, section->sets[i].count, sizeof(*section->sets[i].mx));
    section->sets = fit(section->sets, section->set_count, sizeof(*section->sets));
    section->spf.text = fit(section->spf.text, section->spf.count, sizeof(*section->spf.text));
    section->sources.text =
        fit(section->sources.text, section->sources.count, sizeof(*section->sources.text));
}

static bool replace_string(struct parser *parser, char **string, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL)
        return fail(parser, "not enough memory");
    free(*string);
    *string = copy;
    return true;
}

/** As replace_string(), of one that may still be the section's name. */
static bool replace_other(struct parser *parser, char **string, const char *value)
{
    if (*string == parser->section->name)
        *string = NULL;
    return replace_string(parser, string, value);
}

/** \return false if a section that has as many lines of a key may have no more */
static bool may_have_more(struct parser *parser, size_t count)
{
    return count < PROVIDER_STRINGS_MAX ||
           fail(parser, "more than %d lines of one key", PROVIDER_STRINGS_MAX);
}

static bool add_string(struct parser *parser, struct provider_strings *strings, const char *value)
{
    if (!may_have_more(parser, strings->count))
        return false;
    char **text = make_room(parser, strings->text, strings->count, sizeof(*text));

    if (text == NULL)
        return false;
    strings->text = text;
    text[strings->count] = NULL;
    if (!replace_string(parser, &text[strings->count], value))
        return false;
    strings->count++;
    return true;
}

/** Read a name. \param[out] name  room for MXCLASH_NAME_MAX octets */
static bool read_name(struct parser *parser, const char *text, uint8_t *name, uint8_t *name_len)
{
    size_t len;

    if (strpbrk(text, "*\\ \t") != NULL || strcmp(text, ".") == 0 ||
        mxclash_name_from_text(text, name, &len) != mxclash_ok)
        return fail(parser, "'%.64s' is no host name", text);
    if (len == name[0] + 2u)
        return fail(parser, "'%.64s' is a whole top-level domain", text);
    *name_len = (uint8_t)len;
    return true;
}

/** \return a name with no more room than it needs, NULL if there is no memory */
static uint8_t *copy_name(struct parser *parser, const uint8_t *name, size_t name_len)
{
    uint8_t *copy = malloc(name_len);

    if (copy == NULL)
        fail(parser, "not enough memory");
    else
        memcpy(copy, name, name_len);
    return copy;
}

/** As read_name(), of a host: what else a name may hold would not come back as it is shown. */
static bool read_host(struct parser *parser, const char *text, uint8_t *name, uint8_t *name_len)
{
    static const char octets[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

    if (text[strspn(text, octets)] != '\0')
        return fail(parser, "'%.64s' is no host name", text);
    return read_name(parser, text, name, name_len);
}

static bool tag_valid(const char *tag)
{
    size_t len = strspn(tag, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return tag[len] == '\0' && len != 0 && len <= PROVIDER_TAG_MAX;
}

static bool has_mx(const struct provider *section)
{
    size_t tokens = 0;

    while (tokens < section->pattern_count && section->patterns[tokens].token)
        tokens++;
    return tokens < section->pattern_count;
}

/** Check that the section that ends here says enough; it grows no more. */
static bool end_section(struct parser *parser)
{
    unsigned line = parser->line;

    if (parser->section == NULL)
        return true;
    parser->line = parser->section_line;
    if (!has_mx(parser->section))
        return fail(parser, "'%s' has no mx line", parser->section->name);
    if (parser->dangling_or)
        return fail(parser, "'%s' ends with an or that no expect follows", parser->section->name);
    parser->line = line;
    fit_section(parser->section);
    return true;
}

/** Octets of the first line of a text, without its end. */
static size_t line_octets(const char *text, size_t len)
{
    const char *end = memchr(text, '\n', len);

    return end == NULL ? len : (size_t)(end - text);
}

/** Copy one line without its comment and outer space, tabs as spaces: values are shown to people.
 * \return false if it cannot be a line */
static bool cut_line(struct parser *parser, const char *text, size_t len,
                     char line[PROVIDERS_LINE_MAX])
{
    size_t start = 0;

    if (len != 0 && text[len - 1] == '\r')
        len--;
    for (size_t i = 0; i < len; i++) {
        if ((text[i] < ' ' || text[i] > '~') && text[i] != '\t')
            return fail(parser, "octet %u is neither printable ASCII nor a tab",
                        (unsigned)(uint8_t)text[i]);
        /* a number sign inside a word is part of it, as in a web address */
        if (text[i] == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t'))
            len = i;
    }
    while (start < len && (text[start] == ' ' || text[start] == '\t'))
        start++;
    while (len > start && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    if (len - start >= PROVIDERS_LINE_MAX)
        return fail(parser, "the line is longer than %d octets", PROVIDERS_LINE_MAX - 1);
    for (size_t i = start; i < len; i++)
        line[i - start] = (char)(text[i] == '\t' ? ' ' : text[i]);
    line[len - start] = '\0';
    return true;
}

/** Part a line into key and value. \return the value, "" if there is none */
static char *split_line(char *line)
{
    size_t key_len = strcspn(line, " \t");
    char *value = line + key_len + strspn(line + key_len, " \t");

    line[key_len] = '\0';
    return value;
}

/** Say whether the caller's text has a section of that name: it takes the built-in one's place. */
static bool has_section(const struct parser *parser, const char *name)
{
    char error[PROVIDERS_ERROR_MAX], line[PROVIDERS_LINE_MAX];
    struct parser look = {.error = error};
    size_t line_len;

    for (size_t at = 0; at < parser->len; at += line_len + 1) {
        char *value;

        line_len = line_octets(parser->text + at, parser->len - at);
        /* a bad line is told when its turn comes */
        if (!cut_line(&look, parser->text + at, line_len, line))
            continue;
        value = split_line(line);
        if ((strcmp(line, "provider") == 0 || strcmp(line, "filter") == 0) &&
            strcmp(value, name) == 0)
            return true;
    }
    return false;
}

static bool begin_section(struct parser *parser, const char *name, bool filter)
{
    struct providers *table = parser->table;
    struct provider *list;

    if (!end_section(parser))
        return false;
    parser->skipping = parser->including && has_section(parser, name);
    if (parser->skipping)
        return true;
    if (!tag_valid(name))
        return fail(parser, "'%.64s' is no tag: 1 to %d lower case letters, digits, hyphens", name,
                    PROVIDER_TAG_MAX);
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->list[i].name, name) == 0)
            return fail(parser, "'%s' stands in the table already", name);
    if (table->count == PROVIDERS_MAX)
        return fail(parser, "more than %d sections", PROVIDERS_MAX);
    list = make_room(parser, table->list, table->count, sizeof(*list));
    if (list == NULL)
        return false;
    table->list = list;
    /* counted at once: providers_free() must find what the section owns, whatever fails later */
    parser->section = &table->list[table->count++];
    memset(parser->section, 0, sizeof(*parser->section));
    parser->section->filter = filter;
    parser->section_line = parser->line;
    parser->new_set = true;
    parser->dangling_or = false;
    parser->sources = 0;
    if (!replace_string(parser, &parser->section->name, name))
        return false;
    parser->section->title = parser->section->name;
    parser->section->family = parser->section->name;
    return true;
}

static bool read_provider(struct parser *parser, char *value)
{
    return begin_section(parser, value, false);
}

static bool read_filter(struct parser *parser, char *value)
{
    return begin_section(parser, value, true);
}

static bool read_title(struct parser *parser, char *value)
{
    return !parser->words || replace_other(parser, &parser->section->title, value);
}

static bool read_family(struct parser *parser, char *value)
{
    if (!tag_valid(value))
        return fail(parser, "'%.64s' is no tag: 1 to %d lower case letters, digits, hyphens", value,
                    PROVIDER_TAG_MAX);
    return replace_other(parser, &parser->section->family, value);
}

/** Read host names. \param token  of hosts that take no mail */
static bool add_pattern(struct parser *parser, char *value, bool token)
{
    struct provider *section = parser->section;
    struct provider_pattern *pattern;
    const struct provider *taken;
    uint8_t name[MXCLASH_NAME_MAX];
    bool below = strncmp(value, "*.", 2) == 0;

    if (section->pattern_count == PROVIDER_PATTERNS_MAX)
        return fail(parser, "more than %d mx and token lines in one section",
                    PROVIDER_PATTERNS_MAX);
    pattern =
        make_room(parser, section->patterns, section->pattern_count, sizeof(*section->patterns));
    if (pattern == NULL)
        return false;
    section->patterns = pattern;
    pattern += section->pattern_count;
    pattern->below = below;
    pattern->token = token;
    if (!read_host(parser, below ? value + 2 : value, name, &pattern->name_len))
        return false;
    pattern->name = copy_name(parser, name, pattern->name_len);
    if (pattern->name == NULL)
        return false;
    section->pattern_count++;
    if (index_add(parser->table, parser->table->count - 1, section->pattern_count - 1, &taken))
        return true;
    if (taken == NULL)
        return fail(parser, "not enough memory");
    return fail(parser, "'%.64s' belongs to '%s' already", value, taken->name);
}

static bool read_mx(struct parser *parser, char *value)
{
    return add_pattern(parser, value, false);
}

static bool read_token(struct parser *parser, char *value)
{
    return add_pattern(parser, value, true);
}

static bool read_expect(struct parser *parser, char *value)
{
    struct provider *section = parser->section;
    size_t digits = strspn(value, "0123456789");
    unsigned long preference = digits == 0 || digits > 5 ? 65536 : strtoul(value, NULL, 10);
    char *host = value + digits + strspn(value + digits, " \t");
    struct provider_set *set;
    uint8_t name[MXCLASH_NAME_MAX];
    struct provider_mx mx = {.preference = (uint16_t)preference};
    struct provider_mx *room;
    const struct provider_pattern *pattern;

    if (preference > 65535 || host == value + digits)
        return fail(parser, "expect takes a preference, 0 to 65535, and a host name");
    if (parser->new_set) {
        if (section->set_count == PROVIDER_SETS_MAX)
            return fail(parser, "more than %d sets in one section", PROVIDER_SETS_MAX);
        set = make_room(parser, section->sets, section->set_count, sizeof(*section->sets));
        if (set == NULL)
            return false;
        section->sets = set;
        section->sets[section->set_count++] = (struct provider_set){NULL, 0};
        parser->new_set = false;
        parser->dangling_or = false;
    }
    set = &section->sets[section->set_count - 1];
    if (set->count == MXCLASH_MX_MAX)
        return fail(parser, "more than %d hosts in one set", MXCLASH_MX_MAX);
    room = make_room(parser, set->mx, set->count, sizeof(*set->mx));
    if (room == NULL)
        return false;
    set->mx = room;
    if (!read_host(parser, host, name, &mx.exchange_len))
        return false;
    if (providers_host(parser->table, name, mx.exchange_len, &pattern) != section || pattern->token)
        return fail(parser, "no mx line above says that '%.64s' belongs to '%s'", host,
                    section->name);
    mx.exchange = copy_name(parser, name, mx.exchange_len);
    if (mx.exchange == NULL)
        return false;
    set->mx[set->count++] = mx;
    return true;
}

static bool read_or(struct parser *parser, char *value)
{
    (void)value;
    if (parser->new_set)
        return fail(parser, "or stands between two sets of expect lines");
    parser->new_set = true;
    parser->dangling_or = true;
    return true;
}

static bool read_preferences(struct parser *parser, char *value)
{
    parser->section->order_only = strcmp(value, "order") == 0;
    if (!parser->section->order_only && strcmp(value, "exact") != 0)
        return fail(parser, "preferences are exact or order");
    return true;
}

static bool read_spf(struct parser *parser, char *value)
{
    uint8_t name[MXCLASH_NAME_MAX];
    uint8_t name_len;
    size_t len = strlen(value);

    if (!read_name(parser, value, name, &name_len))
        return false;
    if (value[len - 1] == '.')
        value[--len] = '\0';
    name_lower((uint8_t *)value, (uint8_t *)value, len);
    return add_string(parser, &parser->section->spf, value);
}

static bool read_source(struct parser *parser, char *value)
{
    if (!parser->words)
        return may_have_more(parser, parser->sources++);
    return add_string(parser, &parser->section->sources, value);
}

static bool read_text(struct parser *parser, const char *text, size_t len);

static bool read_include(struct parser *parser, char *value)
{
    bool good;

    if (strcmp(value, "builtin") != 0)
        return fail(parser, "include takes builtin and nothing else");
    if (parser->including || parser->table->count != 0)
        return fail(parser, "include stands once, above all sections");
    parser->including = true;
    good = read_text(parser, providers_builtin_text, strlen(providers_builtin_text));
    parser->including = false;
    parser->skipping = false;
    /* what follows belongs to no section of the built-in table */
    parser->section = NULL;
    return good;
}

static const struct key keys[] = {
    {"include", read_include, true, false, true},
    {"provider", read_provider, true, false, true},
    {"filter", read_filter, true, false, true},
    {"title", read_title, true, false, false},
    {"family", read_family, false, false, false},
    {"mx", read_mx, true, false, false},
    {"token", read_token, false, false, false},
    {"expect", read_expect, false, false, false},
    {"or", read_or, false, true, false},
    {"preferences", read_preferences, false, false, false},
    {"spf", read_spf, false, false, false},
    {"source", read_source, true, false, false},
};

/** Read one line, its comment and outer space gone. */
static bool read_line(struct parser *parser, char *line)
{
    char *value = split_line(line);

    if (*line == '\0')
        return true;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const struct key *key = &keys[i];

        if (strcmp(key->name, line) != 0)
            continue;
        if (key->empty != (*value == '\0'))
            return fail(parser, key->empty ? "'%s' takes no value" : "'%s' needs a value", line);
        if (parser->skipping && !key->outside)
            return true;
        if (!key->outside) {
            if (parser->section == NULL)
                return fail(parser, "'%s' stands before any provider or filter", line);
            if (parser->section->filter && !key->in_filter)
                return fail(parser, "'%s' is not for a filter", line);
        }
        return key->read(parser, value);
    }
    return fail(parser, "unknown key '%.64s'", line);
}

static bool read_text(struct parser *parser, const char *text, size_t len)
{
    size_t at = 0;

    if (len > PROVIDERS_TEXT_MAX)
        return fail(parser, "the table is larger than %u octets", PROVIDERS_TEXT_MAX);
    while (at < len) {
        size_t line_len = line_octets(text + at, len - at);
        char line[PROVIDERS_LINE_MAX];

        if (!cut_line(parser, text + at, line_len, line) || !read_line(parser, line))
            return false;
        at += line_len + 1;
        /* in an included text, the line stays that of its include */
        if (!parser->including)
            parser->line++;
    }
    return end_section(parser);
}

static struct providers *parse(const char *text, size_t len, bool words,
                               char error[PROVIDERS_ERROR_MAX])
{
    struct parser parser = {.text = text, .len = len, .words = words, .line = 1, .error = error};

    parser.table = calloc(1, sizeof(*parser.table));
    if (parser.table == NULL) {
        fail(&parser, "not enough memory");
        return NULL;
    }
    if (!read_text(&parser, text, len) ||
        (!index_includes(parser.table) && !fail(&parser, "not enough memory"))) {
        providers_free(parser.table);
        return NULL;
    }
    parser.table->list = fit(parser.table->list, parser.table->count, sizeof(*parser.table->list));
    return parser.table;
}

struct providers *providers_parse(const char *text, size_t len, char error[PROVIDERS_ERROR_MAX])
{
    return parse(text, len, true, error);
}

struct providers *providers_parse_rules(const char *text, size_t len,
                                        char error[PROVIDERS_ERROR_MAX])
{
    return parse(text, len, false, error);
}
