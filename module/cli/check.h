/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What the files of `mxclash check` share: what was asked, and what was made of it. */
#ifndef MXCLASH_CLI_CHECK_H
#define MXCLASH_CLI_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ask/ask.h"
#include "ask/ldns.h"
#include "cli/terminal.h"
#include "mxclash.h"
#include "runtime/config.h"

/** Addresses that are asked; a zone with more is told to be cut short. */
#define CHECK_SERVERS_MAX 32

/** What every server is asked, in the order in which it is shown. */
enum check_type {
    check_soa = 0,
    check_ns,
    check_cname,
    check_mx,
    check_a,
    check_aaaa,
    check_txt,
    CHECK_TYPES,
};

extern const uint16_t check_qtypes[CHECK_TYPES];
extern const char *const check_type_names[CHECK_TYPES];

/** What one question to one server came to. */
struct check_answer {
    enum ask_status status;
    /** owned, as packet, which is the same read; NULL unless ask_answered */
    uint8_t *message;
    size_t message_len;
    ldns_pkt *packet;
    bool tcp;
    unsigned rtt_ms;
    unsigned strays;
};

/** The conflicts that the detector has open, by kind; NULL = none. Owned. */
struct check_verdict {
    struct mxclash_event *conflicts[MXCLASH_KINDS];
};

/** One address of one server. */
struct check_server {
    /** "" if the operator named the address */
    char name[MXCLASH_NAME_TEXT_MAX];
    /** family 0 = none was found for that name */
    struct sockaddr_storage address;
    char address_text[ASK_ADDRESS_TEXT_MAX];
    /** why it was not asked; NULL = it was */
    const char *refused;
    /** it answered something with AA */
    bool authoritative;
    bool has_serial;
    uint32_t serial;
    struct check_answer answers[CHECK_TYPES];
    struct check_verdict verdict;
};

/** A and AAAA. */
#define CHECK_HOST_QUESTIONS 2

/** A host that an MX of the domain names. */
struct check_host {
    struct ask_name name;
    /** of CHECK_HOST_QUESTIONS that were asked */
    unsigned answers;
    bool is_alias;
    size_t addresses;
};

struct providers;

enum check_result { check_healthy = 0, check_conflict, check_unknown };

struct check {
    const struct config *config;
    struct providers *providers;
    struct event_base *base;
    struct ask *ask;
    struct ask_policy policy;
    /** owned: what the policy borrows */
    struct ask_net *do_not_ask;
    struct ask_net *may_ask;
    struct progress progress;
    /** questions and errands that are under way */
    unsigned pending;

    struct ask_name domain;
    char domain_text[MXCLASH_NAME_TEXT_MAX];
    /** the operator's --server; NULL = all that the zone above names */
    const struct sockaddr_storage *only;
    enum ask_status found;
    bool has_zone;
    struct ask_zone zone;
    size_t server_count;
    struct check_server servers[CHECK_SERVERS_MAX];

    /** the wildcard that makes the domain's CNAME; len 0 if it is its own */
    struct ask_name wildcard;
    size_t host_count;
    struct check_host hosts[MXCLASH_MX_MAX];
    /** where the CNAME leads, and the MX and addresses that senders find there; NULL = not asked */
    struct ask_name target;
    ldns_rr_list *target_records;
    /** of all servers together, as a resolver meets now this one, now that one */
    struct check_verdict all;
    /** the servers have different copies of the zone, with different serials, so what all show
     * together may be a change under way */
    bool unsettled;
    enum check_result result;
};

/* --- check_ask.c: what the servers say ----------------------------------------------------------
 */

/** Find the zone and its servers, and ask each address for all. */
void check_ask_all(struct check *check);

/** Did the operator name the servers that are asked? */
bool check_is_operators_word(const struct check *check);

/** Run the event loop until nothing is under way. */
void check_wait(struct check *check);

/** Keep a reply. \param[out] answer  freed with check_answer_free() */
void check_answer_keep(struct check_answer *answer, const struct ask_reply *reply);

void check_answer_free(struct check_answer *answer);

/** Does it answer as an authority: AA, and NOERROR or NXDOMAIN? */
bool check_answer_counts(const struct check_answer *answer);

/** Records of a type at a name in the answer section. \param nth  0 and up \return NULL if there
 * are no more */
const ldns_rr *check_record(const struct check_answer *answer, const struct ask_name *owner,
                            ldns_rr_type type, size_t nth);

/* --- check_hosts.c: the hosts of the MX ----------------------------------------------------------
 */

/** Look up each host that an MX names. */
void check_ask_hosts(struct check *check);

/* --- check_verdict.c: what the detector makes of it ---------------------------------------------
 */

/** Have the detector judge each server and all together. \return false if there is no memory */
bool check_judge(struct check *check);

void check_verdict_free(struct check_verdict *verdict);

/** The gravest conflict found, at one server or at all together; NULL = none. */
const struct mxclash_event *check_gravest(const struct check *check);

/** The event of a kind: of all together, else of the first server that has it; NULL = none. */
const struct mxclash_event *check_event(const struct check *check, enum mxclash_kind kind);

/* --- check_why.c: in plain words ----------------------------------------------------------------
 */

/** One sentence or two: why it is healthy, or why that could not be told. \return for free(); NULL
 * if there is no memory */
char *check_why(struct check *check);

/** Something else that an expert would say. */
struct check_remark {
    /** stable, for programs */
    const char *tag;
    char *text;
};

#define CHECK_REMARKS_MAX 64

/** \param[out] list  each text for free() \return how many */
size_t check_remarks(const struct check *check, struct check_remark list[CHECK_REMARKS_MAX]);

/* --- check_show.c, check_json.c: for people, for programs ---------------------------------------
 */

/** \return false if there is no memory */
bool check_show(struct check *check);
bool check_print_json(struct check *check);

#endif
