/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Fuzz target: a table of mailbox providers; behind a first FUZZ_DIVIDER an MX set (for each host a
 * preference of one octet and a wire name), behind a second one the RDATA of a TXT record. An input
 * without a divider is all three.
 *
 * Who owns a host, what a set lacks and what an SPF record includes are computed a second time here
 * from docs/providers.md, slowly and plainly. What the command shows of a table must be that table.
 */
#include "cli/cli.h"
#include "core/dns/names.h"
#include "core/mailbox/spf.h"
#include "core/providers/providers.h"
#include "fuzz.h"
#include "plain_spf.h"

enum { table_number = 500 };
static char table_path[] = "/proc/self/fd/500";
/** The built-in table, once it has been checked. */
static struct providers *builtin;

/* --- whose a host is ---------------------------------------------------------------------------
 */

static bool pattern_fits(const struct provider_pattern *pattern, const uint8_t *host,
                         size_t host_len)
{
    if (!pattern->below)
        return name_equal(pattern->name, pattern->name_len, host, host_len);
    return host_len > pattern->name_len &&
           name_at_or_below(host, host_len, pattern->name, pattern->name_len);
}

/** The longest pattern wins, a whole name before `*`. */
static const struct provider *find(const struct providers *providers, const uint8_t *host,
                                   size_t host_len, bool *token)
{
    const struct provider *found = NULL;
    size_t best = 0;

    *token = false;

    for (size_t i = 0; i < providers_count(providers); i++) {
        const struct provider *provider = providers_at(providers, i);

        for (size_t j = 0; j < provider->pattern_count; j++) {
            const struct provider_pattern *pattern = &provider->patterns[j];
            size_t length = pattern->name_len * 2u + !pattern->below;

            if (length > best && pattern_fits(pattern, host, host_len)) {
                best = length;
                found = provider;
                *token = pattern->token;
            }
        }
    }
    return found;
}

/** Whose mail host it is: a token takes no mail. */
static const struct provider *owner_of(const struct providers *providers, const uint8_t *host,
                                       size_t host_len)
{
    bool token;
    const struct provider *found = find(providers, host, host_len, &token);

    return token ? NULL : found;
}

static void check_host(const struct providers *providers, const uint8_t *host, size_t host_len)
{
    const struct provider_pattern *pattern;
    bool token;
    const struct provider *found = find(providers, host, host_len, &token);

    MUST(providers_host(providers, host, host_len, &pattern) == found);
    MUST(found == NULL || pattern->token == token);
}

/** The pattern's own name and one below it. */
static void check_pattern(const struct providers *providers, const struct provider_pattern *pattern)
{
    uint8_t below[MXCLASH_NAME_MAX + 3] = "\2mx";

    MUST(name_valid(pattern->name, pattern->name_len));
    check_host(providers, pattern->name, pattern->name_len);
    memcpy(below + 3, pattern->name, pattern->name_len);
    if (pattern->name_len + 3 <= MXCLASH_NAME_MAX)
        check_host(providers, below, pattern->name_len + 3u);
}

/* --- what a set is worth -----------------------------------------------------------------------
 */

static bool same_family(const struct provider *a, const struct provider *b)
{
    return strcmp(a->family, b->family) == 0;
}

/** \return the lowest preference of host in an MX set, -1 if it is not in it */
static int preference_of(const struct mxclash_mx *mx, size_t count, const struct provider_mx *host)
{
    int lowest = -1;

    for (size_t i = 0; i < count; i++)
        if (name_equal(mx[i].exchange, mx[i].exchange_len, host->exchange, host->exchange_len) &&
            (lowest == -1 || mx[i].preference < lowest))
            lowest = mx[i].preference;
    return lowest;
}

static size_t hosts_lacking(const struct mxclash_mx *mx, size_t count,
                            const struct provider_set *set)
{
    size_t lacking = 0;

    for (size_t i = 0; i < set->count; i++)
        lacking += preference_of(mx, count, &set->mx[i]) == -1;
    return lacking;
}

static bool set_there(const struct mxclash_mx *mx, size_t count, const struct provider *provider,
                      const struct provider_set *set)
{
    if (hosts_lacking(mx, count, set) != 0)
        return false;
    for (size_t i = 0; i < set->count; i++) {
        bool found = provider->order_only;

        for (size_t j = 0; j < count; j++)
            found = found || (mx[j].preference == set->mx[i].preference &&
                              name_equal(mx[j].exchange, mx[j].exchange_len, set->mx[i].exchange,
                                         set->mx[i].exchange_len));
        if (!found)
            return false;
        for (size_t j = 0; j < set->count && provider->order_only; j++)
            if (set->mx[i].preference < set->mx[j].preference &&
                preference_of(mx, count, &set->mx[i]) > preference_of(mx, count, &set->mx[j]))
                return false;
    }
    return true;
}

/** Is no set of the editions that mx names there in full? \param[out] fewest  hosts that lack */
static bool incomplete(const struct providers *providers, const struct provider *provider,
                       const struct mxclash_mx *mx, size_t count, size_t *fewest)
{
    bool documented = false;

    *fewest = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct provider *edition = owner_of(providers, mx[i].exchange, mx[i].exchange_len);

        if (edition == NULL || edition->filter || !same_family(edition, provider))
            continue;
        for (size_t j = 0; j < edition->set_count; j++) {
            size_t lacking = hosts_lacking(mx, count, &edition->sets[j]);

            if (set_there(mx, count, edition, &edition->sets[j]))
                return false;
            /* nothing of it is there: it is another set that is meant */
            if (lacking == edition->sets[j].count)
                continue;
            documented = true;
            *fewest = lacking < *fewest ? lacking : *fewest;
        }
    }
    return documented;
}

/** \return the provider that mx names, by the rules; NULL if none */
static const struct provider *named(const struct providers *providers, const struct mxclash_mx *mx,
                                    size_t count)
{
    const struct provider *named = NULL;
    int lowest = -1;

    for (size_t section = 0; section < providers_count(providers); section++) {
        const struct provider *provider = providers_at(providers, section);

        for (size_t i = 0; i < count && !provider->filter; i++)
            if (owner_of(providers, mx[i].exchange, mx[i].exchange_len) == provider &&
                (lowest == -1 || mx[i].preference < lowest)) {
                named = provider;
                lowest = mx[i].preference;
            }
    }
    return named;
}

/** Names that can never take mail. */
static bool takes_no_mail(const struct mxclash_mx *mx)
{
    char text[MXCLASH_NAME_TEXT_MAX];
    const char *last;

    mxclash_name_to_text(mx->exchange, mx->exchange_len, text);
    last = strrchr(text, '.') != NULL ? strrchr(text, '.') + 1 : text;
    return *last == '\0' || strcmp(last, "invalid") == 0 || strcmp(last, "localhost") == 0 ||
           strspn(last, "0123456789") == strlen(last);
}

/** What hosts are foreign, where none is doubled.
 * \param[out] gateway  an unknown one in front, or one of the owner's own
 * \param[out] sure  one is another known provider's, and none of the owner's own is in front */
static uint32_t foreign_in(const struct providers *providers, const struct provider *provider,
                           const struct registrable *domain, const struct mxclash_mx *mx,
                           size_t count, bool *gateway, bool *sure)
{
    uint32_t known = 0, unknown = 0;
    bool own_in_front = false;
    int first = 65536;

    *gateway = false;
    for (size_t i = 0; i < count; i++) {
        const struct provider *whose = owner_of(providers, mx[i].exchange, mx[i].exchange_len);

        if (whose != NULL && same_family(whose, provider) && mx[i].preference < first)
            first = mx[i].preference;
    }
    for (size_t i = 0; i < count; i++) {
        const struct provider *whose;
        bool token;

        whose = find(providers, mx[i].exchange, mx[i].exchange_len, &token);
        if (token)
            continue;
        if (registrable_holds(domain, mx[i].exchange, mx[i].exchange_len)) {
            own_in_front = own_in_front || (whose == NULL && mx[i].preference <= first);
            continue;
        }
        if (whose == NULL && takes_no_mail(&mx[i]))
            continue;
        if (whose == NULL) {
            unknown |= UINT32_C(1) << i;
            *gateway = *gateway || mx[i].preference <= first;
        } else if (!whose->filter && !same_family(whose, provider)) {
            known |= UINT32_C(1) << i;
        }
    }
    *gateway = *gateway || own_in_front;
    *sure = known != 0 && !own_in_front;
    return *gateway ? known : known | unknown;
}

static void check_judgement(const struct providers *providers, const uint8_t *owner,
                            size_t owner_len, const struct mxclash_mx *mx, size_t count)
{
    const struct provider *provider = named(providers, mx, count);
    struct registrable domain = registrable_of(NULL, owner, owner_len);
    struct providers_verdict verdict;
    bool filtered = false, own_domain = false, lacking, gateway, sure;
    uint32_t foreign;
    size_t fewest = 0;

    MUST(providers_match(providers, mx, count) == provider);
    providers_judge(providers, owner, owner_len, mx, count, &verdict);
    MUST(provider == NULL || verdict.provider == provider);
    MUST((verdict.foreign & verdict.doubled) == 0 && (!verdict.foreign_sure || verdict.foreign));
    for (size_t i = 0; i < count; i++) {
        const struct provider *whose = owner_of(providers, mx[i].exchange, mx[i].exchange_len);
        bool own = registrable_holds(&domain, mx[i].exchange, mx[i].exchange_len);

        own_domain = own_domain || (own && whose != NULL && whose == provider);
        filtered = filtered || (whose != NULL && whose->filter);
        /* a doubled host stands below the owner's domain, and looks like nobody's */
        MUST((verdict.doubled >> i & 1) == 0 || (own && whose == NULL));
    }
    if (verdict.doubled != 0) {
        MUST(verdict.provider != NULL && verdict.incomplete &&
             (verdict.advice & mxclash_add_final_dot) != 0);
        return;
    }
    MUST(verdict.provider == provider);
    if (provider == NULL || own_domain) {
        MUST(verdict.foreign == 0 && !verdict.incomplete && verdict.advice == 0);
        return;
    }
    foreign = foreign_in(providers, provider, &domain, mx, count, &gateway, &sure);
    filtered = filtered || gateway;
    MUST(verdict.filtered == filtered && verdict.foreign == foreign &&
         verdict.foreign_sure == sure);
    lacking =
        !filtered && count < MXCLASH_MX_MAX && incomplete(providers, provider, mx, count, &fewest);
    MUST(verdict.incomplete == lacking && (verdict.wanted != NULL) == lacking);
    MUST(!lacking || hosts_lacking(mx, count, verdict.wanted) == fewest);
    MUST(verdict.advice == (uint32_t)((foreign ? mxclash_remove_foreign_mx : 0) |
                                      (lacking ? mxclash_complete_mx : 0)));
}

/* --- SPF ---------------------------------------------------------------------------------------
 */

static void check_spf(const struct providers *providers, const uint8_t *rdata, size_t rdata_len)
{
    static struct plain_txt txt;
    static struct spf_text text;
    bool record = rdata_len <= 65535 && plain_join(rdata, rdata_len, &txt) &&
                  plain_find_include(&txt, "?") != spf_none;
    struct spf_term terms[SPF_LOOKUPS_MAX];
    struct spf_summary spf;
    struct spf_set set = {0};
    uint64_t named = 0;

    MUST(spf_is_record(rdata, rdata_len) == record);
    spf_set_add(&set, rdata, rdata_len);
    MUST(set.records == record);
    spf_read(providers, &set, &text, &spf);
    MUST(spf.records == record && (record || spf.named == 0));
    if (!record || rdata_len > SPF_OCTETS_MAX)
        return;
    MUST(spf_followed(&text, terms) <= SPF_LOOKUPS_MAX);
    /* a macro may be any name, so one that is spelt like a provider's is none */
    if (spf.broken || memchr(txt.text, '%', txt.len) != NULL)
        return;
    for (size_t i = 0; i < providers_count(providers); i++) {
        const struct provider *provider = providers_at(providers, i);

        for (size_t j = 0; j < provider->spf.count; j++)
            if (plain_find_include(&txt, provider->spf.text[j]) == spf_has)
                named |= UINT64_C(1) << provider->spf_number % SPF_NUMBERS;
    }
    MUST(spf.named == named);
}

/* --- the table ---------------------------------------------------------------------------------
 */

static void check_strings(const struct provider_strings *strings)
{
    MUST(strings->count <= PROVIDER_STRINGS_MAX);
    for (size_t i = 0; i < strings->count; i++)
        MUST(fuzz_log_line(strings->text[i]));
}

static void check_section(const struct providers *providers, const struct provider *provider)
{
    static const uint8_t owner[] = "\4mail\7example\2co\2uk";

    MUST(fuzz_log_line(provider->name) && strlen(provider->name) <= PROVIDER_TAG_MAX);
    MUST(fuzz_log_line(provider->title) && fuzz_log_line(provider->family));
    MUST(provider->pattern_count >= 1 && provider->pattern_count <= PROVIDER_PATTERNS_MAX);
    MUST(provider->set_count <= PROVIDER_SETS_MAX);
    check_strings(&provider->spf);
    check_strings(&provider->sources);
    for (size_t i = 0; i < provider->pattern_count; i++)
        check_pattern(providers, &provider->patterns[i]);
    for (size_t i = 0; i < provider->set_count; i++) {
        const struct provider_set *set = &provider->sets[i];
        static struct mxclash_mx mx[MXCLASH_MX_MAX];

        MUST(set->count >= 1 && set->count <= MXCLASH_MX_MAX);
        for (size_t j = 0; j < set->count; j++)
            check_host(providers, set->mx[j].exchange, set->mx[j].exchange_len);
        for (size_t j = 0; j < set->count; j++) {
            mx[j].preference = set->mx[j].preference;
            mx[j].exchange_len = set->mx[j].exchange_len;
            memcpy(mx[j].exchange, set->mx[j].exchange, set->mx[j].exchange_len);
        }
        check_judgement(providers, owner, sizeof(owner), mx, set->count);
    }
}

/* for module/cli/providers.c, which is given a file always */
bool cli_one_file(int argc, char **argv, const char **path)
{
    *path = argv[argc - 1];
    return true;
}

bool cli_load_config(const char *path, struct cli_config *loaded)
{
    (void)path;
    (void)loaded;
    return false;
}

/** Run `mxclash providers` on a table. \param good  what it must find \return what it shows */
static char *show(const void *table, size_t size, bool good)
{
    char *argv[] = {table_path, table_path, NULL};
    FILE *out = stdout, *err = stderr;
    char *shown = NULL, *told = NULL;
    size_t shown_octets, told_octets;
    enum cli_exit status;

    fuzz_file_fill(table_number, table, size);
    stdout = open_memstream(&shown, &shown_octets);
    stderr = open_memstream(&told, &told_octets);
    status = cli_providers(2, argv);
    fclose(stdout);
    fclose(stderr);
    stdout = out;
    stderr = err;
    MUST(status == (good ? cli_good : cli_bad));
    MUST(good == (told_octets == 0) && good == (shown_octets != 0));
    if (!good) {
        MUST(told[told_octets - 1] == '\n');
        told[told_octets - 1] = '\0';
        MUST(fuzz_log_line(told));
    }
    free(told);
    return shown;
}

/** The line that a fault names is the first bad one: what stands below it does not matter. */
static void check_fault(const uint8_t *table, size_t size, const char *error)
{
    char other[PROVIDERS_ERROR_MAX];
    unsigned long line = strtoul(error, NULL, 10);
    size_t upto = fuzz_line_at(table, size, line + 1);

    MUST(memchr(error, '\0', PROVIDERS_ERROR_MAX) != NULL && fuzz_log_line(error));
    MUST(line >= 1 && (line == 1 || fuzz_line_at(table, size, line) < size));
    /* what an include takes in depends on all the lines below it */
    if (size > PROVIDERS_TEXT_MAX || memmem(table, size, "include", 7) != NULL)
        return;
    MUST(providers_parse((const char *)table, upto, other) == NULL);
    MUST(strtoul(other, NULL, 10) == line);
}

/** What an include brought, and the text does not name, is as it was built in. */
static void check_included(const struct providers *providers, const uint8_t *table, size_t size)
{
    for (size_t i = 0; i < providers_count(providers) && builtin != NULL; i++) {
        const struct provider *provider = providers_at(providers, i);

        if (memmem(table, size, provider->name, strlen(provider->name)) != NULL)
            continue;
        for (size_t j = 0; j < providers_count(builtin); j++) {
            const struct provider *other = providers_at(builtin, j);

            if (strcmp(provider->name, other->name) == 0)
                MUST(strcmp(provider->title, other->title) == 0 &&
                     provider->pattern_count == other->pattern_count &&
                     provider->set_count == other->set_count &&
                     provider->spf.count == other->spf.count &&
                     provider->sources.count == other->sources.count);
        }
    }
}

/** \param sections  most that are looked at, the last ones */
static struct providers *check_table(const uint8_t *table, size_t size, size_t sections)
{
    char error[PROVIDERS_ERROR_MAX];
    struct providers *providers;
    char *shown, *again;

    memset(error, 'x', sizeof(error));
    providers = providers_parse((const char *)table, size, error);
    shown = show(table, size, providers != NULL);
    if (providers == NULL) {
        check_fault(table, size, error);
        free(shown);
        return NULL;
    }
    MUST(providers_octets(providers) > 0 && providers_count(providers) <= PROVIDERS_MAX);
    check_included(providers, table, size);
    /* sections that an include brought stand first, and are looked at once as a table */
    for (size_t i = providers_count(providers), left = sections; i > 0 && left > 0; left--)
        check_section(providers, providers_at(providers, --i));
    /* a table that grew out of its bounds by being shown proves nothing */
    if (strlen(shown) <= PROVIDERS_TEXT_MAX) {
        again = show(shown, strlen(shown), true);
        MUST(strcmp(shown, again) == 0);
        free(again);
    }
    free(shown);
    return providers;
}

/** Read whole wire names from the input as an MX set, one octet before each its preference. */
static size_t cut_names(const uint8_t *data, size_t size, struct mxclash_mx mx[MXCLASH_MX_MAX])
{
    size_t count = 0;

    for (size_t at = 0, end; count < MXCLASH_MX_MAX && at + 1 < size; at = end + 1) {
        for (end = at + 1; end < size && data[end] != 0;)
            end += data[end] + 1u;
        if (end >= size || !name_valid(data + at + 1, end - at))
            break;
        mx[count].preference = data[at];
        mx[count].exchange_len = (uint8_t)(end - at);
        name_lower(mx[count].exchange, data + at + 1, end - at);
        count++;
    }
    return count;
}

static void check_mx(const struct providers *providers, const struct mxclash_mx *mx, size_t count)
{
    static const uint8_t owner[] = "\4mail\7example\3com";

    for (size_t i = 0; i < count; i++)
        check_host(providers, mx[i].exchange, mx[i].exchange_len);
    check_judgement(providers, owner, sizeof(owner), mx, count);
    if (count != 0)
        check_judgement(providers, mx[0].exchange, mx[0].exchange_len, mx, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mxclash_mx mx[MXCLASH_MX_MAX];
    size_t table_size = fuzz_part(data, size);
    const uint8_t *set = data, *rdata = data;
    size_t set_size = size, rdata_size = size, count;
    struct providers *providers;

    if (builtin == NULL) {
        fuzz_file_open(table_number);
        builtin = check_table((const uint8_t *)providers_builtin_text,
                              strlen(providers_builtin_text), PROVIDERS_MAX);
        MUST(builtin != NULL);
    }
    if (table_size < size) {
        set = data + table_size + 1;
        set_size = fuzz_part(set, size - table_size - 1);
        rdata = set + set_size + (set + set_size < data + size);
        rdata_size = (size_t)(data + size - rdata);
    }
    count = cut_names(set, set_size, mx);
    providers = check_table(data, table_size, 8);
    if (providers != NULL) {
        check_mx(providers, mx, count);
        check_spf(providers, rdata, rdata_size);
    }
    providers_free(providers);
    if (count != 0)
        check_mx(builtin, mx, count);
    if (rdata_size != 0)
        check_spf(builtin, rdata, rdata_size);
    return 0;
}
