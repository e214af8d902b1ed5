/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A host that is built with an older header, today's and a newer one, see test_abi.py: it finds a
 * conflict and prints all that it gets of it. What it prints must be the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mxclash.h"

#define TIME INT64_C(1767323045678)

/** shop.test MX, answered with a CNAME and an MX, AA. */
static const uint8_t both[] = "\0\0\x84\0\0\1\0\2\0\0\0\0\4shop\4test\0\0\x0f\0\1"
                              "\xc0\x0c\0\5\0\1\0\0\2\x58\0\6\3www\xc0\x11"
                              "\xc0\x0c\0\x0f\0\1\0\0\2\x58\0\7\0\5\2mx\xc0\x11";
static const uint8_t zone[] = "\4test";

/** Behind each struct: is it left alone? */
struct guard {
    uint8_t octets[64];
};

static void guard(struct guard *guard)
{
    memset(guard->octets, 0x5a, sizeof(guard->octets));
}

static void check(const struct guard *guard, const char *what)
{
    for (size_t i = 0; i < sizeof(guard->octets); i++)
        if (guard->octets[i] != 0x5a) {
            printf("written behind %s\n", what);
            exit(1);
        }
}

static void on_event(void *context, const struct mxclash_event *event)
{
    char owner[MXCLASH_NAME_TEXT_MAX];

    (void)context;
    mxclash_name_to_text(event->owner, event->owner_len, owner);
    printf("event %s %s %s, seen %" PRId64 "\n", mxclash_event_type_name(event->type),
           mxclash_kind_name(event->kind), owner, event->first_seen);
}

int main(void)
{
    struct {
        struct mxclash_options it;
        struct guard guard;
    } options;
    struct {
        struct mxclash_proof it;
        struct guard guard;
    } proof;
    struct {
        struct mxclash_standing it;
        struct guard guard;
    } standing;
    struct {
        struct mxclash_stat it;
        struct guard guard;
    } stat;
    struct {
        struct mxclash_domain it[2];
        struct guard guard;
    } domains;
    struct {
        struct mxclash_event it;
        struct guard guard;
    } event;
    struct mxclash_answer answer = {.struct_size = sizeof(answer)};
    struct mxclash_cursor cursor = {{0}};
    struct mxclash_engine *engine;
    char error[MXCLASH_ERROR_MAX];

    guard(&options.guard);
    mxclash_options_init(&options.it, sizeof(options.it));
    check(&options.guard, "options");
    options.it.on_event = on_event;
    if (mxclash_engine_new(&options.it, &engine, error, sizeof(error)) != mxclash_ok) {
        printf("%s\n", error);
        return 1;
    }
    answer.message = both;
    answer.message_len = sizeof(both) - 1;
    answer.zone = zone;
    answer.zone_len = sizeof(zone);
    printf("inspect %d\n", (int)mxclash_inspect(engine, &answer, TIME));
    guard(&standing.guard);
    standing.it.struct_size = sizeof(standing.it);
    printf("standing %d", mxclash_get_standing(engine, both + 12, 11, TIME, &standing.it));
    printf(" %s %" PRIu32 "\n", mxclash_state_name(standing.it.state), standing.it.mx_ttl_s);
    check(&standing.guard, "standing");
    guard(&event.guard);
    event.it.struct_size = sizeof(event.it);
    printf("open %d", mxclash_next_open(engine, &cursor, &event.it));
    printf(" %s\n", mxclash_kind_name(event.it.kind));
    check(&event.guard, "event");
    guard(&domains.guard);
    domains.it[0].struct_size = sizeof(domains.it[0]);
    printf("domains %zu", mxclash_top_domains(engine, domains.it, 2));
    printf(" %s\n", mxclash_kind_name(domains.it[0].kind));
    check(&domains.guard, "domains");
    guard(&stat.guard);
    stat.it.struct_size = sizeof(stat.it);
    for (uint32_t i = 0; mxclash_get_stat(engine, i, &stat.it); i++)
        if (strcmp(stat.it.name, "mxclash_answers_inspected_total") == 0)
            printf("inspected %" PRIu64 "\n", stat.it.value);
    check(&stat.guard, "stat");
    mxclash_recheck(engine, both + 12, 11, TIME);
    guard(&proof.guard);
    proof.it.struct_size = sizeof(proof.it);
    printf("proof %d", mxclash_proof_next(engine, TIME, &proof.it));
    printf(" of %d questions\n", proof.it.qtype_count);
    check(&proof.guard, "proof");
    printf("answer %d\n", (int)mxclash_proof_answer(engine, &proof.it, 15, &answer, TIME + 1000));
    printf("decided %d\n", mxclash_proof_decided(engine, &proof.it));
    mxclash_engine_free(engine);
    return 0;
}
