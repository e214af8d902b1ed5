/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Answers as authorities send them, one a class, made for any number of domains.
 */
#ifndef TESTS_BENCH_SAMPLES_H
#define TESTS_BENCH_SAMPLES_H

#include <stdint.h>

#include "mxclash.h"

enum sample_class {
    sample_a = 0,
    sample_aaaa,
    sample_https,
    sample_cname_www,
    sample_cname_apex,
    sample_mx,
    sample_mx_provider,
    sample_txt,
    sample_nodata,
    sample_nxdomain,
    sample_referral,
    sample_both,
    sample_malformed,
    SAMPLE_CLASSES,
};

/** Names of the classes, in that order. */
extern const char *const sample_names[SAMPLE_CLASSES];

#define SAMPLE_OCTETS_MAX 512
#define SAMPLE_DIGITS     8

/** One answer. The domain is XXXXXXXXd.com with its number, scrambled, in hexadecimal. */
struct sample {
    struct mxclash_answer answer;
    /** of the digits in octets; those in zone are at SAMPLE_ZONE_DIGITS_AT */
    size_t digits_at;
    uint8_t octets[SAMPLE_OCTETS_MAX];
    uint8_t zone[MXCLASH_NAME_MAX];
};

#define SAMPLE_ZONE_DIGITS_AT 1

/** Make the answer of a class, with question, two records or one, authority, additional and OPT. */
void sample_init(struct sample *sample, enum sample_class class);

/** Make it the answer of another domain. */
void sample_set_domain(struct sample *sample, uint32_t domain);

/** Make it the answer to another type of the same name. */
void sample_set_qtype(struct sample *sample, uint16_t qtype);

/** \return the number of the domain that an owner is, 0 if it is none of ours */
uint32_t sample_domain_of(const uint8_t *owner, size_t owner_len);

/** \return the class of answer number i of a realistic mix; one in 1,000 domains is broken */
enum sample_class sample_of_mix(uint64_t i);

#endif
