/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Answers that the host has parsed: mxclash_inspect_records() and mxclash_proof_records(). They are
 * written into a message again, so that one reader judges all. See mxclash.h.
 */
#include <stdlib.h>
#include <string.h>

#include "core/dns/names.h"
#include "core/dns/wire.h"
#include "core/engine/engine.h"
#include "core/engine/structs.h"

/** Longest message that is written on the stack. */
#define SMALL_OCTETS 4096
/** Type, class, TTL and length of a record. */
#define RECORD_OCTETS 10
/** Type and class of a question. */
#define QUESTION_OCTETS 4
/** A pointer to the name of the question. */
#define POINTER_OCTETS 2
#define SECTIONS       3

/** A message that is being written. */
struct draft {
    uint8_t *at;
};

static void put_16(struct draft *draft, unsigned value)
{
    *draft->at++ = (uint8_t)(value >> 8);
    *draft->at++ = (uint8_t)value;
}

static void put_octets(struct draft *draft, const uint8_t *octets, size_t len)
{
    if (len != 0)
        memcpy(draft->at, octets, len);
    draft->at += len;
}

/** Names in the RDATA that are read must be whole: a pointer would lead somewhere else in what is
 * written than where it led in the message that it came from. */
static bool rdata_is_sound(const struct mxclash_record *record)
{
    if (record->section != 1 || record->rr_class != wire_class_in)
        return true;
    if (record->type == wire_type_cname)
        return name_valid(record->rdata, record->rdata_len);
    if (record->type == wire_type_mx)
        return record->rdata_len > 2 && name_valid(record->rdata + 2, record->rdata_len - 2u);
    return true;
}

static bool is_qname(const struct mxclash_records *records, const struct mxclash_record *record)
{
    return name_equal(record->owner, record->owner_len, records->qname, records->qname_len);
}

/** \return octets of the message, 0 if what it is to be made of is unsound */
static size_t octets_of(const struct mxclash_records *records)
{
    size_t octets = WIRE_HEADER_OCTETS + records->qname_len + QUESTION_OCTETS;

    if (!name_valid(records->qname, records->qname_len) || records->rcode > 15)
        return 0;
    for (uint32_t i = 0; i < records->record_count; i++) {
        const struct mxclash_record *record = &records->records[i];

        if (!name_valid(record->owner, record->owner_len) || record->section < 1 ||
            record->section > SECTIONS || !rdata_is_sound(record))
            return 0;
        octets += (is_qname(records, record) ? POINTER_OCTETS : record->owner_len) + RECORD_OCTETS +
                  (size_t)record->rdata_len;
        /* too long already: the rest need not be looked at */
        if (octets > UINT16_MAX)
            break;
    }
    return octets;
}

static void put_record(struct draft *draft, const struct mxclash_records *records,
                       const struct mxclash_record *record)
{
    if (is_qname(records, record))
        put_16(draft, 0xc000 | WIRE_HEADER_OCTETS);
    else
        put_octets(draft, record->owner, record->owner_len);
    put_16(draft, record->type);
    put_16(draft, record->rr_class);
    put_16(draft, record->ttl_s >> 16);
    put_16(draft, record->ttl_s & 0xffff);
    put_16(draft, record->rdata_len);
    put_octets(draft, record->rdata, record->rdata_len);
}

static void put_message(uint8_t *message, const struct mxclash_records *records)
{
    struct draft draft = {message};
    struct draft counts;

    put_16(&draft, 0);
    put_16(&draft, 0x8000u | (records->authoritative ? 0x0400u : 0) |
                       (records->truncated ? 0x0200u : 0) | records->rcode);
    put_16(&draft, 1);
    counts = draft;
    draft.at += 2 * SECTIONS;
    put_octets(&draft, records->qname, records->qname_len);
    put_16(&draft, records->qtype);
    put_16(&draft, wire_class_in);
    for (unsigned section = 1; section <= SECTIONS; section++) {
        unsigned count = 0;

        for (uint32_t i = 0; i < records->record_count; i++) {
            if (records->records[i].section != section)
                continue;
            put_record(&draft, records, &records->records[i]);
            count++;
        }
        put_16(&counts, count);
    }
}

/** \param proof  NULL: the answer came by itself */
static enum mxclash_status hand_in(struct mxclash_engine *engine, const struct mxclash_proof *proof,
                                   uint16_t qtype, const struct mxclash_records *given,
                                   mxclash_time now)
{
    uint8_t small[SMALL_OCTETS];
    uint8_t *message = small;
    struct mxclash_records records;
    struct mxclash_answer answer;
    enum mxclash_status status;
    size_t octets;

    if (given->struct_size < STRUCT_LEAST(mxclash_records, server))
        return mxclash_invalid;
    struct_take(&records, sizeof(records), given, given->struct_size);
    octets = octets_of(&records);
    if (octets > UINT16_MAX)
        return mxclash_invalid;
    if (octets == 0) {
        striped_up(&engine->counters.inspected);
        count_up(&engine->counters.malformed);
        return mxclash_malformed;
    }
    if (octets > sizeof(small))
        message = malloc(octets);
    if (message == NULL)
        return mxclash_no_memory;
    put_message(message, &records);
    answer = (struct mxclash_answer){
        .struct_size = sizeof(answer),
        .message = message,
        .message_len = (uint32_t)octets,
        .zone = records.zone,
        .zone_len = records.zone_len,
        .forwarded = records.forwarded,
        .stub = records.stub,
        .server = records.server,
    };
    status = proof == NULL ? mxclash_inspect(engine, &answer, now)
                           : mxclash_proof_answer(engine, proof, qtype, &answer, now);
    if (message != small)
        free(message);
    return status;
}

enum mxclash_status mxclash_inspect_records(struct mxclash_engine *engine,
                                            const struct mxclash_records *records, mxclash_time now)
{
    return hand_in(engine, NULL, 0, records, now);
}

enum mxclash_status mxclash_proof_records(struct mxclash_engine *engine,
                                          const struct mxclash_proof *proof, uint16_t qtype,
                                          const struct mxclash_records *records, mxclash_time now)
{
    return hand_in(engine, proof, qtype, records, now);
}
