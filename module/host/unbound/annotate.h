/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Extended DNS Errors: see annotate.c. */
#ifndef MXCLASH_HOST_UNBOUND_ANNOTATE_H
#define MXCLASH_HOST_UNBOUND_ANNOTATE_H

#include "host.h"
#include "mxclash.h"

/**
 * Add an Extended DNS Error to a reply, if its client speaks EDNS and it surely fits.
 * \param[in,out] list  options of this reply; what is added comes from region
 * \return true if it was added
 */
bool annotate(const struct query_info *qinfo, const struct reply_info *rep,
              const struct edns_data *edns, const struct comm_reply *repinfo,
              enum mxclash_kind kind, struct regional *region, struct edns_option **list);

#endif
