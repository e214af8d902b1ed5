/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the parts of `mxclash doctor` share: what they look at, and how they say what they find.
 *
 * doctor.c asks doctor_host.c what runs, an Unbound with the module or mxclashd, and then
 * doctor_module.c, doctor_outputs.c and doctor_machine.c what is the matter with it. Each says one
 * or more findings (doctor_findings.c).
 */
#ifndef MXCLASH_CLI_DOCTOR_H
#define MXCLASH_CLI_DOCTOR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "runtime/config.h"

/** More findings than can be made. */
#define DOCTOR_FINDINGS_MAX 64

enum doctor_level {
    doctor_ok,
    /** it works, but not as somebody may believe, or it could not be told */
    doctor_warn,
    doctor_bad,
};

struct doctor_finding {
    enum doctor_level level;
    /** static string */
    const char *check;
    /** owned */
    char *text;
    /** what to do, owned; NULL if nothing */
    char *cure;
};

struct doctor_findings {
    struct doctor_finding finding[DOCTOR_FINDINGS_MAX];
    size_t count;
};

/** What has the detector on this machine. */
enum doctor_kind {
    doctor_unbound,
    /** mxclashd, beside a resolver that loads nothing of ours */
    doctor_sidecar,
};

/** The server that is looked at, and how it is configured. */
struct doctor_host {
    enum doctor_kind kind;
    /** 0 = none runs */
    pid_t pid;
    /** how many servers run that may be meant, this one among them */
    size_t running;
    /** its user; not valid if none runs */
    uid_t uid;
    gid_t gid;
    /** whether its memory map and environment could be read */
    bool open;
    /** its program; "" = not found */
    char program[PATH_MAX];
    /** the program's file is another one now than what runs */
    bool program_replaced;
    /** its root folder; "" = the machine's own */
    char root[PATH_MAX];
    /** unbound.conf; "" = mxclashd, which has none */
    char conf[PATH_MAX];
    /** mxclash.so in its memory, as we must open it; "" = it has none */
    char module[PATH_MAX];
    /** the module's file is another one now than what runs */
    bool module_replaced;
    /** mxclash.conf where the server was told of it, and as it sees it: mxclashd by --config, both
     * by MXCLASH_CONF of their environment, or of ours if none runs; "" = not told */
    char told_conf[PATH_MAX];
};

/** As people call the server. */
const char *doctor_name(const struct doctor_host *host);

/** The folder in which such a server looks for mxclash.conf if it is not told of another. */
const char *doctor_config_folder(const struct doctor_host *host);

/** Say what was found. \param cure  NULL = nothing is to be done; copied */
void doctor_say(struct doctor_findings *findings, enum doctor_level level, const char *check,
                const char *cure, const char *format, ...) __attribute__((format(printf, 5, 6)));

/** The worst level among the findings. */
enum doctor_level doctor_worst(const struct doctor_findings *findings);

/** Print the findings on stdout, for people or as one JSON object. */
void doctor_print(const struct doctor_findings *findings, bool json);

void doctor_findings_free(struct doctor_findings *findings);

/**
 * Find the server.
 * \param pid   of the one that is meant; 0 = any: one that has the module, else mxclashd, else an
 *              Unbound
 * \param conf  unbound.conf; NULL = the one that the server's command line names, else the default
 * \return false if pid is neither an Unbound nor an mxclashd
 */
bool doctor_find_host(struct doctor_host *host, pid_t pid, const char *conf);

/** A path as the server sees it, as we must open it: below its root. */
void doctor_inside(const struct doctor_host *host, const char *path, char inside[PATH_MAX]);

/** Is something of ours running there, so that it can be asked? */
bool doctor_runs(const struct doctor_host *host);

/** Run a program without a shell, at most 20 s. \return what it wrote to stdout, to be freed, if it
 * ended with status 0; else NULL */
char *doctor_run(const char *const argv[]);

/** What doctor_try() returns if it cannot be told; no errno is so large. */
#define DOCTOR_NO_ANSWER 255

/**
 * May the server's user read a file, or with append: append to it or make it?
 * \param path  as the server sees it
 * \return 0 = yes, else errno
 */
int doctor_try(const struct doctor_host *host, const char *path, bool append);

/** Is it loaded, in the right order, made for this server, and the one that lies on the disk? */
void doctor_module(struct doctor_findings *findings, const struct doctor_host *host);

/** Do the files, the log daemon and HTTP take what is written to them? */
void doctor_outputs(struct doctor_findings *findings, const struct doctor_host *host,
                    const struct config *config);

/** Does HTTP answer, and what do the counters say? A part of doctor_outputs(). */
void doctor_http(struct doctor_findings *findings, const struct doctor_host *host,
                 const struct config *config);

/** Does a resolver send? A part of doctor_http(), for mxclashd. \param page  its counters */
void doctor_senders(struct doctor_findings *findings, const struct config *config,
                    const char *page);

/** The value of a series of the page, written as there; -1 if it is not there. */
double doctor_value(const char *page, const char *series);

/** Is AppArmor in the way? \param process  "/proc/PID" \param profiles  "/etc/apparmor.d" */
void doctor_apparmor(struct doctor_findings *findings, enum doctor_kind kind, const char *process,
                     const char *profiles);

/** Is the clock right? \param known  files that were written in the past, NULL at the end */
void doctor_clock(struct doctor_findings *findings, const char *const known[]);

#endif
