/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * mxclash: find mail domains whose MX is hidden by a CNAME at the same name.
 *
 * This is the detector without a host: it reads DNS messages that a resolver got from its
 * upstreams, keeps a bounded table of suspects and conflicts, says what should be asked afresh, and
 * reports what it found. It opens no file and no socket, reads no clock, starts no thread.
 *
 * A host does four things:
 *  1. hands every upstream answer to mxclash_inspect();
 *  2. takes proofs from mxclash_proof_next(), asks the authority past every cache, and hands the
 *     answers to mxclash_proof_answer() and the end of each question to mxclash_proof_end();
 *  3. tells of every client MX query with mxclash_client_mx();
 *  4. receives events through the callback of struct mxclash_options.
 *
 * Names are passed in wire format (RFC 1035 3.1), uncompressed, with the root label, 1 to 255
 * octets. Names that leave the detector are in lower case. Times are milliseconds since the epoch;
 * the host may step its clock either way, the detector only becomes late or early by that step.
 *
 * Threads: every function may be called from any thread at any time, but for mxclash_engine_new()
 * and mxclash_engine_free(), which are alone with their engine.
 *
 * Sources: RFC 1034 3.6.2 and RFC 2181 10.1 (no data beside a CNAME), RFC 1912 2.4 (nor an MX),
 * RFC 5321 5.1 (how mail uses both), RFC 7505 (null MX), RFC 6672 (DNAME).
 */
#ifndef MXCLASH_H
#define MXCLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MXCLASH_VERSION "0.1.0"

#if defined(__GNUC__)
#define MXCLASH_PUBLIC __attribute__((visibility("default")))
#else
#define MXCLASH_PUBLIC
#endif

/** Longest name in wire format, in octets (RFC 1035 2.3.4). */
#define MXCLASH_NAME_MAX 255
/** Octets that hold any name as text with its NUL: each octet may become \DDD. */
#define MXCLASH_NAME_TEXT_MAX 1025
/** Most MX records of one owner that are kept. More are legal but say nothing new. */
#define MXCLASH_MX_MAX 16

/** One domain and kind makes at most one opened and one cleared event in so many milliseconds. */
#define MXCLASH_QUIET_MS 3600000

/** Milliseconds since the epoch. */
typedef int64_t mxclash_time;

/** What a function has to say. */
enum mxclash_status {
    mxclash_ok = 0,
    /** the message or name breaks RFC 1035; counted, nothing else happened */
    mxclash_malformed,
    /** an argument or option is outside its range */
    mxclash_invalid,
    /** no memory */
    mxclash_no_memory,
};

/** What is wrong with a domain. */
enum mxclash_kind {
    /** the authority publishes a CNAME and an MX at one owner */
    mxclash_cname_and_mx = 0,
    /** a zone apex is a CNAME, its authority answers even MX with it, and mail is wanted there */
    mxclash_cname_at_apex,
    /** an MX set mixes a known mailbox provider's hosts with others: confirmed where one of them is
     * another known provider's */
    mxclash_foreign_mx,
    /** an MX set names a known provider but not the set that the provider documents */
    mxclash_incomplete_mx,
    /** the MX is a known provider's, and no mail server finds the provider in the SPF record, see
     * enum mxclash_spf */
    mxclash_spf_missing,
    MXCLASH_KINDS,
};

enum mxclash_state {
    mxclash_suspected = 0,
    mxclash_confirmed,
    MXCLASH_STATES,
};

/** How we know. */
enum mxclash_evidence {
    /** one answer carried both */
    mxclash_same_answer = 0,
    /** both were seen while both were valid */
    mxclash_separate_answers,
    /** both were asked afresh */
    mxclash_probe,
    MXCLASH_EVIDENCES,
};

/** What happened to a conflict. started and stopped are the detector's own. */
enum mxclash_event_type {
    mxclash_opened = 0,
    mxclash_changed,
    mxclash_cleared,
    mxclash_expired,
    mxclash_started,
    mxclash_stopped,
    MXCLASH_EVENT_TYPES,
};

/** What senders meet while the CNAME hides the MX. */
enum mxclash_impact {
    mxclash_impact_unknown = 0,
    /** the CNAME's target has neither MX nor address */
    mxclash_no_mail_host,
    /** the target has no MX: mail goes to its address (RFC 5321 5.1) */
    mxclash_implicit_mx,
    /** the target has another MX than the domain's own, which is known */
    mxclash_wrong_mail_host,
    /** the target has the same MX */
    mxclash_impact_none,
    MXCLASH_IMPACTS,
};

/** Repair steps, as bits; their texts are in mxclash_advice_name(). */
enum mxclash_advice {
    mxclash_remove_cname = 1 << 0,
    mxclash_replace_cname_with_address = 1 << 1,
    mxclash_move_cname = 1 << 2,
    mxclash_separate_mail_domain = 1 << 3,
    mxclash_remove_foreign_mx = 1 << 4,
    mxclash_complete_mx = 1 << 5,
    mxclash_fix_spf = 1 << 6,
    mxclash_flatten_cname = 1 << 7,
    mxclash_add_final_dot = 1 << 8,
};
#define MXCLASH_ADVICES 9

/** Result of one proof. */
enum mxclash_proof_result {
    mxclash_proof_both = 0,
    mxclash_proof_cname_only,
    mxclash_proof_mx_only,
    mxclash_proof_neither,
    /** one question or both got no answer that can be believed */
    mxclash_proof_failed,
    MXCLASH_PROOF_RESULTS,
};

/** Why a proof was not made. */
enum mxclash_proof_drop {
    /** the queue of waiting proofs was full, as when probe_rate is too low for what comes */
    mxclash_drop_queue_full = 0,
    /** it waited so long for the rate limit that what it should prove is old */
    mxclash_drop_stale,
    /** the host could not ask */
    mxclash_drop_host,
    /** the zone has had its share, see docs/detection.md */
    mxclash_drop_zone_limit,
    MXCLASH_PROOF_DROPS,
};

/** Why a conflict was not opened yet, see docs/detection.md. */
enum mxclash_delay {
    /** so many of its domain, with all below it, were opened in the last hour */
    mxclash_delay_domain_limit = 0,
    /** so many of all domains were opened without a proof in the last seconds */
    mxclash_delay_rate_limit,
    MXCLASH_DELAYS,
};

/** What became of a client's MX answer for a domain in conflict. */
enum mxclash_outcome {
    /** the client got the CNAME and not the MX */
    mxclash_hidden = 0,
    /** the client got the MX that the CNAME hides */
    mxclash_repaired,
    MXCLASH_OUTCOMES,
};

/** apex of an event or domain: three-valued. */
enum mxclash_apex { mxclash_apex_unknown = -1, mxclash_apex_no = 0, mxclash_apex_yes = 1 };

/** Something that may not be known. */
enum mxclash_known { mxclash_unknown = -1, mxclash_no = 0, mxclash_yes = 1 };

/** What is wrong with an SPF record, of the kind spf-missing (RFC 7208). */
enum mxclash_spf {
    /** another kind */
    mxclash_spf_none = 0,
    /** the record and all that it includes were read, and the provider is not in it */
    mxclash_spf_lacks_provider,
    /** it breaks the syntax, so that nobody reads it (4.6) */
    mxclash_spf_permerror,
    /** there are two or more, so that nobody reads any (4.5) */
    mxclash_spf_several_records,
    MXCLASH_SPFS,
};

/** Do the authorities of a domain say the same? */
enum mxclash_servers {
    mxclash_servers_unknown = 0,
    /** one server carries CNAME and MX */
    mxclash_servers_agree,
    /** one server carries the CNAME and lacks the MX, or the other way round */
    mxclash_servers_differ,
};

struct mxclash_mx {
    uint16_t preference;
    /** lower case wire name */
    uint8_t exchange[MXCLASH_NAME_MAX];
    uint8_t exchange_len;
};

/**
 * What happened, whole: the event refers to nothing of the engine's.
 * In an event of type started or stopped only type and time mean anything.
 */
struct mxclash_event {
    enum mxclash_event_type type;
    enum mxclash_kind kind;
    enum mxclash_state state;
    enum mxclash_evidence evidence;
    enum mxclash_apex apex;
    enum mxclash_impact impact;
    enum mxclash_servers servers;
    /** does the CNAME hide an SPF record (RFC 7208) too? yes: the authority has one at owner */
    enum mxclash_known hides_spf;
    enum mxclash_spf spf;
    mxclash_time time;
    mxclash_time first_seen;
    mxclash_time last_seen;
    /** client MX queries answered for this domain while in conflict */
    uint64_t mx_queries;
    /** opened and cleared events of this domain and kind held back since the last one, see
     * MXCLASH_QUIET_MS */
    uint32_t held_back;
    /** bits of enum mxclash_advice */
    uint32_t advice;
    /** seconds; meaningless if cname_target_len is 0 */
    uint32_t cname_ttl;
    /** of the server that gave the deciding answer; ss_family AF_UNSPEC if unknown */
    struct sockaddr_storage authority;
    /** short tag of the mailbox provider that mx names, the engine's; NULL if none */
    const char *provider;
    uint8_t owner[MXCLASH_NAME_MAX];
    uint8_t owner_len;
    /** zone cut that was asked; zone_len 0 if unknown */
    uint8_t zone[MXCLASH_NAME_MAX];
    uint8_t zone_len;
    uint8_t cname_target[MXCLASH_NAME_MAX];
    /** 0 if the CNAME is gone or was never seen whole */
    uint8_t cname_target_len;
    /** the domain's own MX as far as known; the array has mx_count members, 0 to MXCLASH_MX_MAX */
    uint8_t mx_count;
    struct mxclash_mx mx[MXCLASH_MX_MAX];
};

struct psl_ctx_st;

/** Octets of an event that carry meaning: a copy may leave out the unused end of mx. */
#define MXCLASH_EVENT_SIZE(event)                                                                  \
    (offsetof(struct mxclash_event, mx) + (event)->mx_count * sizeof(struct mxclash_mx))

/** How an engine is to work. */
struct mxclash_options {
    /** octets, at least 262144: bound on all memory of the engine, allocated or to be allocated */
    size_t table_size;
    /** secret from a good random source: keys the hashes, so that nobody can aim at one bucket */
    uint64_t seed;
    /** ask the authority afresh before a conflict is called confirmed */
    bool probe;
    /** most probe queries a second, 1 to 100000; a proof takes two */
    unsigned probe_rate;
    /** least seconds between two proofs of one domain, 1 to 604800 */
    unsigned recheck_interval_s;
    /** an open conflict that nobody has met for this long is closed, 60 to 31536000 */
    unsigned expire_after_s;
    /**
     * What a proof of two answers shows for the first time is asked again so many seconds later,
     * and counts only if it is the same then, 0 to 60. 0: the first proof is enough.
     */
    unsigned confirm_after_s;
    /**
     * Domains that are never reported nor asked about, each with all names below it.
     * Text names; copied. NULL if ignore_count is 0.
     */
    const char *const *ignore;
    size_t ignore_count;
    /**
     * Table of mailbox providers (docs/providers.md), read once; NULL: the built-in one.
     */
    const char *providers;
    size_t providers_len;
    /**
     * What is a domain: libpsl's psl_ctx_t, the Public Suffix List; borrowed until the engine is
     * freed, and not counted in table_size. NULL: the list that libpsl has built in.
     */
    const struct psl_ctx_st *suffixes;
    /**
     * Called for every event, on the thread that caused it, with no lock held. It must not block
     * and must not call back into the engine. The event is borrowed for the call.
     */
    void (*on_event)(void *context, const struct mxclash_event *event);
    /** answers are repaired: an MX that a client gets in spite of a conflict is counted so */
    bool repair;
    /**
     * Make lookups, for the impact of a conflict; needs probe. on_held is called as on_event is,
     * when an event begins to wait, see mxclash_tick().
     */
    bool lookup;
    void (*on_held)(void *context);
    void *context;
};

/** One answer that a resolver got from its upstream. Everything is borrowed for the call. */
struct mxclash_answer {
    /** the message as it came, 12 to 65535 octets, before the resolver took anything out */
    const uint8_t *message;
    size_t message_len;
    /** wire name of the zone whose server was asked; NULL if unknown */
    const uint8_t *zone;
    size_t zone_len;
    /** the server was asked as a forwarder: zone bounds what it may say but is no zone cut */
    bool forwarded;
    /** zone is a name that the operator gave these servers (a stub zone): no zone cut either. Need
     * only be told where zone is the name that was asked. */
    bool stub;
    /** the server; NULL if unknown */
    const struct sockaddr *server;
    socklen_t server_len;
};

/** Most questions of a proof. */
#define MXCLASH_PROOF_QUESTIONS 4

/** A proof to be made: ask these types of owner, class IN, past every cache. */
struct mxclash_proof {
    uint64_t id;
    uint8_t owner[MXCLASH_NAME_MAX];
    uint8_t owner_len;
    /** of MX (15), CNAME (5), A (1), AAAA (28), TXT (16), SOA (6) */
    uint8_t qtype_count;
    uint16_t qtypes[MXCLASH_PROOF_QUESTIONS];
    /** Ask one after the other, in this order: the next when the one before is over. Else all at
     * once. */
    bool in_turn;
};

/**
 * A look at what senders meet, or at what an SPF record includes: one question about the CNAME's
 * target or the included name, class IN, resolved as for any client, from the cache where it has
 * the answer.
 */
struct mxclash_lookup {
    uint64_t id;
    /** 15 (MX), 1 (A) or 28 (AAAA); 16 (TXT) of an included name */
    uint16_t qtype;
    uint8_t owner[MXCLASH_NAME_MAX];
    uint8_t owner_len;
    uint8_t target[MXCLASH_NAME_MAX];
    uint8_t target_len;
};

/** Most TXT records of one name that a lookup hands in. */
#define MXCLASH_TXT_MAX 64

/** One TXT record: len octets of RDATA, character-strings as they came (RFC 1035 3.3.14). */
struct mxclash_txt {
    const uint8_t *rdata;
    uint16_t len;
};

/** What one question of a lookup came to. */
struct mxclash_lookup_reply {
    /** NOERROR or NXDOMAIN came; false: no answer, SERVFAIL and the like */
    bool answered;
    /** an MX set that is only the null MX (RFC 7505) */
    bool null_mx;
    /** an address came */
    bool has_address;
    /** the MX set without null MX, sorted as in struct mxclash_event, octets behind names 0 */
    const struct mxclash_mx *mx;
    size_t mx_count;
    /** the TXT records at the end of the chain; txt_cut: there were more than MXCLASH_TXT_MAX */
    const struct mxclash_txt *txt;
    size_t txt_count;
    bool txt_cut;
};

/** Numbers since the engine began, and how it stands. One thread's view, not a common instant. */
struct mxclash_stats {
    uint64_t inspected;
    uint64_t malformed;
    uint64_t opened[MXCLASH_KINDS];
    uint64_t cleared[MXCLASH_KINDS];
    uint64_t expired[MXCLASH_KINDS];
    /** given up while open, for room: no event tells of these */
    uint64_t evicted[MXCLASH_KINDS];
    /** opened, and neither cleared nor expired nor evicted */
    uint64_t open_now[MXCLASH_KINDS][MXCLASH_STATES];
    uint64_t proofs[MXCLASH_PROOF_RESULTS];
    uint64_t proofs_dropped[MXCLASH_PROOF_DROPS];
    /** openings that were refused; each was tried again when its domain was met again */
    uint64_t delayed[MXCLASH_DELAYS];
    uint64_t affected_mx[MXCLASH_OUTCOMES];
    uint64_t table_entries;
    uint64_t table_bytes;
    uint64_t table_bytes_limit;
    uint64_t table_evictions;
};

/** One affected domain, for lists. */
struct mxclash_domain {
    uint8_t owner[MXCLASH_NAME_MAX];
    uint8_t owner_len;
    enum mxclash_kind kind;
    enum mxclash_state state;
    /** the engine's; NULL if none */
    const char *provider;
    uint64_t mx_queries;
    mxclash_time first_seen;
    mxclash_time last_seen;
};

/** What a client's MX question got. */
enum mxclash_reply {
    mxclash_reply_other = 0,
    /** a CNAME at the owner and no MX of it */
    mxclash_reply_hides,
    /** the owner's MX */
    mxclash_reply_shows,
};

/** How an owner stands, for a host that annotates or repairs answers. */
struct mxclash_standing {
    /** the gravest conflict that is open: cname-and-mx, cname-at-apex, then the others */
    enum mxclash_kind kind;
    enum mxclash_state state;
    /** seconds that mx is still valid; 0: it is not, or not from the owner's own authority */
    uint32_t mx_ttl_s;
    uint8_t mx_count;
    struct mxclash_mx mx[MXCLASH_MX_MAX];
};

struct mxclash_engine;

/**
 * Make an engine.
 *
 * \param options  borrowed for the call
 * \param[out] engine  written only on mxclash_ok; freed with mxclash_engine_free()
 * \retval mxclash_invalid    an option is outside its range, an ignored name is no name, or the
 *     table of providers is broken
 * \retval mxclash_no_memory  nothing is left behind
 */
MXCLASH_PUBLIC enum mxclash_status mxclash_engine_new(const struct mxclash_options *options,
                                                      struct mxclash_engine **engine);

/** Free an engine; NULL is allowed. No other thread may be inside it. No event is made. */
MXCLASH_PUBLIC void mxclash_engine_free(struct mxclash_engine *engine);

/**
 * Look at one answer from upstream.
 *
 * Only owners at or below answer->zone are believed. Costs a walk over the answer section where it
 * holds neither CNAME nor MX.
 *
 * Blocking: none; at most one shard lock at a time, each held for O(1) work.
 * \retval mxclash_malformed  the message breaks RFC 1035; counted, engine unchanged
 */
MXCLASH_PUBLIC enum mxclash_status mxclash_inspect(struct mxclash_engine *engine,
                                                   const struct mxclash_answer *answer,
                                                   mxclash_time now);

/**
 * Take the next proof that may be made now, if any.
 *
 * The rate limit has been paid when this says yes. The host must then call mxclash_proof_end()
 * once for each question, whatever happens. With nothing waiting it costs one load.
 *
 * \param[out] proof  written only on true
 */
MXCLASH_PUBLIC bool mxclash_proof_next(struct mxclash_engine *engine, mxclash_time now,
                                       struct mxclash_proof *proof);

/**
 * Hand in an answer to one question of a proof; may be called several times for one question, as
 * when the first server was lame. An answer that cannot be believed is passed over.
 *
 * \param qtype  the question that was asked: one of proof->qtypes
 * \retval mxclash_malformed  as in mxclash_inspect()
 */
MXCLASH_PUBLIC enum mxclash_status
mxclash_proof_answer(struct mxclash_engine *engine, const struct mxclash_proof *proof,
                     uint16_t qtype, const struct mxclash_answer *answer, mxclash_time now);

/**
 * More packets were sent for a proof than one for each of its questions, as where names are
 * minimised or servers do not answer: they count against probe_rate, and against what the proof's
 * domain gets of it. The next proofs wait the longer.
 */
MXCLASH_PUBLIC void mxclash_proof_sent(struct mxclash_engine *engine,
                                       const struct mxclash_proof *proof, unsigned packets,
                                       mxclash_time now);

/** One question of a proof is over, answered or not. The last end of a
 * proof decides it, if the answers have not before. */
MXCLASH_PUBLIC void mxclash_proof_end(struct mxclash_engine *engine,
                                      const struct mxclash_proof *proof, uint16_t qtype,
                                      mxclash_time now);

/** The host cannot ask this proof at all; counts as dropped, the domain may be tried again. */
MXCLASH_PUBLIC void mxclash_proof_abandon(struct mxclash_engine *engine,
                                          const struct mxclash_proof *proof, mxclash_time now);

/** Take the next lookup that may be made now, if any; paced as proofs are. The host must then call
 * mxclash_lookup_end() once, whatever happens. */
MXCLASH_PUBLIC bool mxclash_lookup_next(struct mxclash_engine *engine, mxclash_time now,
                                        struct mxclash_lookup *lookup);

/** More packets were sent for lookups than one for each: the next ones wait the longer. */
MXCLASH_PUBLIC void mxclash_lookup_sent(struct mxclash_engine *engine, unsigned packets);

/** \return true if proofs or lookups wait to be made, at once or in some seconds: the host should
 * try again soon, and go on as long as this says so. Two loads. */
MXCLASH_PUBLIC bool mxclash_errands_wait(const struct mxclash_engine *engine);

/** A lookup is over. \param reply  borrowed; all 0 if there was no answer */
MXCLASH_PUBLIC void mxclash_lookup_end(struct mxclash_engine *engine,
                                       const struct mxclash_lookup *lookup,
                                       const struct mxclash_lookup_reply *reply, mxclash_time now);

/**
 * Let go of events that wait for a lookup. An opened event waits for its impact, so that it tells
 * all in one, but not for long: after on_held was called, the host calls this about five times a
 * second until it returns false. What waited since before the last call is let go.
 */
MXCLASH_PUBLIC bool mxclash_tick(struct mxclash_engine *engine);

/**
 * A client asked the MX of owner and is being answered. A reply that hides it makes owner a
 * suspect.
 *
 * \param owner  wire name in any case
 * \return true if owner is in conflict (suspected or confirmed)
 */
MXCLASH_PUBLIC bool mxclash_client_mx(struct mxclash_engine *engine, const uint8_t *owner,
                                      size_t owner_len, enum mxclash_reply reply, mxclash_time now);

/**
 * Tell how an owner stands. With no case of that hash it costs a hash and a load.
 *
 * \param owner  wire name in any case
 * \param[out] standing  written only on true
 * \return true if owner is in conflict
 */
MXCLASH_PUBLIC bool mxclash_get_standing(struct mxclash_engine *engine, const uint8_t *owner,
                                         size_t owner_len, mxclash_time now,
                                         struct mxclash_standing *standing);

/** Read the counters. Blocking: none. */
MXCLASH_PUBLIC void mxclash_get_stats(const struct mxclash_engine *engine,
                                      struct mxclash_stats *stats);

/**
 * Copy the open conflicts that clients met most, most MX queries first; ties by owner.
 *
 * \param[out] domains  room for max members
 * \return members written, at most max
 * Blocking: one shard lock at a time, each held for some dozen conflicts. What opens or ends
 * meanwhile may be among them or not.
 */
MXCLASH_PUBLIC size_t mxclash_top_domains(struct mxclash_engine *engine,
                                          struct mxclash_domain *domains, size_t max);

/* The names that operators see, see docs/detection.md and docs/metrics.md; static storage, "?" for
 * a value outside its enum. */
MXCLASH_PUBLIC const char *mxclash_kind_name(enum mxclash_kind kind);
MXCLASH_PUBLIC const char *mxclash_state_name(enum mxclash_state state);
MXCLASH_PUBLIC const char *mxclash_evidence_name(enum mxclash_evidence evidence);
MXCLASH_PUBLIC const char *mxclash_event_type_name(enum mxclash_event_type type);
MXCLASH_PUBLIC const char *mxclash_impact_name(enum mxclash_impact impact);
MXCLASH_PUBLIC const char *mxclash_proof_result_name(enum mxclash_proof_result result);
MXCLASH_PUBLIC const char *mxclash_proof_drop_name(enum mxclash_proof_drop drop);
MXCLASH_PUBLIC const char *mxclash_delay_name(enum mxclash_delay delay);
MXCLASH_PUBLIC const char *mxclash_outcome_name(enum mxclash_outcome outcome);
/** \return NULL for mxclash_spf_none */
MXCLASH_PUBLIC const char *mxclash_spf_name(enum mxclash_spf spf);
/** \param bit  exactly one bit of enum mxclash_advice */
MXCLASH_PUBLIC const char *mxclash_advice_name(uint32_t bit);

/**
 * Put an MX into a set as events have it: lowest preference first, then by name; lower case; the
 * same record twice counts once; of more than MXCLASH_MX_MAX those that sort first are kept.
 *
 * \param set  room for MXCLASH_MX_MAX, count members
 * \return members now
 */
MXCLASH_PUBLIC size_t mxclash_mx_insert(struct mxclash_mx *set, size_t count,
                                        const struct mxclash_mx *one);

/**
 * Write a wire name as text: lower case, no last dot ("." for the root), every octet that is not
 * a letter, digit, hyphen, underscore or asterisk as \DDD (RFC 4343 2.1), so that it is safe in a
 * log, a label or a page.
 *
 * \param[out] text  room for MXCLASH_NAME_TEXT_MAX octets; always ends with NUL
 * \retval mxclash_malformed  name is no whole wire name; text is ""
 */
MXCLASH_PUBLIC enum mxclash_status mxclash_name_to_text(const uint8_t *name, size_t name_len,
                                                        char *text);

/**
 * Read a text name (RFC 1035 5.1: \DDD and \X escapes; the last dot may be missing) into lower
 * case wire format.
 *
 * \param[out] name  room for MXCLASH_NAME_MAX octets
 * \param[out] name_len  octets written
 * \retval mxclash_malformed  empty, a label over 63 octets, a name over 255, a broken escape
 */
MXCLASH_PUBLIC enum mxclash_status mxclash_name_from_text(const char *text, uint8_t *name,
                                                          size_t *name_len);

#ifdef __cplusplus
}
#endif

#endif
