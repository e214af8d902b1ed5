/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What hangs with a query of Unbound's, where Unbound leaves a module one pointer: the errands for
 * which it was made, or the mark of a client's query that is being repaired. And what it has sent,
 * and who waits for it.
 */
#ifndef MXCLASH_HOST_UNBOUND_NOTE_H
#define MXCLASH_HOST_UNBOUND_NOTE_H

#include "adapter.h"

/** What is kept with a query that is being repaired. */
struct repair_mark {
    /** the authority failed: the query is done as without us, and its answer kept so long */
    bool gave_up;
    time_t keep_s;
    mxclash_time began;
    /** it goes past the cache */
    bool past_cache;
    /** the answer at hand was changed and may not be stored */
    bool store_off;
    /** as the query had them: other modules and the operator set them too */
    int no_cache_lookup;
    int no_cache_store;
};

/** What a query of ours, or a client's that is being repaired, has sent so far. */
struct outlay {
    mxclash_time since; /* when it was asked, or when it last heard what became of a packet */
    unsigned packets;
    unsigned timeouts;
};

enum errand_kind { errand_proof, errand_lookup, errand_repair };

/** An errand, or the mark of a repair. A query has a list of errands, or one mark. */
struct errand {
    struct errand *next;
    enum errand_kind kind;
    struct outlay outlay; /* of the query, in the first of its list */
    union {
        struct mxclash_proof proof;
        struct mxclash_lookup lookup;
        struct repair_mark repair;
    };
};

/** The proof that a query asks a question of, NULL if the query is somebody else's. */
const struct mxclash_proof *proof_of(const struct module_qstate *qstate, int id);

/** Is a query an errand? */
bool is_errand(const struct module_qstate *qstate, int id);

/** Does anyone wait for what a query comes to: clients, or other queries? */
bool somebody_waits(const struct module_qstate *qstate);

/** \return the outlay of a query that is an errand, or has a repair's mark */
struct outlay *errand_outlay(const struct module_qstate *qstate, int id);

/** Such a query was answered, or not, and has sent so many packets for it: note them, and charge
 * what has not been paid. \param packets  at least 1 */
void errand_charge(struct module_qstate *qstate, int id, unsigned packets, mxclash_time now);

/** Mark a client's query. \return NULL if there is no memory */
struct repair_mark *errand_mark_repair(struct module_qstate *qstate, int id);

/** \return the mark of a query, NULL if it has none */
struct repair_mark *errand_repair_mark(const struct module_qstate *qstate, int id);

#endif
