/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Ask authorities ourselves, for hosts that cannot: the command, the sidecar, PowerDNS.
 *
 * Three things can be done:
 *  - ask_send(): one question to one server;
 *  - ask_find_servers(): who serves a name, from the resolver's word on the zone above, and from
 *    there by referrals (RFC 1034 5.3.3). The name itself is never asked of the resolver: a CNAME
 *    that it has in its cache would hide the zone cut. A proof is one find, and ask_send() for each
 *    of its questions;
 *  - ask_resolve(): a name and type as a client gets it, aliases followed.
 *
 * A question to an authority has RD off, goes over UDP (EDNS, 1232 octets) and, where the answer is
 * truncated, over TCP (RFC 7766). Each try has a socket of its own, connected, so the kernel picks
 * a random port and lets in no other source; the id comes from getrandom(). An answer counts if its
 * id and question are right. What else comes in is passed over and counted.
 *
 * Threads: a struct ask belongs to one event_base and its thread; every call is made on that
 * thread, and every callback comes on it, never before the call that asked for it has returned.
 * Nothing blocks.
 *
 * Ownership: what a call is given is borrowed for the call, what a callback is given for the
 * callback. A callback comes exactly once for each question, unless ask_free() comes first: then
 * never. In a callback everything may be called but ask_free().
 *
 * Bounds: every answer may be a stranger's work. So there are the limits below, and addresses that
 * are never asked (address.h). All times are milliseconds, all sizes octets.
 */
#ifndef MXCLASH_ASK_ASK_H
#define MXCLASH_ASK_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "ask/address.h"
#include "ask/ldns.h"
#include "ask/name.h"

struct event_base;

/** Where a machine names its resolvers, see resolv.conf(5). */
#define ASK_RESOLV_CONF "/etc/resolv.conf"
/** Resolvers that are known; that file names three. */
#define ASK_RESOLVERS_MAX 8
/** Servers of a zone that are kept. 13 is the most that the root has. */
#define ASK_SERVERS_MAX 16
/** Addresses of a server that are kept. */
#define ASK_ADDRESSES_MAX 8
/** Referrals that are followed for one name. */
#define ASK_REFERRALS_MAX 16
/** Aliases that are followed for one name. */
#define ASK_ALIASES_MAX 11
/** Most questions asked for one ask_find_servers() or ask_resolve(). */
#define ASK_QUESTIONS_MAX 256
/** Nameservers that have to be found for one another's sake. */
#define ASK_DEPTH_MAX 4
/** Questions at a time: so many sockets are open at most. */
#define ASK_OUTSTANDING_MAX 64
/** Questions that wait for one of those to end; more are refused. */
#define ASK_WAITING_MAX 1024
/** Messages that are read for one try: a flood of wrong ones ends it. */
#define ASK_STRAYS_MAX 64

/** What became of a question. */
enum ask_status {
    /** a message came that answers it */
    ask_answered = 0,
    /** nothing came in time that answers it */
    ask_timeout,
    /** the network, or the machine there, says that nobody is there */
    ask_unreachable,
    /** what came breaks RFC 1035 */
    ask_malformed,
    /** such an address is never asked, see ask_address_refused() */
    ask_forbidden,
    /** may_send said never */
    ask_denied,
    /** ASK_WAITING_MAX or ASK_QUESTIONS_MAX was reached */
    ask_too_many,
    /** there was no memory, or no socket */
    ask_no_room,
    /** servers answered, but none as an authority (lame, RFC 1912 2.8), or nobody resolves */
    ask_lame,
    ASK_STATUSES,
};

/** In words, for people; static. */
const char *ask_status_text(enum ask_status status);

struct ask_options {
    /** borrowed until ask_free() */
    struct event_base *base;
    /** who names an authority's servers, copied: at most ASK_RESOLVERS_MAX, in their order. These
     * are the operator's word, so they may be on loopback. */
    const struct sockaddr_storage *resolvers;
    size_t resolver_count;
    /** where to begin if there is no resolver, or none of them answers; copied, at most
     * ASK_ADDRESSES_MAX. The operator's word as well. */
    const struct sockaddr_storage *roots;
    size_t root_count;
    /** borrowed until ask_free() */
    const struct ask_policy *policy;
    /** ms for the first try over UDP, doubled with each further one; 0 = 1000 */
    unsigned timeout_ms;
    /** tries over UDP, 0 = 3 */
    unsigned tries;
    /** ms for all of TCP; 0 = 5000 */
    unsigned tcp_timeout_ms;
    /** questions asked for one ask_find_servers() or ask_resolve(), with all that they ask in turn;
     * 0 = ASK_QUESTIONS_MAX */
    unsigned questions;
    /**
     * Asked before packets are sent: 1 over UDP, 2 over TCP, as probe-rate counts them. May be
     * NULL. It must not call back into ask.
     * \return 0 = send now; more = ask again after so many ms; less = never: ask_denied
     */
    int (*may_send)(void *context, const struct sockaddr_storage *server, unsigned packets);
    void *context;
};

struct ask;

/** \return NULL if there is no memory, or an option is out of its range */
struct ask *ask_new(const struct ask_options *options);

/** End all; no callback comes any more. NULL is allowed. */
void ask_free(struct ask *ask);

/** Addresses of root servers as IANA publishes them, for ask_options.roots. \return count */
size_t ask_root_hints(const struct sockaddr_storage **roots);

/**
 * Read the `nameserver` lines of a file in the syntax of resolv.conf(5).
 * \param[out] resolvers  room for ASK_RESOLVERS_MAX
 * \return resolvers found; 0 too if the file cannot be read
 */
size_t ask_read_resolv_conf(const char *path, struct sockaddr_storage *resolvers);

/** In a callback of ask_find_servers() or ask_resolve(): packets that were sent for it, as may_send
 * counts. */
unsigned ask_packets(const struct ask *ask);

/* --- one question to one server -----------------------------------------------------------------
 */

struct ask_question {
    struct ask_name name;
    uint16_t qtype;
    /** recursion desired: for resolvers */
    bool recursion;
    /** the operator named this server, so the policy does not hold for it */
    bool operators_word;
    struct sockaddr_storage server;
};

struct ask_reply {
    enum ask_status status;
    struct sockaddr_storage server;
    /** as it came; NULL and 0 unless ask_answered */
    const uint8_t *message;
    size_t message_len;
    /** the same, read; NULL unless ask_answered */
    const ldns_pkt *packet;
    bool tcp;
    /** sent, as may_send counts */
    unsigned packets;
    /** messages that came and do not answer the question */
    unsigned strays;
    /** from the last try to the answer */
    unsigned rtt_ms;
};

typedef void ask_reply_fn(void *context, const struct ask_reply *reply);

/** Ask. \return false if there is no memory: no callback comes then */
bool ask_send(struct ask *ask, const struct ask_question *question, ask_reply_fn *done,
              void *context);

/* --- who serves a name --------------------------------------------------------------------------
 */

struct ask_server {
    struct ask_name name;
    /** none: none could be found */
    uint8_t address_count;
    struct sockaddr_storage addresses[ASK_ADDRESSES_MAX];
};

struct ask_zone {
    /** the cut: the zone that holds the name that was asked for */
    struct ask_name name;
    /** the zone above it, whose server named the servers; len 0 if it was not asked */
    struct ask_name parent;
    struct sockaddr_storage parent_server;
    /** the top of the zone is what the operator or the resolver said, no referral */
    bool no_referral;
    /** the servers are the operator's word, as the roots are: the policy does not hold for them */
    bool operators_word;
    /** there were more than ASK_SERVERS_MAX */
    bool cut_short;
    uint8_t server_count;
    struct ask_server servers[ASK_SERVERS_MAX];
};

/** \param zone  also if it is not ask_answered, as far as it was found: its servers are dead or
 * lame then; NULL = nothing was found */
typedef void ask_zone_fn(void *context, enum ask_status status, const struct ask_zone *zone);

/**
 * Find the zone that holds a name, and its servers.
 * \param all  every address of every server; else so many as make an answer likely
 * \return false if there is no memory: no callback comes then
 */
bool ask_find_servers(struct ask *ask, const struct ask_name *name, bool all, ask_zone_fn *done,
                      void *context);

/* --- a name, resolved ---------------------------------------------------------------------------
 */

struct ask_result {
    /** ask_answered: NOERROR or NXDOMAIN came, or a chain of aliases that does not end */
    enum ask_status status;
    bool no_such_name;
    /** the chain of aliases goes in a circle, or is longer than ASK_ALIASES_MAX */
    bool endless;
    /** where the aliases end */
    struct ask_name owner;
    unsigned aliases;
    /** the records of that type and owner, perhaps none; NULL unless ask_answered */
    const ldns_rr_list *records;
};

typedef void ask_result_fn(void *context, const struct ask_result *result);

/** Resolve a name as a client would. \return false if there is no memory: no callback comes then */
bool ask_resolve(struct ask *ask, const struct ask_name *name, uint16_t qtype, ask_result_fn *done,
                 void *context);

#endif
