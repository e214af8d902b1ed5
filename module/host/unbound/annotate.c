/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Extended DNS Errors (RFC 8914) on the answers to MX questions of domains in conflict.
 *
 * None of the registered codes says "the records contradict each other", so the code is 0, Other,
 * and the text says what and what to do. It holds no octet of the zone's. docs/answers.md argues.
 */
#include "annotate.h"

#include "services/localzone.h"
#include "sldns/rrdef.h"

/** What every UDP client takes (RFC 1035 4.2.1). What the client itself offers is not to be seen
 * where replies pass us. */
#define UDP_OCTETS_MAX 512
/** Code and length of an option. */
#define OPTION_OCTETS 4
/** Header; type and class of the question; OPT record; our own option and its code. */
#define MESSAGE_OCTETS (12 + 4 + 11 + OPTION_OCTETS + 2)
/** Type, class, TTL and length of a record. */
#define RECORD_OCTETS 10

static const char *text_of(enum mxclash_kind kind)
{
    switch (kind) {
    case mxclash_cname_and_mx:
        return "cname-and-mx: a CNAME at this name hides its MX; remove, replace or move the CNAME";
    case mxclash_cname_at_apex:
        return "cname-at-apex: this zone's own name is a CNAME and has no MX; replace the CNAME";
    case mxclash_foreign_mx:
        return "foreign-mx: the MX set mixes mailbox providers; remove the foreign MX";
    case mxclash_incomplete_mx:
        return "incomplete-mx: the MX set is not what the mailbox provider documents";
    case mxclash_spf_missing:
        return "spf-missing: mail servers do not find the mailbox provider in the SPF record";
    default:
        return NULL;
    }
}

static size_t octets_of_rrset(const struct ub_packed_rrset_key *rrset)
{
    const struct packed_rrset_data *data = rrset->entry.data;
    size_t octets = 0;

    for (size_t i = 0; i < data->count + data->rrsig_count; i++)
        octets += rrset->rk.dname_len + RECORD_OCTETS + data->rr_len[i];
    return octets;
}

static size_t octets_of_options(const struct edns_option *option)
{
    size_t octets = 0;

    for (; option != NULL; option = option->next)
        octets += OPTION_OCTETS + option->opt_len;
    return octets;
}

/** The most octets that a reply can take: no name compressed, every signature sent. */
static size_t octets_at_most(const struct query_info *qinfo, const struct reply_info *rep,
                             const struct edns_data *edns, const struct edns_option *options)
{
    size_t octets = MESSAGE_OCTETS + qinfo->qname_len;

    /* in front of what was found, where local data led the question to another name */
    for (const struct local_rrset *alias = qinfo->local_alias; alias != NULL; alias = alias->next)
        octets += octets_of_rrset(alias->rrset);
    for (size_t i = 0; i < rep->rrset_count; i++)
        octets += octets_of_rrset(rep->rrsets[i]);
    /* those of the modules, and those of Unbound's own, as the server's name */
    return octets + octets_of_options(options) + octets_of_options(edns->opt_list_out);
}

bool annotate(const struct query_info *qinfo, const struct reply_info *rep,
              const struct edns_data *edns, const struct comm_reply *repinfo,
              enum mxclash_kind kind, struct regional *region, struct edns_option **list)
{
    const char *text = text_of(kind);
    struct edns_option *own = NULL;

    if (text == NULL || rep == NULL || repinfo == NULL || !edns->edns_present)
        return false;
    if (repinfo->c->type == comm_udp &&
        octets_at_most(qinfo, rep, edns, *list) + strlen(text) > UDP_OCTETS_MAX)
        return false;
    if (!edns_opt_list_append_ede(&own, region, LDNS_EDE_OTHER, text))
        return false;
    /* in front: the tail of the list may be shared by the clients of one query */
    own->next = *list;
    *list = own;
    return true;
}
