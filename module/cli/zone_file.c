/* SPDX-License-Identifier: BSD-3-Clause */
/** \file A zone file, record by record: see zone_file.h. */
#include "cli/zone_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** Lines between two looks at the clock. */
#define PROGRESS_LINES 1024
#define DEFAULT_TTL_S  3600
static const char blanks[] = " \t";

struct zone_file {
    const ldns_rdf *origin;
    size_t count;
    char *paths[ZONE_FILES_MAX];
    unsigned long lines;
};

/** A file that is being read. */
struct reading {
    struct zone_file *zone;
    const struct zone_reader *reader;
    FILE *in;
    off_t size;
    unsigned depth;
    struct zone_place place;
    /** lines read to their end */
    int done;
    ldns_rdf *origin;
    /** owner of the record before, for one that has none of its own */
    ldns_rdf *owner;
    uint32_t ttl_s;
    char line[LDNS_MAX_LINELEN + 1];
};

struct zone_file *zone_file_new(const char *path, const ldns_rdf *origin)
{
    struct zone_file *zone = calloc(1, sizeof(*zone));
    char *copy = strdup(path);
    if (zone == NULL || copy == NULL) {
        free(zone);
        free(copy);
        return NULL;
    }
    zone->origin = origin;
    zone->paths[zone->count++] = copy;
    return zone;
}

void zone_file_free(struct zone_file *zone)
{
    if (zone == NULL) {
        return;
    }
    for (size_t i = 0; i < zone->count; i++) {
        free(zone->paths[i]);
    }
    free(zone);
}

const char *zone_file_name(const struct zone_file *zone, unsigned number)
{
    return zone->paths[number];
}

unsigned long zone_file_lines(const struct zone_file *zone)
{
    return zone->lines;
}

static void fault(struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fault(struct reading *reading, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    reading->reader->fault(reading->reader->context, &reading->place, text);
}

static bool read_file(struct zone_file *zone, const struct zone_reader *reader, unsigned file,
                      unsigned depth, const ldns_rdf *origin, uint32_t ttl_s);

/** \return number of the file; ZONE_FILES_MAX after fault() */
static unsigned find_file(struct reading *reading, const char *named)
{
    struct zone_file *zone = reading->zone;
    const char *own = zone->paths[reading->place.file];
    const char *slash = strrchr(own, '/');
    char *path = NULL;
    /* a relative path is one beside the file that names it */
    if (named[0] == '/' || slash == NULL) {
        path = strdup(named);
    } else if (asprintf(&path, "%.*s%s", (int)(slash - own + 1), own, named) < 0) {
        path = NULL;
    }
    for (unsigned i = 0; path != NULL && i < zone->count; i++) {
        if (strcmp(zone->paths[i], path) == 0) {
            free(path);
            return i;
        }
    }
    if (path == NULL || zone->count == ZONE_FILES_MAX) {
        fault(reading, "%s is not read: %s", named,
              path == NULL ? "no memory" : "too many files are included");
        free(path);
        return ZONE_FILES_MAX;
    }
    zone->paths[zone->count] = path;
    return (unsigned)zone->count++;
}

static void read_include(struct reading *reading, char *rest)
{
    char *state = NULL;
    const char *named = strtok_r(rest, blanks, &state);
    const char *origin_text = named != NULL ? strtok_r(NULL, blanks, &state) : NULL;
    ldns_rdf *origin = NULL;
    if (named == NULL) {
        fault(reading, "$INCLUDE names no file");
        return;
    }
    if (reading->depth == ZONE_DEPTH_MAX) {
        fault(reading, "%s is not read: files include each other too deep, or in a circle", named);
        return;
    }
    if (origin_text != NULL) {
        if (ldns_str2rdf_dname(&origin, origin_text) != LDNS_STATUS_OK) {
            fault(reading, "%s is no origin", origin_text);
            return;
        }
        if (!ldns_dname_str_absolute(origin_text)) {
            ldns_dname_cat(origin, reading->origin);
        }
    }
    const unsigned file = find_file(reading, named);
    if (file != ZONE_FILES_MAX &&
        !read_file(reading->zone, reading->reader, file, reading->depth + 1,
                   origin != NULL ? origin : reading->origin, reading->ttl_s)) {
        fault(reading, "%s is not read: %s", named, strerror(errno));
    }
    ldns_rdf_deep_free(origin);
}

static void read_origin(struct reading *reading, char *rest)
{
    char *state = NULL;
    const char *text = strtok_r(rest, blanks, &state);
    ldns_rdf *origin = NULL;
    if (text == NULL || ldns_str2rdf_dname(&origin, text) != LDNS_STATUS_OK) {
        fault(reading, "$ORIGIN has no name behind it");
        return;
    }
    if (!ldns_dname_str_absolute(text) &&
        ldns_dname_cat(origin, reading->origin) != LDNS_STATUS_OK) {
        fault(reading, "%s is too long behind the origin", text);
        ldns_rdf_deep_free(origin);
        return;
    }
    ldns_rdf_deep_free(reading->origin);
    reading->origin = origin;
}

static void read_ttl(struct reading *reading, char *rest)
{
    char *state = NULL;
    const char *text = strtok_r(rest, blanks, &state);
    const char *end = NULL;
    const uint32_t ttl_s = text != NULL ? ldns_str2period(text, &end) : 0;
    if (text == NULL || end == text || *end != '\0') {
        fault(reading, "$TTL has no time behind it");
        return;
    }
    reading->ttl_s = ttl_s;
}

/** \return what stands behind the directive; NULL if the line is another one */
static char *behind(char *line, const char *directive)
{
    const size_t len = strlen(directive);
    return strncasecmp(line, directive, len) == 0 && (line[len] == ' ' || line[len] == '\t')
               ? line + len
               : NULL;
}

static void read_record(struct reading *reading)
{
    ldns_rr *rr = NULL;
    const ldns_status status =
        ldns_rr_new_frm_str(&rr, reading->line, reading->ttl_s, reading->origin, &reading->owner);
    if (status == LDNS_STATUS_OK) {
        reading->reader->record(reading->reader->context, &reading->place, rr);
        ldns_rr_free(rr);
    } else if (status != LDNS_STATUS_SYNTAX_EMPTY) {
        fault(reading, "%s", ldns_get_errorstr_by_id(status));
    }
}

static void read_line(struct reading *reading)
{
    char *rest;
    if (reading->line[0] != '$') {
        read_record(reading);
    } else if ((rest = behind(reading->line, "$ORIGIN")) != NULL) {
        read_origin(reading, rest);
    } else if ((rest = behind(reading->line, "$TTL")) != NULL) {
        read_ttl(reading, rest);
    } else if ((rest = behind(reading->line, "$INCLUDE")) != NULL) {
        read_include(reading, rest);
    } else {
        fault(reading, "%.*s is not read", (int)strcspn(reading->line, blanks), reading->line);
    }
}

static void say_progress(const struct reading *reading)
{
    if (reading->reader->progress == NULL || reading->done % PROGRESS_LINES != 0) {
        return;
    }
    const off_t at = ftello(reading->in);
    progress_say(reading->reader->progress, "%s: line %d, %d %%", reading->reader->doing,
                 reading->done, reading->size > 0 ? (int)(at * 100 / reading->size) : 100);
}

/**
 * Pass over what stands before a record: lines that are empty or a comment, which ldns would count
 * as its first ones, and the blanks at its start.
 * \return true if there were such blanks: the record has the owner of the one before
 */
static bool skip_to_record(struct reading *reading)
{
    bool blank = false;
    bool comment = false;
    int octet;
    while ((octet = getc(reading->in)) != EOF) {
        if (octet == '\n') {
            reading->done++;
            blank = comment = false;
            say_progress(reading);
        } else if (octet == ';') {
            comment = true;
        } else if (octet == ' ' || octet == '\t' || octet == '\r') {
            blank = true;
        } else if (!comment) {
            ungetc(octet, reading->in);
            break;
        }
    }
    return blank;
}

static void read_lines(struct reading *reading)
{
    for (;;) {
        const bool blank = skip_to_record(reading);
        if (feof(reading->in) || ferror(reading->in)) {
            break;
        }
        reading->line[0] = ' ';
        reading->place.line = (unsigned long)reading->done + 1;
        const ssize_t len =
            ldns_fget_token_l(reading->in, reading->line + blank, LDNS_PARSE_SKIP_SPACE,
                              LDNS_MAX_LINELEN - 1, &reading->done);
        if (len < 0) {
            fault(reading, "a record lacks a parenthesis or a quote, or is too long: the rest of "
                           "the file is not read");
            return;
        }
        read_line(reading);
        say_progress(reading);
    }
    if (ferror(reading->in)) {
        fault(reading, "cannot be read from here on");
    }
}

static bool read_file(struct zone_file *zone, const struct zone_reader *reader, unsigned file,
                      unsigned depth, const ldns_rdf *origin, uint32_t ttl_s)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    struct stat seen;
    bool good = false;
    if (reading == NULL) {
        errno = ENOMEM;
        return false;
    }
    reading->zone = zone;
    reading->reader = reader;
    reading->depth = depth;
    reading->place.file = file;
    reading->ttl_s = ttl_s;
    reading->origin = ldns_rdf_clone(origin);
    /* The owner of a record without one, before any had one. ldns frees it. */
    reading->owner = ldns_rdf_clone(origin);
    if (reading->origin == NULL || reading->owner == NULL) {
        errno = ENOMEM;
    } else if (stat(zone->paths[file], &seen) == 0) {
        /* it is read twice, and nobody waits for a writer */
        if (!S_ISREG(seen.st_mode)) {
            errno = S_ISDIR(seen.st_mode) ? EISDIR : ESPIPE;
        } else {
            reading->in = fopen(zone->paths[file], "re");
            reading->size = seen.st_size;
        }
    }
    if (reading->in != NULL) {
        good = true;
        read_lines(reading);
        zone->lines += (unsigned long)reading->done;
        fclose(reading->in);
    }
    ldns_rdf_deep_free(reading->origin);
    ldns_rdf_deep_free(reading->owner);
    free(reading);
    return good;
}

bool zone_file_read(struct zone_file *zone, const struct zone_reader *reader)
{
    zone->lines = 0;
    return read_file(zone, reader, 0, 0, zone->origin, DEFAULT_TTL_S);
}
