/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Lookups of the impact, for a detector of detector.h. */
#ifndef MXCLASH_TESTS_LOOKUPS_H
#define MXCLASH_TESTS_LOOKUPS_H

#include <stdio.h>

#include "detector.h"

/** How often on_held was called. */
static unsigned lookups_held;

static void lookups_on_held(void *context)
{
    (void)context;
    lookups_held++;
}

static inline struct mxclash_options lookups_options(void)
{
    struct mxclash_options options = detector_options();

    options.lookup = true;
    options.on_held = lookups_on_held;
    lookups_held = 0;
    return options;
}

static inline int lookups_setup(void **state)
{
    struct mxclash_options options = lookups_options();

    (void)state;
    detector_begin(&options);
    return 0;
}

#define WITH_LOOKUPS(test) cmocka_unit_test_setup_teardown(test, lookups_setup, detector_teardown)

/** What a question about a target comes to. */
enum look {
    look_failed,
    look_empty,
    look_address,
    look_null_mx,
    /** MX1 and MX2, as the replies of detector.h have them */
    look_own_mx,
    look_other_mx,
};

/** \return names of domains, one after another in the same room */
static inline const char *numbered(unsigned number)
{
    static char name[32];

    snprintf(name, sizeof(name), "d%u.test", number);
    return name;
}

static inline bool take_lookup(struct mxclash_lookup *lookup)
{
    return mxclash_lookup_next(detector.engine, detector.now, lookup);
}

static inline void expect_no_lookup(void)
{
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};

    assert_false(take_lookup(&lookup));
}

/** The lookup that waits. */
static inline struct mxclash_lookup expect_lookup(const char *owner, uint16_t qtype,
                                                  const char *target)
{
    struct wire_name owner_name = wire_name_of(owner), target_name = wire_name_of(target);
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};

    assert_true(take_lookup(&lookup));
    assert_int_not_equal(lookup.id, 0);
    assert_int_equal(lookup.qtype, qtype);
    assert_int_equal(lookup.owner_len, owner_name.len);
    assert_memory_equal(lookup.owner, owner_name.octets, owner_name.len);
    assert_int_equal(lookup.target_len, target_name.len);
    assert_memory_equal(lookup.target, target_name.octets, target_name.len);
    return lookup;
}

static inline void end_lookup(const struct mxclash_lookup *lookup, enum look look)
{
    static const char *const own[] = {MX1, MX2}, *const other[] = {"mx.elsewhere.test", MX1};
    struct mxclash_mx mx[MXCLASH_MX_MAX];
    struct mxclash_lookup_reply reply = {.struct_size = sizeof(reply),
                                         .answered = look != look_failed,
                                         .null_mx = look == look_null_mx,
                                         .has_address = look == look_address,
                                         .mx = mx};

    /* put in in the other order: sets are sorted */
    for (int i = 1; i >= 0 && (look == look_own_mx || look == look_other_mx); i--) {
        struct wire_name name = wire_name_of(look == look_own_mx ? own[i] : other[i]);
        struct mxclash_mx one = {.preference = (uint16_t)(5 * i + 5),
                                 .exchange_len = (uint8_t)name.len};

        memcpy(one.exchange, name.octets, name.len);
        reply.mx_count = mxclash_mx_insert(mx, reply.mx_count, &one);
    }
    mxclash_lookup_end(detector.engine, lookup, &reply, detector.now);
}

/** Take the lookup of owner and TARGET that waits, and end it so. */
static inline void look_up(const char *owner, uint16_t qtype, enum look look)
{
    struct mxclash_lookup lookup = expect_lookup(owner, qtype, TARGET);

    end_lookup(&lookup, look);
}

/** The next event, made when the owner's conflict was opened and told later. */
static inline const struct mxclash_event *next_held_event(const char *owner, mxclash_time opened_at)
{
    mxclash_time now = detector.now;
    const struct mxclash_event *event;

    detector.now = opened_at;
    event = next_event(owner);
    detector.now = now;
    return event;
}

static inline void expect_impact(const struct mxclash_event *event, enum mxclash_impact impact)
{
    assert_string_equal(mxclash_impact_name(event->impact), mxclash_impact_name(impact));
}

#endif
