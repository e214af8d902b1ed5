/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What a reply of Unbound's shows of the name that was asked. */
#ifndef MXCLASH_HOST_UNBOUND_REPLY_H
#define MXCLASH_HOST_UNBOUND_REPLY_H

#include "host.h"
#include "mxclash.h"

/** What a reply to an MX question shows. \param rep  may be NULL */
enum mxclash_reply reply_kind(const struct query_info *qinfo, const struct reply_info *rep);

/** Does a reply show a CNAME at the name that was asked, and no MX of it? */
bool reply_hides_mx(const struct query_info *qinfo, const struct reply_info *rep);

/** Does a reply show a CNAME at the name that was asked, alone or beside its MX? */
bool reply_shows_alias(const struct query_info *qinfo, const struct reply_info *rep);

#endif
