/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Answers as authorities send them: see samples.h. */
#include "samples.h"

#include <string.h>

const char *const sample_names[SAMPLE_CLASSES] = {
    [sample_a] = "A, two records",
    [sample_aaaa] = "AAAA, two records",
    [sample_https] = "HTTPS",
    [sample_cname_www] = "CNAME at www, with the target's A",
    [sample_cname_apex] = "CNAME at the apex",
    [sample_mx] = "MX, two records",
    [sample_mx_provider] = "MX of a known provider",
    [sample_txt] = "TXT with SPF",
    [sample_nodata] = "no data (SOA)",
    [sample_nxdomain] = "NXDOMAIN (SOA)",
    [sample_referral] = "referral",
    [sample_both] = "CNAME and MX in one answer",
    [sample_malformed] = "malformed",
};

enum { type_a = 1, type_ns = 2, type_cname = 5, type_soa = 6, type_mx = 15, type_txt = 16 };
enum { type_aaaa = 28, type_opt = 41, type_https = 65 };

/** Where names stand in every sample: pointers to the question's name and to the domain in it. */
struct draft {
    struct sample *sample;
    size_t len;
    size_t qname_at;
    size_t domain_at;
};

static void put(struct draft *draft, const void *octets, size_t len)
{
    memcpy(draft->sample->octets + draft->len, octets, len);
    draft->len += len;
}

static void put16(struct draft *draft, unsigned value)
{
    const uint8_t octets[] = {(uint8_t)(value >> 8), (uint8_t)value};

    put(draft, octets, sizeof(octets));
}

static void put_pointer(struct draft *draft, size_t to)
{
    put16(draft, 0xc000u | (unsigned)to);
}

/** Owner, type, class, TTL; the length of the RDATA follows from what is put with rdata. */
static void put_record(struct draft *draft, size_t owner_at, unsigned type, unsigned ttl_s,
                       const void *rdata, size_t rdata_len)
{
    put_pointer(draft, owner_at);
    put16(draft, type);
    put16(draft, 1);
    put16(draft, ttl_s >> 16);
    put16(draft, ttl_s & 0xffff);
    put16(draft, (unsigned)rdata_len);
    put(draft, rdata, rdata_len);
}

/** A record whose RDATA is octets and then a label of the domain, as ns1.dXXXXXXXX.com. */
static void put_domain_record(struct draft *draft, size_t owner_at, unsigned type, unsigned ttl_s,
                              const void *rdata, size_t rdata_len)
{
    uint8_t octets[64];

    memcpy(octets, rdata, rdata_len);
    octets[rdata_len] = (uint8_t)(0xc0 | draft->domain_at >> 8);
    octets[rdata_len + 1] = (uint8_t)draft->domain_at;
    put_record(draft, owner_at, type, ttl_s, octets, rdata_len + 2);
}

/* literals without their NUL */
#define TEXT(literal) literal, sizeof(literal) - 1

static void put_addresses(struct draft *draft, size_t owner_at)
{
    put_record(draft, owner_at, type_a, 300, TEXT("\xc0\x00\x02\x01"));
    put_record(draft, owner_at, type_a, 300, TEXT("\xc0\x00\x02\x02"));
}

static void put_answer(struct draft *draft, enum sample_class class)
{
    size_t qname = draft->qname_at;

    switch (class) {
    case sample_a:
        put_addresses(draft, qname);
        break;
    case sample_aaaa:
        for (int i = 0; i < 2; i++)
            put_record(draft, qname, type_aaaa, 300,
                       TEXT("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"));
        break;
    case sample_https: /* priority 1, own name, ALPN h2 and h3 */
        put_record(draft, qname, type_https, 300, TEXT("\0\x01\0\0\x01\0\x06\x02h3\x02h2"));
        break;
    case sample_cname_www:
        put_domain_record(draft, qname, type_cname, 3600, TEXT(""));
        put_record(draft, draft->domain_at, type_a, 300, TEXT("\xc0\x00\x02\x01"));
        break;
    case sample_cname_apex:
        put_record(draft, qname, type_cname, 600,
                   TEXT("\x07"
                        "example\x03"
                        "cdn\x03net\0"));
        break;
    case sample_mx:
        put_domain_record(draft, qname, type_mx, 3600, TEXT("\0\x0a\x03mx1"));
        put_domain_record(draft, qname, type_mx, 3600, TEXT("\0\x14\x03mx2"));
        break;
    case sample_mx_provider: /* the set that the provider documents */
        put_record(draft, qname, type_mx, 3600,
                   TEXT("\0\x05\x03mx1\x04qiye\x06"
                        "aliyun\x03"
                        "com\0"));
        put_record(draft, qname, type_mx, 3600,
                   TEXT("\0\x0a\x03mx2\x04qiye\x06"
                        "aliyun\x03"
                        "com\0"));
        put_record(draft, qname, type_mx, 3600,
                   TEXT("\0\x0f\x03mx3\x04qiye\x06"
                        "aliyun\x03"
                        "com\0"));
        break;
    case sample_txt:
        put_record(draft, qname, type_txt, 3600, TEXT("\x24v=spf1 include:_spf.example.net ~all"));
        put_record(draft, qname, type_txt, 3600,
                   TEXT("\x27site-verification=0123456789abcdefghijk"));
        break;
    case sample_both:
        put_record(draft, qname, type_cname, 600,
                   TEXT("\x07"
                        "example\x03"
                        "cdn\x03net\0"));
        put_domain_record(draft, qname, type_mx, 3600, TEXT("\0\x0a\x03mx1"));
        break;
    default:
        break;
    }
}

static const struct {
    uint16_t flags;
    uint16_t qtype;
    bool www;
    uint16_t answers;
} shapes[SAMPLE_CLASSES] = {
    [sample_a] = {0x8400, type_a, true, 2},
    [sample_aaaa] = {0x8400, type_aaaa, true, 2},
    [sample_https] = {0x8400, type_https, true, 1},
    [sample_cname_www] = {0x8400, type_a, true, 2},
    [sample_cname_apex] = {0x8400, type_a, false, 1},
    [sample_mx] = {0x8400, type_mx, false, 2},
    [sample_mx_provider] = {0x8400, type_mx, false, 3},
    [sample_txt] = {0x8400, type_txt, false, 2},
    [sample_nodata] = {0x8400, type_aaaa, true, 0},
    [sample_nxdomain] = {0x8403, type_a, true, 0},
    [sample_referral] = {0x8000, type_a, true, 0},
    [sample_both] = {0x8400, type_mx, false, 2},
    [sample_malformed] = {0x8400, type_a, true, 2},
};

/** Name servers with their addresses, or the SOA of an answer that is empty. \return records */
static unsigned put_authority(struct draft *draft, enum sample_class class)
{
    static const char numbers[] =
        "\x78\xa1\xb2\xc3\0\0\x0e\x10\0\0\x02\x58\0\x09\x3a\x80\0\0\x01\x2c";
    uint8_t rdata[64];

    if (class != sample_nodata && class != sample_nxdomain) {
        put_domain_record(draft, draft->domain_at, type_ns, 86400, TEXT("\x03ns1"));
        put_domain_record(draft, draft->domain_at, type_ns, 86400, TEXT("\x03ns2"));
        return 2;
    }
    memcpy(rdata, "\x03ns1\xc0", 5);
    rdata[5] = (uint8_t)draft->domain_at;
    memcpy(rdata + 6, "\x04mail\xc0", 6);
    rdata[12] = (uint8_t)draft->domain_at;
    memcpy(rdata + 13, numbers, 20);
    put_record(draft, draft->domain_at, type_soa, 300, rdata, 33);
    return 1;
}

static void put_opt(struct draft *draft)
{
    put(draft, TEXT("\0\0\x29\x04\xd0\0\0\0\0\0\0"));
}

void sample_init(struct sample *sample, enum sample_class class)
{
    struct draft draft = {.sample = sample, .len = 0};
    unsigned authorities;
    unsigned additional = 1;

    memset(sample, 0, sizeof(*sample));
    memcpy(sample->zone,
           "\x09"
           "00000000d\x03"
           "com",
           15);
    put16(&draft, 0x1234);
    put16(&draft, shapes[class].flags);
    put16(&draft, 1);
    put16(&draft, shapes[class].answers);
    put(&draft, TEXT("\0\0\0\0"));
    draft.qname_at = draft.domain_at = draft.len;
    if (shapes[class].www) {
        put(&draft, TEXT("\x03www"));
        draft.domain_at = draft.len;
    }
    sample->digits_at = draft.len + SAMPLE_ZONE_DIGITS_AT;
    put(&draft, sample->zone, 15);
    put16(&draft, shapes[class].qtype);
    put16(&draft, 1);
    put_answer(&draft, class);
    authorities = put_authority(&draft, class);
    if (authorities == 2) { /* their addresses, owner by the RDATA of the NS */
        size_t second = draft.len - 6;

        put_record(&draft, second - 18, type_a, 86400, (const uint8_t[]){192, 0, 2, 53}, 4);
        put_record(&draft, second, type_a, 86400, (const uint8_t[]){192, 0, 2, 54}, 4);
        additional = 3;
    }
    put_opt(&draft);
    sample->octets[9] = (uint8_t)authorities;
    sample->octets[11] = (uint8_t)additional;
    if (class == sample_malformed) /* the second record claims more than there is */
        sample->octets[7] = 40;
    sample->answer.message = sample->octets;
    sample->answer.struct_size = sizeof(sample->answer);
    sample->answer.message_len = (uint32_t)draft.len;
    sample->answer.zone = sample->zone;
    sample->answer.zone_len = 15;
    sample->answer.server =
        (struct mxclash_address){.family = 4, .port = 53, .octets = {192, 0, 2, 53}};
}

void sample_set_qtype(struct sample *sample, uint16_t qtype)
{
    /* behind the digits stand d, com and the root */
    size_t at = sample->digits_at + SAMPLE_DIGITS + 6;

    sample->octets[at] = (uint8_t)(qtype >> 8);
    sample->octets[at + 1] = (uint8_t)qtype;
}

/* Names that follow each other should have nothing in common: the number is multiplied, modulo
 * 2^32, and back. */
#define SCRAMBLE   0x9e3779b1u
#define UNSCRAMBLE 0xe8b2f51u

void sample_set_domain(struct sample *sample, uint32_t domain)
{
    static const char digits[] = "0123456789abcdef";

    domain *= SCRAMBLE;
    for (int i = SAMPLE_DIGITS - 1; i >= 0; i--, domain >>= 4)
        sample->octets[sample->digits_at + (size_t)i] = sample->zone[SAMPLE_ZONE_DIGITS_AT + i] =
            (uint8_t)digits[domain & 15];
}

uint32_t sample_domain_of(const uint8_t *owner, size_t owner_len)
{
    uint32_t domain = 0;

    if (owner_len < SAMPLE_ZONE_DIGITS_AT + SAMPLE_DIGITS)
        return 0;
    for (size_t i = SAMPLE_ZONE_DIGITS_AT; i < SAMPLE_ZONE_DIGITS_AT + SAMPLE_DIGITS; i++)
        domain = domain << 4 | (uint32_t)(owner[i] <= '9' ? owner[i] - '0' : owner[i] - 'a' + 10);
    return domain * UNSCRAMBLE;
}

enum sample_class sample_of_mix(uint64_t i)
{
    /* of 1,000 answers that a resolver gets from its upstreams */
    static const struct {
        unsigned share;
        enum sample_class class;
    } mix[] = {{300, sample_a},       {130, sample_aaaa},  {350, sample_cname_www},
               {40, sample_https},    {15, sample_mx},     {5, sample_mx_provider},
               {40, sample_txt},      {60, sample_nodata}, {40, sample_nxdomain},
               {19, sample_referral}, {1, sample_both}};
    unsigned draw;
    size_t m = 0;

    /* the finaliser of MurmurHash3: neighbours are strangers */
    i ^= i >> 33;
    i *= UINT64_C(0xff51afd7ed558ccd);
    i ^= i >> 33;
    i *= UINT64_C(0xc4ceb9fe1a85ec53);
    i ^= i >> 33;
    draw = (unsigned)(i % 1000);
    while (draw >= mix[m].share)
        draw -= mix[m++].share;
    return mix[m].class;
}
