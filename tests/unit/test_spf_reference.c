/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What is read from random TXT sets, in one pass over each record, is what a plain reader finds
 * that goes through the text once for each include of each provider.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/mailbox.h"
#include "message.h"

#define ROUNDS   10000
#define SECTIONS 80
#define INCLUDES 40
#define TERM_MAX 320

static struct providers *providers;
static struct message m;
static struct answer_reading reading;

static unsigned draw(unsigned below)
{
    return (unsigned)random() % below;
}

/** Some of few names, so that sections share them; one has a macro. */
static void include_name(char *name, size_t size, unsigned number)
{
    snprintf(name, size, number == 0 ? "%%{d}.inc.test" : "spf%u.inc.test", number);
}

static int setup(void **state)
{
    static char text[65536];
    char error[PROVIDERS_ERROR_MAX] = "";
    size_t len = 0;

    (void)state;
    srandom(20);
    for (unsigned i = 0; i < SECTIONS; i++) {
        len +=
            (size_t)snprintf(text + len, sizeof(text) - len, "provider p%u\nmx p%u.test\n", i, i);
        for (unsigned left = draw(4); left > 0; left--) {
            char name[32];

            include_name(name, sizeof(name), draw(INCLUDES));
            len += (size_t)snprintf(text + len, sizeof(text) - len, "spf %s%s\n", name,
                                    draw(4) == 0 ? "." : "");
        }
    }
    providers = providers_parse(text, len, error);
    if (providers == NULL)
        print_error("%s\n", error);
    return providers == NULL;
}

static int teardown(void **state)
{
    (void)state;
    providers_free(providers);
    return 0;
}

/* --- the plain reader ----------------------------------------------------------------------------
 */

struct text {
    char octets[65536];
    size_t len;
};

/** \return false if the RDATA is no TXT record's */
static bool join(const uint8_t *rdata, size_t len, struct text *text)
{
    text->len = 0;
    for (size_t at = 0; at < len; at += rdata[at] + 1u) {
        if (rdata[at] >= len - at)
            return false;
        for (size_t i = 1; i <= rdata[at]; i++) {
            char octet = (char)rdata[at + i];

            text->octets[text->len++] =
                octet >= 'A' && octet <= 'Z' ? (char)(octet - 'A' + 'a') : octet;
        }
    }
    return len != 0;
}

/** Copy the next term, as much as fits. \return octets, 0 at the end */
static size_t next_term(const struct text *text, size_t *at, char term[TERM_MAX + 1])
{
    size_t len = 0;

    while (*at < text->len && text->octets[*at] == ' ')
        ++*at;
    for (; *at < text->len && text->octets[*at] != ' '; ++*at)
        if (len < TERM_MAX)
            term[len++] = text->octets[*at];
    term[len] = '\0';
    return len;
}

static bool is_spf(const struct text *text)
{
    char term[TERM_MAX + 1];
    size_t at = 0;

    return text->len != 0 && text->octets[0] != ' ' && next_term(text, &at, term) == 6 &&
           memcmp(term, "v=spf1", 6) == 0;
}

static size_t qualifier_octets(const char *term)
{
    return term[0] != '\0' && strchr("+-?~", term[0]) != NULL;
}

/** \return the name behind a key, NULL if the term is none with that key */
static char *name_behind(char *term, size_t len, const char *key)
{
    size_t key_len = strlen(key);

    return len > key_len && memcmp(term, key, key_len) == 0 ? term + key_len : NULL;
}

/** \return octets of the name up to the end of the term, without its last dot */
static size_t name_octets(const char *name, const char *end)
{
    return (size_t)(end - name) - (end[-1] == '.');
}

static bool includes(const struct text *text, const char *include)
{
    char term[TERM_MAX + 1];
    size_t at = 6, len;
    bool redirected = false;

    while ((len = next_term(text, &at, term)) != 0) {
        size_t skip = qualifier_octets(term);
        char *name = name_behind(term + skip, len - skip, "include:");
        char *other = name_behind(term, len, "redirect=");

        if (len - skip == 3 && memcmp(term + skip, "all", 3) == 0)
            return false;
        if (len == TERM_MAX)
            continue;
        if (name != NULL && name_octets(name, term + len) == strlen(include) &&
            memcmp(name, include, strlen(include)) == 0)
            return true;
        if (other != NULL && name_octets(other, term + len) == strlen(include) &&
            memcmp(other, include, strlen(include)) == 0)
            redirected = true;
    }
    return redirected;
}

static bool asks_own(const struct text *text, const char *own)
{
    static const char *const keys[] = {"include:", "redirect=", "exists:"};
    char term[TERM_MAX + 1];
    size_t at = 0, len;

    while ((len = next_term(text, &at, term)) != 0)
        for (int i = 0; i < 3; i++) {
            size_t skip = qualifier_octets(term), name_len;
            char *name = name_behind(term + skip, len - skip, keys[i]);

            if (name == NULL)
                continue;
            if (len == TERM_MAX || memchr(name, '%', (size_t)(term + len - name)) != NULL)
                return true;
            name_len = name_octets(name, term + len);
            if (name_len < strlen(own) ||
                memcmp(name + name_len - strlen(own), own, strlen(own)) != 0)
                continue;
            if (name_len == strlen(own) || name[name_len - strlen(own) - 1] == '.')
                return true;
        }
    return false;
}

static bool same_includes(const struct provider *a, const struct provider *b)
{
    size_t same = 0;

    if (a->spf.count != b->spf.count)
        return false;
    while (same < a->spf.count && strcmp(a->spf.text[same], b->spf.text[same]) == 0)
        same++;
    return same == a->spf.count;
}

static uint64_t names(const struct text *text)
{
    uint64_t named = 0;
    unsigned next = 0;

    for (size_t i = 0; i < providers_count(providers); i++) {
        const struct provider *provider = providers_at(providers, i);
        unsigned number = next;

        for (size_t j = 0; j < i; j++)
            if (same_includes(providers_at(providers, j), provider))
                number = providers_at(providers, j)->spf_number;
        if (provider->spf.count == 0)
            continue;
        next += number == next;
        assert_int_equal(provider->spf_number, number);
        for (size_t j = 0; j < provider->spf.count; j++)
            if (includes(text, provider->spf.text[j]))
                named |= UINT64_C(1) << number % 64;
    }
    return named;
}

/** The summary of a set: the records up to the one that is too much. */
static void read_plainly(struct spf_summary *spf, const uint8_t *rdata, size_t len, const char *own,
                         size_t *octets, unsigned *records)
{
    static struct text text;
    bool record = join(rdata, len, &text) && is_spf(&text);

    if (*octets > SPF_OCTETS_MAX)
        return;
    if (++*records > ANSWER_RECORDS_MAX) {
        spf->asks_own = true;
        return;
    }
    *octets += record ? len : 0;
    spf->present = spf->present || record;
    if (*octets > SPF_OCTETS_MAX) {
        spf->asks_own = true;
        return;
    }
    if (!record)
        return;
    spf->asks_own = spf->asks_own || asks_own(&text, own);
    spf->named |= names(&text);
}

/* --- random sets ---------------------------------------------------------------------------------
 */

static void add(struct text *text, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i < len; i++)
        text->octets[text->len++] =
            (char)(word[i] >= 'a' && word[i] <= 'z' && draw(6) == 0 ? word[i] - 'a' + 'A'
                                                                    : word[i]);
}

#define PICK(words) words[draw(sizeof(words) / sizeof(words[0]))]

static void add_name(struct text *text, const char *own)
{
    static const char *const others[] = {"other.test", "%{i}.x.test", "x.",        ".",
                                         "",           "inc.test",    "xown.test", "test"};
    char name[400];

    switch (draw(8)) {
    case 0:
        add(text, PICK(others));
        break;
    case 1:
        snprintf(name, sizeof(name), "%s%s", draw(2) ? "a.b." : draw(2) ? "b" : "", own);
        add(text, name);
        break;
    case 2: /* about as long as a term may be */
        memset(name, 'x', sizeof(name));
        name[290 + draw(40)] = '\0';
        add(text, name);
        break;
    default:
        include_name(name, sizeof(name), draw(INCLUDES));
        add(text, name);
    }
    if (draw(5) == 0)
        add(text, draw(6) == 0 ? ".." : ".");
}

static void add_term(struct text *text, const char *own)
{
    static const char *const keys[] = {"include:", "include:", "include:", "redirect=", "exists:",
                                       "a:",       "exp=",     "include",  "include=",  "x"};
    static const char *const rest[] = {"mx", "a", "ip4:192.0.2.1", "al", "all.", "alll", "a/24"};
    static const char *const qualifiers[] = {"", "", "", "+", "-", "?", "~", "--"};

    add(text, PICK(qualifiers));
    if (draw(10) == 0) {
        add(text, "all");
    } else if (draw(4) == 0) {
        add(text, PICK(rest));
    } else {
        add(text, PICK(keys));
        add_name(text, own);
    }
}

static void make_text(struct text *text, const char *own, unsigned terms)
{
    static const char *const odd[] = {"v=spf10", " v=spf1",  "v=spf", "xv=spf1",
                                      "",        "v=spf1\t", "\21"};

    text->len = 0;
    add(text, draw(6) == 0 ? PICK(odd) : "v=spf1");
    while (terms-- > 0) {
        for (unsigned spaces = draw(8) == 0 ? draw(4) : 1; spaces > 0; spaces--)
            add(text, " ");
        add_term(text, own);
    }
    if (draw(10) == 0)
        add(text, "  ");
}

/** Write the text as character-strings, empty ones among them; sometimes not whole. */
static size_t make_rdata(const struct text *text, uint8_t *rdata)
{
    unsigned longest = draw(3) == 0 ? 1 + draw(20) : 255;
    size_t len = 0;
    size_t at = 0;

    do {
        size_t part = draw(8) == 0 ? draw(longest + 1) : longest;

        if (part > text->len - at)
            part = text->len - at;
        rdata[len++] = (uint8_t)part;
        memcpy(rdata + len, text->octets + at, part);
        len += part;
        at += part;
    } while (at < text->len);
    if (draw(30) == 0)
        rdata[0] = (uint8_t)(rdata[0] + 1 - 2 * draw(2));
    return len;
}

static void test_reference(void **state)
{
    static const char *const owners[][2] = {{"shop.test", "shop.test"},
                                            {"own.test", "own.test"},
                                            {"www.shop.co.uk", "shop.co.uk"},
                                            {"a.very.deep.one.shop.test", "shop.test"},
                                            {"test", "test"}};
    static const uint8_t root[] = {0};
    unsigned present = 0, own_asked = 0, named = 0;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        static struct text text;
        static uint8_t rdata[2 * sizeof(text.octets)];
        const char *const *owner = PICK(owners);
        struct spf_summary expected = {0}, spf;
        struct mxclash_answer answer = {.zone = root, .zone_len = 1};
        /* so short that there are too many before they are too long */
        bool many = draw(100) == 0;
        unsigned count = many ? ANSWER_RECORDS_MAX - 3 + draw(6) : 1 + draw(3);
        unsigned records = 0;
        size_t octets = 0;

        message_begin(&m, MESSAGE_AA, owner[0], wire_type_txt);
        while (count-- > 0) {
            size_t at, len;

            make_text(&text, owner[1], many ? draw(30) == 0 : draw(100) == 0 ? 300 : draw(9));
            len = make_rdata(&text, rdata);
            if (m.len + len > sizeof(m.octets) - 300)
                break;
            at = message_record(&m, message_an, owner[0], wire_type_txt, wire_class_in, 60);
            message_octets(&m, rdata, len);
            message_record_end(&m, at);
            read_plainly(&expected, rdata, len, owner[1], &octets, &records);
        }
        answer.message = message_exact(m.octets, m.len);
        answer.message_len = m.len;
        assert_int_equal(answer_read(&answer, &reading), answer_telling);
        mailbox_read_spf(providers, &reading, answer_of_qname(&reading), &spf);
        free((void *)answer.message);
        if (spf.present != expected.present || spf.asks_own != expected.asks_own ||
            spf.named != expected.named)
            fail_msg("round %d: %.*s: %d %d %llx, expected %d %d %llx", round, (int)text.len,
                     text.octets, spf.present, spf.asks_own, (unsigned long long)spf.named,
                     expected.present, expected.asks_own, (unsigned long long)expected.named);
        present += spf.present;
        own_asked += spf.asks_own;
        named += spf.named != 0;
    }
    /* each is there often enough, and not always */
    assert_in_range(present, ROUNDS / 2, ROUNDS - ROUNDS / 20);
    assert_in_range(own_asked, ROUNDS / 5, ROUNDS * 4 / 5);
    assert_in_range(named, ROUNDS / 5, ROUNDS * 4 / 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reference)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
