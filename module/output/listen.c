/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Listening sockets: see listen.h. */
#include "output/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "output/error_text.h"

/** Connections that wait to be accepted, many more than are served at a time: where no more may
 * wait the packets of the next are dropped, and a client among them tries again after 1, 3 and 7
 * seconds. Who is one too many is accepted and closed, which takes no time. */
#define BACKLOG 1024
/** Owner and group; whoever may read the numbers is the operator's to say. */
#define SOCKET_MODE 0660

/** \return false, for a short way out */
static bool failed(char reason[LISTEN_REASON_MAX], int error)
{
    char buffer[ERROR_TEXT_MAX];

    snprintf(reason, LISTEN_REASON_MAX, "%s", error_text(error, buffer));
    return false;
}

static bool parse_port(const char *text, in_port_t *port)
{
    char *end;
    unsigned long value;

    if (text[0] < '0' || text[0] > '9')
        return false;
    value = strtoul(text, &end, 10);
    if (*end != '\0' || value > 65535)
        return false;
    *port = htons((uint16_t)value);
    return true;
}

/** \return octets of address, 0 if where is no address@port */
static socklen_t parse_address(const char *where, struct sockaddr_storage *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    char literal[INET6_ADDRSTRLEN];
    const char *at = strchr(where, '@');
    in_port_t port;

    if (at == NULL || (size_t)(at - where) >= sizeof(literal) || !parse_port(at + 1, &port))
        return 0;
    memcpy(literal, where, (size_t)(at - where));
    literal[at - where] = '\0';
    memset(address, 0, sizeof(*address));
    if (inet_pton(AF_INET, literal, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = port;
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, literal, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = port;
        return sizeof(*v6);
    }
    return 0;
}

static bool open_address(const char *where, struct listen_socket *opened,
                         char reason[LISTEN_REASON_MAX])
{
    struct sockaddr_storage address;
    const socklen_t len = parse_address(where, &address);
    const int on = 1;
    int fd;

    if (len == 0) {
        snprintf(reason, LISTEN_REASON_MAX, "is neither address@port nor an absolute path");
        return false;
    }
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return failed(reason, errno);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
        (address.ss_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == -1) ||
        bind(fd, (struct sockaddr *)&address, len) == -1 || listen(fd, BACKLOG) == -1) {
        failed(reason, errno);
        close(fd);
        return false;
    }
    *opened = (struct listen_socket){.fd = fd};
    return true;
}

/** Make room at a socket's path. \return 0, or the errno that says what is in the way */
static int remove_stale(const struct sockaddr_un *address)
{
    struct stat seen;
    int error = 0;
    int fd;

    if (lstat(address->sun_path, &seen) == -1)
        return errno == ENOENT ? 0 : errno;
    if (!S_ISSOCK(seen.st_mode))
        return EEXIST;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return errno;
    /* refused: the file is there and its listener is not; EAGAIN is a listener that is busy */
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
        error = EADDRINUSE;
    else if (errno != ECONNREFUSED)
        error = errno;
    close(fd);
    if (error == 0 && unlink(address->sun_path) == -1 && errno != ENOENT)
        error = errno;
    return error;
}

static bool bind_path(int fd, const struct sockaddr_un *address, struct listen_socket *opened)
{
    struct stat made;

    /* before bind(): the file never has more than SOCKET_MODE. After it: the umask took some. */
    if (fchmod(fd, SOCKET_MODE) == -1 ||
        bind(fd, (const struct sockaddr *)address, sizeof(*address)) == -1)
        return false;
    if (chmod(address->sun_path, SOCKET_MODE) == -1 || lstat(address->sun_path, &made) == -1 ||
        listen(fd, BACKLOG) == -1) {
        const int error = errno;

        unlink(address->sun_path);
        errno = error;
        return false;
    }
    *opened = (struct listen_socket){
        .fd = fd, .has_file = true, .device = made.st_dev, .inode = made.st_ino};
    return true;
}

static bool open_path(const char *path, struct listen_socket *opened,
                      char reason[LISTEN_REASON_MAX])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int error, fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return failed(reason, ENAMETOOLONG);
    memcpy(address.sun_path, path, strlen(path) + 1);
    error = remove_stale(&address);
    if (error == EEXIST) {
        snprintf(reason, LISTEN_REASON_MAX, "a file that is no socket is in the way");
        return false;
    }
    if (error != 0)
        return failed(reason, error);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return failed(reason, errno);
    if (!bind_path(fd, &address, opened)) {
        failed(reason, errno);
        close(fd);
        return false;
    }
    return true;
}

bool listen_open(const char *where, struct listen_socket *opened, char reason[LISTEN_REASON_MAX])
{
    return where[0] == '/' ? open_path(where, opened, reason) : open_address(where, opened, reason);
}

void listen_remove_file(const char *where, const struct listen_socket *opened)
{
    struct stat seen;

    if (opened->has_file && lstat(where, &seen) == 0 && seen.st_dev == opened->device &&
        seen.st_ino == opened->inode)
        unlink(where);
}
