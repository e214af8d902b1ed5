/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Fuzz target: a detector through its public API. An input is four octets of options and then a
 * script: answers, as raw messages or made from a few bits, proofs and lookups taken, answered,
 * kept or abandoned, clients' questions, floods, and a clock that jumps either way.
 *
 * After each step the counters must fit each other, the memory its bound, and each event, proof,
 * lookup, domain and standing must be what include/mxclash.h says.
 */
#include "core/dns/names.h"
#include "core/engine/stats.h"
#include "fuzz.h"
#include "shaped_answer.h"

#define START INT64_C(1767323045678)
/** Far beyond any clock, and far from where a sum would overflow. */
#define TIME_MAX    (INT64_C(1) << 50)
#define PENDING_MAX 4
#define STEPS_MAX   200
#define DOMAINS_MAX 4096
/** Most that a name takes in the table, with three MX hosts at most and a walk over its SPF record,
 * and that a raw message adds. */
#define ENTRY_OCTETS 5120
#define RAW_OCTETS   65536
#define FLOOD_SUFFIX "flood.test"

static const char *const owners[] = {"a.test",         "b.test",    "sub.a.test", "ignored.test",
                                     "x.ignored.test", "mx.p.test", "c.d.e.test", "www.cdn.test",
                                     "test",           "A.TEST",    "*.a.test",   "notignored.test",
                                     "co.uk",          "d.co.uk",   "e.test",     "f.test"};
#define OWNERS (sizeof(owners) / sizeof(owners[0]))
static const char *const ignored[] = {"ignored.test", "never.example"};

static const char providers[] = "provider p\n mx *.p.test\n expect 5 a.p.test\n"
                                " expect 10 b.p.test\n spf spf.p.test\nfilter f\n mx *.f.test\n"
                                "provider q\n mx *.q.test\n spf spf.q.test\n";

static struct {
    struct mxclash_engine *engine;
    mxclash_time now;
    bool ignoring, repair;
    /** proofs and lookups that were taken and have not ended */
    struct mxclash_proof proofs[PENDING_MAX];
    size_t proof_count;
    struct mxclash_lookup lookups[PENDING_MAX];
    size_t lookup_count;
    struct engine_stats before;
    uint64_t empty_bytes;
    uint64_t inspected, malformed, taken, raw;
    uint64_t events[MXCLASH_EVENT_TYPES][MXCLASH_KINDS];
    unsigned flooded;
    const uint8_t *script;
    size_t left;
} run;

static unsigned octet(void)
{
    if (run.left == 0)
        return 0;
    run.left--;
    return *run.script++;
}

/* --- what the detector says --------------------------------------------------------------------
 */

static void check_name(const uint8_t *name, size_t name_len)
{
    MUST(name_valid(name, name_len));
    for (size_t i = 0; i < name_len; i++)
        MUST(name[i] < 'A' || name[i] > 'Z');
}

/** An owner that is told of or asked about. */
static void check_owner(const uint8_t *owner, size_t owner_len)
{
    check_name(owner, owner_len);
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]) && run.ignoring; i++) {
        struct wire_name name = wire_name_of(ignored[i]);

        MUST(!name_at_or_below(owner, owner_len, name.octets, name.len));
    }
}

/** An MX set as events have it: sorted, each once, no null MX. */
static void check_mx(const struct mxclash_mx *mx, size_t count)
{
    MUST(count <= MXCLASH_MX_MAX);
    for (size_t i = 0; i < count; i++) {
        check_name(mx[i].exchange, mx[i].exchange_len);
        MUST(mx[i].exchange_len > 1);
        if (i > 0 && mx[i].preference == mx[i - 1].preference) {
            char one[MXCLASH_NAME_MAX] = "", other[MXCLASH_NAME_MAX] = "";

            memcpy(one, mx[i - 1].exchange, mx[i - 1].exchange_len);
            memcpy(other, mx[i].exchange, mx[i].exchange_len);
            MUST(memcmp(one, other, sizeof(one)) < 0);
        } else {
            MUST(i == 0 || mx[i].preference > mx[i - 1].preference);
        }
    }
}

static bool is_tag(const char *provider)
{
    return provider[0] == '\0' || strcmp(provider, "p") == 0 || strcmp(provider, "q") == 0;
}

static void on_event(void *context, const struct mxclash_event *event)
{
    bool both = event->kind == mxclash_cname_and_mx || event->kind == mxclash_cname_at_apex;

    (void)context;
    MUST((unsigned)event->type <= mxclash_expired && (unsigned)event->kind < MXCLASH_KINDS);
    MUST((unsigned)event->state < MXCLASH_STATES && (unsigned)event->evidence < MXCLASH_EVIDENCES);
    MUST((unsigned)event->impact < MXCLASH_IMPACTS && event->advice < 1 << MXCLASH_ADVICES);
    MUST(event->apex >= mxclash_apex_unknown && event->apex <= mxclash_apex_yes);
    run.events[event->type][event->kind]++;
    check_owner(event->owner, event->owner_len);
    if (event->zone_len != 0) {
        check_name(event->zone, event->zone_len);
        MUST(name_at_or_below(event->owner, event->owner_len, event->zone, event->zone_len));
    }
    if (event->cname_target_len != 0)
        check_name(event->cname_target, event->cname_target_len);
    check_mx(event->mx, event->mx_count);
    MUST(is_tag(event->provider));
    /* a suspect's other half may be known by its fingerprint only */
    if (event->type == mxclash_opened && event->state == mxclash_confirmed) {
        MUST(!both || event->cname_target_len != 0);
        MUST(event->kind == mxclash_cname_at_apex || event->mx_count != 0);
    }
    if (event->type == mxclash_opened) {
        MUST(both || event->provider != NULL);
        MUST(event->kind != mxclash_cname_at_apex || event->apex == mxclash_apex_yes);
        MUST(event->advice != 0);
    }
    MUST(event->type == mxclash_cleared || event->type == mxclash_expired || event->kind == 0 ||
         event->impact == mxclash_impact_unknown || both);
}

static uint64_t open_now(const struct engine_stats *stats, int kind)
{
    return stats->open_now[kind][mxclash_suspected] + stats->open_now[kind][mxclash_confirmed];
}

static void check_stats(void)
{
    struct engine_stats stats;
    const struct engine_stats *before = &run.before;
    uint64_t proofs = 0;

    engine_get_stats(run.engine, &stats);
    MUST(stats.table_bytes <= stats.table_bytes_limit);
    /* what was given up is not counted on */
    MUST(stats.table_bytes <=
         run.empty_bytes + stats.table_entries * ENTRY_OCTETS + run.raw * RAW_OCTETS);
    MUST(stats.inspected == run.inspected && stats.malformed == run.malformed);
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        MUST(stats.opened[kind] >= before->opened[kind]);
        MUST(stats.cleared[kind] >= before->cleared[kind]);
        MUST(stats.expired[kind] >= before->expired[kind]);
        MUST(stats.evicted[kind] >= before->evicted[kind]);
        MUST(stats.opened[kind] == stats.cleared[kind] + stats.expired[kind] + stats.evicted[kind] +
                                       open_now(&stats, kind));
        MUST(run.events[mxclash_opened][kind] <= stats.opened[kind]);
        MUST(run.events[mxclash_cleared][kind] <= stats.cleared[kind]);
        MUST(run.events[mxclash_expired][kind] <= stats.expired[kind]);
    }
    for (int result = 0; result < MXCLASH_PROOF_RESULTS; result++) {
        MUST(stats.proofs[result] >= before->proofs[result]);
        proofs += stats.proofs[result];
    }
    MUST(proofs + stats.proofs_dropped[mxclash_drop_host] <= run.taken);
    for (int outcome = 0; outcome < MXCLASH_OUTCOMES; outcome++)
        MUST(stats.affected_mx[outcome] >= before->affected_mx[outcome]);
    run.before = stats;
}

/** The list of affected domains, and how each of them stands. */
static void check_domains(void)
{
    static struct mxclash_domain domains[DOMAINS_MAX] = {{.struct_size = sizeof(domains[0])}};
    static struct mxclash_domain few[3] = {{.struct_size = sizeof(few[0])}};
    struct engine_stats stats;
    size_t count = mxclash_top_domains(run.engine, domains, DOMAINS_MAX);
    size_t few_count = mxclash_top_domains(run.engine, few, 3);
    uint64_t open = 0;

    engine_get_stats(run.engine, &stats);
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        open += open_now(&stats, kind);
    MUST(count == (open < DOMAINS_MAX ? open : DOMAINS_MAX));
    MUST(few_count == (count < 3 ? count : 3));
    for (size_t i = 0; i < few_count; i++)
        MUST(few[i].mx_queries == domains[i].mx_queries && few[i].kind == domains[i].kind &&
             name_equal(few[i].owner, few[i].owner_len, domains[i].owner, domains[i].owner_len));
    for (size_t i = 0; i < count; i++) {
        struct mxclash_standing standing = {.struct_size = sizeof(standing)};

        check_owner(domains[i].owner, domains[i].owner_len);
        MUST(is_tag(domains[i].provider) && (unsigned)domains[i].kind < MXCLASH_KINDS);
        MUST(i == 0 || domains[i].mx_queries <= domains[i - 1].mx_queries);
        if (i >= 16)
            continue;
        MUST(mxclash_get_standing(run.engine, domains[i].owner, domains[i].owner_len, run.now,
                                  &standing));
        MUST(standing.kind <= domains[i].kind);
        check_mx(standing.mx, standing.mx_count);
        MUST(standing.mx_ttl_s == 0 || standing.mx_count != 0);
    }
}

/* --- answers -----------------------------------------------------------------------------------
 */

/** Hand in a message, in a block of its size. \param proof  NULL: as an answer that came */
static void hand_in(const uint8_t *octets, size_t len, const struct wire_name *zone, bool forwarded,
                    const struct mxclash_proof *proof, uint16_t qtype)
{
    uint8_t *exact = message_exact(octets, len);
    struct mxclash_answer answer = {.struct_size = sizeof(answer),
                                    .message = exact,
                                    .message_len = (uint32_t)len,
                                    .zone = zone == NULL ? NULL : zone->octets,
                                    .zone_len = zone == NULL ? 0 : (uint32_t)zone->len,
                                    .forwarded = forwarded,
                                    .stub = (run.left & 4) != 0,
                                    .server = {.family = 6, .octets = {[15] = run.left & 3}}};
    enum mxclash_status status;

    if (proof == NULL)
        status = mxclash_inspect(run.engine, &answer, run.now);
    else
        status = mxclash_proof_answer(run.engine, proof, qtype, &answer, run.now);
    MUST(status == mxclash_ok || status == mxclash_malformed);
    run.inspected++;
    run.malformed += status == mxclash_malformed;
    free(exact);
}

static unsigned shape_next(void)
{
    unsigned low = octet();

    return low | octet() << 8;
}

/** Answer from the owner's authority, or from its parent's. */
static void answer(const char *owner, uint16_t qtype, unsigned shape,
                   const struct mxclash_proof *proof)
{
    static struct message m;
    struct wire_name zone = wire_name_of((shape & shape_parent) != 0 ? "test" : owner);

    shaped_answer(&m, owner, qtype, shape);
    hand_in(m.octets, m.len, (shape & shape_no_zone) != 0 ? NULL : &zone,
            (shape & shape_forwarded) != 0, proof, qtype);
}

/* --- the steps of a script ---------------------------------------------------------------------
 */

static void step_clock(void)
{
    unsigned how = octet();
    mxclash_time by = INT64_C(1) << (how & 0x3f) % 45;

    run.now += (how & 0x80) != 0 ? -by : (how & 0x40) != 0 ? by * 3 : by;
    run.now = run.now < 0 ? 0 : run.now > TIME_MAX ? TIME_MAX : run.now;
}

static void step_message(void)
{
    unsigned choice = octet();
    size_t len = octet() << 8;
    struct wire_name zone = wire_name_of(choice & 1 ? "test" : ".");
    const struct mxclash_proof *proof =
        (choice & 8) != 0 && run.proof_count != 0 ? &run.proofs[0] : NULL;

    run.raw++;
    len |= octet();
    len = len < run.left ? len : run.left;
    hand_in(run.script, len, (choice & 2) != 0 ? NULL : &zone, (choice & 4) != 0, proof,
            (choice & 16) != 0 ? wire_type_cname : wire_type_mx);
    run.script += len;
    run.left -= len;
}

static void step_answer(void)
{
    static const uint16_t qtypes[] = {wire_type_a,   wire_type_mx,  wire_type_txt, wire_type_cname,
                                      wire_type_soa, wire_type_any, wire_type_ns,  wire_type_mx};
    unsigned choice = octet();

    answer(owners[choice % OWNERS], qtypes[choice >> 4 & 7], shape_next(), NULL);
}

/** Many domains at once, each broken the same way. */
static void step_flood(void)
{
    unsigned count = octet() & 0x3f; /* more only take time */
    unsigned shape = shape_next();

    for (unsigned i = 0; i < count; i++) {
        char owner[64];

        snprintf(owner, sizeof(owner), "n%u." FLOOD_SUFFIX, run.flooded++ % 2000);
        answer(owner, wire_type_mx, shape, NULL);
    }
}

static bool asks_cname(uint16_t qtype)
{
    return qtype == wire_type_cname || qtype == wire_type_a || qtype == wire_type_aaaa;
}

static void step_take_proof(void)
{
    struct mxclash_proof *proof = &run.proofs[run.proof_count];

    if (run.proof_count == PENDING_MAX)
        return;
    proof->struct_size = sizeof(*proof);
    if (!mxclash_proof_next(run.engine, run.now, proof))
        return;
    run.taken++;
    run.proof_count++;
    check_owner(proof->owner, proof->owner_len);
    MUST(proof->qtype_count >= 2 && proof->qtype_count <= MXCLASH_PROOF_QUESTIONS);
    if (proof->in_turn) {
        MUST(proof->qtype_count == 4 && asks_cname(proof->qtypes[0]) &&
             proof->qtypes[1] == wire_type_soa && proof->qtypes[2] == wire_type_mx &&
             proof->qtypes[3] == wire_type_txt);
        return;
    }
    MUST(proof->qtypes[0] == wire_type_mx && asks_cname(proof->qtypes[1]));
    for (size_t i = 2; i < proof->qtype_count; i++)
        MUST(proof->qtypes[i] == wire_type_txt || proof->qtypes[i] == wire_type_soa);
}

/** Answer some questions of a proof that was taken, and end some. */
static void step_answer_proof(bool end)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    char owner[MXCLASH_NAME_TEXT_MAX];
    unsigned mask = octet();
    size_t at;

    if (run.proof_count == 0)
        return;
    at = (mask >> 4) % run.proof_count;
    proof = run.proofs[at];
    MUST(mxclash_name_to_text(proof.owner, proof.owner_len, owner) == mxclash_ok);
    for (size_t i = 0; i < proof.qtype_count; i++)
        /* the builder knows no escapes */
        if ((mask & 1u << i) != 0 && strchr(owner, '\\') == NULL)
            answer(owner, proof.qtypes[i], shape_next(), &proof);
    if (!end)
        return;
    for (size_t i = 0; i < proof.qtype_count; i++)
        mxclash_proof_end(run.engine, &proof, proof.qtypes[i], run.now);
    run.proofs[at] = run.proofs[--run.proof_count];
}

static void step_abandon_proof(void)
{
    if (run.proof_count != 0)
        mxclash_proof_abandon(run.engine, &run.proofs[--run.proof_count], run.now);
}

static void step_take_lookup(void)
{
    struct mxclash_lookup *lookup = &run.lookups[run.lookup_count];

    if (run.lookup_count == PENDING_MAX)
        return;
    lookup->struct_size = sizeof(*lookup);
    if (!mxclash_lookup_next(run.engine, run.now, lookup))
        return;
    run.lookup_count++;
    check_owner(lookup->owner, lookup->owner_len);
    check_name(lookup->target, lookup->target_len);
    MUST(lookup->qtype == wire_type_mx || lookup->qtype == wire_type_a ||
         lookup->qtype == wire_type_aaaa || lookup->qtype == wire_type_txt);
}

static void step_end_lookup(void)
{
    unsigned how = octet();
    struct mxclash_mx mx[2] = {{.preference = 5}, {.preference = 10}};
    static const uint8_t follows[] = "\x15"
                                     "v=spf1 include:a.test",
                         ends[] = "\x0b"
                                  "v=spf1 -all";
    const struct mxclash_txt txt[] = {{follows, sizeof(follows) - 1}, {ends, sizeof(ends) - 1}};
    struct mxclash_lookup_reply reply = {.struct_size = sizeof(reply),
                                         .answered = how & 1,
                                         .null_mx = how & 2,
                                         .has_address = how & 4,
                                         .mx = mx,
                                         .mx_count = (how >> 3) % 3,
                                         .txt = txt + (how >> 7),
                                         .txt_count = (how >> 5) % (3 - (how >> 7)),
                                         .txt_cut = how == 0xff};
    struct wire_name a = wire_name_of("a.p.test"), b = wire_name_of("b.p.test");

    if (run.lookup_count == 0)
        return;
    memcpy(mx[0].exchange, a.octets, a.len);
    mx[0].exchange_len = (uint8_t)a.len;
    memcpy(mx[1].exchange, b.octets, b.len);
    mx[1].exchange_len = (uint8_t)b.len;
    mxclash_lookup_end(run.engine, &run.lookups[--run.lookup_count], &reply, run.now);
}

static void step_client(void)
{
    unsigned choice = octet();
    struct wire_name owner = wire_name_of(owners[choice % OWNERS]);
    enum mxclash_reply reply = (choice >> 4) % 3;
    struct mxclash_standing standing = {.struct_size = sizeof(standing)};
    struct engine_stats stats;
    uint64_t *affected = run.before.affected_mx;

    if (mxclash_client_mx(run.engine, owner.octets, owner.len, reply, run.now)) {
        engine_get_stats(run.engine, &stats);
        MUST(stats.affected_mx[0] + stats.affected_mx[1] <= affected[0] + affected[1] + 1);
        MUST(mxclash_get_standing(run.engine, owner.octets, owner.len, run.now, &standing));
    }
}

static void step(void)
{
    switch (octet() % 12) {
    case 0:
        step_clock();
        break;
    case 1:
        step_message();
        break;
    case 2:
        step_take_proof();
        break;
    case 3:
        step_answer_proof(true);
        break;
    case 4:
        step_answer_proof(false);
        break;
    case 5:
        step_abandon_proof();
        break;
    case 6:
        step_take_lookup();
        break;
    case 7:
        step_end_lookup();
        break;
    case 8:
        mxclash_tick(run.engine);
        break;
    case 9:
        step_client();
        break;
    case 10:
        step_flood();
        break;
    default:
        step_answer();
        break;
    }
    check_stats();
}

/** What is open, written down and taken in by another engine, is open there and told as here. */
static void check_export(void)
{
    const struct mxclash_options options = {
        .struct_size = sizeof(options),
        .table_size = 1 << 20,
        .probe_rate = 1,
        .recheck_interval_s = 1,
        .expire_after_s = 60,
        .providers = providers,
        .providers_len = sizeof(providers) - 1,
    };
    static uint8_t octets[MXCLASH_EXPORT_MAX];
    struct mxclash_cursor cursor = {{0}}, again = {{0}};
    struct mxclash_event here = {.struct_size = sizeof(here)}, there = here;
    struct mxclash_engine *other;
    struct engine_stats stats;
    uint64_t open = 0, told = 0;
    size_t len;

    MUST(mxclash_engine_new(&options, &other, NULL, 0) == mxclash_ok);
    while ((len = mxclash_export(run.engine, &cursor, octets, sizeof(octets))) != 0)
        MUST(mxclash_import(other, octets, len, run.now) == mxclash_ok);
    engine_get_stats(other, &stats);
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        MUST(stats.imported[kind] == stats.evicted[kind] + open_now(&stats, kind));
        MUST(stats.imported[kind] == open_now(&run.before, kind));
        open += open_now(&stats, kind);
    }
    memset(&cursor, 0, sizeof(cursor));
    while (mxclash_next_open(other, &cursor, &there)) {
        told++;
        /* where there is one only, no order has to be known */
        if (told == 1 && open == 1) {
            MUST(mxclash_next_open(run.engine, &again, &here));
            MUST(here.kind == there.kind && here.state == there.state &&
                 here.evidence == there.evidence && here.mx_queries == there.mx_queries &&
                 here.held_back == there.held_back && here.mx_count == there.mx_count &&
                 memcmp(here.mx, there.mx, sizeof(here.mx)) == 0 &&
                 memcmp(here.owner, there.owner, sizeof(here.owner)) == 0 &&
                 memcmp(here.provider, there.provider, sizeof(here.provider)) == 0);
        }
    }
    MUST(told == open);
    mxclash_engine_free(other);
}

static void begin(void)
{
    unsigned choice = octet();
    const struct mxclash_options options = {
        .struct_size = sizeof(options),
        .table_size = (choice & 1) != 0 ? 1 << 18 : 1 << 19,
        .seed = choice,
        .probe = (choice & 2) == 0,
        .lookup = (choice & 6) == 0,
        .repair = (choice & 8) != 0,
        .ignore = (choice & 16) != 0 ? ignored : NULL,
        .ignore_count = (choice & 16) != 0 ? sizeof(ignored) / sizeof(ignored[0]) : 0,
        .probe_rate = octet() * 100 + 1,
        .recheck_interval_s = 1u << octet() % 20,
        .expire_after_s = 60u << octet() % 19,
        .confirm_after_s = choice >> 5,
        .providers = providers,
        .providers_len = sizeof(providers) - 1,
        .on_event = on_event,
    };

    run.ignoring = (choice & 16) != 0;
    run.repair = options.repair;
    run.now = START;
    MUST(mxclash_engine_new(&options, &run.engine, NULL, 0) == mxclash_ok);
    engine_get_stats(run.engine, &run.before);
    run.empty_bytes = run.before.table_bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memset(&run, 0, sizeof(run));
    run.script = data;
    run.left = size;
    begin();
    for (unsigned steps = 0; run.left != 0 && steps < STEPS_MAX; steps++)
        step();
    check_domains();
    check_export();
    /* all that was taken comes to its end, and what waits is let go */
    while (run.proof_count != 0)
        step_abandon_proof();
    while (run.lookup_count != 0)
        step_end_lookup();
    MUST(!mxclash_tick(run.engine) || !mxclash_tick(run.engine));
    check_stats();
    mxclash_engine_free(run.engine);
    return 0;
}
