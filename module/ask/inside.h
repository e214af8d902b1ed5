/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What the files of module/ask share with each other, and with nobody else. */
#ifndef MXCLASH_ASK_INSIDE_H
#define MXCLASH_ASK_INSIDE_H

#include <sys/queue.h>

#include "ask/ask.h"

/**
 * Something that ends with a callback, or with ask_free(): then `drop` frees it without one. It is
 * the first member of what it is part of.
 */
struct ask_job {
    TAILQ_ENTRY(ask_job) link;
    struct ask *ask;
    /** calls `begin` out of the loop, so that nobody finds his own work done before he could ask */
    struct event *start;
    void (*begin)(struct ask_job *job);
    void (*drop)(struct ask_job *job);
};

struct ask_budget;

TAILQ_HEAD(ask_exchanges, ask_exchange);
TAILQ_HEAD(ask_jobs, ask_job);

struct ask {
    struct event_base *base;
    const struct ask_policy *policy;
    struct sockaddr_storage resolvers[ASK_RESOLVERS_MAX];
    size_t resolver_count;
    struct sockaddr_storage roots[ASK_ADDRESSES_MAX];
    size_t root_count;
    unsigned timeout_ms;
    unsigned tries;
    unsigned tcp_timeout_ms;
    unsigned questions;
    /** of the find or resolution whose callback is running */
    unsigned packets;
    int (*may_send)(void *context, const struct sockaddr_storage *server, unsigned packets);
    void *context;

    /** ask_resolve_within(): who looks for servers needs their addresses, and who looks for
     * addresses needs servers */
    bool (*resolve)(struct ask *ask, struct ask_budget *budget, unsigned depth,
                    const struct ask_name *name, uint16_t qtype, ask_result_fn *done,
                    void *context);

    struct ask_exchanges running;
    unsigned running_count;
    struct ask_exchanges waiting;
    unsigned waiting_count;
    /** finds and resolutions */
    struct ask_jobs jobs;
    /** no resolver has answered: until then, on the clock of ask_now_ms(), the roots are asked */
    int64_t silent_until_ms;
    /** room for any datagram */
    uint8_t datagram[UINT16_MAX];
};

/** Take a job in, whose begin and drop are set. \return false if there is no memory; it is not
 * taken in then */
bool ask_job_start(struct ask *ask, struct ask_job *job);

/** Let a job go: the last thing before it is freed. */
void ask_job_end(struct ask_job *job);

/** Milliseconds of a clock that nobody sets. */
int64_t ask_now_ms(void);

/** All resolvers were asked in vain: leave them alone for a while. */
void ask_resolvers_are_silent(struct ask *ask);

/** Is it the roots' turn? */
bool ask_uses_roots(const struct ask *ask);

/** Free a question without a callback. */
void ask_exchange_drop(struct ask_exchange *exchange);

/**
 * How much a find or a resolution may still ask. Whoever publishes a domain can have its servers
 * lie in other zones of his, and so on: the sum is what must be bounded. It lies in the job that
 * was asked for from outside, which ends after all that it began.
 */
struct ask_budget {
    unsigned questions;
    /** sent so far */
    unsigned packets;
};

/** ask_send(), paid out of a budget. \return false too if it is spent; *status says which */
bool ask_send_within(struct ask *ask, struct ask_budget *budget,
                     const struct ask_question *question, ask_reply_fn *done, void *context,
                     enum ask_status *status);

/** As ask_find_servers(); budget NULL = one of its own. \param depth  0 for what is asked for from
 * outside */
bool ask_find_within(struct ask *ask, struct ask_budget *budget, unsigned depth,
                     const struct ask_name *name, bool all, ask_zone_fn *done, void *context);

/**
 * An answer came; whether it is one of an authority is for you to say (AA, its rcode).
 * \return true if it is what is wanted; false: the next server is asked
 */
typedef bool ask_take_fn(void *context, const struct ask_reply *reply);

/** \param status  ask_answered: one was taken; else why the last server gave none */
typedef void ask_end_fn(void *context, enum ask_status status);

/**
 * Ask the servers of a zone, one address after the other, until an answer is taken.
 * \param budget  alive until done is called
 * \param zone  copied
 * \param done  called once, after the last take
 * \return false if there is no memory: no callback comes then
 */
bool ask_authority_within(struct ask *ask, struct ask_budget *budget, const struct ask_zone *zone,
                          const struct ask_name *name, uint16_t qtype, ask_take_fn *take,
                          ask_end_fn *done, void *context);

/** As ask_resolve(). */
bool ask_resolve_within(struct ask *ask, struct ask_budget *budget, unsigned depth,
                        const struct ask_name *name, uint16_t qtype, ask_result_fn *done,
                        void *context);

/** A question in wire format. \param[out] query  room for 512 octets \return octets; 0 = no memory
 */
size_t ask_query_build(const struct ask_name *name, uint16_t qtype, uint16_t id, bool recursion,
                       bool edns, uint8_t query[512]);

enum ask_match {
    /** it answers the question */
    ask_match_yes,
    /** it answers another one, or none */
    ask_match_stray,
    /** it would, if it could be read */
    ask_match_malformed,
};

/** Hold a message to its question. \param[out] packet  for ldns_pkt_free(), only on ask_match_yes
 */
enum ask_match ask_match(const struct ask_question *question, uint16_t id, const uint8_t *message,
                         size_t len, ldns_pkt **packet);

#endif
