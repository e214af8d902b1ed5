/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The walk: see spf_walk.h. */
#include "core/mailbox/spf_walk.h"

#include <string.h>

static bool is_known(const struct spf_walk *walk, const struct spf_term *term)
{
    for (unsigned i = 0; i < walk->count; i++)
        if (walk->names[i].len == term->name_len &&
            memcmp(walk->names[i].text, term->name, term->name_len) == 0)
            return true;
    return false;
}

static int8_t whose_follows(enum spf_whose whose, enum spf_kind kind)
{
    if (whose == spf_of_service || (whose == spf_of_owner && kind == spf_redirect))
        return (int8_t)whose;
    return -1;
}

/** Add the names of one record. \param ends  its end is that of the whole. One that was met before
 * may be a loop, which receivers do not read to its end either. \param whose  of that record.
 * \return false if the tree cannot be read */
static bool add_names(struct spf_walk *walk, enum spf_whose whose, bool ends,
                      const struct spf_text *text, const struct spf_summary *spf)
{
    struct spf_term terms[SPF_LOOKUPS_MAX];
    size_t count = spf_followed(text, terms);

    if (walk->lookups + spf->lookups > SPF_LOOKUPS_MAX)
        return false;
    walk->lookups = (uint8_t)(walk->lookups + spf->lookups);
    for (size_t i = 0; i < count; i++) {
        if (walk->count == SPF_LOOKUPS_MAX || terms[i].name_len > SPF_NAME_MAX ||
            is_known(walk, &terms[i]))
            return false;
        walk->names[walk->count].whose = whose_follows(whose, terms[i].kind);
        walk->names[walk->count].len = (uint8_t)terms[i].name_len;
        memcpy(walk->names[walk->count++].text, terms[i].name, terms[i].name_len);
        if (ends && terms[i].kind == spf_redirect)
            walk->end = walk->count;
    }
    return true;
}

bool spf_walk_begin(struct spf_walk *walk, const struct spf_text *text,
                    const struct spf_summary *spf)
{
    memset(walk, 0, sizeof(*walk));
    walk->mild = spf->mild;
    return add_names(walk, spf_of_owner, true, text, spf) && walk->count != 0;
}

size_t spf_walk_target(const struct spf_walk *walk, uint8_t *name)
{
    char text[SPF_NAME_MAX + 1];
    size_t len = walk->names[walk->at].len, name_len;

    memcpy(text, walk->names[walk->at].text, len);
    text[len] = '\0';
    /* SPF has no escapes: a backslash is no part of any host's name */
    if (memchr(text, '\\', len) != NULL ||
        mxclash_name_from_text(text, name, &name_len) != mxclash_ok)
        return 0;
    return name_len;
}

enum spf_walk_end spf_walk_note(struct spf_walk *walk, const struct providers *providers,
                                unsigned number, const struct mxclash_lookup_reply *reply)
{
    struct spf_set set = {0};
    struct spf_summary spf;
    struct spf_text text;
    bool ends = walk->end == walk->at + 1;

    if (!reply->answered)
        return spf_walk_failed;
    for (size_t i = 0; i < reply->txt_count; i++)
        spf_set_add(&set, reply->txt[i].rdata, reply->txt[i].len);
    spf_read(providers, &set, &text, &spf);
    /* Two, or a broken one: whoever checks the mail gives up there (RFC 7208 5.2). So he does where
     * there is none, but that one can be read to its end: nobody is in it. */
    if (reply->txt_cut || spf.records > 1 || spf.broken)
        return spf_walk_unknown;
    if (spf.named & UINT64_C(1) << number % SPF_NUMBERS)
        return spf_walk_names;
    walk->mild = walk->mild || (ends && spf.mild);
    walk->lost = walk->lost || spf.records == 0;
    if (spf.unknown || (walk->whose != spf_of_service && spf.networks) ||
        (walk->whose == spf_of_anybody && spf.addresses) ||
        (spf.records == 1 && !add_names(walk, walk->whose, ends, &text, &spf)))
        return spf_walk_unknown;
    if (++walk->at != walk->count)
        return spf_walk_goes_on;
    return walk->mild && !walk->lost ? spf_walk_unknown : spf_walk_lacks;
}
