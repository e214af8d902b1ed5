/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Whether the module is loaded, where, and whether it is the right one: see doctor.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor.h"

/** Larger than any module is; then it is not looked into. */
#define MODULE_SIZE_MAX (64u << 20)

static char *read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return NULL;
    }
    char *octets = NULL;
    if (fseek(file, 0, SEEK_END) == 0 && ftell(file) > 0 && ftell(file) < (long)MODULE_SIZE_MAX) {
        *size = (size_t)ftell(file);
        rewind(file);
        octets = malloc(*size);
        if (octets != NULL && fread(octets, 1, *size, file) != *size) {
            free(octets);
            octets = NULL;
        }
    }
    fclose(file);
    return octets;
}

/** Is the text in the octets, whole, with the NUL at its end? */
static bool has_text(const char *octets, size_t size, const char *text)
{
    return memmem(octets, size, text, strlen(text) + 1) != NULL;
}

/** What `unbound -V` says behind a word, to the end of the line, cut off in place; NULL if nothing.
 */
static char *said_behind(char *said, const char *word)
{
    char *text = strstr(said, word);
    if (text != NULL) {
        text += strlen(word);
        text[strcspn(text, "\n")] = '\0';
    }
    return text;
}

/** What the server says of itself; each NULL if it does not. */
struct build {
    /** to be freed; the others are in it */
    char *said;
    const char *version, *configured, *modules;
};

static struct build ask_build(const struct doctor_host *host)
{
    const char *const ask[] = {host->program, "-V", NULL};
    struct build build = {.said = host->program[0] != '\0' ? doctor_run(ask) : NULL};
    if (build.said != NULL) {
        /* from the last line to the first: each cut ends the text for the search before it */
        build.modules = said_behind(build.said, "Linked modules: ");
        build.configured = said_behind(build.said, "Configure line: ");
        build.version = said_behind(build.said, "Version ");
    }
    return build;
}

/** \param module  as we must open it. It looks for the same two texts in the server, and for more:
 * module/host/unbound. */
static void check_build(struct doctor_findings *findings, const struct doctor_host *host,
                        const struct build *build, const char *module)
{
    static const char check[] = "build";
    size_t size;
    char *octets = read_whole(module, &size);
    if (octets == NULL) {
        doctor_say(findings, doctor_bad, check,
                   "install it (unbound-mxclash, or make install), or correct dynlib-file",
                   "the module %s cannot be read", module);
        return;
    }
    char package[128] = "";
    if (build->version != NULL) {
        snprintf(package, sizeof(package), "unbound %s", build->version);
    }
    if (build->version == NULL || build->configured == NULL) {
        doctor_say(findings, doctor_warn, check,
                   "start it with -V, as root: it must be the build that the module was made for",
                   "the server %s does not say which build it is", host->program);
    } else if (!has_text(octets, size, package) || !has_text(octets, size, build->configured)) {
        doctor_say(findings, doctor_bad, check,
                   "install the Unbound and the module that were built together",
                   "%s was made for another build than %s, which is Unbound %s (its %s differs)",
                   module, host->program, build->version,
                   has_text(octets, size, package) ? "configure line" : "version");
    } else {
        doctor_say(findings, doctor_ok, check, NULL, "%s was made for Unbound %s as %s is", module,
                   build->version, host->program);
    }
    free(octets);
}

/** What unbound-checkconf says that an option is, a value a line; to be freed. NULL = nothing. */
static char *option(const struct doctor_host *host, const char *name)
{
    char program[PATH_MAX + sizeof("-checkconf")];
    /* it lies beside the server */
    snprintf(program, sizeof(program), "%s-checkconf",
             host->program[0] != '\0' ? host->program : "unbound");
    const char *const ask[] = {program, "-o", name, host->conf, NULL};
    return doctor_run(ask);
}

/** The first of several lines that has a text, cut off in place; NULL if none has. */
static char *line_with(char *lines, const char *text)
{
    for (char *line = strtok(lines, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (strstr(line, text) != NULL) {
            return line;
        }
    }
    return NULL;
}

/** The place of a word among others; -1 if it is not among them. */
static int place_of(const char *list, const char *word)
{
    const size_t len = strlen(word);
    for (int place = 0; *(list += strspn(list, " \t")) != '\0'; place++) {
        const size_t here = strcspn(list, " \t");
        if (here == len && strncmp(list, word, len) == 0) {
            return place;
        }
        list += here;
    }
    return -1;
}

/** What is to be done where the chain has no dynlib. */
static void say_no_dynlib(struct doctor_findings *findings, const struct doctor_host *host,
                          const char *chain)
{
    static const char first[] = "dns64 ";
    const bool dns64 = strncmp(chain, first, sizeof(first) - 1) == 0;
    char cure[512];
    snprintf(cure, sizeof(cure),
             "write module-config: \"%sdynlib %s\", and name the module with dynlib-file",
             dns64 ? first : "", dns64 ? chain + sizeof(first) - 1 : chain);
    doctor_say(findings, doctor_bad, "module-config", cure,
               "\"%s\" of %s has no dynlib, so nothing of ours is loaded", chain, host->conf);
}

/** \return whether the module is loaded from here */
static bool check_order(struct doctor_findings *findings, const struct doctor_host *host,
                        const struct build *build, const char *chain)
{
    static const char check[] = "module-config";
    const int own = place_of(chain, "dynlib");
    const int iterator = place_of(chain, "iterator");
    /* Debian's own was built without it; one that does not say is taken to have it */
    if (build->modules != NULL && place_of(build->modules, "dynlib") < 0) {
        doctor_say(findings, doctor_bad, check,
                   "install the Unbound that comes with unbound-mxclash, or build one with "
                   "--with-dynlibmodule; or leave it as it is, and have mxclashd beside it",
                   "%s was built without dynlib: it can load no module", host->program);
        return false;
    }
    if (own < 0) {
        say_no_dynlib(findings, host, chain);
        return false;
    }
    if (iterator < own) {
        doctor_say(findings, doctor_bad, check, "put dynlib in front of iterator",
                   "\"%s\": the module would meet no answer, and Unbound does not start", chain);
    } else if (place_of(chain, "dns64") > own) {
        doctor_say(findings, doctor_bad, check, "put dns64 in front of dynlib",
                   "\"%s\": dns64 would keep answers to proofs, and Unbound does not start", chain);
    } else {
        doctor_say(findings, doctor_ok, check, NULL, "\"%s\"", chain);
    }
    return true;
}

static void check_loaded(struct doctor_findings *findings, const struct doctor_host *host)
{
    static const char check[] = "module";
    if (host->pid == 0) {
        return;
    }
    if (!host->open) {
        doctor_say(findings, doctor_warn, check, "say it as root",
                   "what process %d has loaded cannot be read", (int)host->pid);
    } else if (host->module[0] == '\0') {
        doctor_say(findings, doctor_bad, check,
                   "once module-config is right, restart Unbound; if it does not start, its log "
                   "says why",
                   "process %d has no mxclash.so", (int)host->pid);
    } else if (host->module_replaced) {
        doctor_say(findings, doctor_warn, check, "restart Unbound",
                   "process %d runs a module whose file is another one by now", (int)host->pid);
    } else {
        doctor_say(findings, doctor_ok, check, NULL, "process %d has loaded %s", (int)host->pid,
                   host->module);
    }
}

void doctor_module(struct doctor_findings *findings, const struct doctor_host *host)
{
    check_loaded(findings, host);
    const struct build build = ask_build(host);
    char *chain = option(host, "module-config");
    char *modules = NULL;
    if (chain == NULL) {
        doctor_say(findings, doctor_warn, "module-config",
                   "say unbound-checkconf, and mend what it tells",
                   "unbound-checkconf cannot read %s", host->conf);
    } else {
        chain[strcspn(chain, "\n")] = '\0';
        modules = check_order(findings, host, &build, chain) ? option(host, "dynlib-file") : NULL;
    }
    const char *module = modules != NULL ? line_with(modules, "mxclash") : NULL;
    if (host->module[0] != '\0') {
        check_build(findings, host, &build, host->module);
    } else if (module != NULL) {
        char path[PATH_MAX];
        doctor_inside(host, module, path);
        check_build(findings, host, &build, path);
    } else if (modules != NULL) {
        doctor_say(findings, doctor_bad, "dynlib-file", "name mxclash.so there",
                   "%s loads no mxclash.so", host->conf);
    }
    free(modules);
    free(chain);
    free(build.said);
}
