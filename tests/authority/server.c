/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The sockets of the test authority.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_OCTETS_MAX 65535
#define LENGTH_OCTETS      2
#define PORT_TRIES         20
#define BACKLOG            64
/* A peer that does not read its answer for so long loses its connection. */
#define SEND_TIMEOUT_S 1

struct connection {
    int fd;
    /** octets of in that are filled */
    size_t in_len;
    uint8_t in[LENGTH_OCTETS + MESSAGE_OCTETS_MAX];
};

struct server {
    server_answer answer;
    void *context;
    uint16_t port;
    size_t address_count;
    int udp[SERVER_ADDRESSES_MAX];
    int tcp[SERVER_ADDRESSES_MAX];
    /** oldest first */
    size_t connection_count;
    struct connection *connections[SERVER_CONNECTIONS_MAX];
    uint8_t datagram[MESSAGE_OCTETS_MAX];
};

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* \return NULL with errno EINVAL after a sentence on stderr */
static struct addrinfo *read_address(const char *text, uint16_t port)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_DGRAM};
    struct addrinfo *address;
    char service[8];

    snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(text, service, &hints, &address) != 0) {
        fprintf(stderr, "authority: %s is no address\n", text);
        errno = EINVAL;
        return NULL;
    }
    if (!is_loopback(address->ai_addr)) {
        fprintf(stderr, "authority: %s is not a loopback address, this server is for tests\n",
                text);
        freeaddrinfo(address);
        errno = EINVAL;
        return NULL;
    }
    return address;
}

/* \return the socket, or -1 with errno set */
static int open_socket(const struct addrinfo *address, int type)
{
    int on = 1;
    int fd = socket(address->ai_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error;

    if (fd < 0)
        return -1;
    if ((type != SOCK_STREAM || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0) &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
        (type != SOCK_STREAM || listen(fd, BACKLOG) == 0))
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    if (address.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&address)->sin_port);
    return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
}

/* \return true with both sockets of one address open; server->port is set if it was 0 */
static bool open_address(struct server *server, const char *text)
{
    struct addrinfo *address = read_address(text, server->port);
    size_t i = server->address_count;
    uint16_t port;

    if (!address)
        return false;
    server->udp[i] = open_socket(address, SOCK_DGRAM);
    port = server->udp[i] < 0 ? 0 : port_of(server->udp[i]);
    freeaddrinfo(address);
    if (server->udp[i] < 0 || !(address = read_address(text, port)))
        return false;
    server->tcp[i] = open_socket(address, SOCK_STREAM);
    freeaddrinfo(address);
    if (server->tcp[i] < 0) {
        close(server->udp[i]);
        return false;
    }
    server->port = port;
    server->address_count++;
    return true;
}

static void close_addresses(struct server *server)
{
    for (size_t i = 0; i < server->address_count; i++) {
        close(server->udp[i]);
        close(server->tcp[i]);
    }
    server->address_count = 0;
}

static bool open_addresses(struct server *server, const char *const *addresses,
                           size_t address_count, uint16_t port)
{
    /* A port that UDP got may be taken for TCP, or at the next address: choose again. */
    for (int i = 0; i < (port ? 1 : PORT_TRIES); i++) {
        server->port = port;
        while (server->address_count < address_count &&
               open_address(server, addresses[server->address_count]))
            ;
        if (server->address_count == address_count)
            return true;
        if (errno != EADDRINUSE)
            break;
        if (i + 1 < (port ? 1 : PORT_TRIES))
            close_addresses(server);
    }
    /* read_address() has said what it did not like. */
    if (errno != EINVAL)
        fprintf(stderr, "authority: cannot listen on %s@%u: %s\n", addresses[server->address_count],
                port, strerror(errno));
    close_addresses(server);
    return false;
}

struct server *server_open(const char *const *addresses, size_t address_count, uint16_t port,
                           server_answer answer, void *context)
{
    struct server *server = calloc(1, sizeof(*server));

    if (!server)
        return NULL;
    server->answer = answer;
    server->context = context;
    if (open_addresses(server, addresses, address_count, port))
        return server;
    free(server);
    return NULL;
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}

static void serve_datagram(struct server *server, int fd)
{
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof(peer);
    uint8_t *reply;
    size_t reply_len;
    ssize_t got = recvfrom(fd, server->datagram, sizeof(server->datagram), 0,
                           (struct sockaddr *)&peer, &peer_len);

    if (got < 0 ||
        !server->answer(server->context, server->datagram, (size_t)got, true, &reply, &reply_len))
        return;
    /* An answer that cannot be sent is lost, as UDP has it. */
    (void)sendto(fd, reply, reply_len, 0, (struct sockaddr *)&peer, peer_len);
    free(reply);
}

static void drop_connection(struct server *server, size_t i)
{
    close(server->connections[i]->fd);
    free(server->connections[i]);
    server->connection_count--;
    memmove(&server->connections[i], &server->connections[i + 1],
            (server->connection_count - i) * sizeof(server->connections[0]));
}

static void accept_connection(struct server *server, int listener)
{
    struct timeval timeout = {.tv_sec = SEND_TIMEOUT_S};
    struct connection *connection;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    connection = calloc(1, sizeof(*connection));
    /* Reads use MSG_DONTWAIT, only writes may wait. */
    if (!connection || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) != 0) {
        free(connection);
        close(fd);
        return;
    }
    connection->fd = fd;
    if (server->connection_count == SERVER_CONNECTIONS_MAX)
        drop_connection(server, 0);
    server->connections[server->connection_count++] = connection;
}

static bool send_reply(int fd, const uint8_t *reply, size_t reply_len)
{
    uint8_t framed[LENGTH_OCTETS + MESSAGE_OCTETS_MAX];

    framed[0] = (uint8_t)(reply_len >> 8);
    framed[1] = (uint8_t)reply_len;
    memcpy(framed + LENGTH_OCTETS, reply, reply_len);
    return send(fd, framed, LENGTH_OCTETS + reply_len, MSG_NOSIGNAL) ==
           (ssize_t)(LENGTH_OCTETS + reply_len);
}

/* \return false if the connection is over */
static bool serve_connection(struct server *server, struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->in + connection->in_len,
                       sizeof(connection->in) - connection->in_len, MSG_DONTWAIT);

    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    connection->in_len += (size_t)got;
    while (connection->in_len >= LENGTH_OCTETS) {
        size_t message_len = (size_t)connection->in[0] << 8 | connection->in[1];
        uint8_t *reply;
        size_t reply_len;

        if (connection->in_len < LENGTH_OCTETS + message_len)
            break;
        if (server->answer(server->context, connection->in + LENGTH_OCTETS, message_len, false,
                           &reply, &reply_len)) {
            bool sent =
                reply_len <= MESSAGE_OCTETS_MAX && send_reply(connection->fd, reply, reply_len);

            free(reply);
            if (!sent)
                return false;
        }
        connection->in_len -= LENGTH_OCTETS + message_len;
        memmove(connection->in, connection->in + LENGTH_OCTETS + message_len, connection->in_len);
    }
    return true;
}

static void serve_ready(struct server *server, const struct pollfd *polled)
{
    size_t sockets = 2 * server->address_count;

    /* From the end, so that dropping one leaves the numbers of those still to come. New ones are
     * accepted last for the same reason. */
    for (size_t i = server->connection_count; i > 0; i--)
        if (polled[sockets + i - 1].revents &&
            !serve_connection(server, server->connections[i - 1]))
            drop_connection(server, i - 1);
    for (size_t i = 0; i < server->address_count; i++) {
        if (polled[2 * i].revents)
            serve_datagram(server, server->udp[i]);
        if (polled[2 * i + 1].revents)
            accept_connection(server, server->tcp[i]);
    }
}

bool server_run(struct server *server, const sigset_t *signals, int64_t deadline_s)
{
    struct pollfd polled[2 * SERVER_ADDRESSES_MAX + SERVER_CONNECTIONS_MAX];

    for (;;) {
        nfds_t count = 0;
        struct timespec now;
        struct timespec wait = {0};
        int ready;

        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec >= deadline_s)
            return false;
        wait.tv_sec = deadline_s - now.tv_sec;
        for (size_t i = 0; i < server->address_count; i++) {
            polled[count++] = (struct pollfd){server->udp[i], POLLIN, 0};
            polled[count++] = (struct pollfd){server->tcp[i], POLLIN, 0};
        }
        for (size_t i = 0; i < server->connection_count; i++)
            polled[count++] = (struct pollfd){server->connections[i]->fd, POLLIN, 0};
        ready = ppoll(polled, count, &wait, signals);
        if (ready > 0)
            serve_ready(server, polled);
        else if (ready < 0)
            return errno == EINTR;
    }
}

void server_close(struct server *server)
{
    if (!server)
        return;
    while (server->connection_count)
        drop_connection(server, 0);
    close_addresses(server);
    free(server);
}
