/* SPDX-License-Identifier: BSD-3-Clause */
/** \file `mxclash check --json`. See check.h; the fields are in mxclash(1). */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check.h"
#include "cli/check_told.h"
#include "output/json.h"

static json_t *name_or_null(const struct ask_name *name, bool known)
{
    char text[MXCLASH_NAME_TEXT_MAX];
    if (!known || name->len == 0) {
        return json_null();
    }
    mxclash_name_to_text(name->octets, name->len, text);
    return json_string(text);
}

static json_t *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *record_of(const ldns_rr *rr)
{
    json_t *list = json_array();
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *rdf = ldns_rr_rdf(rr, i);
        struct ask_name name;
        char text[MXCLASH_NAME_TEXT_MAX];
        if (ask_name_of(&name, rdf)) {
            mxclash_name_to_text(name.octets, name.len, text);
            json_array_append_new(list, json_string(text));
            continue;
        }
        char *written = ldns_rdf2str(rdf);
        json_array_append_new(list, text_or_null(written));
        free(written);
    }
    return json_pack("{s:i, s:o}", "ttl", (int)ldns_rr_ttl(rr), "rdata", list);
}

static json_t *answer_of(const struct check *check, const struct check_server *server, size_t type)
{
    static const char *const words[ASK_STATUSES] = {
        [ask_answered] = "answered",
        [ask_timeout] = "timeout",
        [ask_unreachable] = "unreachable",
        [ask_malformed] = "malformed",
        [ask_forbidden] = "forbidden",
        [ask_denied] = "denied",
        [ask_too_many] = "too-many",
        [ask_no_room] = "no-room",
        [ask_lame] = "lame",
    };
    const struct check_answer *answer = &server->answers[type];
    json_t *records = json_array();
    const ldns_rr *rr;
    for (size_t n = 0; (rr = check_record(answer, &check->domain, check_qtypes[type], n)) != NULL;
         n++) {
        json_array_append_new(records, record_of(rr));
    }
    json_t *object = json_pack("{s:s, s:b, s:o}", "status", words[answer->status], "tcp",
                               answer->tcp, "records", records);
    if (answer->packet != NULL) {
        char *rcode = ldns_pkt_rcode2str(ldns_pkt_get_rcode(answer->packet));
        json_object_set_new(object, "rcode", text_or_null(rcode));
        json_object_set_new(object, "aa", json_boolean(ldns_pkt_aa(answer->packet)));
        json_object_set_new(
            object, "by_cname",
            json_boolean(type != check_cname &&
                         check_record(answer, &check->domain, LDNS_RR_TYPE_CNAME, 0) != NULL));
        free(rcode);
    }
    return object;
}

static json_t *server_of(const struct check *check, const struct check_server *server)
{
    json_t *answers = json_object();
    json_t *conflicts = json_array();
    for (size_t i = 0; server->refused == NULL && i < CHECK_TYPES; i++) {
        json_object_set_new(answers, check_type_names[i], answer_of(check, server, i));
    }
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        if (server->verdict.conflicts[kind] != NULL) {
            json_array_append_new(conflicts,
                                  json_string(mxclash_kind_name((enum mxclash_kind)kind)));
        }
    }
    return json_pack("{s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "name", text_or_null(server->name),
                     "address", text_or_null(server->address_text), "not_asked",
                     text_or_null(server->refused), "authoritative", server->authoritative,
                     "serial", server->has_serial ? json_integer(server->serial) : json_null(),
                     "conflicts", conflicts, "answers", answers);
}

/** An event as the log has it, with what is told of it. \return NULL if there is no memory */
static json_t *conflict_of(const struct check *check, const struct mxclash_event *event)
{
    struct advice advice;
    char *line = json_event(event, NULL);
    json_t *object = line != NULL ? json_loads(line, 0, NULL) : NULL;
    free(line);
    if (object == NULL || !told_advice(check->providers, event, &advice)) {
        json_decref(object);
        return NULL;
    }
    json_t *steps = json_array();
    for (size_t i = 0; i < advice.step_count; i++) {
        const struct advice_step *step = &advice.steps[i];
        json_array_append_new(steps,
                              json_pack("{s:o, s:b, s:s, s:o}", "word", text_or_null(step->word),
                                        "alternative", step->alternative, "text", step->text,
                                        "records", text_or_null(step->records)));
    }
    json_object_set_new(object, "fault", json_string(advice.fault));
    json_object_set_new(object, "senders", json_string(advice.impact));
    json_object_set_new(object, "steps", steps);
    advice_free(&advice);
    char *web = told_for_the_web(event);
    json_object_set_new(object, "web", text_or_null(web));
    free(web);
    /* these are a log's, which counts questions and knows its machine */
    json_object_del(object, "event");
    json_object_del(object, "host");
    json_object_del(object, "held_back");
    json_object_del(object, "mx_queries");
    json_object_del(object, "first_seen");
    json_object_del(object, "last_seen");
    return object;
}

bool check_print_json(struct check *check)
{
    static const char *const results[] = {"healthy", "conflict", "unknown"};
    char address[ASK_ADDRESS_TEXT_MAX] = "";
    struct check_remark list[CHECK_REMARKS_MAX];
    json_t *servers = json_array();
    json_t *conflicts = json_array();
    json_t *remarks = json_array();
    json_t *target = json_array();
    char *why = check_why(check);
    bool good = why != NULL;
    if (check->zone.parent.len != 0) {
        ask_address_text(&check->zone.parent_server, address);
    }
    for (size_t i = 0; i < check->server_count; i++) {
        json_array_append_new(servers, server_of(check, &check->servers[i]));
    }
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        const struct mxclash_event *event = check_event(check, (enum mxclash_kind)kind);
        json_t *one = event != NULL ? conflict_of(check, event) : NULL;
        good = good && (event == NULL || one != NULL);
        if (one != NULL) {
            json_array_append_new(conflicts, one);
        }
    }
    const size_t count = check_remarks(check, list);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(remarks,
                              json_pack("{s:s, s:s}", "tag", list[i].tag, "text", list[i].text));
        free(list[i].text);
    }
    for (size_t i = 0; i < ldns_rr_list_rr_count(check->target_records); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(check->target_records, i);
        char *type = ldns_rr_type2str(ldns_rr_get_type(rr));
        json_t *record = record_of(rr);
        json_object_set_new(record, "type", text_or_null(type));
        json_array_append_new(target, record);
        free(type);
    }
    json_t *all = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "domain", check->domain_text,
        "result", results[check->result], "why", text_or_null(why), "zone",
        name_or_null(&check->zone.name, check->has_zone), "parent",
        name_or_null(&check->zone.parent, check->has_zone), "parent_server", text_or_null(address),
        "servers", servers, "target", name_or_null(&check->target, check->target_records != NULL),
        "target_records", target, "conflicts", conflicts, "remarks", remarks);
    char *text = all != NULL ? json_dumps(all, JSON_INDENT(2)) : NULL;
    good = good && text != NULL;
    if (good) {
        puts(text);
    }
    free(text);
    free(why);
    json_decref(all);
    return good;
}
