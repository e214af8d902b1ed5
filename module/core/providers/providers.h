/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What is known of mailbox providers: which MX hosts are theirs, which MX sets and which SPF
 * include they document. The table is text (docs/providers.md); one is built in.
 *
 * A table never changes after it was parsed: any thread may read it, without a lock.
 */
#ifndef MXCLASH_CORE_PROVIDERS_PROVIDERS_H
#define MXCLASH_CORE_PROVIDERS_PROVIDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dns/registrable.h"
#include "mxclash.h"

/** Bounds of a table; a text beyond them is refused. */
#define PROVIDERS_TEXT_MAX    (256u << 10)
#define PROVIDERS_LINE_MAX    1024
#define PROVIDERS_MAX         256
#define PROVIDER_TAG_MAX      63
#define PROVIDER_PATTERNS_MAX 64
#define PROVIDER_SETS_MAX     32
#define PROVIDER_STRINGS_MAX  16
/** Room for any error text of providers_parse(). */
#define PROVIDERS_ERROR_MAX 256

/** Bits by which SPF includes are told apart: providers further down the table share them. */
#define SPF_NUMBERS 64

/** Host names of a provider: one name, or all names below one (`*.name`). */
struct provider_pattern {
    /** lower case wire name of name_len octets; most are far shorter than a name may be */
    uint8_t *name;
    uint8_t name_len;
    bool below;
    /** of hosts that take no mail and say nothing: made to prove who owns a domain */
    bool token;
};

/** One host of a set; as struct mxclash_mx, with no more room than its name needs. */
struct provider_mx {
    uint8_t *exchange;
    uint16_t preference;
    uint8_t exchange_len;
};

/** One MX set that a provider documents: 1 to MXCLASH_MX_MAX hosts, in the order of the text. */
struct provider_set {
    struct provider_mx *mx;
    size_t count;
};

/** Strings of one key that may be given more than once. */
struct provider_strings {
    char **text;
    size_t count;
};

/** One section of the table. Owned by the table; the strings are printable ASCII. */
struct provider {
    /** short tag, lower case letters, digits and hyphens; what events call it */
    char *name;
    /** for people; this very name if the text has none, and after providers_parse_rules() */
    char *title;
    /** providers of one family are editions or regions of one service; this very name if the text
     * has none */
    char *family;
    /** a filtering service in front of the mailboxes, not a mailbox provider */
    bool filter;
    /** preferences of a documented set say an order and not numbers */
    bool order_only;
    struct provider_pattern *patterns;
    size_t pattern_count;
    /** alternatives: any one of them is complete */
    struct provider_set *sets;
    size_t set_count;
    /** documented SPF includes, any one of them is enough; lower case text names, no last dot */
    struct provider_strings spf;
    /** what its includes go by: sections that document the same ones share a number, and the
     * numbers have no gaps; 0 and without a meaning if it documents none */
    unsigned spf_number;
    /** where the values come from; none after providers_parse_rules() */
    struct provider_strings sources;
};

struct providers;

/** The built-in table as text. */
extern const char providers_builtin_text[];

/**
 * Read a table. One that says `include builtin` has the built-in sections first, without those that
 * it has itself.
 *
 * \param text  borrowed for the call; len octets, no NUL needed
 * \param[out] error  on NULL: `LINE: what is wrong`, lines counted from 1
 * \return NULL if the text breaks the format or there is no memory; freed with providers_free()
 */
struct providers *providers_parse(const char *text, size_t len, char error[PROVIDERS_ERROR_MAX]);

/** As providers_parse(), without what only people read: titles and sources, a quarter of a table.
 */
struct providers *providers_parse_rules(const char *text, size_t len,
                                        char error[PROVIDERS_ERROR_MAX]);

/** Read the built-in table. \return as providers_parse() */
struct providers *providers_builtin(char error[PROVIDERS_ERROR_MAX]);

/** Say what is a domain, before the table is used: as registrable_at() takes it, borrowed for as
 * long as the table lives. Without this it is libpsl's built-in list. */
void providers_use_suffixes(struct providers *providers, const struct psl_ctx_st *suffixes);

/** Free a table and every string that came from it; NULL is allowed. */
void providers_free(struct providers *providers);

/** Octets of memory that a table takes. */
size_t providers_octets(const struct providers *providers);

/** Sections of the table, filters included, in the order of the text. */
size_t providers_count(const struct providers *providers);
/** \param index  below providers_count() */
const struct provider *providers_at(const struct providers *providers, size_t index);

/**
 * Say whose host a name is. The longest pattern wins, a whole name before `*`.
 *
 * \param host  lower case wire name
 * \param[out] pattern  the one that says so; not written if NULL is returned
 * \return a provider or a filter; NULL if nobody's in the table
 * Cost: one hash step and one look a label.
 */
const struct provider *providers_host(const struct providers *providers, const uint8_t *host,
                                      size_t host_len, const struct provider_pattern **pattern);

/**
 * Say which mailbox provider an MX set names: by any of its hosts; the host with the lowest
 * preference decides, at equal preference the section that comes first. Filters and tokens are
 * passed over.
 *
 * \param mx  count members; only the first MXCLASH_MX_MAX are looked at
 * \return NULL if none
 */
const struct provider *providers_match(const struct providers *providers,
                                       const struct mxclash_mx *mx, size_t count);

/** Tag of a provider for events; NULL for NULL. Lives as long as its table. */
const char *provider_name(const struct provider *provider);

/** What an MX set looks like beside what its provider documents. */
struct providers_verdict {
    /** as providers_match(); if that is none, the one whose hosts are doubled */
    const struct provider *provider;
    /** a filtering service stands in the set, or before the provider what may be one */
    bool filtered;
    /** bit i: mx[i] belongs neither to the provider, nor to a filter, nor to the owner, and is not
     * in front */
    uint32_t foreign;
    /** of these, one is another known provider's: it surely is foreign */
    bool foreign_sure;
    /** bit i: mx[i] is a host of the provider with the owner's domain behind it: a last dot lacks
     */
    uint32_t doubled;
    /** no set that the provider documents is there in full, or hosts are doubled */
    bool incomplete;
    /** the documented set that lacks fewest hosts; NULL if one is there, doubled hosts counted */
    const struct provider_set *wanted;
    /** bits of enum mxclash_advice: remove-foreign-mx, complete-mx, add-final-dot */
    uint32_t advice;
};

/**
 * Judge an MX set. What is foreign and what is incomplete is explained in docs/providers.md.
 *
 * \param owner  lower case wire name of the mail domain
 * \param mx     as in providers_match(); the null MX (RFC 7505) names nobody
 * \param[out] verdict  always written; all empty if the set names no known provider
 */
void providers_judge(const struct providers *providers, const uint8_t *owner, size_t owner_len,
                     const struct mxclash_mx *mx, size_t count, struct providers_verdict *verdict);

/**
 * Say whose SPF include a name is.
 *
 * \param name  text name of len octets, lower case, no last dot
 * \return bit spf_number % SPF_NUMBERS of each provider that documents it
 */
uint64_t providers_included(const struct providers *providers, const uint8_t *name, size_t len);

#endif
