/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Reads the scenario file of the test authority.
 */
#include "scenario.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_TTL_S   300
#define NEGATIVE_TTL_S  60
#define LINE_OCTETS_MAX 2048

static const char *const mode_names[] = {"healthy", "by-type", "both", "both-data-first",
                                         "cname-only"};
/* In the order of enum rule_verb; `answer` is read elsewhere. */
static const char *const verb_names[] = {"drop",     "refuse", "servfail", "nxdomain",
                                         "truncate", "no-aa",  "only"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** Where the reader is, and where its complaint goes. */
struct reader {
    const char *path;
    const char *ns_address;
    unsigned line;
    char *error;
};

__attribute__((format(printf, 2, 3))) static bool complain(const struct reader *reader,
                                                           const char *format, ...)
{
    va_list arguments;
    int used = snprintf(reader->error, SCENARIO_ERROR_MAX, "%s:%u: ", reader->path, reader->line);

    if (used < 0 || used >= SCENARIO_ERROR_MAX)
        return false;
    va_start(arguments, format);
    vsnprintf(reader->error + used, SCENARIO_ERROR_MAX - (size_t)used, format, arguments);
    va_end(arguments);
    return false;
}

/* Grow an array by one zeroed member; a test server has nothing better to do than to stop when
 * there is no memory. */
static void *grow(void *array, size_t count, size_t member_octets)
{
    char *grown = realloc(array, (count + 1) * member_octets);

    if (!grown)
        abort();
    memset(grown + count * member_octets, 0, member_octets);
    return grown;
}

/* -1 if name is not among names. */
static int index_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return (int)i;
    return -1;
}

/* NULL if text is no name. `@` and names without a last dot are relative to the origin. */
static ldns_rdf *read_name(const char *text, const ldns_rdf *origin)
{
    ldns_rdf *name;

    if (origin && strcmp(text, "@") == 0)
        return ldns_rdf_clone(origin);
    name = ldns_dname_new_frm_str(text);
    if (name && origin && text[strlen(text) - 1] != '.' && ldns_dname_cat(name, origin)) {
        ldns_rdf_deep_free(name);
        return NULL;
    }
    return name;
}

/* Cut a comment off, but not inside a quoted string. */
static void strip_comment(char *line)
{
    bool quoted = false;

    for (char *c = line; *c; c++) {
        if (*c == '\\' && c[1])
            c++;
        else if (*c == '"')
            quoted = !quoted;
        else if (*c == '#' && !quoted && (c == line || c[-1] == ' ' || c[-1] == '\t'))
            *c = 0;
    }
}

static bool push_record(const struct reader *reader, struct zone *zone, const char *text)
{
    ldns_rr *record = NULL;
    ldns_status status = ldns_rr_new_frm_str(&record, text, DEFAULT_TTL_S, zone->apex, NULL);

    if (status != LDNS_STATUS_OK)
        return complain(reader, "no keyword and no record: %s", ldns_get_errorstr_by_id(status));
    if (ldns_dname_compare(ldns_rr_owner(record), zone->apex) != 0 &&
        !ldns_dname_is_subdomain(ldns_rr_owner(record), zone->apex)) {
        ldns_rr_free(record);
        return complain(reader, "the owner is outside the zone");
    }
    ldns_rr_list_push_rr(zone->records, record);
    return true;
}

/** A record and its place in the file. */
struct placed {
    ldns_rr *record;
    size_t place;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *one = a;
    const struct placed *other = b;
    int order = ldns_dname_compare(ldns_rr_owner(one->record), ldns_rr_owner(other->record));

    if (order != 0)
        return order;
    return one->place < other->place ? -1 : one->place > other->place;
}

static void sort_records(struct zone *zone)
{
    size_t count = ldns_rr_list_rr_count(zone->records);
    struct placed *placed = calloc(count + 1, sizeof(*placed));

    if (!placed)
        abort();
    for (size_t i = 0; i < count; i++)
        placed[i] = (struct placed){ldns_rr_list_rr(zone->records, i), i};
    qsort(placed, count, sizeof(*placed), compare_placed);
    for (size_t i = 0; i < count; i++)
        ldns_rr_list_set_rr(zone->records, placed[i].record, i);
    free(placed);
}

size_t zone_first(const struct zone *zone, const ldns_rdf *name)
{
    size_t low = 0;
    size_t high = ldns_rr_list_rr_count(zone->records);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (ldns_dname_compare(ldns_rr_owner(ldns_rr_list_rr(zone->records, middle)), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has_type(const struct zone *zone, const ldns_rdf *owner, ldns_rr_type type)
{
    for (size_t i = zone_first(zone, owner); i < ldns_rr_list_rr_count(zone->records); i++) {
        const ldns_rr *record = ldns_rr_list_rr(zone->records, i);

        if (ldns_dname_compare(ldns_rr_owner(record), owner) != 0)
            break;
        if (ldns_rr_get_type(record) == type)
            return true;
    }
    return false;
}

/* Of a signed zone, RFC 4035 2.5 lets two more stand there. */
static bool may_stand_beside_cname(ldns_rr_type type)
{
    return type == LDNS_RR_TYPE_CNAME || type == LDNS_RR_TYPE_RRSIG || type == LDNS_RR_TYPE_NSEC;
}

/* A healthy zone may hold no data beside a CNAME: whoever writes such a zone must say how the
 * provider answers, or the scenario does not mean what its reader thinks. */
static bool check_cname_alone(const struct reader *reader, const struct zone *zone)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(zone->records); i++) {
        const ldns_rr *record = ldns_rr_list_rr(zone->records, i);
        const ldns_rdf *owner = ldns_rr_owner(record);

        if (!may_stand_beside_cname(ldns_rr_get_type(record)) &&
            zone_mode(zone, owner) == mode_healthy && has_type(zone, owner, LDNS_RR_TYPE_CNAME)) {
            char *text = ldns_rdf2str(owner);

            complain(reader, "zone before this line: %s has a CNAME and other data, say `answer`",
                     text);
            free(text);
            return false;
        }
    }
    return true;
}

/* Give the zone what the file left out, and check it. */
static bool finish_zone(const struct reader *reader, struct zone *zone)
{
    char text[LINE_OCTETS_MAX];
    bool has_soa, has_ns;

    sort_records(zone);
    if (!check_cname_alone(reader, zone))
        return false;
    has_soa = has_type(zone, zone->apex, LDNS_RR_TYPE_SOA);
    has_ns = has_type(zone, zone->apex, LDNS_RR_TYPE_NS);
    if (!has_soa) {
        snprintf(text, sizeof(text), "@ %d SOA ns hostmaster 1 3600 600 86400 %d", DEFAULT_TTL_S,
                 NEGATIVE_TTL_S);
        if (!push_record(reader, zone, text))
            return false;
    }
    if (!has_ns) {
        snprintf(text, sizeof(text), "ns %d %s %s", DEFAULT_TTL_S,
                 strchr(reader->ns_address, ':') ? "AAAA" : "A", reader->ns_address);
        if (!push_record(reader, zone, "@ NS ns") || !push_record(reader, zone, text))
            return false;
    }
    if (!has_soa || !has_ns)
        sort_records(zone);
    return true;
}

static struct zone *last_zone(struct scenario *scenario)
{
    return scenario->zone_count ? &scenario->zones[scenario->zone_count - 1] : NULL;
}

static bool read_zone(const struct reader *reader, struct scenario *scenario, const char *name)
{
    struct zone *zone;
    ldns_rdf *apex = name ? read_name(name, NULL) : NULL;

    if (!apex)
        return complain(reader, "zone wants a name");
    scenario->zones = grow(scenario->zones, scenario->zone_count, sizeof(struct zone));
    zone = &scenario->zones[scenario->zone_count++];
    zone->apex = apex;
    zone->records = ldns_rr_list_new();
    return true;
}

static bool push_rule(const struct reader *reader, struct zone *zone, struct rule rule,
                      const char *owner)
{
    if (owner && !(rule.owner = read_name(owner, zone->apex)))
        return complain(reader, "%s is no name", owner);
    zone->rules = grow(zone->rules, zone->rule_count, sizeof(struct rule));
    zone->rules[zone->rule_count++] = rule;
    return true;
}

static bool read_answer(const struct reader *reader, struct zone *zone, const char *mode_name,
                        const char *owner)
{
    int mode = mode_name ? index_of(mode_name, mode_names, COUNT(mode_names)) : -1;

    if (mode < 0)
        return complain(reader, "answer wants one of healthy, by-type, both, both-data-first, "
                                "cname-only");
    if (owner)
        return push_rule(reader, zone, (struct rule){rule_answer, (enum answer_mode)mode, 0, NULL},
                         owner);
    zone->mode = (enum answer_mode)mode;
    return true;
}

static bool read_fault(const struct reader *reader, struct zone *zone, enum rule_verb verb,
                       const char *type_name, const char *owner)
{
    ldns_rr_type type = 0;

    if (type_name && strcmp(type_name, "*") != 0)
        type = ldns_get_rr_type_by_name(type_name);
    if (!type_name || (type == 0 && (verb == rule_only || strcmp(type_name, "*") != 0)))
        return complain(reader, "%s wants a record type%s", verb_names[verb],
                        verb == rule_only ? "" : ", or * for all");
    return push_rule(reader, zone, (struct rule){verb, mode_healthy, type, NULL}, owner);
}

static bool read_line(const struct reader *reader, struct scenario *scenario, char *line)
{
    char words_of[LINE_OCTETS_MAX];
    char *words[4] = {NULL};
    char *rest = words_of;
    size_t count = 0;
    struct zone *zone = last_zone(scenario);
    int verb;

    strip_comment(line);
    line += strspn(line, " \t");
    line[strcspn(line, "\r\n")] = 0;
    strcpy(words_of, line);
    while (count < COUNT(words) && (words[count] = strtok_r(rest, " \t", &rest)))
        count++;
    if (count == 0)
        return true;
    if (strcmp(words[0], "zone") == 0 && count <= 2)
        return (!zone || finish_zone(reader, zone)) && read_zone(reader, scenario, words[1]);
    if (!zone)
        return complain(reader, "the first line must be `zone NAME`");
    if (strcmp(words[0], "answer") == 0 && count <= 3)
        return read_answer(reader, zone, words[1], words[2]);
    verb = index_of(words[0], verb_names, COUNT(verb_names));
    if (verb >= 0 && count <= 3)
        return read_fault(reader, zone, (enum rule_verb)verb, words[1], words[2]);
    return push_record(reader, zone, line);
}

static int compare_zones(const void *a, const void *b)
{
    return ldns_dname_compare(((const struct zone *)a)->apex, ((const struct zone *)b)->apex);
}

/* Sort the zones; none may be there twice, as nobody could say which is meant. */
static bool sort_zones(const struct reader *reader, struct scenario *scenario)
{
    qsort(scenario->zones, scenario->zone_count, sizeof(struct zone), compare_zones);
    for (size_t i = 1; i < scenario->zone_count; i++)
        if (compare_zones(&scenario->zones[i - 1], &scenario->zones[i]) == 0) {
            char *text = ldns_rdf2str(scenario->zones[i].apex);

            complain(reader, "before this line zone %s begins twice", text);
            free(text);
            return false;
        }
    return true;
}

const struct zone *scenario_zone(const struct scenario *scenario, const ldns_rdf *apex)
{
    size_t low = 0;
    size_t high = scenario->zone_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = ldns_dname_compare(scenario->zones[middle].apex, apex);

        if (order == 0)
            return &scenario->zones[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool scenario_load(const char *path, const char *ns_address, struct scenario *scenario,
                   char error[SCENARIO_ERROR_MAX])
{
    struct reader reader = {path, ns_address, 0, error};
    char line[LINE_OCTETS_MAX];
    FILE *file = fopen(path, "r");
    bool good = true;

    memset(scenario, 0, sizeof(*scenario));
    if (!file) {
        snprintf(error, SCENARIO_ERROR_MAX, "%s: cannot be opened", path);
        return false;
    }
    while (good && fgets(line, sizeof(line), file)) {
        reader.line++;
        good = read_line(&reader, scenario, line);
    }
    fclose(file);
    if (good && scenario->zone_count == 0)
        good = complain(&reader, "no zone");
    if (good)
        good = finish_zone(&reader, last_zone(scenario)) && sort_zones(&reader, scenario);
    if (!good)
        scenario_free(scenario);
    return good;
}

void scenario_free(struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->zone_count; i++) {
        struct zone *zone = &scenario->zones[i];

        for (size_t j = 0; j < zone->rule_count; j++)
            ldns_rdf_deep_free(zone->rules[j].owner);
        free(zone->rules);
        ldns_rr_list_deep_free(zone->records);
        ldns_rdf_deep_free(zone->apex);
    }
    free(scenario->zones);
    memset(scenario, 0, sizeof(*scenario));
}

enum answer_mode zone_mode(const struct zone *zone, const ldns_rdf *owner)
{
    const struct rule *rule = zone_rule(zone, rule_answer, owner, 0);

    return rule ? rule->mode : zone->mode;
}

const struct rule *zone_rule(const struct zone *zone, enum rule_verb verb, const ldns_rdf *owner,
                             ldns_rr_type type)
{
    for (size_t i = 0; i < zone->rule_count; i++) {
        const struct rule *rule = &zone->rules[i];

        if (rule->verb == verb && (type == 0 || rule->type == 0 || rule->type == type) &&
            (!rule->owner || ldns_dname_compare(rule->owner, owner) == 0))
            return rule;
    }
    return NULL;
}
