/* SPDX-License-Identifier: BSD-3-Clause */
/** \file One question to the servers of a zone, one after the other: see inside.h. */
#include <stdlib.h>

#include "ask/inside.h"

struct authority {
    struct ask_job job;
    struct ask_budget *budget;
    struct ask_zone zone;
    struct ask_name name;
    uint16_t qtype;
    ask_take_fn *take;
    ask_end_fn *done;
    void *context;
    /** the server and the address whose turn it is */
    unsigned server;
    unsigned address;
    enum ask_status trouble;
};

static void ask_next(struct authority *authority);

static void free_authority(struct authority *authority)
{
    ask_job_end(&authority->job);
    free(authority);
}

static void drop(struct ask_job *job)
{
    free_authority((struct authority *)job);
}

/** The last: what is called may end what else there is of it. */
static void finish(struct authority *authority, enum ask_status status)
{
    ask_end_fn *done = authority->done;
    void *context = authority->context;
    free_authority(authority);
    done(context, status);
}

static void on_reply(void *context, const struct ask_reply *reply)
{
    struct authority *authority = context;
    authority->budget->packets += reply->packets;
    if (reply->status == ask_answered && authority->take(authority->context, reply)) {
        finish(authority, ask_answered);
        return;
    }
    authority->trouble = reply->status == ask_answered ? ask_lame : reply->status;
    authority->address++;
    ask_next(authority);
}

static void ask_next(struct authority *authority)
{
    const struct ask_zone *zone = &authority->zone;
    for (; authority->server < zone->server_count; authority->server++, authority->address = 0) {
        const struct ask_server *server = &zone->servers[authority->server];
        if (authority->address < server->address_count) {
            enum ask_status status = ask_no_room;
            const struct ask_question question = {
                .name = authority->name,
                .qtype = authority->qtype,
                .operators_word = zone->operators_word,
                .server = server->addresses[authority->address],
            };
            if (!ask_send_within(authority->job.ask, authority->budget, &question, on_reply,
                                 authority, &status)) {
                finish(authority, status);
            }
            return;
        }
    }
    finish(authority, authority->trouble);
}

static void begin(struct ask_job *job)
{
    ask_next((struct authority *)job);
}

bool ask_authority_within(struct ask *ask, struct ask_budget *budget, const struct ask_zone *zone,
                          const struct ask_name *name, uint16_t qtype, ask_take_fn *take,
                          ask_end_fn *done, void *context)
{
    struct authority *authority = calloc(1, sizeof(*authority));
    if (authority == NULL) {
        return false;
    }
    authority->job.begin = begin;
    authority->job.drop = drop;
    authority->budget = budget;
    authority->zone = *zone;
    authority->name = *name;
    authority->qtype = qtype;
    authority->take = take;
    authority->done = done;
    authority->context = context;
    authority->trouble = ask_lame;
    if (!ask_job_start(ask, &authority->job)) {
        free(authority);
        return false;
    }
    return true;
}
