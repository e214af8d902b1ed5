/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The names of stub-zones: see stubs.c. */
#ifndef MXCLASH_HOST_UNBOUND_STUBS_H
#define MXCLASH_HOST_UNBOUND_STUBS_H

#include "host.h"
#include "mxclash.h"

/** One name; struct stubs has them sorted. */
struct stub_name {
    uint8_t name[MXCLASH_NAME_MAX];
};
struct stubs {
    struct stub_name *names;
    size_t count;
};

/** Read the names of the stub-zones. \return false if there is no memory */
bool stubs_init(struct stubs *stubs, const struct config_file *cfg);
void stubs_deinit(struct stubs *stubs);

/** Did the operator give the servers that were asked their zone's name, by a stub-zone? */
bool stubs_hold(const struct stubs *stubs, const struct delegpt *dp);

#endif
