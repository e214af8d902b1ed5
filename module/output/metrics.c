/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The numbers as text for Prometheus: see metrics.h. */
#include "output/metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Where a text is being written. */
struct page {
    FILE *out;
    enum metrics_format format;
    char *text;
    size_t octets;
};

/**
 * One metric family. Both formats write the same samples; they differ in what they call a counter:
 * HELP and TYPE name it with _total in Prometheus text, without it in OpenMetrics 1.0.
 */
struct family {
    /** without _total */
    const char *name;
    bool counter;
    /** holds neither backslash, quote nor line end */
    const char *help;
    /** writes the family's samples */
    void (*samples)(struct page *page, const struct family *family,
                    const struct metrics_input *input);
};

static bool page_open(struct page *page, enum metrics_format format)
{
    *page = (struct page){.format = format};
    page->out = open_memstream(&page->text, &page->octets);
    return page->out != NULL;
}

/** \return the text, NULL if there was no memory */
static char *page_close(struct page *page)
{
    bool whole;

    if (page->format == metrics_openmetrics)
        fputs("# EOF\n", page->out);
    whole = ferror(page->out) == 0;
    if (fclose(page->out) != 0 || !whole) {
        free(page->text);
        return NULL;
    }
    return page->text;
}

static void write_head(struct page *page, const struct family *family)
{
    const char *suffix = family->counter && page->format == metrics_prometheus ? "_total" : "";

    fprintf(page->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", family->name, suffix, family->help,
            family->name, suffix, family->counter ? "counter" : "gauge");
}

/** Begin a sample: its name, and a brace if labels follow. */
static void write_name(struct page *page, const struct family *family, bool labels)
{
    fprintf(page->out, "%s%s%s", family->name, family->counter ? "_total" : "", labels ? "{" : "");
}

/** Both formats escape a label value alike. */
static void write_label(struct page *page, const char *name, const char *value, bool last)
{
    fprintf(page->out, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            fputs("\\n", page->out);
            continue;
        }
        if (*value == '\\' || *value == '"')
            fputc('\\', page->out);
        fputc(*value, page->out);
    }
    fputs(last ? "\"}" : "\",", page->out);
}

static void write_value(struct page *page, uint64_t value)
{
    fprintf(page->out, " %" PRIu64 "\n", value);
}

static void write_plain(struct page *page, const struct family *family, uint64_t value)
{
    write_name(page, family, false);
    write_value(page, value);
}

static void write_labelled(struct page *page, const struct family *family, const char *label,
                           const char *label_value, uint64_t value)
{
    write_name(page, family, true);
    write_label(page, label, label_value, true);
    write_value(page, value);
}

static void build_info(struct page *page, const struct family *family,
                       const struct metrics_input *input)
{
    write_name(page, family, true);
    write_label(page, "version", MXCLASH_VERSION, false);
    write_label(page, "host", input->host, false);
    write_label(page, "host_version", input->host_version, true);
    write_value(page, 1);
}

static void answers_inspected(struct page *page, const struct family *family,
                              const struct metrics_input *input)
{
    write_labelled(page, family, "source", "upstream", input->engine.inspected);
    write_labelled(page, family, "source", "cache", input->inspected_cache);
}

static void by_kind(struct page *page, const struct family *family, const uint64_t *values)
{
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        write_labelled(page, family, "kind", mxclash_kind_name((enum mxclash_kind)kind),
                       values[kind]);
}

static void opened(struct page *page, const struct family *family,
                   const struct metrics_input *input)
{
    by_kind(page, family, input->engine.opened);
}

static void cleared(struct page *page, const struct family *family,
                    const struct metrics_input *input)
{
    by_kind(page, family, input->engine.cleared);
}

static void expired(struct page *page, const struct family *family,
                    const struct metrics_input *input)
{
    by_kind(page, family, input->engine.expired);
}

static void evicted(struct page *page, const struct family *family,
                    const struct metrics_input *input)
{
    by_kind(page, family, input->engine.evicted);
}

static void delayed(struct page *page, const struct family *family,
                    const struct metrics_input *input)
{
    for (int i = 0; i < MXCLASH_DELAYS; i++)
        write_labelled(page, family, "reason", mxclash_delay_name((enum mxclash_delay)i),
                       input->engine.delayed[i]);
}

static void state_writes(struct page *page, const struct family *family,
                         const struct metrics_input *input)
{
    write_labelled(page, family, "result", "written", input->state_written);
    write_labelled(page, family, "result", "failed", input->state_failures);
}

static void http_refused(struct page *page, const struct family *family,
                         const struct metrics_input *input)
{
    static const char *const reasons[HTTP_REFUSALS] = {[http_refusal_connections] = "connections",
                                                       [http_refusal_deadline] = "deadline",
                                                       [http_refusal_replies] = "replies"};

    for (int i = 0; i < HTTP_REFUSALS; i++)
        write_labelled(page, family, "reason", reasons[i], input->http_refused[i]);
}

static void open_now(struct page *page, const struct family *family,
                     const struct metrics_input *input)
{
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        for (int state = 0; state < MXCLASH_STATES; state++) {
            write_name(page, family, true);
            write_label(page, "kind", mxclash_kind_name((enum mxclash_kind)kind), false);
            write_label(page, "state", mxclash_state_name((enum mxclash_state)state), true);
            write_value(page, input->engine.open_now[kind][state]);
        }
}

static void affected(struct page *page, const struct family *family,
                     const struct metrics_input *input)
{
    for (int i = 0; i < MXCLASH_OUTCOMES; i++)
        write_labelled(page, family, "outcome", mxclash_outcome_name((enum mxclash_outcome)i),
                       input->engine.affected_mx[i]);
}

static void annotated(struct page *page, const struct family *family,
                      const struct metrics_input *input)
{
    write_plain(page, family, input->annotated);
}

static void probes(struct page *page, const struct family *family,
                   const struct metrics_input *input)
{
    for (int i = 0; i < MXCLASH_PROOF_RESULTS; i++)
        write_labelled(page, family, "result",
                       mxclash_proof_result_name((enum mxclash_proof_result)i),
                       input->engine.proofs[i]);
}

static void probes_dropped(struct page *page, const struct family *family,
                           const struct metrics_input *input)
{
    for (int i = 0; i < MXCLASH_PROOF_DROPS; i++)
        write_labelled(page, family, "reason", mxclash_proof_drop_name((enum mxclash_proof_drop)i),
                       input->engine.proofs_dropped[i]);
}

static void by_sink(struct page *page, const struct family *family, const uint64_t *values)
{
    for (int sink = 0; sink < REPORT_SINKS; sink++)
        write_labelled(page, family, "sink", report_sink_name((enum report_sink)sink),
                       values[sink]);
}

static void events(struct page *page, const struct family *family,
                   const struct metrics_input *input)
{
    by_sink(page, family, input->report.written);
}

static void events_dropped(struct page *page, const struct family *family,
                           const struct metrics_input *input)
{
    by_sink(page, family, input->report.dropped);
}

static void table_entries(struct page *page, const struct family *family,
                          const struct metrics_input *input)
{
    write_plain(page, family, input->engine.table_entries);
}

static void table_bytes(struct page *page, const struct family *family,
                        const struct metrics_input *input)
{
    write_plain(page, family, input->engine.table_bytes);
}

static void table_bytes_limit(struct page *page, const struct family *family,
                              const struct metrics_input *input)
{
    write_plain(page, family, input->engine.table_bytes_limit);
}

static void table_evictions(struct page *page, const struct family *family,
                            const struct metrics_input *input)
{
    write_plain(page, family, input->engine.table_evictions);
}

static void malformed(struct page *page, const struct family *family,
                      const struct metrics_input *input)
{
    write_plain(page, family, input->engine.malformed);
}

/** All of /metrics, in the order in which it is written. */
static const struct family families[] = {
    {"mxclash_build_info", false, "Always 1; the labels say what is running.", build_info},
    {"mxclash_answers_inspected", true,
     "Answers looked at: from upstream servers, and replies from the host's cache.",
     answers_inspected},
    {"mxclash_conflicts_opened", true, "Conflicts opened.", opened},
    {"mxclash_conflicts_cleared", true, "Conflicts closed because the domain was repaired.",
     cleared},
    {"mxclash_conflicts_expired", true, "Conflicts closed because nobody met them any more.",
     expired},
    {"mxclash_conflicts_evicted", true,
     "Conflicts given up while open, for want of room; no event tells of these.", evicted},
    {"mxclash_conflicts_delayed", true,
     "Openings put off until the domain is met again: too many of it, or of all, of late.",
     delayed},
    {"mxclash_conflicts", false, "Conflicts open now.", open_now},
    {"mxclash_affected_mx_answers", true,
     "Client MX answers given for domains in conflict: MX hidden by the CNAME, or repaired.",
     affected},
    {"mxclash_annotated_answers", true, "Client answers that got an Extended DNS Error.",
     annotated},
    {"mxclash_probes", true, "Proofs made, each an MX and a CNAME query to the authority.", probes},
    {"mxclash_probes_dropped", true, "Proofs wanted and not made.", probes_dropped},
    {"mxclash_events", true, "Events written.", events},
    {"mxclash_events_dropped", true, "Events lost: queue full or sink failing.", events_dropped},
    {"mxclash_table_entries", false, "Suspects and conflicts in the table.", table_entries},
    {"mxclash_table_bytes", false, "Memory of the detector in use.", table_bytes},
    {"mxclash_table_bytes_limit", false, "Bound on the memory of the detector.", table_bytes_limit},
    {"mxclash_table_evictions", true, "Table entries given up for want of room.", table_evictions},
    {"mxclash_malformed_answers", true, "Answers from upstream that break RFC 1035.", malformed},
    {"mxclash_state_writes", true, "Times that the state file was to be written.", state_writes},
    {"mxclash_http_refused", true,
     "HTTP clients turned away: over the bound on connections, on time, or on waiting replies.",
     http_refused},
};

static void write_number(struct page *page, const struct metrics_number *number, bool first)
{
    const struct family family = {number->name, number->counter, number->help, NULL};

    if (first)
        write_head(page, &family);
    if (number->label == NULL)
        write_plain(page, &family, number->value);
    else
        write_labelled(page, &family, number->label, number->label_value, number->value);
}

char *metrics_text(const struct metrics_input *input, enum metrics_format format)
{
    struct page page;

    if (!page_open(&page, format))
        return NULL;
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        write_head(&page, &families[i]);
        families[i].samples(&page, &families[i], input);
    }
    for (size_t i = 0; i < input->number_count; i++)
        write_number(&page, &input->numbers[i],
                     i == 0 || strcmp(input->numbers[i - 1].name, input->numbers[i].name) != 0);
    return page_close(&page);
}

static const struct family domain_mx_queries = {
    "mxclash_domain_mx_queries", true,
    "Client MX queries answered for this domain while in conflict.", NULL};
static const struct family domain_first_seen = {
    "mxclash_domain_first_seen_timestamp_seconds", false,
    "When the domain's oldest open conflict was first seen, as Unix time.", NULL};

static int compare_owner(const struct mxclash_domain *a, const struct mxclash_domain *b)
{
    if (a->owner_len != b->owner_len)
        return a->owner_len < b->owner_len ? -1 : 1;
    return memcmp(a->owner, b->owner, a->owner_len);
}

static int compare_domains(const void *left, const void *right)
{
    const struct mxclash_domain *a = *(const struct mxclash_domain *const *)left;
    const struct mxclash_domain *b = *(const struct mxclash_domain *const *)right;
    int order = compare_owner(a, b);

    if (order == 0)
        order = (a->kind > b->kind) - (a->kind < b->kind);
    if (order == 0)
        order = (a->first_seen > b->first_seen) - (a->first_seen < b->first_seen);
    return order;
}

static void write_mx_queries(struct page *page, const struct mxclash_domain *domain)
{
    char owner[MXCLASH_NAME_TEXT_MAX];

    mxclash_name_to_text(domain->owner, domain->owner_len, owner);
    write_name(page, &domain_mx_queries, true);
    write_label(page, "domain", owner, false);
    write_label(page, "kind", mxclash_kind_name(domain->kind), false);
    write_label(page, "provider", domain->provider, true);
    write_value(page, domain->mx_queries);
}

static void write_first_seen(struct page *page, const struct mxclash_domain *domain,
                             mxclash_time first_seen)
{
    char owner[MXCLASH_NAME_TEXT_MAX];
    const mxclash_time time = first_seen < 0 ? 0 : first_seen;

    mxclash_name_to_text(domain->owner, domain->owner_len, owner);
    write_name(page, &domain_first_seen, true);
    write_label(page, "domain", owner, true);
    /* not %f: the host may have set a locale with a decimal comma */
    fprintf(page->out, " %" PRId64 ".%03d\n", time / 1000, (int)(time % 1000));
}

/** One series may stand in a text only once: a domain with two conflicts has one first_seen. */
static void write_domains(struct page *page, const struct mxclash_domain *const *sorted,
                          size_t count)
{
    write_head(page, &domain_mx_queries);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || compare_owner(sorted[i - 1], sorted[i]) != 0 ||
            sorted[i - 1]->kind != sorted[i]->kind)
            write_mx_queries(page, sorted[i]);
    write_head(page, &domain_first_seen);
    for (size_t i = 0, next; i < count; i = next) {
        mxclash_time first_seen = sorted[i]->first_seen;

        for (next = i + 1; next < count && compare_owner(sorted[i], sorted[next]) == 0; next++)
            if (sorted[next]->first_seen < first_seen)
                first_seen = sorted[next]->first_seen;
        write_first_seen(page, sorted[i], first_seen);
    }
}

char *metrics_domains_text(const struct mxclash_domain *domains, size_t count,
                           enum metrics_format format)
{
    const struct mxclash_domain **sorted = malloc((count + 1) * sizeof(*sorted));
    struct page page;

    if (sorted == NULL)
        return NULL;
    if (!page_open(&page, format)) {
        free(sorted);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = &domains[i];
    qsort(sorted, count, sizeof(*sorted), compare_domains);
    write_domains(&page, sorted, count);
    free(sorted);
    return page_close(&page);
}
