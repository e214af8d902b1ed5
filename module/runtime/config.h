/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The configuration file: Unbound's syntax, `key: value`, quotes optional, # starts a comment.
 */
#ifndef MXCLASH_RUNTIME_CONFIG_H
#define MXCLASH_RUNTIME_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/config_text.h"

/** Where mxclashd looks for mxclash.conf; the packager may choose another folder. */
#ifndef MXCLASHD_CONFIG_FOLDER
#define MXCLASHD_CONFIG_FOLDER "/etc/mxclash"
#endif

/** Every key of the file, checked. Strings and arrays are owned by the struct. */
struct config {
    /** JSON lines file; "" = none */
    char *log_file;
    bool log_syslog;
    bool log_host;
    /** seconds between two tallies, 0 to 86400; 0 = none */
    unsigned tally_interval_s;
    /** absolute; "" = none */
    char *state_file;
    /** the book of `mxclash serve`; "" = none */
    char *database;
    /** days, 1 to 36500 */
    unsigned retention_days;
    /** addresses `address@port` (port 1 to 65535, IPv4 or IPv6 literal, each in its shortest form)
     * or absolute socket paths; no two are the same */
    char **http_listen;
    size_t http_listen_count;
    /** the same, of `mxclash serve` */
    char **page_listen;
    size_t page_listen_count;
    /** the same, of mxclashd; addresses are loopback's */
    char **dnstap_listen;
    size_t dnstap_listen_count;
    /** names by which the page may be asked for, text names */
    char **page_host;
    size_t page_host_count;
    /** the group of its unix sockets; "" = the process's own */
    char *page_group;
    /** octets, 262144 to 2^36 */
    size_t table_size;
    bool probe;
    /** queries a second, 1 to 100000 */
    unsigned probe_rate;
    /** seconds, 0 to 60 */
    unsigned confirm_after_s;
    /** seconds, 1 to 604800 */
    unsigned recheck_interval_s;
    /** seconds, 60 to 31536000 */
    unsigned expire_after_s;
    bool annotate;
    bool repair;
    /** domains on /metrics/domains, 0 to 10000 */
    unsigned top_domains;
    /** for hosts and commands that ask authorities themselves, each as ask_address_parse() and
     * ask_net_parse() take it */
    char **resolver;
    size_t resolver_count;
    char **do_not_ask;
    size_t do_not_ask_count;
    char **may_ask;
    size_t may_ask_count;
    /** text names, from ignore-domain and from the lines of every ignore-file */
    char **ignore;
    size_t ignore_count;
    /** "" = the built-in table */
    char *provider_file;
    /** what stood in it when the configuration was read, a good table; NULL = the built-in one */
    char *provider_text;
    /** octets, at most PROVIDERS_TEXT_MAX */
    size_t provider_text_len;
};

/** Fill in the defaults of docs/configuration.md. \return false if there is no memory. */
bool config_defaults(struct config *config);

/**
 * Read and check a file over the defaults.
 *
 * \param path  of the file, which must be readable
 * \param[out] config  valid and to be freed only on true
 * \param[out] error  on false, `FILE:LINE: what is wrong and what would be right`; for faults that
 *     have no line (the file cannot be opened) `FILE: reason`
 */
bool config_load(const char *path, struct config *config, char error[CONFIG_ERROR_MAX]);

/**
 * Where the file is: the environment variable MXCLASH_CONF, else mxclash.conf in folder; and
 * whether it holds, or the defaults.
 *
 * \param folder  Unbound's configuration folder
 * \param[out] path  room for path_size octets
 * \param[out] holds  true if the environment names it, or if there is anything by that name or it
 *     cannot be told: so that a file which cannot be read is a fault, never passed over
 * \return false if the path does not fit
 */
bool config_locate(const char *folder, char *path, size_t path_size, bool *holds);

/** Free what config_defaults() or config_load() made. */
void config_free(struct config *config);

#endif
