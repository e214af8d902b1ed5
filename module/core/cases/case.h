/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A case: all that is known of one owner. The docket keeps cases, casework.h says what they mean.
 */
#ifndef MXCLASH_CORE_CASES_CASE_H
#define MXCLASH_CORE_CASES_CASE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cases/impact.h"
#include "core/cases/server_views.h"
#include "core/mailbox/spf.h"
#include "core/mailbox/spf_walk.h"
#include "mxclash.h"

/** Mail exchangers of an owner, lowest preference first. */
struct mx_set {
    uint8_t count;
    struct mxclash_mx mx[];
};

/** One kind of conflict of one owner. */
struct conflict {
    bool open;
    /** its opened event was made; false while it is held back */
    bool told;
    /** its opened event waits for the impact */
    bool holding;
    /** events held back since the last one that was made */
    uint32_t held_back;
    /** an opened event was ever made, and when the last one was or began to wait */
    bool ever_told;
    mxclash_time told_at;
    /** when an event last told of other facts, and that it is confirmed after all; 0: never */
    mxclash_time changed_at, raised_at;
    /** hash of the CNAME and MX that the last event told of */
    uint64_t told_facts;
    enum mxclash_state state;
    enum mxclash_evidence evidence;
    mxclash_time first_seen;
    mxclash_time last_seen;
};

/** The questions of a proof, as bits. That for the CNAME may be one for another type, see
 * docket_case.cname_qtype. */
enum { ask_mx = 1 << 0, ask_cname = 1 << 1, ask_txt = 1 << 2, ask_soa = 1 << 3 };

/** Which copy of its zone an authority speaks for, as far as it says so. */
struct zone_serial {
    bool known;
    /** octets of the zone's name, a suffix of the owner */
    uint8_t zone_len;
    uint32_t serial;
};

/** A proof under way. */
struct proof_state {
    /** 0: none */
    uint64_t id;
    mxclash_time started;
    /** bits: what is asked; what got an answer that can be believed; what is over */
    uint8_t asked, answered, ended;
    bool saw_mx, saw_cname;
    /** the MX question was answered with the CNAME */
    bool mx_showed_cname;
    /** one answer showed both */
    bool in_one_answer;
    /** every answer that counted had AA; else some came from a forwarder's cache */
    bool authoritative;
    /** answers, this proof's or one's of this and of the look before, came from different copies */
    bool serials_differ;
    struct zone_serial serial;
    /** when what a cache gave has run out there, for its CNAME, and for all */
    mxclash_time cname_ends, ends;
    /** what TXT was answered with */
    struct spf_summary spf;
};

/** All that is known of one owner. Guarded by the lock of its shard. */
struct docket_case {
    struct docket_case *bucket_next;
    /** list of the shard: open ones or the others, most recently met first */
    struct docket_case *newer, *older;
    uint64_t hash;
    /** octets that this case and its blocks take */
    uint32_t octets;
    bool is_open;
    /** waits in the queue of proofs */
    bool queued;
    int8_t apex; /* enum mxclash_apex */
    /** where in owner the zone cut begins; owner_len: unknown */
    uint8_t zone_at;
    uint8_t owner_len;
    uint8_t cname_target_len;
    /** proofs in a row that failed, and that found only a CNAME nobody asks mail of */
    uint8_t failures, quiet_proofs;
    /** what the last proof showed, if that waits for a second look: its enum mxclash_proof_result
     * + 1; 0: nothing does. Looks in a row that showed it. And looks in a row that settled nothing.
     * See second_look.h. */
    uint8_t first_look, same_looks, unsettled;
    /** the type that a proof asks to see the CNAME; 0: CNAME */
    uint8_t cname_qtype;
    /** which of A, AAAA and HTTPS were answered with the CNAME: see case_would_show_cname() */
    uint8_t cname_types;
    /** an MX was seen here at any time */
    bool mx_was_seen;
    /** mx_set came from the owner's own authority */
    bool mx_is_authoritys;
    /** both were seen, each in an answer, while both were valid, and no proof has said otherwise
     * since */
    bool both_were_valid;
    /** the authority was seen to answer the MX question with the CNAME; a proof has shown it */
    bool mx_gets_cname, mx_gets_cname_proved;
    /** since the last proof: the sieve took both for valid, a client got the CNAME for its MX
     * question */
    bool may_have_both, was_hidden;
    /** apex is known by a record of the owner's, not only by whose servers were asked */
    bool apex_by_record;
    int8_t hides_spf; /* enum mxclash_known */
    /** of the answers of the last look, if there is to be a second one */
    struct zone_serial serial;
    uint32_t cname_ttl_s;
    /** the first moment at which each, as last seen, is no more valid; 0: never seen, or seen to
     * be gone */
    mxclash_time cname_until, mx_until;
    mxclash_time met;
    mxclash_time next_proof;
    /** when that was said */
    mxclash_time put_off_at;
    /** when the last proof ended; 0: never */
    mxclash_time last_proof;
    /** when a proof without AA first found both: until when that CNAME was in the cache, and until
     * when any of it; 0: none */
    mxclash_time hearsay_cname_until, hearsay_until;
    /** when a proof was last brought forward, because an answer showed something to be gone */
    mxclash_time early_at;
    /** client MX queries while in conflict */
    uint64_t mx_queries;
    /** as many of them were there when an event last told of this owner */
    uint64_t mx_told;
    /** client MX queries since the first one of the last CASE_WANTED_WINDOW_MS; 0: never any */
    uint64_t mx_asked;
    mxclash_time mx_first_asked, mx_last_asked;
    struct proof_state proof;
    /** what senders meet at the CNAME's target, as last looked up; unknown if the target is new */
    enum mxclash_impact impact;
    struct impact_state lookup;
    struct server_views views;
    /** the last answer came from a forwarder or from a stub of the owner's name: it tells no zone
     * cut */
    bool cut_is_hidden;
    /** SPF and MX were seen not to fit: a proof should ask TXT too */
    bool spf_suspect;
    uint8_t spf_fault; /* enum mxclash_spf, as last told */
    /** when SPF was found to be no cause for a doubt, and for how long; 0: never */
    mxclash_time spf_rested_at, spf_rest_ms;
    /** of the last MX set: it lacks hosts that the provider documents; a last dot lacks */
    bool mx_lacks, mx_doubled;
    struct conflict conflicts[MXCLASH_KINDS];
    /** that gave the deciding answer */
    struct mxclash_address authority;
    uint8_t *cname_target;
    struct mx_set *mx_set;
    /** NULL: none */
    struct spf_walk *spf_walk;
    uint8_t owner[];
};

#endif
