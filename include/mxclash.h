/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * mxclash: find mail domains whose MX is hidden by a CNAME at the same name. ABI version 1.
 *
 * This is the detector without a host: it reads DNS messages that a resolver got from its
 * upstreams, keeps a bounded table of suspects and conflicts, says what should be asked afresh, and
 * reports what it found. It opens no file and no socket, reads no clock, starts no thread.
 * docs/embedding.md has a whole host of a hundred lines.
 *
 * A host does four things:
 *  1. hands every upstream answer to mxclash_inspect(), or to mxclash_inspect_records() where it
 *     has no packet;
 *  2. takes proofs from mxclash_proof_next(), asks the authority past every cache, and hands the
 *     answers to mxclash_proof_answer() and the end of each question to mxclash_proof_end();
 *  3. tells of every client MX query with mxclash_client_mx() or mxclash_client_response();
 *  4. receives events through the callback of struct mxclash_options, or takes them from
 *     mxclash_event_next().
 * A host that cannot ask sets probe to 0 and leaves out the second.
 *
 * Names are passed in wire format (RFC 1035 3.1), uncompressed, with the root label, 1 to 255
 * octets. Names that leave the detector are in lower case. Times are milliseconds since the epoch;
 * the host may step its clock either way, the detector only becomes late or early by that step.
 * Numbers are in the machine's byte order but for octets of addresses, names and RDATA.
 *
 * Threads: every function may be called from any thread at any time, but for mxclash_engine_new()
 * and mxclash_engine_free(), which are alone with their engine. No function waits for anything but
 * a mutex that is held for a bounded, short time; none calls the host while it holds one.
 *
 * Ownership: what is passed in is borrowed for the call and copied if it is kept, but where a
 * member says otherwise. Nothing that comes out has to be freed, but for the engine; it refers to
 * nothing of the engine's, and constant strings are static.
 *
 * Growth: within one version of the ABI functions and enum values are only added, structs only grow
 * at their end, and struct mxclash_mx, _address, _txt, _record and _cursor never do. A struct that
 * may grow begins with struct_size, which the caller sets to its sizeof before each call:
 *  - what a caller hands in is read as far as struct_size goes, the rest counts as 0. An option
 *    behind what the library knows must be 0, else mxclash_engine_new() refuses it; of the other
 *    structs what it does not know is passed over.
 *  - what a caller gets is written as far as struct_size goes; what the library does not know is
 *    set to 0. struct_size itself is left as it was.
 *  - an event that is handed to on_event has the library's size: read no further.
 *  - the least that struct_size may be is said with each struct. Less, as 0, is refused with
 *    mxclash_invalid, or false, or nothing done.
 * A value that a later version added to an enum has "?" for its name in an older library, and none
 * in the host's own tables: be ready for it.
 *
 * Sources: RFC 1034 3.6.2 and RFC 2181 10.1 (no data beside a CNAME), RFC 1912 2.4 (nor an MX),
 * RFC 5321 5.1 (how mail uses both), RFC 7505 (null MX), RFC 6672 (DNAME), RFC 7208 (SPF).
 */
#ifndef MXCLASH_H
#define MXCLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Of this header; mxclash_version() and mxclash_abi() tell the library's. */
#define MXCLASH_VERSION "0.1.0"
#define MXCLASH_ABI     1

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
/** Octets that hold any provider's tag with its NUL. */
#define MXCLASH_TAG_MAX 64
/** Octets that hold any error text with its NUL. */
#define MXCLASH_ERROR_MAX 256

/** One domain and kind makes at most one opened and one cleared event in so many milliseconds. */
#define MXCLASH_QUIET_MS 3600000

/** Milliseconds since the epoch. */
typedef int64_t mxclash_time;

/** What a function has to say. */
enum mxclash_status {
    mxclash_ok = 0,
    /** what was handed in breaks its format, RFC 1035 as a rule; counted, nothing else happened */
    mxclash_malformed,
    /** an argument or option is outside its range, or a struct_size too small */
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
};
#define MXCLASH_KINDS 5

enum mxclash_state {
    mxclash_suspected = 0,
    mxclash_confirmed,
};
#define MXCLASH_STATES 2

/** How we know. */
enum mxclash_evidence {
    /** one answer carried both */
    mxclash_same_answer = 0,
    /** both were seen while both were valid */
    mxclash_separate_answers,
    /** both were asked afresh */
    mxclash_probe,
};
#define MXCLASH_EVIDENCES 3

/** What happened to a conflict. started and stopped are the detector's own. */
enum mxclash_event_type {
    mxclash_opened = 0,
    mxclash_changed,
    mxclash_cleared,
    mxclash_expired,
    mxclash_started,
    mxclash_stopped,
    /** an open conflict whose harm grew: how it stands. The engine makes none by itself */
    mxclash_tally,
};
#define MXCLASH_EVENT_TYPES 7

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
};
#define MXCLASH_IMPACTS 5

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
};
#define MXCLASH_PROOF_RESULTS 5

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
};
#define MXCLASH_PROOF_DROPS 4

/** Why a conflict was not opened yet, see docs/detection.md. */
enum mxclash_delay {
    /** so many of its domain, with all below it, were opened in the last hour */
    mxclash_delay_domain_limit = 0,
    /** so many of all domains were opened without a proof in the last seconds */
    mxclash_delay_rate_limit,
};
#define MXCLASH_DELAYS 2

/** What became of a client's MX answer for a domain in conflict. */
enum mxclash_outcome {
    /** the client got the CNAME and not the MX */
    mxclash_hidden = 0,
    /** the client got the MX that the CNAME hides */
    mxclash_repaired,
};
#define MXCLASH_OUTCOMES 2

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
};
#define MXCLASH_SPFS 4

/** Do the authorities of a domain say the same? */
enum mxclash_servers {
    mxclash_servers_unknown = 0,
    /** one server carries CNAME and MX */
    mxclash_servers_agree,
    /** one server carries the CNAME and lacks the MX, or the other way round */
    mxclash_servers_differ,
};

/** An MX record (RFC 1035 3.3.9). */
struct mxclash_mx {
    uint16_t preference;
    /** lower case wire name */
    uint8_t exchange[MXCLASH_NAME_MAX];
    uint8_t exchange_len;
};

/** Address and port of a server. */
struct mxclash_address {
    /** 4 or 6; 0: unknown, and the rest means nothing */
    uint16_t family;
    /** 0: unknown */
    uint16_t port;
    /** as on the wire: the first four for family 4, the others then 0 */
    uint8_t octets[16];
};

/**
 * What happened, whole: the event refers to nothing of the engine's.
 * In an event of type started or stopped, which hosts make and the engine does not, only type and
 * time mean anything. struct_size: at least up to mx; mx_count is then what fits.
 */
struct mxclash_event {
    uint32_t struct_size;
    /** enum mxclash_event_type */
    uint8_t type;
    /** enum mxclash_kind */
    uint8_t kind;
    /** enum mxclash_state */
    uint8_t state;
    /** enum mxclash_evidence */
    uint8_t evidence;
    /** enum mxclash_apex */
    int8_t apex;
    /** enum mxclash_impact */
    uint8_t impact;
    /** enum mxclash_servers */
    uint8_t servers;
    /** enum mxclash_known: does the CNAME hide an SPF record (RFC 7208) too? yes: the authority has
     * one at owner */
    int8_t hides_spf;
    /** enum mxclash_spf */
    uint8_t spf;
    uint8_t owner_len;
    /** 0 if unknown */
    uint8_t zone_len;
    /** 0 if the CNAME is gone or was never seen whole */
    uint8_t cname_target_len;
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
    /** of the server that gave the deciding answer */
    struct mxclash_address authority;
    /** short tag of the mailbox provider that mx names, with its NUL; "" if none */
    char provider[MXCLASH_TAG_MAX];
    uint8_t owner[MXCLASH_NAME_MAX];
    /** zone cut that was asked */
    uint8_t zone[MXCLASH_NAME_MAX];
    uint8_t cname_target[MXCLASH_NAME_MAX];
    uint8_t reserved[2];
    /** the domain's own MX as far as known, sorted as by mxclash_mx_insert(): mx has so many
     * members, 0 to MXCLASH_MX_MAX; what lies behind them is nothing */
    uint8_t mx_count;
    struct mxclash_mx mx[MXCLASH_MX_MAX];
};

/** Octets of an event that carry meaning: a copy may leave out the unused end of mx. */
#define MXCLASH_EVENT_SIZE(event)                                                                  \
    (offsetof(struct mxclash_event, mx) + (event)->mx_count * sizeof(struct mxclash_mx))

struct psl_ctx_st;

/** How an engine is to work. mxclash_options_init() fills in what is named here as default.
 * struct_size: at least up to ignore. */
struct mxclash_options {
    uint32_t struct_size;
    /** 0 or 1, default 1: ask the authority afresh before a conflict is called confirmed */
    uint8_t probe;
    /** 0 or 1, default 0: make lookups, for the impact of a conflict and for what SPF records
     * include; needs probe */
    uint8_t lookup;
    /** 0 or 1, default 0: answers are repaired: an MX that a client gets in spite of a conflict is
     * counted so */
    uint8_t repair;
    uint8_t reserved;
    /** octets, at least 262144, default 16777216: bound on all memory of the engine, allocated or
     * to be allocated */
    uint64_t table_size;
    /** secret from a good random source: keys the hashes, so that nobody can aim at one bucket */
    uint64_t seed;
    /** most probe queries a second, 1 to 100000, default 10; a proof takes two */
    uint32_t probe_rate;
    /** least seconds between two proofs of one domain, 1 to 604800, default 3600 */
    uint32_t recheck_interval_s;
    /** seconds after which an open conflict that nobody has met is closed, 60 to 31536000, default
     * 172800 */
    uint32_t expire_after_s;
    /**
     * What a proof of two answers shows for the first time is asked again so many seconds later,
     * and counts only if it is the same then, 0 to 60, default 2. 0: the first proof is enough.
     */
    uint32_t confirm_after_s;
    /**
     * Domains that are never reported nor asked about, each with all names below it.
     * Text names; copied. NULL if ignore_count is 0.
     */
    const char *const *ignore;
    uint64_t ignore_count;
    /**
     * Table of mailbox providers (docs/providers.md), read once; NULL: the built-in one.
     */
    const char *providers;
    /** octets of providers, no NUL needed */
    uint64_t providers_len;
    /**
     * What is a domain: libpsl's psl_ctx_t, the Public Suffix List; borrowed until the engine is
     * freed, and not counted in table_size. NULL: the list that libpsl has built in.
     */
    const struct psl_ctx_st *suffixes;
    /**
     * Called for every event, on the thread that caused it, with no lock held. It must not block
     * and must not call back into the engine. The event is borrowed for the call. NULL: not called.
     */
    void (*on_event)(void *context, const struct mxclash_event *event);
    /** Called as on_event is, when an event begins to wait for a lookup, see mxclash_tick(). A host
     * that asks mxclash_next_due() needs it not. */
    void (*on_held)(void *context);
    /** handed to both */
    void *context;
    /**
     * Events that wait for mxclash_event_next() at most, 0 to 65536, default 0: there is no queue.
     * It takes MXCLASH_QUEUE_OCTETS of table_size for each, which is more than one has as a rule;
     * with long names and many MX fewer fit. What does not fit is lost and counted.
     */
    uint32_t queue_events;
    uint32_t reserved_2;
};

/** Octets of table_size for each event that may wait. */
#define MXCLASH_QUEUE_OCTETS 2048

/** One answer that a resolver got from its upstream. Everything is borrowed for the call.
 * struct_size: at least up to server. */
struct mxclash_answer {
    uint32_t struct_size;
    /** octets, 12 to 65535; fewer is malformed, more is refused where it is looked at closely */
    uint32_t message_len;
    /** the message as it came, before the resolver took anything out */
    const uint8_t *message;
    /** wire name of the zone whose server was asked; NULL if unknown: then only the name that was
     * asked is believed */
    const uint8_t *zone;
    uint32_t zone_len;
    /** 0 or 1: the server was asked as a forwarder: zone bounds what it may say but is no zone
     * cut */
    uint8_t forwarded;
    /** 0 or 1: zone is a name that the operator gave these servers (a stub zone): no zone cut
     * either. Need only be told where zone is the name that was asked. */
    uint8_t stub;
    uint8_t reserved[2];
    /** who answered */
    struct mxclash_address server;
    uint32_t reserved_2;
};

/** One record of an answer that was parsed already. */
struct mxclash_record {
    /** wire name */
    const uint8_t *owner;
    /** as in a message (RFC 1035 3.2.1), but no name in it compressed */
    const uint8_t *rdata;
    uint32_t ttl_s;
    uint16_t type;
    uint16_t rr_class;
    uint16_t rdata_len;
    uint8_t owner_len;
    /** 1: answer, 2: authority, 3: additional */
    uint8_t section;
};

/** One answer as struct mxclash_answer, but parsed. Everything is borrowed for the call.
 * struct_size: at least up to server. */
struct mxclash_records {
    uint32_t struct_size;
    /** of the question; its class is IN */
    uint16_t qtype;
    /** 0 to 15 (RFC 1035 4.1.1) */
    uint8_t rcode;
    /** 0 or 1: the AA and TC bits of the header */
    uint8_t authoritative;
    uint8_t truncated;
    /** as in struct mxclash_answer */
    uint8_t forwarded;
    uint8_t stub;
    uint8_t reserved;
    /** wire name that was asked */
    const uint8_t *qname;
    uint32_t qname_len;
    uint32_t record_count;
    /** record_count members, in the order of the message; NULL if there are none */
    const struct mxclash_record *records;
    /** as in struct mxclash_answer */
    const uint8_t *zone;
    uint32_t zone_len;
    /** who answered */
    struct mxclash_address server;
};

/** Most questions of a proof. */
#define MXCLASH_PROOF_QUESTIONS 4

/** A proof to be made: ask these types of owner, class IN, past every cache. struct_size: at least
 * up to zone. */
struct mxclash_proof {
    uint32_t struct_size;
    /** of MX (15), CNAME (5), A (1), AAAA (28), TXT (16), SOA (6) */
    uint16_t qtypes[MXCLASH_PROOF_QUESTIONS];
    uint8_t qtype_count;
    /** 0 or 1: ask one after the other, in this order: the next when the one before is over. Else
     * all at once. */
    uint8_t in_turn;
    uint8_t owner_len;
    /** 0 if unknown */
    uint8_t zone_len;
    uint64_t id;
    /** For a host that asks by itself, hints: the server that answered last, and the zone as it was
     * seen. Either may be outdated: where that server is no authority any more, find another. */
    struct mxclash_address authority;
    uint8_t owner[MXCLASH_NAME_MAX];
    uint8_t zone[MXCLASH_NAME_MAX];
    uint8_t reserved[2];
};

/**
 * A look at what senders meet, or at what an SPF record includes: one question about the CNAME's
 * target or the included name, class IN, resolved as for any client, from the cache where it has
 * the answer. struct_size: at least up to reserved.
 */
struct mxclash_lookup {
    uint32_t struct_size;
    /** 15 (MX), 1 (A) or 28 (AAAA); 16 (TXT) of an included name */
    uint16_t qtype;
    uint8_t owner_len;
    uint8_t target_len;
    uint64_t id;
    uint8_t owner[MXCLASH_NAME_MAX];
    /** to be asked for */
    uint8_t target[MXCLASH_NAME_MAX];
    uint8_t reserved[2];
};

/** Most TXT records of one name that a lookup hands in. */
#define MXCLASH_TXT_MAX 64

/** One TXT record: len octets of RDATA, character-strings as they came (RFC 1035 3.3.14). */
struct mxclash_txt {
    const uint8_t *rdata;
    uint16_t len;
};

/** What one question of a lookup came to. struct_size: all of this. */
struct mxclash_lookup_reply {
    uint32_t struct_size;
    /** 0 or 1: NOERROR or NXDOMAIN came; 0: no answer, SERVFAIL and the like */
    uint8_t answered;
    /** 0 or 1: an MX set that is only the null MX (RFC 7505) */
    uint8_t null_mx;
    /** 0 or 1: an address came */
    uint8_t has_address;
    /** 0 or 1: there were more TXT records than MXCLASH_TXT_MAX */
    uint8_t txt_cut;
    /** the MX set without null MX, as mxclash_mx_insert() makes it, octets behind names 0 */
    const struct mxclash_mx *mx;
    /** the TXT records at the end of the chain */
    const struct mxclash_txt *txt;
    /** 0 to MXCLASH_MX_MAX */
    uint32_t mx_count;
    /** 0 to MXCLASH_TXT_MAX */
    uint32_t txt_count;
};

/** One number since the engine began, or of how it stands. struct_size: at least up to label. */
struct mxclash_stat {
    uint32_t struct_size;
    /** 0 or 1: it only goes up (a Prometheus counter); 0: a gauge */
    uint32_t is_counter;
    uint64_t value;
    /** as on the metrics page (docs/metrics.md), static */
    const char *name;
    /** up to two labels and their values, static; NULL where there is none */
    const char *label;
    const char *label_value;
    const char *label_2;
    const char *label_2_value;
};

/** One affected domain, for lists. struct_size: at least up to reserved_2. */
struct mxclash_domain {
    uint32_t struct_size;
    /** enum mxclash_kind */
    uint8_t kind;
    /** enum mxclash_state */
    uint8_t state;
    uint8_t reserved;
    uint8_t owner_len;
    uint64_t mx_queries;
    mxclash_time first_seen;
    mxclash_time last_seen;
    /** short tag of the mailbox provider that the MX names; "" if none */
    char provider[MXCLASH_TAG_MAX];
    uint8_t owner[MXCLASH_NAME_MAX];
    uint8_t reserved_2;
};

/** What a client's MX question got. */
enum mxclash_reply {
    mxclash_reply_other = 0,
    /** a CNAME at the owner and no MX of it */
    mxclash_reply_hides,
    /** the owner's MX */
    mxclash_reply_shows,
    /** mxclash_client_response() only: it is no whole answer to an MX question of class IN */
    mxclash_reply_not_mx,
};

/** How an owner stands, for a host that annotates or repairs answers. struct_size: at least up to
 * mx; mx_count is then what fits. */
struct mxclash_standing {
    uint32_t struct_size;
    /** enum mxclash_kind: the gravest conflict that is open: cname-and-mx, cname-at-apex, then the
     * others */
    uint8_t kind;
    /** enum mxclash_state */
    uint8_t state;
    uint8_t reserved;
    uint8_t mx_count;
    /** seconds that mx is still valid; 0: it is not, or not from the owner's own authority, and
     * mx_count is 0 */
    uint32_t mx_ttl_s;
    /** mx_count members; what lies behind them is nothing */
    struct mxclash_mx mx[MXCLASH_MX_MAX];
};

/** A place in the table. All 0 to begin; the engine's to write, the host's to keep. It holds
 * nothing that must be given back. */
struct mxclash_cursor {
    uint64_t place[4];
};

struct mxclash_engine;

/** Of the library, as MXCLASH_VERSION; static. */
MXCLASH_PUBLIC const char *mxclash_version(void);

/** Of the library: MXCLASH_ABI of the header that it was built with. */
MXCLASH_PUBLIC uint32_t mxclash_abi(void);

/** Set every option to its default, and struct_size. seed is left to the host. */
MXCLASH_PUBLIC void mxclash_options_init(struct mxclash_options *options, uint32_t struct_size);

/**
 * Make an engine.
 *
 * \param options  borrowed for the call
 * \param[out] engine  written only on mxclash_ok; freed with mxclash_engine_free()
 * \param[out] error  what is wrong and what would cure it, in one line with its NUL, cut after
 *     error_size octets; "" on mxclash_ok. NULL if error_size is 0
 * \retval mxclash_invalid    an option is outside its range, an ignored name is no name, or the
 *     table of providers is broken
 * \retval mxclash_no_memory  nothing is left behind
 */
MXCLASH_PUBLIC enum mxclash_status mxclash_engine_new(const struct mxclash_options *options,
                                                      struct mxclash_engine **engine, char *error,
                                                      size_t error_size);

/** Free an engine; NULL is allowed. No other thread may be inside it. No event is made, and what
 * waits for mxclash_event_next() is lost. */
MXCLASH_PUBLIC void mxclash_engine_free(struct mxclash_engine *engine);

/**
 * Look at one answer from upstream.
 *
 * Only owners at or below answer->zone are believed. Costs a walk over the answer section where it
 * holds neither CNAME nor MX.
 *
 * Blocking: none; at most one shard lock at a time, each held for O(1) work.
 * \retval mxclash_malformed  the message breaks RFC 1035; counted, engine unchanged
 * \retval mxclash_invalid    struct_size is too small or message_len too large; told where the
 *     answer was looked at closely, which is not where there was nothing to see
 */
MXCLASH_PUBLIC enum mxclash_status mxclash_inspect(struct mxclash_engine *engine,
                                                   const struct mxclash_answer *answer,
                                                   mxclash_time now);

/**
 * As mxclash_inspect(), of an answer that the host has parsed: the verdict is the one that the
 * message would have had. Cost: the records are written into a message first.
 *
 * \retval mxclash_malformed  a name, an RDATA of CNAME or MX, or a section is none
 * \retval mxclash_invalid    struct_size is too small, or the message would be longer than 65535
 *     octets
 * \retval mxclash_no_memory  it is longer than 4096 octets, and there was none
 */
MXCLASH_PUBLIC enum mxclash_status mxclash_inspect_records(struct mxclash_engine *engine,
                                                           const struct mxclash_records *records,
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
 * \param proof  as mxclash_proof_next() gave it: only id and owner are read
 * \param qtype  the question that was asked: one of proof->qtypes
 * \return as mxclash_inspect()
 */
MXCLASH_PUBLIC enum mxclash_status
mxclash_proof_answer(struct mxclash_engine *engine, const struct mxclash_proof *proof,
                     uint16_t qtype, const struct mxclash_answer *answer, mxclash_time now);

/** The same of an answer that the host has parsed. \return as mxclash_inspect_records() */
MXCLASH_PUBLIC enum mxclash_status
mxclash_proof_records(struct mxclash_engine *engine, const struct mxclash_proof *proof,
                      uint16_t qtype, const struct mxclash_records *records, mxclash_time now);

/** \return true if a proof is decided, or was given up: what it has not asked yet it need not ask.
 * mxclash_proof_end() may then be called or not. */
MXCLASH_PUBLIC bool mxclash_proof_decided(struct mxclash_engine *engine,
                                          const struct mxclash_proof *proof);

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
 * mxclash_lookup_end() once, whatever happens. \param[out] lookup  written only on true */
MXCLASH_PUBLIC bool mxclash_lookup_next(struct mxclash_engine *engine, mxclash_time now,
                                        struct mxclash_lookup *lookup);

/** More packets were sent for lookups than one for each: the next ones wait the longer. */
MXCLASH_PUBLIC void mxclash_lookup_sent(struct mxclash_engine *engine, unsigned packets);

/** A lookup is over. \param reply  borrowed; answered 0 if there was no answer */
MXCLASH_PUBLIC void mxclash_lookup_end(struct mxclash_engine *engine,
                                       const struct mxclash_lookup *lookup,
                                       const struct mxclash_lookup_reply *reply, mxclash_time now);

/** \return true if proofs or lookups wait to be made, at once or in some seconds: the host should
 * try again soon, and go on as long as this says so. Two loads. */
MXCLASH_PUBLIC bool mxclash_errands_wait(const struct mxclash_engine *engine);

/**
 * How long a host that has a loop of its own may sleep. When the time is over it calls
 * mxclash_proof_next() and mxclash_lookup_next() until both say false, and mxclash_tick(). Any
 * other call may bring the time forward.
 *
 * \return milliseconds, 0: there is something to do now; INT64_MAX: nothing, until another call
 */
MXCLASH_PUBLIC int64_t mxclash_next_due(struct mxclash_engine *engine, mxclash_time now);

/**
 * Let go of events that wait for a lookup. An opened event waits for its impact, so that it tells
 * all in one, but not for long: after on_held was called, the host calls this about five times a
 * second until it returns false; or it sleeps as mxclash_next_due() says. What waited since before
 * the last call is let go: before an engine is freed, two calls let all go.
 */
MXCLASH_PUBLIC bool mxclash_tick(struct mxclash_engine *engine);

/**
 * A client asked the MX of owner and is being answered. A reply that hides it makes owner a
 * suspect.
 *
 * \param owner  wire name in any case
 * \param reply  enum mxclash_reply
 * \return true if owner is in conflict (suspected or confirmed)
 */
MXCLASH_PUBLIC bool mxclash_client_mx(struct mxclash_engine *engine, const uint8_t *owner,
                                      size_t owner_len, uint32_t reply, mxclash_time now);

/**
 * The same of a message that a client was sent (a dnstap CLIENT_RESPONSE): what it shows is found
 * out and counted. Anything but an answer to an MX question of class IN, and a truncated one, for
 * the client asks again, is passed over.
 *
 * \param message  message_len octets
 * \param[out] reply  enum mxclash_reply; written unless malformed; may be NULL
 * \retval mxclash_malformed  the message breaks RFC 1035; counted, engine unchanged
 */
MXCLASH_PUBLIC enum mxclash_status mxclash_client_response(struct mxclash_engine *engine,
                                                           const uint8_t *message,
                                                           size_t message_len, mxclash_time now,
                                                           uint32_t *reply);

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

/**
 * Take the event that has waited longest, see queue_events. A host may use the queue, the callback
 * or both.
 *
 * \param[out] event  written only on true
 * \return false if none waits
 */
MXCLASH_PUBLIC bool mxclash_event_next(struct mxclash_engine *engine, struct mxclash_event *event);

/**
 * Read one of the counters; begin with index 0 and go on until this says false. A later version may
 * have more, and others between them: go by their names.
 *
 * \param[out] stat  written only on true. One thread's view, not a common instant
 */
MXCLASH_PUBLIC bool mxclash_get_stat(const struct mxclash_engine *engine, uint32_t index,
                                     struct mxclash_stat *stat);

/**
 * Copy the open conflicts that clients met most, most MX queries first; ties by owner.
 *
 * \param[out] domains  room for max members, each of the struct_size that the first has
 * \return members written, at most max
 * Blocking: one shard lock at a time, each held for some dozen conflicts. What opens or ends
 * meanwhile may be among them or not.
 */
MXCLASH_PUBLIC size_t mxclash_top_domains(struct mxclash_engine *engine,
                                          struct mxclash_domain *domains, size_t max);

/**
 * Walk over all open conflicts, one a call. What is open all the while comes once; what opens or
 * ends meanwhile once or not at all.
 *
 * \param cursor  all 0 for the first
 * \param[out] conflict  written only on true: what an event of it would say, type opened and time
 *     first_seen; held_back is what the next event will say
 * \return false at the end
 * Blocking: one shard lock at a time, each held for some dozen conflicts.
 */
MXCLASH_PUBLIC bool mxclash_next_open(struct mxclash_engine *engine, struct mxclash_cursor *cursor,
                                      struct mxclash_event *conflict);

/** Octets that hold any case that mxclash_export() writes. */
#define MXCLASH_EXPORT_MAX 8192

/**
 * Write down one case with open conflicts, all that another engine needs to go on where this one
 * is: what is open, since when, what was told of it and when, and the counts. Walks as
 * mxclash_next_open() does, one case a call.
 *
 * The octets are the same on every machine: two letters, the version and the length of the whole in
 * two octets each, big-endian, the case, and a checksum. So one may follow the other in a file.
 *
 * \param cursor  all 0 for the first
 * \param[out] octets  room for MXCLASH_EXPORT_MAX
 * \return octets written, 0 at the end
 */
MXCLASH_PUBLIC size_t mxclash_export(struct mxclash_engine *engine, struct mxclash_cursor *cursor,
                                     uint8_t *octets, size_t room);

/**
 * Take in a case that mxclash_export() wrote. No event is made of it, now or later, as long as it
 * is as it was: it is proved again when it is met and its time has come. Where the table is full it
 * takes the place of another, as any case does. Nothing in the octets is trusted; what lies in the
 * future counts as now. What is refused is counted.
 *
 * \retval mxclash_malformed  it is no whole case: cut, changed, or nonsense
 * \retval mxclash_invalid    a version that this library does not know, a domain that is ignored or
 *     has a case already
 * \retval mxclash_no_memory  it does not fit into table_size
 */
MXCLASH_PUBLIC enum mxclash_status
mxclash_import(struct mxclash_engine *engine, const uint8_t *octets, size_t len, mxclash_time now);

/** Forget all that the table holds of an owner. An open conflict ends without an event and counts
 * as evicted. \param owner  wire name in any case. \return false if there was nothing */
MXCLASH_PUBLIC bool mxclash_forget(struct mxclash_engine *engine, const uint8_t *owner,
                                   size_t owner_len);

/** Prove an owner anew as soon as probe_rate and its domain's share of it allow, not when it is
 * due. \param owner  wire name in any case. \return false if the table holds no case of it, a proof
 * is on its way, or probe is 0 */
MXCLASH_PUBLIC bool mxclash_recheck(struct mxclash_engine *engine, const uint8_t *owner,
                                    size_t owner_len, mxclash_time now);

/* The names that operators see, see docs/detection.md and docs/metrics.md; static storage, "?" for
 * a value outside its enum. */
MXCLASH_PUBLIC const char *mxclash_kind_name(uint32_t kind);
MXCLASH_PUBLIC const char *mxclash_state_name(uint32_t state);
MXCLASH_PUBLIC const char *mxclash_evidence_name(uint32_t evidence);
MXCLASH_PUBLIC const char *mxclash_event_type_name(uint32_t type);
MXCLASH_PUBLIC const char *mxclash_impact_name(uint32_t impact);
MXCLASH_PUBLIC const char *mxclash_proof_result_name(uint32_t result);
MXCLASH_PUBLIC const char *mxclash_proof_drop_name(uint32_t drop);
MXCLASH_PUBLIC const char *mxclash_delay_name(uint32_t delay);
MXCLASH_PUBLIC const char *mxclash_outcome_name(uint32_t outcome);
/** \return NULL for mxclash_spf_none */
MXCLASH_PUBLIC const char *mxclash_spf_name(uint32_t spf);
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
