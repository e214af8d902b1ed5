/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Repair of answers, see repair.c. But for repair_forget_hidden() these are called only if answers
 * are repaired.
 */
#ifndef MXCLASH_HOST_UNBOUND_REPAIR_H
#define MXCLASH_HOST_UNBOUND_REPAIR_H

#include "adapter.h"
#include "note.h"

/** A query begins: if it asks a hidden MX, send it past the cache. */
void repair_begin(struct module_qstate *qstate, int id);

/** An answer came to a client's query: if it is an MX answer out of which Unbound took the MX of a
 * confirmed conflict, put the MX there. */
void repair_answer(struct module_qstate *qstate, int id, const struct iter_qstate *iq,
                   struct dns_msg *response);

/** The iterator goes on to another name than a repair's own: it may use the cache for that. */
void repair_use_cache(struct module_qstate *qstate, struct repair_mark *mark);

/** A query is done: see to it that it shows the MX. \return true if it goes on, ext_state is set */
bool repair_end(struct module_qstate *qstate, int id);

/** A proof may just have confirmed a conflict: a cached message that hides the MX must go. */
void repair_forget_hidden(struct module_env *env, const struct adapter *adapter, uint8_t *owner,
                          size_t owner_len);

#endif
