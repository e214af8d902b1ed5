/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * `mxclash doctor`: looks at the machine and says what keeps mxclash from working in its Unbound,
 * or in mxclashd beside a resolver.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/doctor.h"

struct options {
    bool json;
    pid_t pid;
    const char *conf;
};

static bool read_pid(const char *text, pid_t *pid)
{
    char *end;
    errno = 0;
    const long value = strtol(text, &end, 10);
    *pid = (pid_t)value;
    return errno == 0 && end != text && *end == '\0' && value > 0 && value <= INT_MAX;
}

/** \return false after cli_bad_use() */
static bool read_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        const bool valued = strcmp(argv[i], "--pid") == 0 || strcmp(argv[i], "--conf") == 0;
        if (strcmp(argv[i], "--json") == 0) {
            options->json = true;
            continue;
        }
        if (!valued) {
            cli_bad_use(argv[0], "no option %s", argv[i]);
            return false;
        }
        const char *option = argv[i];
        const char *value = argv[++i];
        if (value == NULL) {
            cli_bad_use(argv[0], "nothing behind %s", option);
            return false;
        }
        if (strcmp(option, "--conf") == 0) {
            options->conf = value;
        } else if (!read_pid(value, &options->pid)) {
            cli_bad_use(argv[0], "%s is no process id", value);
            return false;
        }
    }
    return true;
}

/** What this command is told by the environment says nothing about a server that runs. */
static bool locate(const struct doctor_host *host, struct cli_config *loaded, char path[PATH_MAX])
{
    unsetenv("MXCLASH_CONF");
    if (!config_locate(doctor_config_folder(host), path, PATH_MAX, &loaded->there)) {
        return false;
    }
    const bool named = host->told_conf[0] != '\0';
    if (named) {
        snprintf(path, PATH_MAX, "%s", host->told_conf);
    }
    doctor_inside(host, path, loaded->located);
    loaded->there = named || access(loaded->located, F_OK) == 0 || errno != ENOENT;
    return true;
}

static void say_host(struct doctor_findings *findings, const struct doctor_host *host,
                     const struct cli_config *loaded)
{
    static const char *const cures[] = {
        "start it; if it does not start, its log says why",
        "start it: systemctl start mxclashd.socket mxclashd.service; if it does not start, "
        "journalctl -u mxclashd says why",
    };
    const char *name = doctor_name(host);
    if (host->pid == 0) {
        doctor_say(findings, doctor_bad, "server", cures[host->kind], "no %s runs", name);
    } else if (host->kind == doctor_sidecar) {
        doctor_say(findings, doctor_ok, "server", NULL,
                   "process %d of user %u is mxclashd, with %s", (int)host->pid,
                   (unsigned)host->uid, loaded->located);
    } else {
        doctor_say(findings, doctor_ok, "server", NULL, "process %d of user %u, with %s",
                   (int)host->pid, (unsigned)host->uid, host->conf);
    }
    if (host->program_replaced) {
        char cure[64];
        snprintf(cure, sizeof(cure), "restart %s", name);
        doctor_say(findings, doctor_warn, "server", cure,
                   "process %d runs a server whose file is another one by now", (int)host->pid);
    }
    if (host->running > 1) {
        doctor_say(findings, doctor_warn, "server", "say --pid for another one",
                   "%zu of them run, this is about process %d", host->running, (int)host->pid);
    }
    if (host->root[0] != '\0') {
        doctor_say(findings, doctor_warn, "chroot", NULL,
                   "all paths of mxclash are seen from inside %s", host->root);
    }
}

/** \return whether there is one to go on with; to be freed then */
static bool read_configuration(struct doctor_findings *findings, const struct doctor_host *host,
                               const char *path, struct cli_config *loaded)
{
    static const char check[] = "configuration";
    static const char *const faulty[] = {
        "correct it before the next start or reload, which would end Unbound",
        "correct it: a reload keeps the old one, and with this one mxclashd does not start",
    };
    static const char *const unreadable[] = {
        "let Unbound's user read it before the next reload, which would end Unbound",
        "let mxclashd's user read it: it will not start again, and a reload keeps the old one",
    };
    char error[CONFIG_ERROR_MAX] = "no memory";
    if (!loaded->there) {
        doctor_say(findings, doctor_ok, check, NULL, "%s is not there, so the defaults hold",
                   loaded->located);
        return config_defaults(&loaded->config);
    }
    if (!config_load(loaded->located, &loaded->config, error)) {
        doctor_say(findings, doctor_bad, check, faulty[host->kind], "%s", error);
        return false;
    }
    const int why = host->pid != 0 ? doctor_try(host, path, false) : 0;
    if (why == 0 || why == DOCTOR_NO_ANSWER) {
        doctor_say(findings, doctor_ok, check, NULL, "%s", loaded->located);
    } else {
        doctor_say(findings, doctor_bad, check, unreadable[host->kind],
                   "user %u cannot read %s: %s", (unsigned)host->uid, loaded->located,
                   strerror(why));
    }
    return true;
}

static void examine(struct doctor_findings *findings, const struct doctor_host *host,
                    struct cli_config *loaded)
{
    static char path[PATH_MAX];
    char process[64];
    const bool located = locate(host, loaded, path);
    say_host(findings, host, loaded);
    if (host->kind == doctor_unbound) {
        doctor_module(findings, host);
    }
    if (!located) {
        doctor_say(findings, doctor_bad, "configuration", "shorten it",
                   "the path of mxclash.conf is long");
    } else if (read_configuration(findings, host, path, loaded)) {
        doctor_outputs(findings, host, &loaded->config);
        config_free(&loaded->config);
    }
    if (host->pid != 0) {
        snprintf(process, sizeof(process), "/proc/%d", (int)host->pid);
        doctor_apparmor(findings, host->kind, process, "/etc/apparmor.d");
    }
    const char *const known[] = {host->program, host->module, host->conf, loaded->located, NULL};
    doctor_clock(findings, known);
}

enum cli_exit cli_doctor(int argc, char **argv)
{
    static struct doctor_findings findings;
    static struct doctor_host host;
    static struct cli_config loaded;
    struct options options = {0};
    if (!read_options(argc, argv, &options)) {
        return cli_trouble;
    }
    if (!doctor_find_host(&host, options.pid, options.conf)) {
        fprintf(stderr, "mxclash doctor: process %d is no Unbound and no mxclashd\n",
                (int)options.pid);
        return cli_trouble;
    }
    examine(&findings, &host, &loaded);
    doctor_print(&findings, options.json);
    const enum cli_exit status = doctor_worst(&findings) == doctor_bad ? cli_bad : cli_good;
    doctor_findings_free(&findings);
    return status;
}
