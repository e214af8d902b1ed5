/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * mxclash for hosts that have the detector in their own process and cannot ask an authority: a
 * thread that makes its proofs and lookups, and one detector for all of a process. ABI version 1.
 *
 * This is libmxclash-prover.so, a library beside libmxclash.so. The detector needs no more than the
 * C library and the Public Suffix List; this one has a thread and sockets, and needs libevent and
 * libldns. A host that asks by itself has no use for it. docs/embedding.md shows both.
 *
 * What it does to the host's process: one thread, named mxclash-prover, with all signals blocked;
 * no handler, no fork, no exit, nothing printed. It sleeps until there is something to prove. It
 * opens at most 64 sockets at a time, and four descriptors of its own, all closed on exec. Once
 * loaded it stays loaded until the process ends, dlclose() or not: so that no thread of it is left
 * without its code.
 *
 * Time: the thread reads the machine's clock (CLOCK_REALTIME, milliseconds since the epoch) and
 * tells the detector that. So a host that lets this library prove passes the same as `now`.
 *
 * Names, ownership and growth are as mxclash.h has them. Within one version of this ABI, too,
 * functions are only added and structs only grow at their end.
 *
 * Threads: each function may be called from any thread, but for mxclash_prover_free(), which is the
 * last call with its prover. A process that has forked has the prover in the parent alone.
 */
#ifndef MXCLASH_PROVER_H
#define MXCLASH_PROVER_H

#include <mxclash.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MXCLASH_PROVER_ABI 1

/** Whom a prover asks. mxclash_prover_options_init() fills in what is named here as default.
 * struct_size: all of this. */
struct mxclash_prover_options {
    uint32_t struct_size;
    /** packets a second, to authorities and resolvers together, 1 to 100000, default 10: as
     * probe_rate of the detector */
    uint32_t rate;
    /**
     * Who names an authority's servers: `ADDRESS` or `ADDRESS@PORT`, 8 at most. None: those that
     * the machine uses, but for this machine itself, and where there are none the root servers.
     * Not the resolver that the host is: its cache would answer.
     */
    const char *const *resolvers;
    uint64_t resolver_count;
    /** Nets that are never asked, `ADDRESS/BITS` or `ADDRESS`, beside loopback, link-local,
     * multicast and unspecified addresses, which a stranger might name as well. */
    const char *const *do_not_ask;
    uint64_t do_not_ask_count;
    /** Nets of those latter that may be asked after all. */
    const char *const *may_ask;
    uint64_t may_ask_count;
};

struct mxclash_prover;

/** Of the library: MXCLASH_PROVER_ABI of the header that it was built with. */
MXCLASH_PUBLIC uint32_t mxclash_prover_abi(void);

/** Set every option to its default, and struct_size. */
MXCLASH_PUBLIC void mxclash_prover_options_init(struct mxclash_prover_options *options,
                                                uint32_t struct_size);

/**
 * Start a thread that makes the proofs and lookups of an engine, and ticks it. Nobody else may call
 * mxclash_proof_next(), mxclash_lookup_next() or mxclash_tick() of that engine then.
 *
 * \param engine  made with probe 1, and with lookup 1 where impacts are wanted; borrowed until
 *     mxclash_prover_free()
 * \param options  borrowed for the call; NULL: the defaults
 * \param[out] prover  written only on mxclash_ok
 * \param[out] error  as of mxclash_engine_new()
 * \retval mxclash_invalid    an option is outside its range, or an address or net is none
 * \retval mxclash_no_memory  nor a thread or a descriptor; nothing is left behind
 */
MXCLASH_PUBLIC enum mxclash_status mxclash_prover_new(struct mxclash_engine *engine,
                                                      const struct mxclash_prover_options *options,
                                                      struct mxclash_prover **prover, char *error,
                                                      size_t error_size);

/** The engine has been given something: wake the thread if there is anything to prove. To be called
 * after mxclash_inspect() and its like. Two loads as a rule, never waits. NULL is allowed. */
MXCLASH_PUBLIC void mxclash_prover_go(struct mxclash_prover *prover);

/** End the thread and drop what is under way; NULL is allowed. Waits for the thread, which never
 * blocks: some milliseconds. The engine is the caller's still, but proofs that were dropped count
 * as under way for a while: free it, or go on with another prover. */
MXCLASH_PUBLIC void mxclash_prover_free(struct mxclash_prover *prover);

/**
 * A detector that all threads of a process have in common, where the host gives each a world of its
 * own, as PowerDNS Recursor a Lua state: who asks for the same name gets the same one.
 */
struct mxclash_shared;

/**
 * Get the process's detector of a name: the first who asks makes it, the others share it, whatever
 * options they bring. So put into the name all that is to differ: a host that reads its settings
 * anew then gets a new one where they have changed, and what it had where they have not.
 *
 * \param name  text, copied
 * \param options  borrowed for the call; a seed of 0 is replaced by one from the system's random
 *     source. on_event and on_held may be NULL: the events are to be taken with
 *     mxclash_event_next(). Where probe is 0, there is no prover, and no thread.
 * \param prover_options  borrowed for the call; NULL: the defaults
 * \param[out] shared  to be given back with mxclash_shared_release(); written only on mxclash_ok
 * \param[out] error  as of mxclash_engine_new()
 * \retval mxclash_invalid, mxclash_no_memory  as of mxclash_engine_new() and mxclash_prover_new()
 */
MXCLASH_PUBLIC enum mxclash_status
mxclash_shared_get(const char *name, const struct mxclash_options *options,
                   const struct mxclash_prover_options *prover_options,
                   struct mxclash_shared **shared, char *error, size_t error_size);

/** Give it back; NULL is allowed. The last who does ends the prover and frees the engine. */
MXCLASH_PUBLIC void mxclash_shared_release(struct mxclash_shared *shared);

/** \return the engine, as long as shared is held */
MXCLASH_PUBLIC struct mxclash_engine *mxclash_shared_engine(const struct mxclash_shared *shared);

/** As mxclash_prover_go(). */
MXCLASH_PUBLIC void mxclash_shared_go(struct mxclash_shared *shared);

/**
 * As mxclash_get_stat(), but value is what a counter has grown since anyone last took it by this
 * function: whoever adds that to a counter of the host's own has each step in it once. A gauge is
 * as it is.
 */
MXCLASH_PUBLIC bool mxclash_shared_growth(struct mxclash_shared *shared, uint32_t index,
                                          struct mxclash_stat *stat);

#ifdef __cplusplus
}
#endif

#endif
