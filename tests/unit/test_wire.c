/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the walker: hand-made messages, whole, cut, lying and looping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/dns/wire.h"
#include "message.h"

static struct message m;

/** Open the octets in a block of their size. \return the block, freed by the caller */
static uint8_t *open_exact(struct wire_message *message, bool *good)
{
    uint8_t *exact = message_exact(m.octets, m.len);

    *good = wire_open(message, exact, m.len);
    return exact;
}

static bool opens(void)
{
    struct wire_message message;
    bool good;

    free(open_exact(&message, &good));
    return good;
}

/** Read the name at an offset of m. \return its length, 0 if malformed */
static size_t read_name(size_t at, size_t limit, uint8_t name[MXCLASH_NAME_MAX])
{
    uint8_t *exact = message_exact(m.octets, m.len);
    struct wire_message message = {.octets = exact, .len = m.len};
    size_t len = wire_name_at(&message, at, limit, name);

    free(exact);
    return len;
}

static size_t name_len_at(size_t at)
{
    uint8_t name[MXCLASH_NAME_MAX];

    return read_name(at, m.len, name);
}

/** Walk all records of both sections as a reader would. \return true if all lie in the message */
static bool walks(void)
{
    struct wire_message message;
    struct wire_record record;
    bool good;
    uint8_t *exact = open_exact(&message, &good);

    record.next_at = message.answers_at;
    for (unsigned i = 0; good && i < (unsigned)message.answers + message.authorities; i++) {
        uint8_t name[MXCLASH_NAME_MAX];

        good = wire_record_at(&message, record.next_at, &record) &&
               wire_name_at(&message, record.owner_at, message.len, name) != 0;
        if (good && record.type == wire_type_cname)
            good = wire_name_at(&message, record.rdata_at, record.next_at, name) != 0;
        if (good && record.type == wire_type_mx)
            good = wire_name_at(&message, record.rdata_at + 2, record.next_at, name) != 0;
    }
    free(exact);
    return good;
}

static void build_typical(bool compress)
{
    message_begin(&m, MESSAGE_AA | MESSAGE_RD, "Split.Test", wire_type_mx);
    m.compress = compress;
    message_cname(&m, "split.test", 600, "www.cdn.test");
    message_mx(&m, "split.test", 600, 5, "mx1.qiye.aliyun.com");
    message_mx(&m, "split.test", 600, 10, "mx2.qiye.aliyun.com");
    message_soa(&m, "split.test");
}

static void test_header(void **state)
{
    struct wire_message message;

    (void)state;
    build_typical(false);
    message_patch16(&m, 2, 0x8000 | 0x0400 | 0x0100 | 3);
    assert_true(wire_open(&message, m.octets, m.len));
    assert_true(message.response && message.query_opcode && message.authoritative);
    assert_true(message.recursion_desired);
    assert_false(message.truncated);
    assert_int_equal(message.rcode, 3);
    assert_int_equal(message.qtype, wire_type_mx);
    assert_int_equal(message.qclass, wire_class_in);
    assert_int_equal(message.answers, 3);
    assert_int_equal(message.authorities, 1);
    assert_int_equal(message.qname_at, 12);
    assert_int_equal(message.qname_len, 12);
    assert_int_equal(message.answers_at, 28);
    message_patch16(&m, 2, 0x0200 | 4 << 11);
    assert_true(wire_open(&message, m.octets, m.len));
    assert_true(message.truncated);
    assert_false(message.response || message.query_opcode || message.authoritative ||
                 message.recursion_desired);
}

static void test_question(void **state)
{
    struct wire_message message;

    (void)state;
    message_header(&m, MESSAGE_QR);
    assert_true(wire_open(&message, m.octets, m.len));
    assert_int_equal(message.qname_len, 0);
    assert_int_equal(message.answers_at, 12);
    message_begin(&m, 0, ".", wire_type_ns);
    assert_true(wire_open(&message, m.octets, m.len));
    assert_int_equal(message.qname_len, 1);
    /* two questions, and a count that promises more questions than there are */
    build_typical(false);
    message_patch16(&m, message_question, 2);
    assert_false(opens());
    message_patch16(&m, message_question, 65535);
    assert_false(opens());
}

static void test_compression_in_the_question(void **state)
{
    (void)state;
    message_header(&m, MESSAGE_QR);
    message_count(&m, message_question, 1);
    message_octets(&m, "\1a", 2);
    message_pointer(&m, 12);
    message_u16(&m, wire_type_mx);
    message_u16(&m, wire_class_in);
    assert_false(opens());
}

static void test_label_types(void **state)
{
    (void)state;
    for (unsigned type = 64; type < 192; type++) {
        build_typical(false);
        m.octets[12] = (uint8_t)type;
        assert_false(opens());
        build_typical(false);
        m.octets[28] = (uint8_t)type;
        assert_false(walks());
        assert_int_equal(name_len_at(28), 0);
    }
}

static void test_every_prefix(void **state)
{
    (void)state;
    for (int compress = 0; compress <= 1; compress++) {
        size_t whole;

        build_typical(compress);
        whole = m.len;
        assert_true(walks());
        for (m.len = 0; m.len < whole; m.len++) {
            if (m.len < WIRE_HEADER_OCTETS)
                assert_false(opens());
            else
                assert_false(opens() && walks());
        }
    }
}

static void test_counts_that_lie(void **state)
{
    (void)state;
    build_typical(true);
    message_patch16(&m, message_an, 5);
    assert_false(walks());
    message_patch16(&m, message_an, 65535);
    message_patch16(&m, message_ns, 65535);
    assert_false(walks());
    /* fewer than there are: what follows is not looked at */
    message_patch16(&m, message_an, 1);
    message_patch16(&m, message_ns, 0);
    assert_true(walks());
}

static void test_rdata_length_that_lies(void **state)
{
    size_t rdata;

    (void)state;
    message_begin(&m, 0, "a.test", wire_type_cname);
    rdata = message_record(&m, message_an, "a.test", wire_type_cname, wire_class_in, 1);
    message_name(&m, "b.test");
    message_record_end(&m, rdata);
    assert_true(walks());
    for (unsigned len = 0; len < 8; len++) {
        message_patch16(&m, rdata - 2, len);
        assert_false(walks());
    }
    message_patch16(&m, rdata - 2, 9);
    assert_false(walks());
    message_patch16(&m, rdata - 2, 65535);
    assert_false(walks());
}

static void test_name_without_pointer_ends_in_its_rdata(void **state)
{
    uint8_t name[MXCLASH_NAME_MAX];

    (void)state;
    message_header(&m, 0);
    message_octets(&m, "\3abc\0", 5);
    assert_int_equal(read_name(12, 17, name), 5);
    for (size_t limit = 12; limit < 17; limit++)
        assert_int_equal(read_name(12, limit, name), 0);
    /* the two octets of a pointer too */
    message_header(&m, 0);
    message_octets(&m, "\1a\0", 3);
    message_pointer(&m, 12);
    assert_int_equal(read_name(15, 17, name), 3);
    assert_int_equal(read_name(15, 16, name), 0);
    assert_int_equal(read_name(15, 15, name), 0);
}

static void test_pointers(void **state)
{
    uint8_t name[MXCLASH_NAME_MAX];

    (void)state;
    message_header(&m, 0);
    message_octets(&m, "\4TEST\0", 6);   /* 12: test */
    message_octets(&m, "\1A", 2);        /* 18: a.test */
    message_pointer(&m, 12);             /* 20 */
    message_pointer(&m, 18);             /* 22: only a pointer */
    message_octets(&m, "\1b\300\26", 4); /* 24: b.a.test, by a pointer to a pointer */
    assert_int_equal(read_name(24, m.len, name), 10);
    assert_memory_equal(name, "\1b\1a\4test", 10);
    assert_int_equal(read_name(22, m.len, name), 8);
}

static void test_pointers_that_loop(void **state)
{
    (void)state;
    /* to itself */
    message_header(&m, 0);
    message_pointer(&m, 12);
    assert_int_equal(name_len_at(12), 0);
    /* two to each other */
    message_header(&m, 0);
    message_pointer(&m, 14);
    message_pointer(&m, 12);
    assert_int_equal(name_len_at(12), 0);
    assert_int_equal(name_len_at(14), 0);
    /* a label and back to it: grows until the name is too long, or for ever */
    message_header(&m, 0);
    message_octets(&m, "\1a", 2);
    message_pointer(&m, 12);
    assert_int_equal(name_len_at(12), 0);
    /* into its own label */
    message_header(&m, 0);
    message_octets(&m, "\3\1x\0", 4);
    message_pointer(&m, 13);
    assert_int_equal(name_len_at(12), 0);
}

static void test_pointers_that_go_wrong(void **state)
{
    (void)state;
    /* forward */
    message_header(&m, 0);
    message_pointer(&m, 14);
    message_octets(&m, "\1a\0", 3);
    assert_int_equal(name_len_at(12), 0);
    assert_int_equal(name_len_at(14), 3);
    /* behind the end */
    message_header(&m, 0);
    message_pointer(&m, 0x3fff);
    assert_int_equal(name_len_at(12), 0);
    /* into the header: no name stands there */
    for (unsigned at = 0; at < WIRE_HEADER_OCTETS; at++) {
        message_header(&m, 0);
        message_pointer(&m, at);
        assert_int_equal(name_len_at(12), 0);
    }
    /* back, then forward to behind the first pointer */
    message_header(&m, 0);
    message_octets(&m, "\1a", 2);
    message_pointer(&m, 18);
    message_pointer(&m, 12);
    message_octets(&m, "\1b\0", 3);
    assert_int_equal(name_len_at(16), 0);
    /* half of one at the end */
    message_header(&m, 0);
    message_octets(&m, "\300", 1);
    assert_int_equal(name_len_at(12), 0);
}

/** Pointers that each go back by two octets end, but may not cost thousands of hops a name. */
static void test_pointers_without_end(void **state)
{
    size_t first = WIRE_HEADER_OCTETS;

    (void)state;
    message_header(&m, 0);
    message_octets(&m, "\1a\0", 3);
    message_pointer(&m, first);
    for (int i = 0; i < WIRE_POINTERS_MAX + 200; i++)
        message_pointer(&m, m.len - 2);
    assert_int_equal(name_len_at(15 + 2 * (WIRE_POINTERS_MAX - 1)), 3);
    assert_int_equal(name_len_at(15 + 2 * WIRE_POINTERS_MAX), 0);
    assert_int_equal(name_len_at(m.len - 2), 0);
    /* a name of as many labels as there can be, a pointer behind each, is read */
    message_header(&m, 0);
    message_octets(&m, "\0", 1);
    message_octets(&m, "\1a", 2);
    message_pointer(&m, 12);
    for (int i = 1; i < 127; i++) {
        message_octets(&m, "\1a", 2);
        message_pointer(&m, m.len - 6);
    }
    assert_int_equal(name_len_at(m.len - 4), MXCLASH_NAME_MAX);
    message_octets(&m, "\1a", 2);
    message_pointer(&m, m.len - 6);
    assert_int_equal(name_len_at(m.len - 4), 0);
}

/** Append a name of exactly so many octets. */
static void put_name(size_t octets)
{
    static const uint8_t xs[63] = {'X', 'x'};
    size_t left = octets - 1;

    while (left > 0) {
        size_t label = left > 64 ? 63 : left - 1;
        uint8_t len;

        if (left - label - 1 == 1)
            label--;
        len = (uint8_t)label;
        message_octets(&m, &len, 1);
        message_octets(&m, xs, label);
        left -= label + 1;
    }
    message_octets(&m, "", 1);
}

static void test_longest_names(void **state)
{
    (void)state;
    for (size_t octets = 250; octets <= 260; octets++) {
        bool fits = octets <= MXCLASH_NAME_MAX;

        message_header(&m, 0);
        put_name(octets);
        assert_int_equal(name_len_at(12), fits ? octets : 0);
        /* as a question */
        message_count(&m, message_question, 1);
        message_u16(&m, wire_type_mx);
        message_u16(&m, wire_class_in);
        assert_int_equal(opens(), fits);
        /* put together by a pointer: two octets and the rest */
        message_header(&m, 0);
        put_name(octets - 2);
        message_octets(&m, "\1a", 2);
        message_pointer(&m, 12);
        assert_int_equal(name_len_at(m.len - 4), fits ? octets : 0);
    }
}

static void test_longest_labels(void **state)
{
    uint8_t label[64] = {0};

    (void)state;
    message_header(&m, 0);
    message_octets(&m, "\77", 1);
    message_octets(&m, label, 63);
    message_octets(&m, "", 1);
    assert_int_equal(name_len_at(12), 65);
    message_header(&m, 0);
    message_octets(&m, "\100", 1);
    message_octets(&m, label, 64);
    message_octets(&m, "", 1);
    assert_int_equal(name_len_at(12), 0);
}

static void test_record(void **state)
{
    struct wire_message message;
    struct wire_record record;

    (void)state;
    build_typical(true);
    assert_true(wire_open(&message, m.octets, m.len));
    assert_true(wire_record_at(&message, message.answers_at, &record));
    assert_int_equal(record.owner_at, 28);
    assert_int_equal(record.type, wire_type_cname);
    assert_int_equal(record.class, wire_class_in);
    assert_int_equal(record.ttl_s, 600);
    assert_int_equal(record.rdata_at, 40);
    assert_int_equal(record.next_at, 40 + record.rdata_len);
    assert_false(wire_record_at(&message, m.len, &record));
    assert_false(wire_record_at(&message, SIZE_MAX, &record));
}

static void test_ttl(void **state)
{
    (void)state;
    assert_int_equal(wire_ttl(0), 0);
    assert_int_equal(wire_ttl(0x7fffffff), 0x7fffffff);
    assert_int_equal(wire_ttl(0x80000000), 0);
    assert_int_equal(wire_ttl(0xffffffff), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_question),
        cmocka_unit_test(test_compression_in_the_question),
        cmocka_unit_test(test_label_types),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_counts_that_lie),
        cmocka_unit_test(test_rdata_length_that_lies),
        cmocka_unit_test(test_name_without_pointer_ends_in_its_rdata),
        cmocka_unit_test(test_pointers),
        cmocka_unit_test(test_pointers_that_loop),
        cmocka_unit_test(test_pointers_that_go_wrong),
        cmocka_unit_test(test_pointers_without_end),
        cmocka_unit_test(test_longest_names),
        cmocka_unit_test(test_longest_labels),
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_ttl),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
