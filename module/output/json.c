/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Events as text: see json.h. */
#include "output/json.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/** Milliseconds at the end of the year 9999, the last that RFC 3339 can write. */
#define TIME_MAX INT64_C(253402300799999)
/** Room for any integer's idea of a date; only 24 octets are ever used. */
#define TIME_TEXT_MAX 96
/** MX records that a readable line shows. */
#define READABLE_MX_MAX 4
/** Octets of nearly every event; one of many and long names takes more. */
#define EVENT_TEXT_OCTETS 4096

/** \return the nearest time that RFC 3339 can write */
static mxclash_time writable_time(mxclash_time time)
{
    return time < 0 ? 0 : time > TIME_MAX ? TIME_MAX : time;
}

/** Write RFC 3339 in UTC with milliseconds. */
static void time_to_text(mxclash_time time, char text[TIME_TEXT_MAX])
{
    const mxclash_time known = writable_time(time);
    const time_t seconds = (time_t)(known / 1000);
    struct tm utc;
    size_t at;

    gmtime_r(&seconds, &utc);
    /* a third of what snprintf() takes for seven numbers */
    at = strftime(text, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + at, TIME_TEXT_MAX - at, ".%03dZ", (int)(known % 1000));
}

/** Write an address without its port. \return false if it is unknown */
static bool address_to_text(const struct mxclash_address *address, char text[INET6_ADDRSTRLEN])
{
    if (address->family != 4 && address->family != 6)
        return false;
    return inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->octets, text,
                     INET6_ADDRSTRLEN) != NULL;
}

/* Names and words of ours are ASCII, and so are the keys: jansson need not look at them. */

static json_t *json_time(mxclash_time time)
{
    char text[TIME_TEXT_MAX];

    time_to_text(time, text);
    return json_string_nocheck(text);
}

/** Text from the host or the operator; what is missing or no UTF-8 becomes null. */
static json_t *json_text(const char *text)
{
    json_t *value = text == NULL ? NULL : json_string(text);

    return value == NULL ? json_null() : value;
}

static json_t *json_name(const uint8_t *name, size_t name_len)
{
    char text[MXCLASH_NAME_TEXT_MAX];

    if (mxclash_name_to_text(name, name_len, text) != mxclash_ok)
        return json_null();
    return json_string_nocheck(text);
}

/** \return false if there was no memory for the object, the value or the place */
static bool put(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new_nocheck(object, key, value) == 0;
}

static bool put_word(json_t *object, const char *key, const char *word)
{
    return put(object, key, json_string_nocheck(word));
}

static bool put_count(json_t *object, const char *key, uint64_t count)
{
    return put(object, key, json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count));
}

/** \return the object if it is whole */
static json_t *if_whole(json_t *object, bool whole)
{
    if (whole)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *json_cname(const struct mxclash_event *event)
{
    json_t *cname;

    if (event->cname_target_len == 0)
        return json_null();
    cname = json_object();
    return if_whole(cname,
                    put(cname, "target", json_name(event->cname_target, event->cname_target_len)) &&
                        put_count(cname, "ttl", event->cname_ttl));
}

static json_t *json_exchange(const struct mxclash_mx *mx)
{
    json_t *exchange = json_object();

    return if_whole(exchange,
                    put_count(exchange, "preference", mx->preference) &&
                        put(exchange, "exchange", json_name(mx->exchange, mx->exchange_len)));
}

static json_t *json_mx(const struct mxclash_event *event)
{
    json_t *list = json_array();
    bool whole = list != NULL;

    for (unsigned i = 0; whole && i < event->mx_count; i++)
        whole = json_array_append_new(list, json_exchange(&event->mx[i])) == 0;
    return if_whole(list, whole);
}

static json_t *json_advice(uint32_t advice)
{
    json_t *list = json_array();
    bool whole = list != NULL;

    for (int i = 0; whole && i < MXCLASH_ADVICES; i++) {
        const uint32_t bit = UINT32_C(1) << i;

        if ((advice & bit) != 0)
            whole = json_array_append_new(list, json_string_nocheck(mxclash_advice_name(bit))) == 0;
    }
    return if_whole(list, whole);
}

static json_t *json_apex(int apex)
{
    return apex == mxclash_apex_unknown ? json_null() : json_boolean(apex == mxclash_apex_yes);
}

static json_t *json_known(int known)
{
    return known == mxclash_unknown ? json_null() : json_boolean(known == mxclash_yes);
}

static json_t *json_differ(unsigned servers)
{
    return servers == mxclash_servers_unknown ? json_null()
                                              : json_boolean(servers == mxclash_servers_differ);
}

static json_t *json_authority(const struct mxclash_address *authority)
{
    char text[INET6_ADDRSTRLEN];

    return address_to_text(authority, text) ? json_string_nocheck(text) : json_null();
}

/** A provider's tag may come from the operator's file. */
static json_t *json_provider(const struct mxclash_event *event)
{
    return json_text(event->provider[0] != '\0' ? event->provider : NULL);
}

static bool put_conflict(json_t *line, const struct mxclash_event *event, const char *host)
{
    return put(line, "domain", json_name(event->owner, event->owner_len)) &&
           put_word(line, "kind", mxclash_kind_name(event->kind)) &&
           put_word(line, "state", mxclash_state_name(event->state)) &&
           put_word(line, "evidence", mxclash_evidence_name(event->evidence)) &&
           put(line, "apex", json_apex(event->apex)) &&
           put(line, "zone", json_name(event->zone, event->zone_len)) &&
           put(line, "cname", json_cname(event)) && put(line, "mx", json_mx(event)) &&
           put(line, "provider", json_provider(event)) &&
           put_word(line, "impact", mxclash_impact_name(event->impact)) &&
           put(line, "hides_spf", json_known(event->hides_spf)) &&
           put(line, "spf", json_text(mxclash_spf_name(event->spf))) &&
           put(line, "authority", json_authority(&event->authority)) &&
           put(line, "authorities_differ", json_differ(event->servers)) &&
           put(line, "first_seen", json_time(event->first_seen)) &&
           put(line, "last_seen", json_time(event->last_seen)) &&
           put_count(line, "mx_queries", event->mx_queries) &&
           put(line, "advice", json_advice(event->advice)) && put(line, "host", json_text(host)) &&
           put_count(line, "held_back", event->held_back);
}

/** The harm of a conflict so far; without an owner, of all those that have no line of their own. */
static bool put_tally(json_t *line, const struct mxclash_event *event, const char *host)
{
    if (event->owner_len == 0)
        return put(line, "domain", json_null()) && put_count(line, "domains", event->held_back) &&
               put_count(line, "mx_queries", event->mx_queries) &&
               put(line, "host", json_text(host));
    return put(line, "domain", json_name(event->owner, event->owner_len)) &&
           put_word(line, "kind", mxclash_kind_name(event->kind)) &&
           put_word(line, "state", mxclash_state_name(event->state)) &&
           put(line, "provider", json_provider(event)) &&
           put(line, "first_seen", json_time(event->first_seen)) &&
           put(line, "last_seen", json_time(event->last_seen)) &&
           put_count(line, "mx_queries", event->mx_queries) && put(line, "host", json_text(host));
}

static bool put_event(json_t *line, const struct mxclash_event *event, const char *host)
{
    if (!put(line, "time", json_time(event->time)) ||
        !put_word(line, "event", mxclash_event_type_name(event->type)))
        return false;
    switch (event->type) {
    case mxclash_started:
    case mxclash_stopped:
        return put(line, "host", json_text(host)) && put_word(line, "version", MXCLASH_VERSION);
    case mxclash_tally:
        return put_tally(line, event, host);
    default:
        return put_conflict(line, event, host);
    }
}

/** Not json_dumps(): where it finds no memory for a key, it leaves the key out (jansson 2.14). */
static char *to_text(const json_t *object)
{
    const size_t flags = JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII;
    char room[EVENT_TEXT_OCTETS];
    /* it says how long the text is even where it does not fit: only then is it written twice */
    const size_t octets = json_dumpb(object, room, sizeof(room), flags);
    char *text = octets == 0 ? NULL : malloc(octets + 1);

    if (text == NULL)
        return NULL;
    text[octets] = '\0';
    if (octets <= sizeof(room)) {
        memcpy(text, room, octets);
        return text;
    }
    if (json_dumpb(object, text, octets, flags) == octets)
        return text;
    free(text);
    return NULL;
}

char *json_event(const struct mxclash_event *event, const char *host)
{
    json_t *line = json_object();
    char *text = put_event(line, event, host) ? to_text(line) : NULL;

    json_decref(line);
    return text;
}

static void print_mx(FILE *out, const struct mxclash_event *event)
{
    char exchange[MXCLASH_NAME_TEXT_MAX];
    unsigned i;

    fputs("MX", out);
    for (i = 0; i < event->mx_count && i < READABLE_MX_MAX; i++) {
        mxclash_name_to_text(event->mx[i].exchange, event->mx[i].exchange_len, exchange);
        fprintf(out, "%s %" PRIu16 " %s", i == 0 ? "" : ",", event->mx[i].preference, exchange);
    }
    if (i < event->mx_count)
        fprintf(out, " and %u more", event->mx_count - i);
}

/** What is wrong, in a clause. */
static void print_fault(FILE *out, const struct mxclash_event *event)
{
    const char *provider = event->provider[0] == '\0' ? "a mailbox provider" : event->provider;
    char target[MXCLASH_NAME_TEXT_MAX] = "(unknown)";

    if (event->cname_target_len != 0)
        mxclash_name_to_text(event->cname_target, event->cname_target_len, target);
    switch (event->kind) {
    case mxclash_cname_and_mx:
        fprintf(out, "CNAME %s hides ", target);
        print_mx(out, event);
        break;
    case mxclash_cname_at_apex:
        fprintf(out, "the zone apex is a CNAME to %s", target);
        if (event->mx_count != 0) {
            fputs(" and hides ", out);
            print_mx(out, event);
        }
        break;
    case mxclash_foreign_mx:
        print_mx(out, event);
        fprintf(out, " mixes hosts of %s with others", provider);
        break;
    case mxclash_incomplete_mx:
        print_mx(out, event);
        fprintf(out, " is not the set that %s documents", provider);
        break;
    case mxclash_spf_missing:
        if (event->spf == mxclash_spf_permerror)
            fputs("the SPF record breaks the syntax, so nobody reads it", out);
        else if (event->spf == mxclash_spf_several_records)
            fputs("there are several SPF records, so nobody reads any", out);
        else
            fprintf(out, "the SPF record lacks the include of %s", provider);
        break;
    default:
        fputc('?', out);
        break;
    }
}

static void print_held_back(FILE *out, const struct mxclash_event *event)
{
    if (event->held_back != 0)
        fprintf(out, "; %" PRIu32 " such events held back before", event->held_back);
}

static void print_readable(FILE *out, const struct mxclash_event *event)
{
    char owner[MXCLASH_NAME_TEXT_MAX];
    char authority[INET6_ADDRSTRLEN];
    const char *separator = "; advice: ";

    mxclash_name_to_text(event->owner, event->owner_len, owner);
    fprintf(out, "mxclash: %s %s %s %s: ", mxclash_event_type_name(event->type),
            mxclash_state_name(event->state), mxclash_kind_name(event->kind), owner);
    if (event->type == mxclash_cleared || event->type == mxclash_expired) {
        const int64_t open_ms = writable_time(event->last_seen) - writable_time(event->first_seen);

        fprintf(out, "was open for %" PRId64 " s, met %" PRIu64 " MX queries", open_ms / 1000,
                event->mx_queries);
        print_held_back(out, event);
        return;
    }
    print_fault(out, event);
    fprintf(out, " (%s", mxclash_evidence_name(event->evidence));
    if (address_to_text(&event->authority, authority))
        fprintf(out, ", authority %s", authority);
    if (event->servers == mxclash_servers_differ)
        fputs(", the authorities differ", out);
    if (event->impact != mxclash_impact_unknown)
        fprintf(out, ", impact %s", mxclash_impact_name(event->impact));
    if (event->hides_spf == mxclash_yes)
        fputs(", SPF hidden too", out);
    fputc(')', out);
    for (int i = 0; i < MXCLASH_ADVICES; i++) {
        const uint32_t bit = UINT32_C(1) << i;

        if ((event->advice & bit) == 0)
            continue;
        fprintf(out, "%s%s", separator, mxclash_advice_name(bit));
        separator = ", ";
    }
    print_held_back(out, event);
}

char *readable_event(const struct mxclash_event *event)
{
    char *line = NULL;
    size_t octets = 0;
    FILE *out = open_memstream(&line, &octets);
    bool whole;

    if (out == NULL)
        return NULL;
    print_readable(out, event);
    whole = ferror(out) == 0;
    /* glibc says 0 and has no text if it finds no memory for it in the end */
    if (fclose(out) != 0 || !whole || line == NULL) {
        free(line);
        return NULL;
    }
    /* names are safe by themselves; a provider's tag comes from the operator's file */
    for (char *at = line; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
    return line;
}
