/* SPDX-License-Identifier: BSD-3-Clause */
/** \file How the engine stands: counters and the most affected domains. See mxclash.h. */
#include <stdlib.h>
#include <string.h>

#include "core/engine/engine.h"
#include "core/engine/stats.h"
#include "core/engine/structs.h"

void engine_get_stats(const struct mxclash_engine *engine, struct engine_stats *stats)
{
    const struct counters *counters = &engine->counters;

    memset(stats, 0, sizeof(*stats));
    stats->inspected = striped_read(&counters->inspected);
    stats->malformed = count_read(&counters->malformed);
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        stats->opened[kind] = count_read(&counters->opened[kind]);
        stats->cleared[kind] = count_read(&counters->cleared[kind]);
        stats->expired[kind] = count_read(&counters->expired[kind]);
        stats->evicted[kind] = count_read(&counters->evicted[kind]);
        stats->imported[kind] = count_read(&counters->imported[kind]);
        for (int state = 0; state < MXCLASH_STATES; state++)
            stats->open_now[kind][state] = count_read(&counters->open_now[kind][state]);
    }
    for (int i = 0; i < MXCLASH_PROOF_RESULTS; i++)
        stats->proofs[i] = count_read(&counters->proofs[i]);
    for (int i = 0; i < MXCLASH_PROOF_DROPS; i++)
        stats->proofs_dropped[i] = count_read(&counters->proofs_dropped[i]);
    for (int i = 0; i < MXCLASH_DELAYS; i++)
        stats->delayed[i] = count_read(&counters->delayed[i]);
    for (int i = 0; i < MXCLASH_OUTCOMES; i++)
        stats->affected_mx[i] = count_read(&counters->affected_mx[i]);
    stats->import_refused = count_read(&counters->import_refused);
    stats->events_lost = count_read(&counters->events_lost);
    stats->table_evictions = count_read(&engine->docket.evictions);
    stats->table_bytes_limit = engine->table_size;
    docket_size(&engine->docket, &stats->table_entries, &stats->table_bytes);
    stats->table_bytes += engine->fixed_octets;
}

/** The most met so far, as a heap with the least of them first: each shard is locked while it is
 * walked, so a domain must find its place in few steps however long the list is. */
struct top_list {
    const struct casework *work;
    struct mxclash_domain *domains;
    size_t count;
    size_t max;
};

static int compare_domains(const struct mxclash_domain *a, const struct mxclash_domain *b)
{
    if (a->mx_queries != b->mx_queries)
        return a->mx_queries > b->mx_queries ? -1 : 1;
    if (a->owner_len != b->owner_len)
        return a->owner_len < b->owner_len ? -1 : 1;
    if (memcmp(a->owner, b->owner, a->owner_len) != 0)
        return memcmp(a->owner, b->owner, a->owner_len);
    return (a->kind > b->kind) - (a->kind < b->kind);
}

static int compare_for_qsort(const void *a, const void *b)
{
    return compare_domains(a, b);
}

/** Add to a heap that is not full. */
static void top_push(struct top_list *top, const struct mxclash_domain *domain)
{
    size_t at = top->count++;

    while (at != 0 && compare_domains(&top->domains[(at - 1) / 2], domain) < 0) {
        top->domains[at] = top->domains[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    top->domains[at] = *domain;
}

/** Take the place of the least. */
static void top_replace(struct top_list *top, const struct mxclash_domain *domain)
{
    size_t at = 0, child;

    while ((child = 2 * at + 1) < top->count) {
        if (child + 1 < top->count &&
            compare_domains(&top->domains[child], &top->domains[child + 1]) < 0)
            child++;
        if (compare_domains(domain, &top->domains[child]) >= 0)
            break;
        top->domains[at] = top->domains[child];
        at = child;
    }
    top->domains[at] = *domain;
}

static void top_visit(void *context, const struct docket_case *c)
{
    struct top_list *top = context;

    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        const struct conflict *conflict = &c->conflicts[kind];
        struct mxclash_domain domain;

        if (!conflict->open)
            continue;
        /* most domains of a long docket end here */
        if (top->count == top->max && c->mx_queries < top->domains[0].mx_queries)
            return;
        memset(&domain, 0, sizeof(domain));
        memcpy(domain.owner, c->owner, c->owner_len);
        domain.owner_len = c->owner_len;
        domain.struct_size = sizeof(domain);
        domain.kind = (uint8_t)kind;
        domain.mx_queries = c->mx_queries;
        if (top->count == top->max && compare_domains(&domain, &top->domains[0]) >= 0)
            continue;
        case_provider_tag(top->work, c, domain.provider);
        domain.state = (uint8_t)conflict->state;
        domain.first_seen = conflict->first_seen;
        domain.last_seen = conflict->last_seen;
        if (top->count < top->max)
            top_push(top, &domain);
        else
            top_replace(top, &domain);
    }
}

static size_t top_domains(struct mxclash_engine *engine, struct mxclash_domain *domains, size_t max)
{
    struct top_list top = {.work = &engine->work, .domains = domains, .max = max};

    docket_visit_open(&engine->docket, top_visit, &top);
    qsort(domains, top.count, sizeof(*domains), compare_for_qsort);
    return top.count;
}

size_t mxclash_top_domains(struct mxclash_engine *engine, struct mxclash_domain *domains,
                           size_t max)
{
    struct mxclash_domain *ours = domains;
    size_t size, count;

    if (max == 0 || domains->struct_size < STRUCT_LEAST(mxclash_domain, reserved_2))
        return 0;
    size = domains->struct_size;
    if (size == sizeof(*ours))
        return top_domains(engine, domains, max);
    ours = calloc(max, sizeof(*ours));
    if (ours == NULL)
        return 0;
    count = top_domains(engine, ours, max);
    for (size_t i = 0; i < count; i++) {
        void *to = (unsigned char *)domains + i * size;

        memcpy(to, &(uint32_t){(uint32_t)size}, sizeof(uint32_t));
        struct_give(to, &ours[i], sizeof(*ours));
    }
    free(ours);
    return count;
}

bool mxclash_event_next(struct mxclash_engine *engine, struct mxclash_event *event)
{
    struct mxclash_event ours;

    if (event->struct_size < STRUCT_LEAST(mxclash_event, mx) ||
        !event_queue_pop(&engine->events, &ours))
        return false;
    struct_give_event(event, &ours);
    return true;
}
