/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The dearest answers that an authority can build, one a run, for callgrind: it counts only
 * between the two client requests below.
 *
 *     hostile_answers                 names of the messages, one a line
 *     hostile_answers NAME            the octets of that message
 *     hostile_answers NAME COUNT      inspect it COUNT times; the last one is counted
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <valgrind/callgrind.h>

#include "core/dns/answer.h"
#include "message.h"

#define ZONE  "test"
#define QNAME "victim.test"
/** Octets that a whole message can have, less what one more record may need. */
#define FULL (65535 - 600)

/** A name of 253 octets of text in labels of one octet: the dearest to read. */
static char long_name[MXCLASH_NAME_MAX];

/** The cheapest record there is: root, type NULL, no RDATA; 11 octets of message a record. */
static void fill(struct message *m)
{
    while (m->len < FULL)
        message_record_end(m, message_record(m, message_an, ".", 10, wire_class_in, 60));
}

static void owner_number(unsigned number, char *owner)
{
    sprintf(owner, "o%u." QNAME, number);
}

static void plain(struct message *m)
{
    message_begin(m, MESSAGE_AA, QNAME, wire_type_a);
    m->compress = true;
    message_a(m, QNAME, 60);
}

static void records(struct message *m)
{
    message_begin(m, MESSAGE_AA, QNAME, wire_type_a);
    fill(m);
}

/** Compression pointers one behind the other, as many as fit in an unknown record. */
static size_t pointer_chain(struct message *m, unsigned hops)
{
    size_t rdata = message_record(m, message_an, ".", 10, wire_class_in, 60);
    size_t last = m->len;

    message_name(m, ZONE);
    for (unsigned i = 0; i < hops; i++) {
        size_t at = m->len;

        message_pointer(m, last);
        last = at;
    }
    message_record_end(m, rdata);
    return last;
}

static void pointers(struct message *m)
{
    size_t last;

    message_begin(m, MESSAGE_AA, QNAME, wire_type_mx);
    last = pointer_chain(m, 126);
    while (m->len < FULL) {
        static const uint8_t fixed[] = {0, 15, 0, 1, 0, 0, 0, 60, 0, 4, 0, 5};

        message_pointer(m, last);
        message_octets(m, fixed, sizeof(fixed));
        message_pointer(m, last);
        message_count(m, message_an, 1);
    }
}

#define DEEP 124

/** Names of a pointer a label, so that each is the dearest to read. \param[out] at  where they are
 */
static void deep_names(struct message *m, size_t at[DEEP])
{
    size_t rdata = message_record(m, message_an, ".", 10, wire_class_in, 60);

    at[0] = m->len;
    message_name(m, ZONE);
    for (unsigned i = 1; i < DEEP; i++) {
        at[i] = m->len;
        message_octets(m, "\1x", 2);
        message_pointer(m, at[i - 1]);
    }
    message_record_end(m, rdata);
}

/** SPF of the name that was asked, then TXT of deep names. */
static void deep_texts(struct message *m)
{
    static const uint8_t fixed[] = {0, 16, 0, 1, 0, 0, 0, 60, 0, 1, 0};
    size_t at[DEEP], rdata;

    message_begin(m, MESSAGE_AA, QNAME, wire_type_txt);
    deep_names(m, at);
    rdata = message_record(m, message_an, QNAME, wire_type_txt, wire_class_in, 60);
    message_octets(m, "\7v=spf1 ", 8);
    message_record_end(m, rdata);
    while (m->len < FULL) {
        message_pointer(m, at[DEEP - 1]);
        message_octets(m, fixed, sizeof(fixed));
        message_count(m, message_an, 1);
    }
}

/** Deep names as owners and as exchanges. */
static void deep(struct message *m)
{
    static const uint8_t fixed[] = {0, 1, 0, 0, 0, 60, 0};
    unsigned records = 0;
    size_t at[DEEP];

    message_begin(m, MESSAGE_AA, QNAME, wire_type_mx);
    deep_names(m, at);
    for (unsigned i = 0; records + 2 < ANSWER_RECORDS_MAX; i++) {
        size_t owner = at[DEEP - 1 - i % ANSWER_OWNERS_MAX];

        message_pointer(m, owner);
        message_u16(m, i < ANSWER_OWNERS_MAX ? wire_type_cname : wire_type_mx);
        message_octets(m, fixed, sizeof(fixed));
        message_octets(m, i < ANSWER_OWNERS_MAX ? "\2" : "\4", 1);
        if (i >= ANSWER_OWNERS_MAX)
            message_u16(m, 9999 - i);
        message_pointer(m, at[100 + i % 24]);
        message_count(m, message_an, 1);
        records++;
    }
    fill(m);
}

static void mx_set(struct message *m)
{
    char exchange[64];

    message_begin(m, MESSAGE_AA, QNAME, wire_type_mx);
    m->compress = true;
    message_cname(m, QNAME, 60, "www.cdn." ZONE);
    for (unsigned i = 0; m->len < FULL; i++) {
        sprintf(exchange, "m%u." ZONE, 9999 - i);
        message_mx(m, QNAME, 60, (uint16_t)(9999 - i), exchange);
    }
}

/** MX of descending order with the longest names, then what is only to be walked over. */
static void long_mx(struct message *m)
{
    message_begin(m, MESSAGE_AA, QNAME, wire_type_mx);
    message_cname(m, QNAME, 60, long_name);
    for (unsigned i = 0; i < ANSWER_RECORDS_MAX - 1; i++) {
        long_name[0] = (char)('z' - i % 26);
        message_mx(m, QNAME, 60, (uint16_t)(9999 - i), long_name);
    }
    fill(m);
}

/** As many owners as are kept, each with both, and an MX of each at the very end. */
static void owners(struct message *m)
{
    char owner[64];

    message_begin(m, MESSAGE_AA, QNAME, wire_type_mx);
    m->compress = true;
    for (unsigned i = 0; i < ANSWER_OWNERS_MAX; i++) {
        owner_number(i, owner);
        message_cname(m, owner, 60, "www.cdn." ZONE);
        for (unsigned j = 0; j < ANSWER_RECORDS_MAX / ANSWER_OWNERS_MAX - 2; j++)
            message_mx(m, owner, 60, (uint16_t)(500 - j), "mx1.qiye.aliyun.com");
    }
    fill(m);
    for (unsigned i = 0; i < ANSWER_OWNERS_MAX; i++) {
        owner_number(i, owner);
        message_mx(m, owner, 60, 1, "mx.elsewhere." ZONE);
    }
}

static void chain(struct message *m)
{
    char owner[64] = QNAME, target[64];

    message_begin(m, MESSAGE_AA, QNAME, wire_type_a);
    m->compress = true;
    for (unsigned i = 0; i < 1000; i++) {
        sprintf(target, "c%u." ZONE, i);
        message_cname(m, owner, 60, target);
        strcpy(owner, target);
    }
    fill(m);
}

static void dnames(struct message *m)
{
    char owner[64];

    message_begin(m, MESSAGE_AA, QNAME, wire_type_a);
    for (unsigned i = 0; i < ANSWER_DNAMES_MAX; i++) {
        sprintf(owner, "d%u." ZONE, i);
        message_dname(m, owner, 60, ZONE);
    }
    for (unsigned i = 0; i < ANSWER_RECORDS_MAX; i++) {
        long_name[0] = (char)('a' + i % 26);
        message_cname(m, long_name, 60, ZONE);
    }
    fill(m);
}

/** TXT records, of which few are SPF. */
static void texts(struct message *m)
{
    message_begin(m, MESSAGE_AA, QNAME, wire_type_txt);
    m->compress = true;
    while (m->len < FULL) {
        size_t rdata = message_record(m, message_an, QNAME, wire_type_txt, wire_class_in, 60);

        message_octets(m, "\7v=spf1 ", 8);
        message_record_end(m, rdata);
    }
}

static void long_spf(struct message *m)
{
    size_t rdata;

    message_begin(m, MESSAGE_AA, QNAME, wire_type_txt);
    m->compress = true;
    rdata = message_record(m, message_an, QNAME, wire_type_txt, wire_class_in, 60);
    message_octets(m, "\7v=spf1 ", 8);
    while (m->len + 256 < FULL) {
        static const char include[] = "include:spf.qiye.aliyun.co ";

        message_octets(m, "\363", 1); /* 243 octets follow */
        for (int i = 0; i < 9; i++)
            message_octets(m, include, 27);
    }
    message_record_end(m, rdata);
}

/** SOA and NS beside a CNAME: the search for the apex. */
static void apexes(struct message *m)
{
    message_begin(m, MESSAGE_AA, QNAME, wire_type_mx);
    message_cname(m, QNAME, 60, "www.cdn." ZONE);
    message_mx(m, QNAME, 60, 5, "mx." ZONE);
    fill(m);
    m->len -= 100 * 11; /* less of those, for the others */
    message_count(m, message_an, -100);
    for (int i = 0; i < 30; i++)
        message_referral(m, "other." ZONE);
}

static void malformed(struct message *m)
{
    records(m);
    m->len -= 1;
}

static const struct {
    const char *name;
    void (*build)(struct message *m);
} messages[] = {
    {"plain", plain},     {"records", records},       {"pointers", pointers},
    {"deep", deep},       {"deep-texts", deep_texts}, {"mx-set", mx_set},
    {"long-mx", long_mx}, {"owners", owners},         {"chain", chain},
    {"dnames", dnames},   {"texts", texts},           {"long-spf", long_spf},
    {"apexes", apexes},   {"malformed", malformed},
};
#define MESSAGES (sizeof(messages) / sizeof(messages[0]))

static void inspect(const struct message *m, unsigned count)
{
    const struct mxclash_options options = {.struct_size = sizeof(options),
                                            .table_size = 16u << 20,
                                            .seed = 42,
                                            .probe = true,
                                            .probe_rate = 10,
                                            .recheck_interval_s = 3600,
                                            .expire_after_s = 172800};
    const struct wire_name zone = wire_name_of(ZONE);
    const struct mxclash_answer answer = {.struct_size = sizeof(answer),
                                          .message = m->octets,
                                          .message_len = m->len,
                                          .zone = zone.octets,
                                          .zone_len = zone.len};
    struct mxclash_engine *engine;

    assert_int_equal(mxclash_engine_new(&options, &engine, NULL, 0), mxclash_ok);
    for (unsigned i = 1; i <= count; i++) {
        if (i == count)
            CALLGRIND_START_INSTRUMENTATION;
        mxclash_inspect(engine, &answer, 1767323045678 + (mxclash_time)i * 1000);
        if (i == count)
            CALLGRIND_STOP_INSTRUMENTATION;
    }
    mxclash_engine_free(engine);
}

int main(int argc, char **argv)
{
    static struct message message;

    for (size_t i = 0; i + 1 < 200; i += 2)
        memcpy(long_name + i, "a.", 2);
    strcpy(long_name + 200, ZONE);
    for (size_t i = 0; i < MESSAGES; i++) {
        if (argc == 1)
            puts(messages[i].name);
        if (argc == 1 || strcmp(argv[1], messages[i].name) != 0)
            continue;
        messages[i].build(&message);
        if (argc == 2)
            return fwrite(message.octets, message.len, 1, stdout) != 1;
        inspect(&message, (unsigned)atoi(argv[2]));
        printf("%zu octets, %u records\n", message.len,
               (unsigned)(message.octets[6] << 8 | message.octets[7]));
        return 0;
    }
    return argc == 1 ? 0 : 2;
}
