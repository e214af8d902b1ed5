/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Which server runs, and how it was started: see doctor.h. Reads /proc. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/doctor.h"

/** More than a command line, an environment or a status needs. */
#define FILE_SIZE (256u << 10)
/** A server with many libraries and threads has more mappings than that. */
#define MAPS_SIZE (4u << 20)

/** A file of /proc/PID, with a NUL behind it. \return its octets, 0 if it cannot be read */
static size_t read_file(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "re");
    const size_t len = file != NULL ? fread(text, 1, size - 1, file) : 0;
    if (file != NULL) {
        fclose(file);
    }
    text[len] = '\0';
    return len;
}

/** Where a link of /proc/PID leads; "" if it cannot be read. \return whether it is deleted */
static bool read_link(pid_t pid, const char *name, char target[PATH_MAX])
{
    static const char deleted[] = " (deleted)";
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    const ssize_t len = readlink(path, target, PATH_MAX - 1);
    target[len > 0 ? len : 0] = '\0';
    const size_t end = sizeof(deleted) - 1;
    if (len < (ssize_t)end || strcmp(target + len - end, deleted) != 0) {
        return false;
    }
    target[len - end] = '\0';
    return true;
}

static const char *const names[] = {"Unbound", "mxclashd"};
static const char *const programs[] = {"unbound", "mxclashd"};

const char *doctor_name(const struct doctor_host *host)
{
    return names[host->kind];
}

const char *doctor_config_folder(const struct doctor_host *host)
{
    return host->kind == doctor_sidecar ? MXCLASHD_CONFIG_FOLDER : CONFIG_FOLDER;
}

bool doctor_runs(const struct doctor_host *host)
{
    return host->kind == doctor_sidecar ? host->pid != 0 : host->module[0] != '\0';
}

/** \return false if the process is neither */
static bool is_server(pid_t pid, enum doctor_kind *kind)
{
    char name[32];
    read_file(pid, "comm", name, sizeof(name));
    name[strcspn(name, "\n")] = '\0';
    *kind = strcmp(name, programs[doctor_sidecar]) == 0 ? doctor_sidecar : doctor_unbound;
    return strcmp(name, programs[*kind]) == 0;
}

/** Find the module among what is mapped. */
static void read_module(struct doctor_host *host, const char *maps)
{
    static const char wanted[] = "/mxclash.so";
    host->module[0] = '\0';
    host->module_replaced = false;
    for (const char *line = maps; *line != '\0';) {
        const size_t len = strcspn(line, "\n");
        const char *path = memchr(line, '/', len);
        const char *end = path != NULL ? strstr(path, wanted) : NULL;
        if (end != NULL && end < line + len) {
            end += sizeof(wanted) - 1;
            snprintf(host->module, PATH_MAX, "%.*s", (int)(end - path), path);
            host->module_replaced = end < line + len; /* " (deleted)" follows */
            return;
        }
        line += len + (line[len] == '\n');
    }
}

static void read_maps(struct doctor_host *host)
{
    char *maps = malloc(MAPS_SIZE);
    host->open = maps != NULL && read_file(host->pid, "maps", maps, MAPS_SIZE) != 0;
    read_module(host, host->open ? maps : "");
    free(maps);
}

/** The second number behind a word of /proc/PID/status: the effective one. 0 if it is not there. */
static unsigned read_effective(const char *status, const char *word)
{
    const char *line = strstr(status, word);
    char *end = NULL;
    if (line != NULL) {
        (void)strtoul(line + strlen(word), &end, 10);
    }
    return end != NULL ? (unsigned)strtoul(end, NULL, 10) : 0;
}

static void read_user(struct doctor_host *host, char *text)
{
    read_file(host->pid, "status", text, FILE_SIZE);
    host->uid = read_effective(text, "\nUid:");
    host->gid = read_effective(text, "\nGid:");
}

/** The next of several texts that a NUL ends; NULL at the end. */
static const char *next_text(const char *text, const char *end)
{
    text += strlen(text) + 1;
    return text < end ? text : NULL;
}

/** A path that its command line names may begin where the server was started. */
static void make_absolute(pid_t pid, const char *path, char absolute[PATH_MAX])
{
    char folder[PATH_MAX] = "";
    if (path[0] != '/') {
        read_link(pid, "cwd", folder);
    }
    snprintf(absolute, PATH_MAX, "%.*s%s%s", PATH_MAX / 2, folder, folder[0] != '\0' ? "/" : "",
             path);
}

/** What is behind an option, in the same word or as the next one; NULL if it is not that option. */
static const char *behind(const char *word, const char *option, const char *end)
{
    const size_t len = strlen(option);
    if (strncmp(word, option, len) != 0) {
        return NULL;
    }
    word += len;
    return *word == '\0' ? next_text(word, end) : word + (*word == '=');
}

/** The file behind -c of its command line, or with mxclashd behind --config. */
static void read_conf(struct doctor_host *host, char *text)
{
    const bool sidecar = host->kind == doctor_sidecar;
    const size_t len = read_file(host->pid, "cmdline", text, FILE_SIZE);
    const char *end = text + len;
    for (const char *word = len != 0 ? next_text(text, end) : NULL; word != NULL;
         word = next_text(word, end)) {
        const char *path = behind(word, "-c", end);
        if (path == NULL && sidecar) {
            path = behind(word, "--config", end);
        }
        if (path != NULL) {
            make_absolute(host->pid, path, sidecar ? host->told_conf : host->conf);
            return;
        }
    }
}

static void read_environment(struct doctor_host *host, char *text)
{
    static const char wanted[] = "MXCLASH_CONF=";
    const size_t len = read_file(host->pid, "environ", text, FILE_SIZE);
    for (const char *word = len != 0 ? text : NULL; word != NULL;
         word = next_text(word, text + len)) {
        if (strncmp(word, wanted, sizeof(wanted) - 1) == 0) {
            snprintf(host->told_conf, PATH_MAX, "%s", word + sizeof(wanted) - 1);
        }
    }
}

static void read_process(struct doctor_host *host)
{
    char *text = malloc(FILE_SIZE);
    if (text == NULL) {
        return;
    }
    read_maps(host);
    read_user(host, text);
    read_environment(host, text);
    read_conf(host, text); /* its command line counts before its environment */
    free(text);
    host->program_replaced = read_link(host->pid, "exe", host->program);
    read_link(host->pid, "root", host->root);
    if (strcmp(host->root, "/") == 0) {
        host->root[0] = '\0';
    }
}

/** Look in a list of folders with colons between. \return whether it was found */
static bool find_in(const char *folders, const char *name, char program[PATH_MAX])
{
    for (; *folders != '\0'; folders += *folders == ':') {
        const size_t len = strcspn(folders, ":");
        snprintf(program, PATH_MAX, "%.*s/%s", (int)len, folders, name);
        if (len != 0 && access(program, X_OK) == 0) {
            return true;
        }
        folders += len;
    }
    program[0] = '\0';
    return false;
}

/** How likely a server is the one that is meant. */
static int rank(const struct doctor_host *host)
{
    return host->module[0] != '\0' ? 2 : host->kind == doctor_sidecar;
}

/** Of all servers: an Unbound that has the module, else mxclashd, else the first that was found. */
static void choose_process(struct doctor_host *host)
{
    DIR *folder = opendir("/proc");
    if (folder == NULL) {
        return;
    }
    struct doctor_host other;
    size_t found[] = {0, 0};
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0])) {
            continue;
        }
        other.pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (!is_server(other.pid, &other.kind)) {
            continue;
        }
        found[other.kind]++;
        read_maps(&other);
        if (host->pid == 0 || rank(&other) > rank(host)) {
            host->pid = other.pid;
            host->kind = other.kind;
            memcpy(host->module, other.module, sizeof(host->module));
        }
    }
    closedir(folder);
    /* beside mxclashd an Unbound that has nothing of ours is what it is for */
    host->running =
        found[doctor_sidecar] + (host->kind == doctor_unbound ? found[doctor_unbound] : 0);
}

/** Nothing of ours runs: is the machine mxclashd's by the configuration that lies there? */
static bool is_for_sidecar(void)
{
    return access(MXCLASHD_CONFIG_FOLDER "/mxclash.conf", F_OK) == 0 &&
           access(CONFIG_FOLDER "/mxclash.conf", F_OK) != 0;
}

static void find_at_rest(struct doctor_host *host)
{
    const char *own = getenv("MXCLASH_CONF");
    const char *path = getenv("PATH");
    const char *name = programs[host->kind];
    snprintf(host->told_conf, PATH_MAX, "%s", own != NULL ? own : "");
    if (!find_in(path != NULL ? path : "", name, host->program)) {
        find_in("/usr/sbin:/usr/local/sbin:/sbin", name, host->program);
    }
}

bool doctor_find_host(struct doctor_host *host, pid_t pid, const char *conf)
{
    memset(host, 0, sizeof(*host));
    if (pid != 0) {
        if (!is_server(pid, &host->kind)) {
            return false;
        }
        host->pid = pid;
        host->running = 1;
    } else if (conf == NULL) {
        choose_process(host);
        if (!doctor_runs(host) && is_for_sidecar()) {
            host->kind = doctor_sidecar;
            host->pid = 0;
        }
    }
    if (host->kind == doctor_unbound) {
        snprintf(host->conf, PATH_MAX, "%s/unbound.conf", CONFIG_FOLDER);
    }
    if (host->pid != 0) {
        read_process(host);
    } else {
        find_at_rest(host);
    }
    if (conf != NULL) {
        snprintf(host->conf, PATH_MAX, "%s", conf);
    }
    return true;
}

void doctor_inside(const struct doctor_host *host, const char *path, char inside[PATH_MAX])
{
    if (snprintf(inside, PATH_MAX, "%s%s", host->root, path) >= PATH_MAX) {
        inside[0] = '\0'; /* then it cannot be opened, and that is said */
    }
}
