/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Reading the book: the SQLite database of conflicts that is made from the event logs.
 *
 * The tables are described in docs/book.md. Their two levels are those of this header:
 *  - a conflict is what one host (resolver) told of one domain and kind, from its opening to its
 *    end; a domain that broke twice has two;
 *  - an affected domain is one domain and kind over all hosts: what lists show.
 *
 * Texts are as in the log: names in ASCII, lower case, other octets as \DDD, so that they hold
 * nothing but printable ASCII; words (kind, state, impact ...) are those of the log, and a newer
 * log may bring words that are not known here: at most BOOK_WORD_MAX of a-z, 0-9 and hyphen.
 * Only a host's name may be any UTF-8 without control characters. Times are milliseconds since the
 * epoch.
 *
 * Strings that a callback gets are borrowed for the call. A callback returns false to end the walk;
 * that is no fault. One thread at a time uses a struct book; each thread opens its own. No call
 * waits for a writer, and none holds one up.
 */
#ifndef MXCLASH_BOOK_BOOK_H
#define MXCLASH_BOOK_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Octets of the longest word, without its NUL. */
#define BOOK_WORD_MAX 40
/** Octets of the longest host name, without its NUL. */
#define BOOK_HOST_MAX 255
/** Room for any error text. */
#define BOOK_ERROR_MAX 512
/** Room for a cursor: a number, a kind and a domain. */
#define BOOK_CURSOR_MAX 1152
/** Most members that one list call gives. */
#define BOOK_LIST_MAX 100000
/** Most MX records and words of advice of one conflict. */
#define BOOK_MX_MAX     16
#define BOOK_ADVICE_MAX 32
/** Milliseconds of one bucket of the timeline. */
#define BOOK_HOUR_MS INT64_C(3600000)

struct book;

/**
 * Open a book to read it. It is never made, changed or moved.
 *
 * Where the file is replaced later, as after a corrupt one was set aside, the next call that reads
 * opens the new one by itself.
 *
 * \param path  borrowed for the call
 * \param[out] error  why it cannot be read, room for BOOK_ERROR_MAX; written only on NULL
 * \return NULL if there is no memory, or no book that can be read: it is not there (as long as
 *     nothing was read from a log), not a book, of a newer version, or corrupt
 */
struct book *book_open(const char *path, char error[BOOK_ERROR_MAX]);

/** Close it; NULL is allowed. */
void book_close(struct book *book);

/** Why the last call that returned false did so. Valid until the next call. */
const char *book_error(const struct book *book);

/** Which conflicts are meant. */
enum book_which {
    book_open_now = 0,
    /** ended, and kept for retention-days */
    book_ended,
    book_all,
};

/** What a list shows; NULL and 0 everywhere: all open conflicts. */
struct book_filter {
    enum book_which which;
    /** words; NULL: any */
    const char *state;
    const char *kind;
    /** a provider's tag; "" for those without a provider; NULL: any */
    const char *provider;
    const char *impact;
    /** told by this host, perhaps among others */
    const char *host;
    /** part of the domain's name, in any case; NULL: any */
    const char *query;
};

enum book_sort {
    /** most MX queries first */
    book_by_mx_queries = 0,
    /** newest first */
    book_by_first_seen,
    /** met last first */
    book_by_last_seen,
    /** a to z */
    book_by_domain,
    BOOK_SORTS,
};

/** The words of sort=, in the order of the enum: mx-queries, first-seen, last-seen, domain. */
extern const char *const book_sort_names[BOOK_SORTS];

/** \param[out] sort  written only on true */
bool book_sort_from_name(const char *name, enum book_sort *sort);

/** One domain and kind over all hosts. */
struct book_affected {
    const char *domain;
    const char *kind;
    /** confirmed if one host says so */
    const char *state;
    const char *impact;
    /** NULL if none */
    const char *provider;
    /** NULL if none is known */
    const char *cname_target;
    /** the first host's, and the last one's */
    int64_t first_seen;
    int64_t last_seen;
    /** when the last host closed it; 0: open */
    int64_t ended;
    /** cleared, expired or silent (the host said nothing more); NULL: open */
    const char *ending;
    /** of all its hosts; while it is open, of its open conflicts only */
    uint64_t mx_queries;
    /** how many hosts; while it is open, those for which it is */
    uint64_t hosts;
};

typedef bool (*book_affected_fn)(void *context, const struct book_affected *affected);

/** What a list call found beside its members. */
struct book_page {
    /** all that the filter lets through, this page and the others; only if asked for */
    uint64_t total;
    /** hand it in as after to get the next page; "" after the last one. Of digits, lower case
     * letters and the octets -_.~*\ only: a URL must write \ and ~ as it has to */
    char next[BOOK_CURSOR_MAX];
};

/**
 * List affected domains.
 *
 * \param limit  1 to BOOK_LIST_MAX
 * \param after  a cursor from book_page.next with the same filter and sort; NULL or "": from the
 *     start. What was there before and did not move is neither left out nor told twice, whatever
 *     came or went meanwhile.
 * \param count  find out page->total too, at the cost of a walk over all
 * \param[out] page  NULL if not wanted
 * \return false if the book cannot be read, or after is no cursor: book_error()
 */
bool book_list(struct book *book, const struct book_filter *filter, enum book_sort sort,
               size_t limit, const char *after, bool count, book_affected_fn each, void *context,
               struct book_page *page);

/** One MX record. */
struct book_mx {
    unsigned preference;
    const char *exchange;
};

/** What one host told of one domain and kind, from its opening to its end. The fields are those of
 * the event log (docs/detection.md); NULL or -1: null there. */
struct book_conflict {
    /** grows in the order in which conflicts came into the book */
    int64_t id;
    /** "" if the log names none */
    const char *host;
    const char *domain;
    const char *kind;
    const char *state;
    const char *evidence;
    /** 1, 0; -1: not known */
    int apex;
    const char *zone;
    const char *cname_target;
    /** seconds; meaningless without cname_target */
    uint32_t cname_ttl;
    size_t mx_count;
    struct book_mx mx[BOOK_MX_MAX];
    const char *provider;
    const char *impact;
    int hides_spf;
    const char *spf;
    const char *authority;
    int authorities_differ;
    int64_t first_seen;
    int64_t last_seen;
    /** time of the last event that told of it */
    int64_t told;
    /** 0 and NULL while it is open, else as in struct book_affected */
    int64_t ended;
    const char *ending;
    uint64_t mx_queries;
    size_t advice_count;
    const char *advice[BOOK_ADVICE_MAX];
};

typedef bool (*book_conflict_fn)(void *context, const struct book_conflict *conflict);

/**
 * Show all that is known of a domain: its open conflicts first, those with the most MX queries
 * first, then the ended ones, newest first; at most 1000.
 *
 * \param domain  as book_domain() writes it
 * \return false if the book cannot be read; a domain that is not in it is no fault
 */
bool book_show(struct book *book, const char *domain, book_conflict_fn each, void *context);

/**
 * Write a domain that a person typed as the book has it: lower case, no last dot, \DDD.
 * \param[out] out  room for MXCLASH_NAME_TEXT_MAX octets; written only on true
 * \return false if it is no domain name in ASCII
 */
bool book_domain(const char *typed, char *out);

/** How the book stands. */
struct book_summary {
    /** open now: domains, domains with a kind each (what book_list() lists), by state */
    uint64_t domains;
    uint64_t open;
    uint64_t confirmed;
    /** MX queries met by what is open */
    uint64_t mx_queries;
    /** ended and still kept */
    uint64_t ended;
    /** hosts that ever told something */
    uint64_t hosts;
    /** time of the newest event; 0: none */
    int64_t newest;
};

enum book_group {
    book_group_kind = 0,
    book_group_impact,
    /** "" for those without one */
    book_group_provider,
    BOOK_GROUPS,
};

/** The open conflicts that have one value in common. */
struct book_share {
    const char *value;
    /** domains with a kind each */
    uint64_t open;
    uint64_t mx_queries;
};

/** Most values of one group in an overview. Logs have some ten. */
#define BOOK_OVERVIEW_VALUES 512

typedef bool (*book_overview_fn)(void *context, enum book_group by, const struct book_share *share);

/**
 * Sum up the book, and count what is open by its kind, its impact and its provider: most MX queries
 * first. One walk.
 * \param limit  most members of a group that are told of
 * \param each  called for one group after the other
 */
bool book_overview(struct book *book, struct book_summary *summary, size_t limit,
                   book_overview_fn each, void *context);

/** What happened in one hour, on all hosts. */
struct book_hour {
    /** its begin */
    int64_t start;
    /** MX queries met by domains in conflict */
    uint64_t mx_queries;
    /** of these and of the hours before: met by domains that had no tally line of their own. They
     * are in mx_queries once the domain has a line. */
    uint64_t mx_queries_summed;
    /** conflicts (one a host) */
    uint64_t opened;
    uint64_t cleared;
    /** expired and silent ones */
    uint64_t expired;
    /** conflicts open at its end; now, if it is not over */
    uint64_t open;
};

typedef bool (*book_hour_fn)(void *context, const struct book_hour *hour);

/** Most hours of one timeline: 400 days. */
#define BOOK_HOURS_MAX 9600

/**
 * Tell what happened hour by hour, oldest first. Hours in which nothing happened come too.
 *
 * \param kind  NULL: all kinds
 * \param from, to  the hours that hold these and those between; at most BOOK_HOURS_MAX
 */
bool book_timeline(struct book *book, const char *kind, int64_t from, int64_t to, book_hour_fn each,
                   void *context);

/** A resolver that told something. */
struct book_host {
    const char *host;
    /** of the detector; NULL if not known */
    const char *version;
    /** times; 0 if never told */
    int64_t started;
    int64_t stopped;
    int64_t newest;
    /** conflicts */
    uint64_t open;
};

typedef bool (*book_host_fn)(void *context, const struct book_host *host);

bool book_hosts(struct book *book, book_host_fn each, void *context);

/** Numbers of the process that keeps a book, since it began: mxclash serve's own metrics. */
struct book_counters {
    uint64_t lines;
    uint64_t octets;
    /** lines that are no event, are too long, or lack what an event must have */
    uint64_t lines_malformed;
    /** events of a kind that is not known here: passed over */
    uint64_t events_unknown;
    uint64_t events;
    /** times that the database could not be written, or a log not be read */
    uint64_t database_faults;
    uint64_t log_faults;
    /** corrupt databases set aside */
    uint64_t set_aside;
    /** log files that are open, octets in them that are not in the book yet */
    uint64_t logs_open;
    uint64_t octets_behind;
    /** time of the last batch that is in the book for good; 0: none */
    int64_t committed;
    /** the last try failed */
    bool database_failing;
};

#endif
