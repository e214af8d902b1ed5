/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What a reply shows: see reply.h. */
#include "reply.h"

enum { shows_mx = 1 << 0, shows_cname = 1 << 1, shows_dname = 1 << 2 };

/**
 * What a reply shows of the name that was asked, as bits, up to a DNAME above it: a CNAME that a
 * DNAME made (RFC 6672 3.1) stands at no name.
 */
static unsigned shown_by(const struct query_info *qinfo, const struct reply_info *rep)
{
    unsigned shown = 0;

    if (rep == NULL)
        return 0;
    for (size_t i = 0; i < rep->an_numrrsets; i++) {
        const struct packed_rrset_key *key = &rep->rrsets[i]->rk;

        if (key->type == htons(LDNS_RR_TYPE_DNAME) &&
            dname_strict_subdomain_c(qinfo->qname, key->dname))
            return shown | shows_dname;
        if (query_dname_compare(key->dname, qinfo->qname) != 0)
            continue;
        if (key->type == htons(LDNS_RR_TYPE_MX))
            shown |= shows_mx;
        if (key->type == htons(LDNS_RR_TYPE_CNAME))
            shown |= shows_cname;
    }
    return shown;
}

enum mxclash_reply reply_kind(const struct query_info *qinfo, const struct reply_info *rep)
{
    unsigned shown = shown_by(qinfo, rep);

    if (shown & shows_mx)
        return mxclash_reply_shows;
    return shown == shows_cname ? mxclash_reply_hides : mxclash_reply_other;
}

bool reply_hides_mx(const struct query_info *qinfo, const struct reply_info *rep)
{
    return reply_kind(qinfo, rep) == mxclash_reply_hides;
}

bool reply_shows_alias(const struct query_info *qinfo, const struct reply_info *rep)
{
    return (shown_by(qinfo, rep) & (shows_cname | shows_dname)) == shows_cname;
}
