/* SPDX-License-Identifier: BSD-3-Clause */
/** \file `mxclash check`: the hosts that the MX name, as a sender looks them up. See check.h. */
#include <stdlib.h>
#include <string.h>

#include "cli/check.h"

struct asked {
    struct check *check;
    struct check_host *host;
};

static void on_result(void *context, const struct ask_result *result)
{
    struct asked *asked = context;
    struct check_host *host = asked->host;
    if (result->status == ask_answered) {
        host->answers++;
        host->is_alias = host->is_alias || result->aliases != 0;
        host->addresses += ldns_rr_list_rr_count(result->records);
    }
    asked->check->pending--;
    free(asked);
}

static void ask_host(struct check *check, struct check_host *host)
{
    static const uint16_t types[CHECK_HOST_QUESTIONS] = {LDNS_RR_TYPE_A, LDNS_RR_TYPE_AAAA};
    for (size_t i = 0; i < CHECK_HOST_QUESTIONS; i++) {
        struct asked *asked = malloc(sizeof(*asked));
        if (asked == NULL) {
            return;
        }
        *asked = (struct asked){check, host};
        if (ask_resolve(check->ask, &host->name, types[i], on_result, asked)) {
            check->pending++;
        } else {
            free(asked);
        }
    }
}

/** Note a host that an MX names, once. */
static void add_host(struct check *check, const struct ask_name *name)
{
    /* the root stands for no host at all (RFC 7505) */
    if (name->len == 1 || check->host_count == MXCLASH_MX_MAX) {
        return;
    }
    for (size_t i = 0; i < check->host_count; i++) {
        if (ask_name_equal(&check->hosts[i].name, name)) {
            return;
        }
    }
    check->hosts[check->host_count++].name = *name;
}

void check_ask_hosts(struct check *check)
{
    for (size_t i = 0; i < check->server_count; i++) {
        const struct check_answer *answer = &check->servers[i].answers[check_mx];
        const ldns_rr *rr;
        for (size_t n = 0; check_answer_counts(answer) &&
                           (rr = check_record(answer, &check->domain, LDNS_RR_TYPE_MX, n)) != NULL;
             n++) {
            struct ask_name name;
            if (ask_name_of(&name, ldns_rr_rdf(rr, 1))) {
                add_host(check, &name);
            }
        }
    }
    for (size_t i = 0; i < check->host_count; i++) {
        ask_host(check, &check->hosts[i]);
    }
    progress_say(&check->progress, "looking up the mail hosts of %s", check->domain_text);
    check_wait(check);
}
