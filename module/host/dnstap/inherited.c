/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Sockets of whoever started us: see inherited.h. */
#include "host/dnstap/inherited.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/** Behind standard input, output and error. */
#define FIRST 3

static bool is_listening(int socket)
{
    int on = 0;
    int type = 0;
    socklen_t len = sizeof(on);
    socklen_t type_len = sizeof(type);
    return getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on != 0 &&
           getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 && type == SOCK_STREAM &&
           fcntl(socket, F_SETFL, O_NONBLOCK) == 0 && fcntl(socket, F_SETFD, FD_CLOEXEC) == 0;
}

static long number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text != NULL ? strtol(text, NULL, 10) : 0;
}

size_t inherited_sockets(int sockets[INHERITED_MAX])
{
    const bool for_us = number_of("LISTEN_PID") == (long)getpid();
    const long count = for_us ? number_of("LISTEN_FDS") : 0;
    size_t taken = 0;
    for (int i = 0; i < count && i < INHERITED_MAX; i++) {
        if (is_listening(FIRST + i)) {
            sockets[taken++] = FIRST + i;
        } else {
            close(FIRST + i);
        }
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return taken;
}
