/* SPDX-License-Identifier: BSD-3-Clause */
/** \file SPF records: see spf.h. */
#include "core/mailbox/spf.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "core/dns/names.h"

#define VERSION_OCTETS 6

/** Walks the text of the character-strings as one. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
    /** octets left of this character-string */
    size_t left;
};

static bool strings_valid(const uint8_t *rdata, size_t len)
{
    size_t at = 0;

    while (at < len)
        at += rdata[at] + 1u;
    return len != 0 && at == len;
}

static bool next_octet(struct reader *reader, uint8_t *octet)
{
    /* empty character-strings are legal */
    while (reader->left == 0) {
        if (reader->at == reader->end)
            return false;
        reader->left = *reader->at++;
    }
    reader->left--;
    *octet = *reader->at++;
    return true;
}

bool spf_is_record(const uint8_t *rdata, size_t len)
{
    static const unsigned char lower[] = "v=spf1", upper[] = "V=SPF1";
    struct reader reader = {rdata, rdata + len, 0};
    uint8_t octet;

    if (!strings_valid(rdata, len))
        return false;
    /* nearly all are written so, the version whole in the first string; and most texts are none */
    if (rdata[0] > VERSION_OCTETS) {
        if (memcmp(rdata + 1, "v=spf1 ", VERSION_OCTETS + 1) == 0)
            return true;
        if ((rdata[1] | 0x20) != 'v')
            return false;
    }
    /* at the very start: no space before it (RFC 7208 4.5) */
    for (size_t i = 0; i < VERSION_OCTETS; i++)
        if (!next_octet(&reader, &octet) || (octet != lower[i] && octet != upper[i]))
            return false;
    return !next_octet(&reader, &octet) || octet == ' ';
}

void spf_set_add(struct spf_set *set, const uint8_t *rdata, size_t len)
{
    if (set->records > 1 || !spf_is_record(rdata, len))
        return;
    if (set->records == 0) {
        set->rdata = rdata;
        set->len = len;
        set->records = 1;
    } else if (len != set->len || memcmp(rdata, set->rdata, len) != 0) {
        set->records = 2;
    }
}

/** VCHAR: what a term may consist of at all. */
static bool is_visible(uint8_t octet)
{
    return octet > ' ' && octet <= '~';
}

/** Eight octets at a time; the rest one by one. */
static bool is_printable(const uint8_t *octets, size_t len)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t outside = 0, eight;
    size_t at = 0;

    for (; at + sizeof(eight) <= len; at += sizeof(eight)) {
        memcpy(&eight, octets + at, sizeof(eight));
        /* of each octet the top bit: it has one, or gets one above ~, or lacks a borrow from below
           the space. A carry or borrow between octets comes only from one that is outside. */
        outside |= (eight | (eight + ones) | (eight - ones * ' ')) & ones * 0x80;
    }
    for (; at < len; at++)
        outside |= !is_visible(octets[at]) && octets[at] != ' ';
    return outside == 0;
}

static void join_strings(const uint8_t *rdata, size_t len, struct spf_text *text)
{
    text->len = 0;
    for (size_t at = 0; at < len; at += rdata[at] + 1u) {
        name_lower(text->octets + text->len, rdata + at + 1, rdata[at]);
        text->len += rdata[at];
    }
    text->printable = is_printable(text->octets, text->len);
}

/* --- syntax, RFC 7208 12 --------------------------------------------------------------------- */

static bool is_digit(uint8_t octet)
{
    return octet >= '0' && octet <= '9';
}

static bool is_alpha(uint8_t octet)
{
    return octet >= 'a' && octet <= 'z';
}

static bool is_qualifier(uint8_t octet)
{
    return octet == '+' || octet == '-' || octet == '?' || octet == '~';
}

/** macro-expand. \return its octets, 0 if there is none here */
static size_t macro_octets(const uint8_t *at, size_t len)
{
    size_t used = 3;

    if (len < 2)
        return 0;
    if (at[1] == '%' || at[1] == '_' || at[1] == '-')
        return 2;
    if (at[1] != '{' || len < 4 || memchr("slodiphcrtv", at[2], 11) == NULL)
        return 0;
    while (used < len && is_digit(at[used]))
        used++;
    if (used < len && at[used] == 'r')
        used++;
    while (used < len && memchr(".-+,/_=", at[used], 7) != NULL)
        used++;
    return used < len && at[used] == '}' ? used + 1 : 0;
}

/** toplabel: letters, digits and hyphens, not of digits alone, no hyphen at an end. */
static bool is_toplabel(const uint8_t *label, size_t len)
{
    bool digits_only = true;

    for (size_t i = 0; i < len; i++) {
        if (!is_alpha(label[i]) && !is_digit(label[i]) && label[i] != '-')
            return false;
        digits_only = digits_only && is_digit(label[i]);
    }
    return len != 0 && !digits_only && label[0] != '-' && label[len - 1] != '-';
}

/** domain-spec: a macro-string that ends in a dot and a toplabel, or in a macro. */
static bool read_domain(const uint8_t *at, size_t len, struct spf_term *term)
{
    const uint8_t *end = at + len, *macro = at, *dot;

    term->name = at;
    term->name_len = len;
    while ((macro = memchr(macro, '%', (size_t)(end - macro))) != NULL) {
        size_t octets = macro_octets(macro, (size_t)(end - macro));

        if (octets == 0)
            return false;
        term->macro = true;
        macro += octets;
        if (macro == end)
            return true;
    }
    if (len != 0 && at[len - 1] == '.')
        term->name_len = --len;
    dot = memrchr(at, '.', len);
    return dot != NULL && is_toplabel(dot + 1, (size_t)(at + len - dot - 1));
}

/** A prefix length up to most, behind its slash. \param[out] network  it covers several addresses
 */
static bool read_prefix(const uint8_t *at, size_t len, unsigned most, bool *network)
{
    unsigned prefix = 0;

    if (len == 0 || len > 3 || (at[0] == '0' && len != 1))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(at[i]))
            return false;
        prefix = prefix * 10 + (unsigned)(at[i] - '0');
    }
    *network = *network || prefix < most;
    return prefix <= most;
}

/** `ip4:` and `ip6:`: an address and perhaps a prefix length. */
static bool read_address(const uint8_t *at, size_t len, struct spf_term *term)
{
    const uint8_t *slash = memchr(at, '/', len);
    size_t address_len = slash == NULL ? len : (size_t)(slash - at);
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address; /* room for either */
    bool is_ip4 = term->kind == spf_ip4;

    if (address_len >= sizeof(text) || memchr(at, '\0', address_len) != NULL)
        return false;
    memcpy(text, at, address_len);
    text[address_len] = '\0';
    if (inet_pton(is_ip4 ? AF_INET : AF_INET6, text, &address) != 1)
        return false;
    return slash == NULL ||
           read_prefix(slash + 1, len - address_len - 1, is_ip4 ? 32 : 128, &term->network);
}

/** dual-cidr-length: a prefix length for IPv4, behind two slashes one for IPv6. May be empty. */
static bool read_dual_prefix(const uint8_t *at, size_t len, struct spf_term *term)
{
    size_t four = 1;

    if (len == 0)
        return true;
    if (len > 1 && at[1] == '/')
        return read_prefix(at + 2, len - 2, 128, &term->network);
    while (four < len && at[four] != '/')
        four++;
    if (!read_prefix(at + 1, four - 1, 32, &term->network))
        return false;
    if (four == len)
        return true;
    return len - four > 2 && at[four + 1] == '/' &&
           read_prefix(at + four + 2, len - four - 2, 128, &term->network);
}

/** \return where the prefix lengths behind a domain-spec begin: at a slash outside of macros */
static size_t prefix_at(const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (at[i] == '/')
            return i;
        if (at[i] == '%' && i + 1 < len && at[i + 1] == '{')
            while (i < len && at[i] != '}')
                i++;
    }
    return len;
}

/** What stands behind the name of `a`, `mx` or `ptr`. */
static bool read_hosts(const uint8_t *at, size_t len, struct spf_term *term)
{
    if (len != 0 && at[0] == ':') {
        size_t domain_len = term->kind == spf_ptr ? len - 1 : prefix_at(at + 1, len - 1);

        if (!read_domain(at + 1, domain_len, term))
            return false;
        at += 1 + domain_len;
        len -= 1 + domain_len;
    }
    return term->kind == spf_ptr ? len == 0 : read_dual_prefix(at, len, term);
}

/** \return the mechanism of that name, spf_broken if there is none */
static enum spf_kind mechanism_of(const uint8_t *name, size_t len)
{
    static const struct {
        const char *text;
        size_t len;
    } names[] = {[spf_all] = {"all", 3}, [spf_include] = {"include", 7}, [spf_a] = {"a", 1},
                 [spf_mx] = {"mx", 2},   [spf_ptr] = {"ptr", 3},         [spf_ip4] = {"ip4", 3},
                 [spf_ip6] = {"ip6", 3}, [spf_exists] = {"exists", 6}};

    for (enum spf_kind kind = spf_all; kind <= spf_exists; kind++)
        if (len == names[kind].len && name[0] == (uint8_t)names[kind].text[0] &&
            memcmp(name, names[kind].text, len) == 0)
            return kind;
    return spf_broken;
}

static bool read_mechanism(const uint8_t *at, size_t len, size_t name_len, struct spf_term *term)
{
    term->kind = mechanism_of(at, name_len);
    at += name_len;
    len -= name_len;
    switch (term->kind) {
    case spf_all:
        return len == 0;
    case spf_a:
    case spf_mx:
    case spf_ptr:
        return read_hosts(at, len, term);
    case spf_ip4:
    case spf_ip6:
        return len > 1 && at[0] == ':' && read_address(at + 1, len - 1, term);
    case spf_include:
    case spf_exists:
        return len > 1 && at[0] == ':' && read_domain(at + 1, len - 1, term);
    default:
        return false;
    }
}

/** \param name_len  octets before the equals sign */
static bool read_modifier(const uint8_t *at, size_t len, size_t name_len, struct spf_term *term)
{
    if (name_len == 0 || !is_alpha(at[0]))
        return false;
    for (size_t i = 0; i < name_len; i++)
        if (!is_alpha(at[i]) && !is_digit(at[i]) && memchr("-_.", at[i], 3) == NULL)
            return false;
    if (name_len == 8 && memcmp(at, "redirect", 8) == 0)
        term->kind = spf_redirect;
    else if (name_len == 3 && memcmp(at, "exp", 3) == 0)
        term->kind = spf_exp;
    else
        term->kind = spf_other;
    at += name_len + 1;
    len -= name_len + 1;
    /* of others a macro-string; whether its macros are right is nobody's who ignores it */
    return term->kind == spf_other || read_domain(at, len, term);
}

/** Read one term, not empty. \return false if it breaks the syntax */
static bool read_term(const uint8_t *at, size_t len, struct spf_term *term)
{
    bool qualified = is_qualifier(at[0]);
    size_t name_len = 0;

    term->qualifier = qualified ? at[0] : '+';
    at += qualified;
    len -= qualified;
    /* these are most of all terms */
    if (len > 8 && memcmp(at, "include:", 8) == 0) {
        term->kind = spf_include;
        return read_domain(at + 8, len - 8, term);
    }
    if (len == 3 && memcmp(at, "all", 3) == 0) {
        term->kind = spf_all;
        return true;
    }
    while (name_len < len && at[name_len] != ':' && at[name_len] != '/' && at[name_len] != '=')
        name_len++;
    if (name_len < len && at[name_len] == '=')
        return !qualified && read_modifier(at, len, name_len, term);
    return name_len != 0 && read_mechanism(at, len, name_len, term);
}

static bool all_visible(const uint8_t *at, size_t len)
{
    size_t visible = 0;

    while (visible < len && is_visible(at[visible]))
        visible++;
    return visible == len;
}

bool spf_next(const struct spf_text *text, size_t *at, struct spf_term *term)
{
    size_t start = *at == 0 ? VERSION_OCTETS : *at;
    const uint8_t *space;
    size_t end;

    while (start < text->len && text->octets[start] == ' ')
        start++;
    *at = start;
    if (start >= text->len)
        return false;
    space = memchr(text->octets + start, ' ', text->len - start);
    *at = end = space != NULL ? (size_t)(space - text->octets) : text->len;
    term->name_len = 0;
    term->macro = term->network = false;
    if ((!text->printable && !all_visible(text->octets + start, end - start)) ||
        !read_term(text->octets + start, end - start, term))
        term->kind = spf_broken;
    return true;
}

/* --- what a record says ------------------------------------------------------------------------
 */

/** One record under the eye. */
struct reading {
    const struct providers *providers;
    struct spf_summary *spf;
    /** `all` was read: it matches everything, what stands behind it is never reached */
    bool all;
    /** of `all`; `?` where it lacks (RFC 7208 4.7) */
    uint8_t end;
    /** there are other terms than `all` and `exp`, in whatever place: somebody is meant to send */
    bool others;
    struct spf_term redirect;
    bool redirects, explains;
};

/** One more look-up, counted as far as it matters. */
static void count_lookup(struct spf_summary *spf)
{
    spf->lookups += spf->lookups <= SPF_LOOKUPS_MAX;
}

/** A name is looked up and its record read in turn. */
static void follow(struct reading *reading, const struct spf_term *term)
{
    struct spf_summary *spf = reading->spf;

    count_lookup(spf);
    if (term->macro) {
        spf->unknown = true;
        return;
    }
    spf->follows = true;
    spf->named |= providers_included(reading->providers, term->name, term->name_len);
}

/** A mechanism that is reached. */
static void note_mechanism(struct reading *reading, const struct spf_term *term)
{
    struct spf_summary *spf = reading->spf;
    bool allows = term->qualifier != '-';

    switch (term->kind) {
    case spf_all:
        reading->all = true;
        reading->end = term->qualifier;
        spf->unknown = spf->unknown || term->qualifier == '+';
        break;
    case spf_include:
        follow(reading, term);
        break;
    case spf_exists:
        count_lookup(spf);
        spf->unknown = true;
        break;
    case spf_ip4:
    case spf_ip6:
        spf->addresses = spf->addresses || allows;
        spf->networks = spf->networks || (allows && term->network);
        break;
    default:
        count_lookup(spf);
        /* `a` alone is the domain's own host */
        spf->unknown = spf->unknown || term->macro;
        spf->networks = spf->networks ||
                        (allows && (term->kind != spf_a || term->name_len != 0 || term->network));
        break;
    }
}

/** \return false if the record is broken: what else it says does not matter */
static bool note_term(struct reading *reading, const struct spf_term *term)
{
    switch (term->kind) {
    case spf_broken:
        return false;
    case spf_redirect:
        if (reading->redirects)
            return false;
        reading->redirects = reading->others = true;
        reading->redirect = *term;
        return true;
    case spf_exp:
        if (reading->explains)
            return false;
        reading->explains = true;
        return true;
    case spf_other:
        reading->others = true;
        return true;
    default:
        reading->others = reading->others || term->kind != spf_all;
        if (!reading->all)
            note_mechanism(reading, term);
        return true;
    }
}

void spf_read(const struct providers *providers, const struct spf_set *set, struct spf_text *text,
              struct spf_summary *spf)
{
    struct reading reading = {.providers = providers, .spf = spf, .end = '?'};
    struct spf_term term;
    size_t at = 0;

    memset(spf, 0, sizeof(*spf));
    spf->records = set->records;
    if (set->records != 1)
        return;
    /* more than any honest owner has: whom it names is not worth the time */
    if (set->len > SPF_OCTETS_MAX) {
        spf->unknown = true;
        return;
    }
    join_strings(set->rdata, set->len, text);
    while (spf_next(text, &at, &term))
        if (!note_term(&reading, &term)) {
            spf->broken = true;
            return;
        }
    if (reading.redirects && !reading.all)
        follow(&reading, &reading.redirect);
    else
        spf->mild = reading.end == '?' || (reading.end == '-' && !reading.others);
    spf->unknown = spf->unknown || spf->lookups > SPF_LOOKUPS_MAX;
}

size_t spf_followed(const struct spf_text *text, struct spf_term *names)
{
    struct spf_term term, redirect = {0};
    size_t at = 0, count = 0;
    bool all = false;

    while (spf_next(text, &at, &term)) {
        all = all || term.kind == spf_all;
        if (term.kind == spf_redirect)
            redirect = term;
        else if (term.kind == spf_include && !all && !term.macro && count < SPF_LOOKUPS_MAX)
            names[count++] = term;
    }
    if (!all && redirect.name_len != 0 && !redirect.macro && count < SPF_LOOKUPS_MAX)
        names[count++] = redirect;
    return count;
}
