/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Fuzz target: one input as an answer to a new detector, to its proofs, and beside ldns: whatever
 * both take for a whole message must show the same CNAME and MX records. The message's own ID says
 * how it is handed in, so that every input is a plain DNS message.
 */
#include <netinet/in.h>
#include <stdbool.h> /* before ldns, which else makes bool a signed char */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

#include "core/answer.h"
#include "core/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1767323045678)
/** Records of one answer that are compared: of more, not all are looked at. */
#define RECORDS_MAX ANSWER_RECORDS_MAX

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* --- what ldns reads ---------------------------------------------------------------------------
 */

struct name {
    uint8_t octets[MXCLASH_NAME_MAX];
    size_t len;
};

struct record {
    struct name owner;
    struct name name; /* target or exchange */
    uint16_t type;
    uint16_t preference;
    uint32_t ttl_s;
};

struct records {
    struct record list[RECORDS_MAX];
    size_t count;
    struct name dnames[RECORDS_MAX];
    size_t dname_count;
    /* too many, or ldns took a record without RDATA */
    bool skip;
};

static struct name name_of(const ldns_rdf *rdf)
{
    struct name name = {.len = ldns_rdf_size(rdf)};

    MUST(name.len <= sizeof(name.octets));
    name_lower(name.octets, ldns_rdf_data(rdf), name.len);
    return name;
}

static int compare_names(const struct name *a, const struct name *b)
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
static bool synthesised(const struct records *records, const struct name *owner)
{
    for (size_t i = 0; i < records->dname_count; i++) {
        const struct name *dname = &records->dnames[i];

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
static size_t mx_of(const struct records *records, const struct name *owner, struct record *mx,
                    uint32_t *ttl_s)
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
                            const struct records *records, const struct name *owner)
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
    struct name owner = {.len = sighting->owner_len};

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

/** Read octets as an answer and hold them against ldns. \param canonical  ldns wrote them itself */
static void compare_reading(const uint8_t *octets, size_t size, const ldns_pkt *packet,
                            const struct records *records, bool canonical)
{
    static const uint8_t root[1] = {0};
    struct mxclash_answer answer = {
        .message = octets, .message_len = size, .zone = root, .zone_len = sizeof(root)};
    struct answer_reading reading;
    enum answer_worth worth = answer_read(&answer, &reading);

    MUST(!canonical || worth != answer_malformed);
    if (worth == answer_malformed || !answer_counts(&reading.message) ||
        reading.count == ANSWER_OWNERS_MAX)
        return;
    MUST(reading.message.qtype == ldns_rr_get_type(ldns_rr_list_rr(ldns_pkt_question(packet), 0)));
    if (!same_offsets(&reading.message)) {
        MUST(!canonical);
        return;
    }
    for (size_t i = 0; i < reading.count; i++)
        compare_sighting(&reading, &reading.sightings[i], records);
    compare_owners(&reading, records);
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

/* --- through the whole detector ----------------------------------------------------------------
 */

static void check_event(void *context, const struct mxclash_event *event)
{
    const struct mxclash_event *e = event;

    ++*(unsigned *)context;
    MUST(name_valid(e->owner, e->owner_len));
    MUST(e->zone_len == 0 || name_at_or_below(e->owner, e->owner_len, e->zone, e->zone_len));
    MUST(e->cname_target_len == 0 || name_valid(e->cname_target, e->cname_target_len));
    MUST(e->mx_count <= MXCLASH_MX_MAX);
    for (size_t i = 0; i < e->mx_count; i++)
        MUST(name_valid(e->mx[i].exchange, e->mx[i].exchange_len) && e->mx[i].exchange_len > 1);
}

static void check_stats(struct mxclash_engine *engine)
{
    struct mxclash_stats stats;

    mxclash_get_stats(engine, &stats);
    MUST(stats.table_bytes <= stats.table_bytes_limit && stats.table_evictions == 0);
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        MUST(stats.opened[kind] - stats.cleared[kind] - stats.expired[kind] ==
             stats.open_now[kind][mxclash_suspected] + stats.open_now[kind][mxclash_confirmed]);
}

/** Answer the proofs that wait, each question with the same message. */
static void make_proofs(struct mxclash_engine *engine, const struct mxclash_answer *answer,
                        mxclash_time now)
{
    struct mxclash_proof proof;

    while (mxclash_proof_next(engine, now, &proof)) {
        MUST(name_valid(proof.owner, proof.owner_len));
        for (size_t i = 0; i < proof.qtype_count; i++) {
            mxclash_proof_answer(engine, &proof, proof.qtypes[i], answer, now);
            mxclash_proof_end(engine, &proof, proof.qtypes[i], now);
        }
    }
}

/** The zone is the question's name without some of its first labels. */
static void choose_zone(struct mxclash_answer *answer, unsigned labels)
{
    size_t at = 12;
    size_t end = 12;

    while (end < answer->message_len && answer->message[end] != 0)
        end += answer->message[end] + 1u;
    if (end >= answer->message_len || end + 1 - at > MXCLASH_NAME_MAX ||
        !name_valid(answer->message + at, end + 1 - at))
        return;
    for (; labels > 0 && answer->message[at] != 0; labels--)
        at += answer->message[at] + 1u;
    answer->zone = answer->message + at;
    answer->zone_len = end + 1 - at;
}

static void run_detector(const uint8_t *data, size_t size)
{
    static const char table[] = "provider p\n  mx *.p.test\n  expect 5 a.p.test\n"
                                "  expect 10 b.p.test\n  spf spf.p.test\n  source none\n";
    unsigned choice = size >= 2 ? (unsigned)data[0] << 8 | data[1] : 0;
    unsigned events = 0;
    struct mxclash_options options = {.table_size = 1 << 18,
                                      .seed = choice,
                                      .probe = (choice & 1) == 0,
                                      .probe_rate = 1000,
                                      .recheck_interval_s = 60,
                                      .expire_after_s = 3600,
                                      .providers = table,
                                      .providers_len = sizeof(table) - 1,
                                      .on_event = check_event,
                                      .context = &events};
    struct sockaddr_storage server = {.ss_family = AF_INET6};
    struct mxclash_answer answer = {.message = data,
                                    .message_len = size,
                                    .forwarded = choice & 2,
                                    .server = (const struct sockaddr *)&server,
                                    .server_len = sizeof(struct sockaddr_in6)};
    struct mxclash_engine *engine;
    mxclash_time now = NOW;

    MUST(mxclash_engine_new(&options, &engine) == mxclash_ok);
    if ((choice & 4) == 0)
        choose_zone(&answer, choice >> 3 & 3);
    for (int round = 0; round < 4; round++, now += choice & 0x20 ? 61000 : 400000) {
        enum mxclash_status status = mxclash_inspect(engine, &answer, now);

        MUST(status == mxclash_ok || status == mxclash_malformed);
        make_proofs(engine, &answer, now);
        if (answer.zone != NULL)
            mxclash_client_mx(engine, data + 12,
                              answer.zone_len + (size_t)(answer.zone - data) - 12,
                              mxclash_reply_hides, now);
        make_proofs(engine, &answer, now);
        check_stats(engine);
    }
    mxclash_engine_free(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65535)
        return 0;
    compare_with_ldns(data, size);
    run_detector(data, size);
    return 0;
}
