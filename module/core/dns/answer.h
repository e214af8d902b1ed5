/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What one answer says of CNAME and MX, owner by owner, and how far it may be believed.
 */
#ifndef MXCLASH_CORE_DNS_ANSWER_H
#define MXCLASH_CORE_DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dns/wire.h"
#include "mxclash.h"

/** Most owners of one answer that are looked at: more than a resolver follows of a chain. */
#define ANSWER_OWNERS_MAX 12
/** Most DNAMEs of one answer that are compared with its CNAMEs. */
#define ANSWER_DNAMES_MAX 8
/** Most records of one answer whose names are read: a message can hold 4,000, no honest one does.
 */
#define ANSWER_RECORDS_MAX 128

/** Most records of one answer among which telling ones are looked for, once for each owner: behind
 * these a message only is walked to its end. */
#define ANSWER_WALK_MAX 512

/** One owner in the answer section with a CNAME, an MX or a TXT that counts. */
struct sighting {
    uint8_t owner[MXCLASH_NAME_MAX];
    uint8_t owner_len;
    /** the owner is the name that was asked */
    bool is_qname;
    bool cname;
    /** an MX other than the null MX (RFC 7505) */
    bool mx;
    /** a TXT record of the name that was asked, to a question for TXT */
    bool txt;
    /** seconds, RFC 2181 8; the least of the RRset */
    uint32_t cname_ttl_s;
    uint32_t mx_ttl_s;
    uint32_t txt_ttl_s;
    /** where the CNAME's target stands, and where its RDATA ends */
    size_t target_at;
    size_t target_end;
    /** the last of its MX records, as number in answer_reading.others + 1; 0: none. Only of owners
     * that were not asked for. */
    uint8_t mx_last;
};

/** An MX record of an owner that was not asked for. */
struct other_mx {
    /** where it begins */
    uint16_t at;
    /** the one before it of the same owner, as sighting.mx_last */
    uint8_t before;
};

struct answer_reading {
    struct wire_message message;
    /** the name that was asked, lower case; message.qname_len octets, written for answer_telling */
    uint8_t qname[MXCLASH_NAME_MAX];
    struct sighting sightings[ANSWER_OWNERS_MAX];
    size_t count;
    /** the MX set of the name that was asked, as answer_mx_set() gives it */
    struct mxclash_mx mx[MXCLASH_MX_MAX];
    size_t mx_count;
    struct other_mx others[ANSWER_RECORDS_MAX];
    size_t other_count;
    /** where each TXT record of the name that was asked begins */
    uint16_t texts[ANSWER_RECORDS_MAX];
    size_t text_count;
    /** there are more records that could tell than were looked at */
    bool cut;
    /** the name that was asked has a null MX: it wants no mail (RFC 7505) */
    bool null_mx;
};

enum answer_worth {
    /** malformed: breaks RFC 1035 */
    answer_malformed,
    /** well formed, and nothing in it can matter */
    answer_dull,
    /** count sightings, at least one */
    answer_telling,
};

/**
 * Read an answer. Only owners at or below the zone count (with no zone: only the name that was
 * asked); a CNAME below a DNAME of the same answer was made from it (RFC 6672 3.1) and does not.
 * A forwarder that recurses is no authority, whatever AA says: the reading's message has none then.
 * The reading borrows the answer's octets.
 */
enum answer_worth answer_read(const struct mxclash_answer *answer, struct answer_reading *reading);

/**
 * \return true if the message is a whole answer to one question of class IN that has one: NXDOMAIN
 *     counts, since it speaks of the end of a chain and the CNAMEs before it are there (RFC 6604)
 */
bool answer_counts(const struct wire_message *message);

/** \return true if the asked server may speak for the owner */
bool answer_may_speak_for(const struct mxclash_answer *answer, const struct wire_message *message,
                          const uint8_t *owner, size_t owner_len);

/** Copy the CNAME target of a sighting, lower case. \return octets, 0 if there is none */
size_t answer_target(const struct answer_reading *reading, const struct sighting *sighting,
                     uint8_t *target);

/**
 * Copy the MX set of a sighting, lowest preference first, then by name; unused octets are 0. The
 * same record twice counts once; of more than MXCLASH_MX_MAX those that sort first are kept, so
 * that the set is the same in whatever order a server turns it.
 * \param[out] mx  room for MXCLASH_MX_MAX
 * \return members written
 */
size_t answer_mx_set(const struct answer_reading *reading, const struct sighting *sighting,
                     struct mxclash_mx *mx);

/**
 * Walk the TXT records of a sighting.
 * \param[in,out] at  0 to begin; where to go on
 * \return octets of the RDATA, 0 when there are no more
 */
size_t answer_next_txt(const struct answer_reading *reading, const struct sighting *sighting,
                       size_t *at, const uint8_t **rdata);

/**
 * What an authoritative or forwarded answer shows of the zone cut at or above a name: a SOA or NS
 * record of the name itself stands at an apex only; a negative answer whose SOA stands above it
 * (RFC 2308 3) comes from the zone that the name is in.
 * \param[out] zone_len  octets of the zone's name, a suffix of owner; written unless unknown
 */
enum mxclash_apex answer_apex(const struct answer_reading *reading, const uint8_t *owner,
                              size_t owner_len, size_t *zone_len);

/**
 * The SOA in the answer or authority section: which copy of which zone the authority speaks for.
 * \param[out] zone_len, serial  written only on true
 * \return false if there is none at or above the owner, or no AA
 */
bool answer_serial(const struct answer_reading *reading, const uint8_t *owner, size_t owner_len,
                   uint8_t *zone_len, uint32_t *serial);

/** \return the sighting of the name that was asked, NULL if there is none */
const struct sighting *answer_of_qname(const struct answer_reading *reading);

/**
 * \return true if an answer without MX and CNAME of the name that was asked means that there is
 *     none: it is authoritative or comes from a forwarder, and is no referral
 */
bool answer_is_negative(const struct answer_reading *reading, bool forwarded);

#endif
