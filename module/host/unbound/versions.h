/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Functions of Unbound whose arguments differ from version to version. Which ones the headers at
 * hand have is seen from the type of the function itself; one of a third kind does not compile.
 */
#ifndef MXCLASH_HOST_UNBOUND_VERSIONS_H
#define MXCLASH_HOST_UNBOUND_VERSIONS_H

#include "host.h"

struct respip_client_info;

typedef int (*add_sub_1_17)(struct module_qstate *, struct query_info *, uint16_t, int, int,
                            struct module_qstate **, struct mesh_state **);
/** Since 1.25 with the client whose address decides on the answer. */
typedef int (*add_sub_1_25)(struct module_qstate *, struct query_info *,
                            struct respip_client_info *, uint16_t, int, int,
                            struct module_qstate **, struct mesh_state **);

static inline int call_add_sub_1_17(add_sub_1_17 add_sub, struct module_qstate *qstate,
                                    struct query_info *qinfo, uint16_t flags, int valrec,
                                    struct module_qstate **query, struct mesh_state **state)
{
    return add_sub(qstate, qinfo, flags, 0, valrec, query, state);
}

static inline int call_add_sub_1_25(add_sub_1_25 add_sub, struct module_qstate *qstate,
                                    struct query_info *qinfo, uint16_t flags, int valrec,
                                    struct module_qstate **query, struct mesh_state **state)
{
    return add_sub(qstate, qinfo, NULL, flags, 0, valrec, query, state);
}

/** A detached query of no client's, see add_sub in Unbound's util/module.h. */
#define host_add_sub(qstate, qinfo, flags, valrec, query, state)                                   \
    _Generic((qstate)->env->add_sub, add_sub_1_17                                                  \
             : call_add_sub_1_17, add_sub_1_25                                                     \
             : call_add_sub_1_25)((qstate)->env->add_sub, (qstate), (qinfo), (flags), (valrec),    \
                                  (query), (state))

#endif
