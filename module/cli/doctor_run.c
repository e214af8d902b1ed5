/* SPDX-License-Identifier: BSD-3-Clause */
/** \file A program that `mxclash doctor` asks something: see doctor.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/doctor.h"

/** More than any of the programs that are asked has to say. */
#define OUTPUT_SIZE (64u << 10)
#define PATIENCE_S  20

static void become(const char *const argv[], int output)
{
    const int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    alarm(PATIENCE_S); /* is kept by what is run */
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

/** Read to the end; what does not fit is thrown away. */
static void read_all(int from, char *text)
{
    size_t len = 0;
    char rest[512];
    for (;;) {
        const bool fits = len + 1 < OUTPUT_SIZE;
        const ssize_t got =
            fits ? read(from, text + len, OUTPUT_SIZE - 1 - len) : read(from, rest, sizeof(rest));
        if (got <= 0) {
            break;
        }
        len += fits ? (size_t)got : 0;
    }
    text[len] = '\0';
}

char *doctor_run(const char *const argv[])
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return NULL;
    }
    const pid_t child = fork();
    if (child == 0) {
        become(argv, ends[1]);
    }
    close(ends[1]);
    char *text = child > 0 ? malloc(OUTPUT_SIZE) : NULL;
    if (text != NULL) {
        read_all(ends[0], text);
    }
    close(ends[0]);
    int status = -1;
    if (child > 0) {
        waitpid(child, &status, 0);
    }
    if (status != 0) {
        free(text);
        return NULL;
    }
    return text;
}
