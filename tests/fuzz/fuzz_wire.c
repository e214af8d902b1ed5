/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Fuzz target: one input as an answer from upstream. What we read of it is held against two other
 * readers, record for record and verdict for verdict: a plain one (plain_answer.h), which must
 * agree on everything, and ldns, which must agree wherever both take a message for whole. The
 * message's own ID says which zone was asked, so that every input is a plain DNS message.
 */
#include <stdbool.h> /* before ldns, which else makes bool a signed char */

#include <ldns/ldns.h>

#include "core/dns/answer.h"
#include "core/dns/glance.h"
#include "core/dns/names.h"
#include "fuzz.h"
#include "plain_answer.h"

/** Records of one answer that are compared: of more, not all are looked at. */
#define RECORDS_MAX ANSWER_RECORDS_MAX

/* --- what ldns reads ---------------------------------------------------------------------------
 */

struct record {
    struct plain_name owner;
    struct plain_name name; /* target or exchange */
    uint16_t type;
    uint16_t preference;
    uint32_t ttl_s;
};

struct records {
    struct record list[RECORDS_MAX];
    size_t count;
    struct plain_name dnames[RECORDS_MAX];
    size_t dname_count;
    /* too many, or ldns took a record without RDATA */
    bool skip;
};

static struct plain_name name_of(const ldns_rdf *rdf)
{
    struct plain_name name = {.len = ldns_rdf_size(rdf)};

    MUST(name.len <= sizeof(name.octets));
    name_lower(name.octets, ldns_rdf_data(rdf), name.len);
    return name;
}

static int compare_names(const struct plain_name *a, const struct plain_name *b)
{
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return memcmp(a->octets, b->octets, a->len);
}

static void take_record(struct records *records, const ldns_rr *rr)
{
    struct record *record = &records->list[records->count];
    ldns_rr_type type = ldns_rr_get_type(rr);

    if (records->count == RECORDS_MAX || records->dname_count == RECORDS_MAX) {
        records->skip = true;
        return;
    }
    if (type == LDNS_RR_TYPE_DNAME)
        records->dnames[records->dname_count++] = name_of(ldns_rr_owner(rr));
    if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN ||
        (type != LDNS_RR_TYPE_CNAME && type != LDNS_RR_TYPE_MX))
        return;
    if (ldns_rr_rd_count(rr) != (type == LDNS_RR_TYPE_MX ? 2 : 1)) {
        records->skip = true;
        return;
    }
    record->owner = name_of(ldns_rr_owner(rr));
    record->type = (uint16_t)type;
    record->ttl_s = wire_ttl(ldns_rr_ttl(rr));
    if (type == LDNS_RR_TYPE_CNAME) {
        record->name = name_of(ldns_rr_rdf(rr, 0));
    } else {
        record->preference = ldns_rdf2native_int16(ldns_rr_rdf(rr, 0));
        record->name = name_of(ldns_rr_rdf(rr, 1));
        if (record->name.len == 1) /* null MX */
            return;
    }
    records->count++;
}

/** Made from a DNAME of the same answer? */
static bool synthesised(const struct records *records, const struct plain_name *owner)
{
    for (size_t i = 0; i < records->dname_count; i++) {
        const struct plain_name *dname = &records->dnames[i];

        for (size_t at = 0; owner->octets[at] != 0;) {
            at += owner->octets[at] + 1u;
            if (owner->len - at == dname->len &&
                memcmp(owner->octets + at, dname->octets, dname->len) == 0)
                return true;
        }
    }
    return false;
}

/* --- one beside the other ----------------------------------------------------------------------
 */

static int compare_mx(const void *a, const void *b)
{
    const struct record *left = a, *right = b;

    if (left->preference != right->preference)
        return left->preference < right->preference ? -1 : 1;
    /* as octets, not by length: that is how sets are sorted */
    return memcmp(left->name.octets, right->name.octets, MXCLASH_NAME_MAX);
}

/** The MX of one owner as they should be: sorted, each once. \return how many */
static size_t mx_of(const struct records *records, const struct plain_name *owner,
                    struct record *mx, uint32_t *ttl_s)
{
    size_t count = 0, kept = 0;

    *ttl_s = UINT32_MAX;
    for (size_t i = 0; i < records->count; i++) {
        const struct record *record = &records->list[i];

        if (record->type != wire_type_mx || compare_names(&record->owner, owner) != 0)
            continue;
        mx[count++] = *record;
        *ttl_s = record->ttl_s < *ttl_s ? record->ttl_s : *ttl_s;
    }
    qsort(mx, count, sizeof(*mx), compare_mx);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_mx(&mx[kept - 1], &mx[i]) != 0)
            mx[kept++] = mx[i];
    return kept;
}

static void compare_mx_sets(const struct answer_reading *reading, const struct sighting *sighting,
                            const struct records *records, const struct plain_name *owner)
{
    static struct record wanted[RECORDS_MAX];
    struct mxclash_mx mx[MXCLASH_MX_MAX];
    uint32_t ttl_s;
    size_t wanted_count = mx_of(records, owner, wanted, &ttl_s);
    size_t count = answer_mx_set(reading, sighting, mx);

    MUST(sighting->mx == (wanted_count != 0));
    MUST(!sighting->mx || sighting->mx_ttl_s == ttl_s);
    MUST(count == (wanted_count < MXCLASH_MX_MAX ? wanted_count : MXCLASH_MX_MAX));
    for (size_t i = 0; i < count; i++) {
        MUST(mx[i].preference == wanted[i].preference);
        MUST(mx[i].exchange_len == wanted[i].name.len);
        MUST(memcmp(mx[i].exchange, wanted[i].name.octets, mx[i].exchange_len) == 0);
    }
}

static void compare_sighting(const struct answer_reading *reading, const struct sighting *sighting,
                             const struct records *records)
{
    const struct record *first = NULL; /* CNAME of this owner */
    uint8_t target[MXCLASH_NAME_MAX];
    struct plain_name owner = {.len = sighting->owner_len};

    memcpy(owner.octets, sighting->owner, sighting->owner_len);
    for (size_t i = 0; i < records->count && first == NULL; i++)
        if (records->list[i].type == wire_type_cname &&
            compare_names(&records->list[i].owner, &owner) == 0)
            first = &records->list[i];
    MUST(sighting->cname == (first != NULL && !synthesised(records, &owner)));
    if (sighting->cname) {
        MUST(answer_target(reading, sighting, target) == first->name.len);
        MUST(memcmp(target, first->name.octets, first->name.len) == 0);
        MUST(sighting->cname_ttl_s == first->ttl_s);
    }
    compare_mx_sets(reading, sighting, records, &owner);
}

/** Every record that counts belongs to an owner that was sighted. */
static void compare_owners(const struct answer_reading *reading, const struct records *records)
{
    for (size_t i = 0; i < records->count; i++) {
        const struct record *record = &records->list[i];
        bool sighted = record->type == wire_type_cname && synthesised(records, &record->owner);

        for (size_t j = 0; j < reading->count; j++)
            sighted = sighted || (reading->sightings[j].owner_len == record->owner.len &&
                                  memcmp(reading->sightings[j].owner, record->owner.octets,
                                         record->owner.len) == 0);
        MUST(sighted);
    }
}

/**
 * ldns does not hold names to the length of their RDATA, but reads on where a name ended.
 * \return true if it read each record from where we do
 */
static bool same_offsets(const struct wire_message *message)
{
    struct wire_record record = {.next_at = message->answers_at};
    size_t at = WIRE_HEADER_OCTETS;
    ldns_rr *rr = NULL;

    MUST(ldns_wire2rr(&rr, message->octets, message->len, &at, LDNS_SECTION_QUESTION) ==
         LDNS_STATUS_OK);
    ldns_rr_free(rr);
    for (unsigned i = 0; i < message->answers; i++) {
        if (at != record.next_at)
            return false;
        MUST(wire_record_at(message, record.next_at, &record));
        MUST(ldns_wire2rr(&rr, message->octets, message->len, &at, LDNS_SECTION_ANSWER) ==
             LDNS_STATUS_OK);
        ldns_rr_free(rr);
    }
    return at == record.next_at;
}

static void compare_header(const struct wire_message *message, const ldns_pkt *packet)
{
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(packet), 0);

    MUST(message->qtype == ldns_rr_get_type(question));
    MUST(message->qclass == ldns_rr_get_class(question));
    MUST(message->rcode == ldns_pkt_get_rcode(packet));
    MUST(message->response == ldns_pkt_qr(packet) && message->truncated == ldns_pkt_tc(packet));
    MUST(message->authoritative == ldns_pkt_aa(packet));
    MUST(message->recursion_desired == ldns_pkt_rd(packet));
    MUST(message->query_opcode == (ldns_pkt_get_opcode(packet) == LDNS_PACKET_QUERY));
    MUST(message->answers == ldns_rr_list_rr_count(ldns_pkt_answer(packet)));
    MUST(message->authorities == ldns_rr_list_rr_count(ldns_pkt_authority(packet)));
}

/** The TXT records of the name that was asked, in the order of the message. */
static void compare_txt(const struct answer_reading *reading, const ldns_pkt *packet)
{
    const struct sighting *sighting = answer_of_qname(reading);
    const ldns_rr_list *list = ldns_pkt_answer(packet);
    const uint8_t *rdata;
    size_t at = 0;

    if (sighting == NULL || !sighting->txt)
        return;
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);
        struct plain_name owner = name_of(ldns_rr_owner(rr));
        size_t octets = 0, len;

        if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_TXT || ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN ||
            ldns_rr_rd_count(rr) == 0 || owner.len != sighting->owner_len ||
            memcmp(owner.octets, sighting->owner, owner.len) != 0)
            continue;
        len = answer_next_txt(reading, sighting, &at, &rdata);
        for (size_t j = 0; j < ldns_rr_rd_count(rr); j++) {
            const ldns_rdf *string = ldns_rr_rdf(rr, j);

            MUST(octets + ldns_rdf_size(string) <= len);
            MUST(memcmp(rdata + octets, ldns_rdf_data(string), ldns_rdf_size(string)) == 0);
            octets += ldns_rdf_size(string);
        }
        MUST(octets == len);
    }
    MUST(answer_next_txt(reading, sighting, &at, &rdata) == 0);
}

/** What the SOA and NS records say of the zone cut and of a name that is not there. */
static void compare_cut(const struct answer_reading *reading, const ldns_pkt *packet)
{
    const ldns_rr_list *lists[] = {ldns_pkt_answer(packet), ldns_pkt_authority(packet)};
    struct plain_name qname = name_of(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(packet), 0)));
    enum mxclash_apex apex = mxclash_apex_unknown;
    bool soa = false, ns = false, aa = ldns_pkt_aa(packet);
    size_t cut = 0, zone_len = 0;

    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < ldns_rr_list_rr_count(lists[i]); j++) {
            const ldns_rr *rr = ldns_rr_list_rr(lists[i], j);
            struct plain_name owner = name_of(ldns_rr_owner(rr));
            bool is_soa = ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA;

            if (!is_soa && ldns_rr_get_type(rr) != LDNS_RR_TYPE_NS)
                continue;
            soa = soa || (is_soa && i == 1);
            ns = ns || (!is_soa && i == 1);
            if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN || apex == mxclash_apex_yes)
                continue;
            if (compare_names(&owner, &qname) == 0 && (aa || (is_soa && i == 0))) {
                apex = mxclash_apex_yes;
                cut = owner.len;
            } else if (is_soa && i == 1 && ldns_rr_list_rr_count(lists[0]) == 0 &&
                       plain_below(&qname, &owner, true)) {
                apex = mxclash_apex_no;
                cut = owner.len;
            }
        }
    }
    MUST(answer_apex(reading, qname.octets, qname.len, &zone_len) == apex);
    MUST(apex == mxclash_apex_unknown || zone_len == cut);
    MUST(answer_is_negative(reading, false) == (aa || soa));
    MUST(answer_is_negative(reading, true) == (aa || soa || !ns));
}

/** May there have been no room for one? Counted before what a DNAME made is taken out again. */
static bool too_many_owners(const struct records *records)
{
    size_t owners = 0;

    for (size_t i = 0; i < records->count; i++) {
        size_t first = 0;

        while (compare_names(&records->list[first].owner, &records->list[i].owner) != 0)
            first++;
        owners += first == i;
    }
    return owners >= ANSWER_OWNERS_MAX;
}

/** Read octets as an answer and hold them against ldns. \param canonical  ldns wrote them itself */
static void compare_reading(const uint8_t *octets, size_t size, const ldns_pkt *packet,
                            const struct records *records, bool canonical)
{
    static const uint8_t root[1] = {0};
    struct mxclash_answer answer = {.struct_size = sizeof(answer),
                                    .message = octets,
                                    .message_len = size,
                                    .zone = root,
                                    .zone_len = sizeof(root)};
    struct answer_reading reading;
    enum answer_worth worth = answer_read(&answer, &reading);

    MUST(!canonical || worth != answer_malformed);
    if (worth == answer_malformed || !answer_counts(&reading.message) || too_many_owners(records))
        return;
    compare_header(&reading.message, packet);
    if (!same_offsets(&reading.message)) {
        MUST(!canonical);
        return;
    }
    for (size_t i = 0; i < reading.count; i++)
        compare_sighting(&reading, &reading.sightings[i], records);
    compare_owners(&reading, records);
    if (worth == answer_telling)
        compare_txt(&reading, packet);
    if (canonical)
        compare_cut(&reading, packet);
}

static void compare_with_ldns(const uint8_t *data, size_t size)
{
    static struct records records;
    ldns_pkt *packet = NULL;
    uint8_t *canonical = NULL;
    size_t canonical_size;

    if (ldns_wire2pkt(&packet, data, size) != LDNS_STATUS_OK)
        return;
    records.count = records.dname_count = 0;
    records.skip = false;
    for (size_t i = 0; i < ldns_rr_list_rr_count(ldns_pkt_answer(packet)); i++)
        take_record(&records, ldns_rr_list_rr(ldns_pkt_answer(packet), i));
    if (!records.skip && ldns_rr_list_rr_count(ldns_pkt_answer(packet)) <= RECORDS_MAX &&
        records.dname_count < ANSWER_DNAMES_MAX &&
        ldns_rr_list_rr_count(ldns_pkt_question(packet)) == 1) {
        compare_reading(data, size, packet, &records, false);
        if (ldns_pkt2wire(&canonical, packet, &canonical_size) == LDNS_STATUS_OK &&
            canonical_size <= 65535)
            compare_reading(canonical, canonical_size, packet, &records, true);
    }
    free(canonical);
    ldns_pkt_free(packet);
}

/* --- beside the plain reader -------------------------------------------------------------------
 */

/** The zone is the question's name without some of its first labels. \return NULL if unknown */
static const struct plain_name *choose_zone(const uint8_t *data, size_t size,
                                            struct plain_name *zone)
{
    unsigned labels = size > 1 ? data[1] & 3 : 0;
    size_t at = 0;

    if (labels == 3 || size < WIRE_HEADER_OCTETS ||
        !plain_name_at(data, size, WIRE_HEADER_OCTETS, size, zone))
        return NULL;
    for (; labels > 0 && zone->octets[at] != 0; labels--)
        at += zone->octets[at] + 1u;
    memmove(zone->octets, zone->octets + at, zone->len - at);
    zone->len -= at;
    return zone;
}

static void compare_plain(const uint8_t *data, size_t size)
{
    static struct plain_answer plain;
    static struct answer_reading reading;
    struct plain_name room;
    const struct plain_name *zone = choose_zone(data, size, &room);
    const struct mxclash_answer answer = {.struct_size = sizeof(answer),
                                          .message = data,
                                          .message_len = size,
                                          .zone = zone == NULL ? NULL : zone->octets,
                                          .zone_len = zone == NULL ? 0 : zone->len};
    size_t qname_len;

    plain_read(data, size, zone, &plain);
    MUST(answer_read(&answer, &reading) == plain.worth);
    /* the first look may pass answers on, but never ends with one that tells; it reads no owners */
    if (glance_is_dull(data, size, &qname_len))
        MUST(plain.worth == answer_dull);
    MUST(qname_len == 0 || qname_len == plain.qname.len);
    if (plain.worth == answer_malformed)
        return;
    MUST(reading.message.qname_len == plain.qname.len);
    MUST(reading.count == plain.count && reading.null_mx == plain.null_mx);
    for (size_t i = 0; i < plain.count; i++) {
        const struct sighting *ours = &reading.sightings[i];
        const struct plain_sighting *theirs = &plain.sightings[i];

        MUST(ours->owner_len == theirs->owner.len &&
             memcmp(ours->owner, theirs->owner.octets, ours->owner_len) == 0);
        MUST(ours->is_qname == plain_same(&theirs->owner, &plain.qname));
        MUST(ours->cname == theirs->cname && ours->mx == theirs->mx && ours->txt == theirs->txt);
        MUST(!ours->cname || ours->cname_ttl_s == theirs->cname_ttl_s);
        MUST(!ours->mx || ours->mx_ttl_s == theirs->mx_ttl_s);
        MUST(!ours->txt || ours->txt_ttl_s == theirs->txt_ttl_s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65535)
        return 0;
    compare_plain(data, size);
    compare_with_ldns(data, size);
    return 0;
}
