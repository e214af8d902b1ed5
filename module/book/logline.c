/* SPDX-License-Identifier: BSD-3-Clause */
/** \file One line of an event log: see logline.h. */
#include "book/logline.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/** Milliseconds at the end of the year 9999, the last that RFC 3339 can write. */
#define TIME_MAX INT64_C(253402300799999)
/** Octets of the longest address and of the longest provider's tag. */
#define ADDRESS_MAX 64

static const struct {
    const char *name;
    enum logline_kind kind;
} events[] = {
    {"opened", logline_opened},   {"changed", logline_changed}, {"cleared", logline_cleared},
    {"expired", logline_expired}, {"tally", logline_tally},     {"started", logline_started},
    {"stopped", logline_stopped},
};

/* --- values --------------------------------------------------------------------------------------
 */

/** Read count digits. \return where they end; NULL if there are fewer */
static const char *digits(const char *at, int count, int *number)
{
    *number = 0;
    for (; count > 0; count--, at++) {
        if (*at < '0' || *at > '9') {
            return NULL;
        }
        *number = *number * 10 + (*at - '0');
    }
    return at;
}

/** Read a number of digits behind one given octet. */
static const char *behind(const char *at, char octet, int count, int *number)
{
    return at == NULL || *at != octet ? NULL : digits(at + 1, count, number);
}

/** Read `Z`, `+HH:MM` or `-HH:MM` at the end. */
static bool read_zone(const char *at, int64_t *seconds)
{
    int hours, minutes;
    if (strcmp(at, "Z") == 0 || strcmp(at, "z") == 0) {
        *seconds = 0;
        return true;
    }
    if (*at != '+' && *at != '-') {
        return false;
    }
    const char *end = behind(digits(at + 1, 2, &hours), ':', 2, &minutes);
    if (end == NULL || *end != '\0' || hours > 23 || minutes > 59) {
        return false;
    }
    *seconds = (hours * INT64_C(60) + minutes) * (*at == '-' ? -60 : 60);
    return true;
}

bool logline_time(const char *text, int64_t *time)
{
    struct tm utc = {0};
    int64_t zone, ms = 0, unit = 100;
    const char *at = digits(text, 4, &utc.tm_year);
    at = behind(at, '-', 2, &utc.tm_mon);
    at = behind(at, '-', 2, &utc.tm_mday);
    if (at == NULL || (*at != 'T' && *at != 't' && *at != ' ')) {
        return false;
    }
    at = digits(at + 1, 2, &utc.tm_hour);
    at = behind(at, ':', 2, &utc.tm_min);
    at = behind(at, ':', 2, &utc.tm_sec);
    if (at == NULL || utc.tm_mon < 1 || utc.tm_mon > 12 || utc.tm_mday < 1 || utc.tm_mday > 31 ||
        utc.tm_hour > 23 || utc.tm_min > 59 || utc.tm_sec > 60) {
        return false;
    }
    if (*at == '.' && isdigit((unsigned char)at[1])) {
        for (at++; isdigit((unsigned char)*at); at++, unit /= 10) {
            ms += (*at - '0') * unit;
        }
    }
    if (!read_zone(at, &zone)) {
        return false;
    }
    utc.tm_year -= 1900;
    utc.tm_mon--;
    const int64_t told = ((int64_t)timegm(&utc) - zone) * 1000 + ms;
    *time = told < 0 ? 0 : told > TIME_MAX ? TIME_MAX : told;
    return true;
}

/** \return NULL if there is no such string */
static const char *string_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/** A word as BOOK_WORD_MAX has it. \return NULL if it is none */
static const char *word(const char *text)
{
    const size_t len = text == NULL ? 0 : strlen(text);
    if (len == 0 || len > BOOK_WORD_MAX ||
        strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != len) {
        return NULL;
    }
    return text;
}

/** Printable ASCII without blanks. \return NULL if it is not, or too long */
static const char *token(const char *text, size_t max)
{
    if (text == NULL || text[0] == '\0' || strlen(text) > max) {
        return NULL;
    }
    for (const char *at = text; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~') {
            return NULL;
        }
    }
    return text;
}

/** A name of a machine; jansson has seen to it that it is UTF-8. */
static const char *host_name(const char *text)
{
    if (text == NULL || strlen(text) > BOOK_HOST_MAX) {
        return "";
    }
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        /* C0, DEL, and C1 in UTF-8 */
        if (*at < ' ' || *at == 0x7f || (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)) {
            return "";
        }
    }
    return text;
}

/** \return the name in the one form; NULL if it is none */
static const char *name_of(const char *text, char room[MXCLASH_NAME_TEXT_MAX])
{
    uint8_t wire[MXCLASH_NAME_MAX];
    size_t wire_len;
    if (text == NULL || mxclash_name_from_text(text, wire, &wire_len) != mxclash_ok ||
        mxclash_name_to_text(wire, wire_len, room) != mxclash_ok) {
        return NULL;
    }
    return room;
}

bool book_domain(const char *typed, char *out)
{
    char room[MXCLASH_NAME_TEXT_MAX];
    /* an octet beyond ASCII would be escaped: no name that a log can have */
    for (const char *at = typed; *at != '\0'; at++) {
        if ((unsigned char)*at > '~') {
            return false;
        }
    }
    if (name_of(typed, room) == NULL) {
        return false;
    }
    memcpy(out, room, strlen(room) + 1);
    return true;
}

static int truth(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_is_true(value) : -1;
}

/** \return a number from 0 to max; otherwise if there is none */
static int64_t number(const json_t *object, const char *key, int64_t max, int64_t otherwise)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return otherwise;
    }
    return json_integer_value(value) > max ? max : json_integer_value(value);
}

static int64_t time_of(const json_t *object, const char *key, int64_t otherwise)
{
    const char *text = string_of(object, key);
    int64_t time;
    return text != NULL && logline_time(text, &time) ? time : otherwise;
}

/* --- a conflict ----------------------------------------------------------------------------------
 */

static void read_mx(struct logline *line, const json_t *list)
{
    struct book_conflict *conflict = &line->conflict;
    for (size_t i = 0; i < json_array_size(list) && conflict->mx_count < BOOK_MX_MAX; i++) {
        const json_t *record = json_array_get(list, i);
        const char *exchange =
            name_of(string_of(record, "exchange"), line->names[conflict->mx_count]);
        const int64_t preference = number(record, "preference", UINT16_MAX, -1);
        if (exchange != NULL && preference >= 0) {
            conflict->mx[conflict->mx_count++] =
                (struct book_mx){.preference = (unsigned)preference, .exchange = exchange};
        }
    }
}

static void read_advice(struct logline *line, const json_t *list)
{
    struct book_conflict *conflict = &line->conflict;
    for (size_t i = 0; i < json_array_size(list) && conflict->advice_count < BOOK_ADVICE_MAX; i++) {
        const char *advice = word(json_string_value(json_array_get(list, i)));
        if (advice != NULL) {
            conflict->advice[conflict->advice_count++] = advice;
        }
    }
}

/** What tells which conflict it is, and its harm. \return false with the fault told */
static bool read_key(struct logline *line)
{
    const json_t *root = line->root;
    struct book_conflict *conflict = &line->conflict;
    conflict->host = line->host;
    conflict->domain = name_of(string_of(root, "domain"), line->names[BOOK_MX_MAX]);
    if (conflict->domain == NULL) {
        line->fault = "no domain";
        return false;
    }
    conflict->kind = word(string_of(root, "kind"));
    if (conflict->kind == NULL) {
        line->fault = "no kind";
        return false;
    }
    conflict->state = word(string_of(root, "state"));
    conflict->provider = token(string_of(root, "provider"), ADDRESS_MAX);
    conflict->first_seen = time_of(root, "first_seen", line->time);
    conflict->last_seen = time_of(root, "last_seen", line->time);
    conflict->told = line->time;
    conflict->mx_queries = (uint64_t)number(root, "mx_queries", INT64_MAX / 4, 0);
    return true;
}

static bool read_conflict(struct logline *line)
{
    const json_t *root = line->root;
    struct book_conflict *conflict = &line->conflict;
    if (!read_key(line)) {
        return false;
    }
    if (conflict->state == NULL) {
        line->fault = "no state";
        return false;
    }
    conflict->evidence = word(string_of(root, "evidence"));
    conflict->apex = truth(root, "apex");
    conflict->zone = name_of(string_of(root, "zone"), line->names[BOOK_MX_MAX + 1]);
    const json_t *cname = json_object_get(root, "cname");
    conflict->cname_target = name_of(string_of(cname, "target"), line->names[BOOK_MX_MAX + 2]);
    conflict->cname_ttl = (uint32_t)number(cname, "ttl", UINT32_MAX, 0);
    read_mx(line, json_object_get(root, "mx"));
    conflict->impact = word(string_of(root, "impact"));
    if (conflict->impact == NULL) {
        conflict->impact = "unknown";
    }
    conflict->hides_spf = truth(root, "hides_spf");
    conflict->spf = word(string_of(root, "spf"));
    conflict->authority = token(string_of(root, "authority"), ADDRESS_MAX);
    conflict->authorities_differ = truth(root, "authorities_differ");
    read_advice(line, json_object_get(root, "advice"));
    return true;
}

/* --- a line --------------------------------------------------------------------------------------
 */

static enum logline_kind kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (strcmp(name, events[i].name) == 0) {
            return events[i].kind;
        }
    }
    return logline_unknown;
}

/** Read what the kind has. \return false with the fault told */
static bool read_event(struct logline *line)
{
    const char *time = string_of(line->root, "time");
    if (time == NULL || !logline_time(time, &line->time)) {
        line->fault = "no time";
        return false;
    }
    line->host = host_name(string_of(line->root, "host"));
    switch (line->kind) {
    case logline_started:
    case logline_stopped:
        line->version = token(string_of(line->root, "version"), BOOK_WORD_MAX);
        return true;
    case logline_tally:
        if (json_is_string(json_object_get(line->root, "domain"))) {
            return read_key(line);
        }
        line->kind = logline_tally_summed;
        line->conflict.mx_queries = (uint64_t)number(line->root, "mx_queries", INT64_MAX / 4, 0);
        return true;
    default:
        return read_conflict(line);
    }
}

void logline_read(const char *text, size_t len, struct logline *line)
{
    line->kind = logline_malformed;
    line->fault = NULL;
    line->time = 0;
    line->host = "";
    line->version = NULL;
    line->root = NULL;
    memset(&line->conflict, 0, sizeof(line->conflict));
    line->conflict.apex = line->conflict.hides_spf = line->conflict.authorities_differ = -1;
    if (len > LOGLINE_MAX) {
        line->fault = "longer than a line may be";
        return;
    }
    line->root = json_loadb(text, len, 0, NULL);
    if (!json_is_object(line->root)) {
        line->fault = "no JSON object";
        return;
    }
    const char *event = string_of(line->root, "event");
    if (event == NULL) {
        line->fault = "no event";
        return;
    }
    line->kind = kind_of(event);
    if (line->kind != logline_unknown && !read_event(line)) {
        line->kind = logline_malformed;
    }
}

void logline_free(struct logline *line)
{
    json_decref(line->root);
    line->root = NULL;
}
