/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the tests of the output layer share: an event, and waiting for a condition.
 */
#ifndef MXCLASH_TESTS_OUTPUTS_H
#define MXCLASH_TESTS_OUTPUTS_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "mxclash.h"

/** 2026-01-02T03:04:05.678Z */
#define SAMPLE_TIME INT64_C(1767323045678)

/** Write a name into a uint8_t array and its length into a uint8_t. */
#define SET_NAME(array, len, text)                                                                 \
    do {                                                                                           \
        size_t octets_;                                                                            \
        assert_int_equal(mxclash_name_from_text(text, array, &octets_), mxclash_ok);               \
        (len) = (uint8_t)octets_;                                                                  \
    } while (0)

static inline void set_mx(struct mxclash_event *event, uint16_t preference, const char *exchange)
{
    struct mxclash_mx *mx = &event->mx[event->mx_count++];

    mx->preference = preference;
    SET_NAME(mx->exchange, mx->exchange_len, exchange);
}

static inline void set_authority(struct mxclash_event *event, const char *address)
{
    struct mxclash_address *to = &event->authority;

    to->port = 53;
    to->family = 4;
    if (inet_pton(AF_INET, address, to->octets) == 1)
        return;
    to->family = 6;
    assert_int_equal(inet_pton(AF_INET6, address, to->octets), 1);
}

/** A confirmed conflict of split.test in which every field is known. */
static inline struct mxclash_event sample_event(void)
{
    struct mxclash_event event = {
        .struct_size = sizeof(event),
        .type = mxclash_opened,
        .kind = mxclash_cname_and_mx,
        .state = mxclash_confirmed,
        .evidence = mxclash_probe,
        .apex = mxclash_apex_yes,
        .impact = mxclash_implicit_mx,
        .hides_spf = mxclash_yes,
        .time = SAMPLE_TIME,
        .first_seen = SAMPLE_TIME - 60000,
        .last_seen = SAMPLE_TIME,
        .mx_queries = 7,
        .advice = mxclash_remove_cname | mxclash_replace_cname_with_address,
        .cname_ttl = 300,
        .provider = "alibaba-mail-standard",
    };

    SET_NAME(event.owner, event.owner_len, "split.test");
    SET_NAME(event.zone, event.zone_len, "test");
    SET_NAME(event.cname_target, event.cname_target_len, "www.cdn.test");
    set_mx(&event, 5, "mx1.qiye.aliyun.com");
    set_authority(&event, "127.0.0.1");
    return event;
}

static inline int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/** Look every few milliseconds until condition holds. \return false after limit_ms */
static inline bool wait_until(bool (*condition)(void *context), void *context, int64_t limit_ms)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    const int64_t end = now_ms() + limit_ms;

    while (!condition(context)) {
        if (now_ms() > end)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

#endif
