/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Unbound's headers. They are included here, and by the files of this folder that need one more,
 * and nowhere else in the project.
 */
#ifndef MXCLASH_HOST_UNBOUND_HOST_H
#define MXCLASH_HOST_UNBOUND_HOST_H

/* config.h of Unbound must come first: it sets what the system's headers show */
#include "config.h"

#include "dynlibmod/dynlibmod.h"
#include "iterator/iter_delegpt.h"
#include "iterator/iterator.h"
#include "services/cache/dns.h"
#include "services/cache/rrset.h"
#include "services/mesh.h"
#include "sldns/pkthdr.h"
#include "sldns/sbuffer.h"
#include "util/data/dname.h"
#include "util/log.h"
#include "util/module.h"
#include "util/net_help.h"
#include "util/netevent.h"
#include "util/regional.h"

#include "host_build.h"

#include <stdbool.h>

#endif
