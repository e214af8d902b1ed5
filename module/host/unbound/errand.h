/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Questions that the detector wants asked: see errand.c. */
#ifndef MXCLASH_HOST_UNBOUND_ERRAND_H
#define MXCLASH_HOST_UNBOUND_ERRAND_H

#include "adapter.h"

/** If a proof or a lookup may be made now, ask its questions as queries of their own. The query at
 * hand is not held up: it only lends its environment. */
void errands_start(struct module_qstate *qstate, int id);

/** There is an errand, and the query is done, or, with thrown_away, is dropped before it was: tell
 * whoever asked for it. */
void errands_finish(struct module_qstate *qstate, int id, bool thrown_away);

#endif
