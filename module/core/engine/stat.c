/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The counters one by one, by the names of the metrics page: mxclash_get_stat(). */
#include <stddef.h>
#include <string.h>

#include "core/engine/stats.h"
#include "core/engine/structs.h"

/** Numbers of one name. */
struct row {
    const char *name;
    bool is_counter;
    /** of the first in struct engine_stats */
    size_t at;
    /** how many there are, one for each value of a label; with states, two for each */
    uint32_t count;
    const char *label;
    const char *(*value_name)(uint32_t value);
    bool by_state;
};

/** Answers from elsewhere are the host's to count. */
static const char *source_name(uint32_t value)
{
    (void)value;
    return "upstream";
}

#define AT(member) offsetof(struct engine_stats, member)

static const struct row rows[] = {
    {"mxclash_answers_inspected_total", true, AT(inspected), 1, "source", source_name, false},
    {"mxclash_malformed_answers_total", true, AT(malformed), 1, NULL, NULL, false},
    {"mxclash_conflicts_opened_total", true, AT(opened), MXCLASH_KINDS, "kind", mxclash_kind_name,
     false},
    {"mxclash_conflicts_cleared_total", true, AT(cleared), MXCLASH_KINDS, "kind", mxclash_kind_name,
     false},
    {"mxclash_conflicts_expired_total", true, AT(expired), MXCLASH_KINDS, "kind", mxclash_kind_name,
     false},
    {"mxclash_conflicts_evicted_total", true, AT(evicted), MXCLASH_KINDS, "kind", mxclash_kind_name,
     false},
    {"mxclash_conflicts_imported_total", true, AT(imported), MXCLASH_KINDS, "kind",
     mxclash_kind_name, false},
    {"mxclash_import_refused_total", true, AT(import_refused), 1, NULL, NULL, false},
    {"mxclash_conflicts_delayed_total", true, AT(delayed), MXCLASH_DELAYS, "reason",
     mxclash_delay_name, false},
    {"mxclash_conflicts", false, AT(open_now), MXCLASH_KINDS *MXCLASH_STATES, "kind",
     mxclash_kind_name, true},
    {"mxclash_affected_mx_answers_total", true, AT(affected_mx), MXCLASH_OUTCOMES, "outcome",
     mxclash_outcome_name, false},
    {"mxclash_probes_total", true, AT(proofs), MXCLASH_PROOF_RESULTS, "result",
     mxclash_proof_result_name, false},
    {"mxclash_probes_dropped_total", true, AT(proofs_dropped), MXCLASH_PROOF_DROPS, "reason",
     mxclash_proof_drop_name, false},
    {"mxclash_events_lost_total", true, AT(events_lost), 1, NULL, NULL, false},
    {"mxclash_table_entries", false, AT(table_entries), 1, NULL, NULL, false},
    {"mxclash_table_bytes", false, AT(table_bytes), 1, NULL, NULL, false},
    {"mxclash_table_bytes_limit", false, AT(table_bytes_limit), 1, NULL, NULL, false},
    {"mxclash_table_evictions_total", true, AT(table_evictions), 1, NULL, NULL, false},
};

static void describe(const struct row *row, uint32_t i, const struct engine_stats *stats,
                     struct mxclash_stat *stat)
{
    uint32_t value = row->by_state ? i / MXCLASH_STATES : i;

    memset(stat, 0, sizeof(*stat));
    stat->name = row->name;
    stat->is_counter = row->is_counter;
    memcpy(&stat->value, (const unsigned char *)stats + row->at + i * sizeof(uint64_t),
           sizeof(stat->value));
    if (row->label == NULL)
        return;
    stat->label = row->label;
    stat->label_value = row->value_name(value);
    if (row->by_state) {
        stat->label_2 = "state";
        stat->label_2_value = mxclash_state_name(i % MXCLASH_STATES);
    }
}

bool mxclash_get_stat(const struct mxclash_engine *engine, uint32_t index,
                      struct mxclash_stat *stat)
{
    struct engine_stats stats;
    struct mxclash_stat ours;

    if (stat->struct_size < STRUCT_LEAST(mxclash_stat, label))
        return false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (index < rows[i].count) {
            engine_get_stats(engine, &stats);
            describe(&rows[i], index, &stats, &ours);
            struct_give(stat, &ours, sizeof(ours));
            return true;
        }
        index -= rows[i].count;
    }
    return false;
}
