/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * module/ask: one question to one server, on loopback, with a server in the same event loop that
 * does as each test wants.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "ask/inside.h"

/** What the server does. */
struct server {
    int udp;
    int tcp;
    struct event *on_udp;
    struct event *on_tcp;
    /** the first so many packets are not answered */
    unsigned silent;
    bool truncates;
    bool knows_no_edns;
    /** over TCP nothing comes */
    bool hangs;
    unsigned strays;
    unsigned heard;
    unsigned heard_tcp;
    /** of the packets over UDP */
    uint16_t ids[8];
    uint16_t ports[8];
    bool recursion;
    int connection;
};

struct world {
    struct event_base *base;
    struct ask *ask;
    struct server server;
    struct sockaddr_storage address;
    struct ask_policy policy;
    /* what may_send() saw, and does */
    unsigned packets[16];
    unsigned called;
    unsigned delays;
    bool never;
    /* what came back */
    unsigned done;
    unsigned by_status[ASK_STATUSES];
    struct ask_reply reply;
    size_t message_len;
};

static struct world world;

/** The question as its own answer, with AA. \return octets */
static size_t make_answer(uint8_t *octets, size_t len)
{
    octets[2] = 0x84;
    octets[3] = 0;
    return len;
}

static void on_udp(evutil_socket_t fd, short what, void *context)
{
    struct server *server = context;
    uint8_t octets[512];
    struct sockaddr_in peer;
    socklen_t peer_len = sizeof(peer);
    (void)what;
    ssize_t len = recvfrom(fd, octets, sizeof(octets), 0, (struct sockaddr *)&peer, &peer_len);
    if (len < 12) {
        return;
    }
    if (server->heard < 8) {
        server->ids[server->heard] = (uint16_t)(octets[0] << 8 | octets[1]);
        server->ports[server->heard] = peer.sin_port;
    }
    server->recursion = octets[2] & 1;
    const bool edns = octets[11] == 1;
    if (++server->heard <= server->silent) {
        return;
    }
    for (unsigned i = 0; i < server->strays; i++) {
        uint8_t stray[12] = {(uint8_t)(octets[0] ^ 1), octets[1], 0x84};
        sendto(fd, stray, sizeof(stray), 0, (struct sockaddr *)&peer, peer_len);
    }
    make_answer(octets, (size_t)len);
    if (server->knows_no_edns && edns) {
        octets[3] = LDNS_RCODE_FORMERR;
        octets[5] = 0;
        octets[11] = 0;
        len = 12;
    }
    octets[2] |= server->truncates ? 2 : 0;
    sendto(fd, octets, (size_t)len, 0, (struct sockaddr *)&peer, peer_len);
}

static void on_stream(evutil_socket_t connection, short what, void *context)
{
    uint8_t octets[514];
    const ssize_t len = recv(connection, octets, sizeof(octets), 0);
    (void)what;
    (void)context;
    if (len > 14) {
        make_answer(octets + 2, (size_t)len - 2);
        /* in two pieces */
        send(connection, octets, 1, MSG_NOSIGNAL);
        send(connection, octets + 1, (size_t)len - 1, MSG_NOSIGNAL);
    }
    close(connection);
}

static void on_tcp(evutil_socket_t fd, short what, void *context)
{
    struct server *server = context;
    (void)what;
    const int connection = accept(fd, NULL, NULL);
    if (connection < 0) {
        return;
    }
    server->heard_tcp++;
    if (server->hangs) {
        server->connection = connection;
    } else {
        event_base_once(world.base, connection, EV_READ, on_stream, NULL, NULL);
    }
}

static int may_send(void *context, const struct sockaddr_storage *server, unsigned packets)
{
    struct world *w = context;
    assert_true(ask_address_equal(server, &w->address));
    if (w->called < 16) {
        w->packets[w->called] = packets;
    }
    w->called++;
    if (w->never) {
        return -1;
    }
    if (w->delays != 0) {
        w->delays--;
        return 5;
    }
    return 0;
}

static void on_reply(void *context, const struct ask_reply *reply)
{
    struct world *w = context;
    w->done++;
    w->by_status[reply->status]++;
    w->reply = *reply;
    w->message_len = reply->message_len;
    assert_true((reply->status == ask_answered) == (reply->packet != NULL));
    assert_true((reply->status == ask_answered) == (reply->message != NULL));
}

static void open_server(struct server *server)
{
    struct sockaddr_in *address = (struct sockaddr_in *)&world.address;
    socklen_t len = sizeof(*address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* the port that TCP gets may be taken over UDP: then another one */
    for (int i = 0; i < 20; i++) {
        address->sin_port = 0;
        server->tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        assert_int_equal(bind(server->tcp, (struct sockaddr *)address, len), 0);
        assert_int_equal(getsockname(server->tcp, (struct sockaddr *)address, &len), 0);
        if (bind(server->udp, (struct sockaddr *)address, len) == 0) {
            break;
        }
        close(server->tcp);
        close(server->udp);
    }
    assert_int_equal(listen(server->tcp, 8), 0);
    server->on_udp = event_new(world.base, server->udp, EV_READ | EV_PERSIST, on_udp, server);
    server->on_tcp = event_new(world.base, server->tcp, EV_READ | EV_PERSIST, on_tcp, server);
    event_add(server->on_udp, NULL);
    event_add(server->on_tcp, NULL);
    server->connection = -1;
}

static int begin(void **state)
{
    (void)state;
    memset(&world, 0, sizeof(world));
    world.base = event_base_new();
    open_server(&world.server);
    const struct ask_options options = {.base = world.base,
                                        .policy = &world.policy,
                                        .timeout_ms = 40,
                                        .tries = 3,
                                        .tcp_timeout_ms = 100,
                                        .may_send = may_send,
                                        .context = &world};
    world.ask = ask_new(&options);
    return world.base != NULL && world.ask != NULL ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    ask_free(world.ask);
    event_free(world.server.on_udp);
    event_free(world.server.on_tcp);
    close(world.server.udp);
    close(world.server.tcp);
    if (world.server.connection >= 0) {
        close(world.server.connection);
    }
    event_base_free(world.base);
    return 0;
}

static struct ask_name name_of(const char *text)
{
    struct ask_name name;
    ldns_rdf *rdf = ldns_dname_new_frm_str(text);
    assert_true(ask_name_of(&name, rdf));
    ldns_rdf_deep_free(rdf);
    return name;
}

static void ask_one(void)
{
    const struct ask_question question = {.name = name_of("Example.COM."),
                                          .qtype = LDNS_RR_TYPE_MX,
                                          .operators_word = true,
                                          .server = world.address};
    const unsigned before = world.done;
    assert_true(ask_send(world.ask, &question, on_reply, &world));
    assert_int_equal(world.done, before);
}

static void wait_for(unsigned count)
{
    while (world.done < count) {
        assert_int_equal(event_base_loop(world.base, EVLOOP_ONCE), 0);
    }
}

static void test_answer(void **state)
{
    (void)state;
    ask_one();
    wait_for(1);
    assert_int_equal(world.reply.status, ask_answered);
    assert_int_equal(world.reply.packets, 1);
    assert_int_equal(world.reply.strays, 0);
    assert_false(world.reply.tcp);
    assert_false(world.server.recursion);
    assert_int_equal(world.called, 1);
    assert_int_equal(world.packets[0], 1);
}

static void test_recursion_is_for_resolvers(void **state)
{
    const struct ask_question question = {.name = name_of("a."),
                                          .qtype = LDNS_RR_TYPE_A,
                                          .recursion = true,
                                          .operators_word = true,
                                          .server = world.address};
    (void)state;
    assert_true(ask_send(world.ask, &question, on_reply, &world));
    wait_for(1);
    assert_true(world.server.recursion);
}

static void test_each_try_has_a_port_and_an_id_of_its_own(void **state)
{
    (void)state;
    world.server.silent = 2;
    ask_one();
    wait_for(1);
    assert_int_equal(world.reply.status, ask_answered);
    assert_int_equal(world.reply.packets, 3);
    assert_int_equal(world.called, 3);
    /* one of three pairs may be equal by chance once in 20,000 runs, two not */
    unsigned same = 0;
    for (unsigned i = 0; i < 3; i++) {
        same += world.server.ids[i] == world.server.ids[(i + 1) % 3];
        same += world.server.ports[i] == world.server.ports[(i + 1) % 3];
    }
    assert_true(same <= 1);
}

static void test_silence(void **state)
{
    (void)state;
    world.server.silent = 100;
    ask_one();
    wait_for(1);
    assert_int_equal(world.reply.status, ask_timeout);
    assert_int_equal(world.server.heard, 3);
    assert_int_equal(world.reply.packets, 3);
}

static void test_truncated_goes_on_over_tcp(void **state)
{
    (void)state;
    world.server.truncates = true;
    ask_one();
    wait_for(1);
    assert_int_equal(world.reply.status, ask_answered);
    assert_true(world.reply.tcp);
    assert_int_equal(world.server.heard_tcp, 1);
    assert_int_equal(world.reply.packets, 3);
    assert_int_equal(world.called, 2);
    assert_int_equal(world.packets[1], 2);
}

static void test_stream_that_says_nothing(void **state)
{
    (void)state;
    world.server.truncates = world.server.hangs = true;
    ask_one();
    wait_for(1);
    assert_int_equal(world.reply.status, ask_timeout);
    assert_true(world.reply.tcp);
}

static void test_without_edns(void **state)
{
    (void)state;
    world.server.knows_no_edns = true;
    ask_one();
    wait_for(1);
    assert_int_equal(world.reply.status, ask_answered);
    assert_int_equal(world.server.heard, 2);
    assert_int_equal(world.reply.packets, 2);
}

static void test_strays_are_passed_over_and_bounded(void **state)
{
    (void)state;
    world.server.strays = 10;
    ask_one();
    wait_for(1);
    assert_int_equal(world.reply.status, ask_answered);
    assert_int_equal(world.reply.strays, 10);
    world.server.strays = ASK_STRAYS_MAX;
    ask_one();
    wait_for(2);
    assert_int_equal(world.reply.status, ask_timeout);
    assert_int_equal(world.reply.strays, 3 * ASK_STRAYS_MAX);
}

static void test_may_send_puts_off(void **state)
{
    (void)state;
    world.delays = 3;
    ask_one();
    wait_for(1);
    assert_int_equal(world.reply.status, ask_answered);
    assert_int_equal(world.called, 4);
    assert_int_equal(world.server.heard, 1);
    assert_int_equal(world.reply.packets, 1);
}

static void test_may_send_forbids(void **state)
{
    (void)state;
    world.never = true;
    ask_one();
    wait_for(1);
    assert_int_equal(world.reply.status, ask_denied);
    assert_int_equal(world.server.heard, 0);
    assert_int_equal(world.reply.packets, 0);
}

static void test_may_send_forbids_tcp(void **state)
{
    (void)state;
    world.server.truncates = true;
    ask_one();
    while (world.server.heard == 0) {
        event_base_loop(world.base, EVLOOP_ONCE);
    }
    world.never = true;
    wait_for(1);
    assert_int_equal(world.reply.status, ask_denied);
    assert_int_equal(world.server.heard_tcp, 0);
}

static void test_loopback_is_forbidden_to_strangers(void **state)
{
    struct ask_question question = {
        .name = name_of("a."), .qtype = LDNS_RR_TYPE_A, .server = world.address};
    (void)state;
    assert_true(ask_send(world.ask, &question, on_reply, &world));
    wait_for(1);
    assert_int_equal(world.reply.status, ask_forbidden);
    question.server.ss_family = AF_UNSPEC;
    question.operators_word = true;
    assert_true(ask_send(world.ask, &question, on_reply, &world));
    wait_for(2);
    assert_int_equal(world.reply.status, ask_forbidden);
    assert_int_equal(world.called, 0);
    assert_int_equal(world.server.heard, 0);
}

static void test_nobody_is_there(void **state)
{
    (void)state;
    event_del(world.server.on_udp);
    close(world.server.udp);
    ask_one();
    wait_for(1);
    assert_int_equal(world.reply.status, ask_unreachable);
    world.server.udp = socket(AF_INET, SOCK_DGRAM, 0);
}

static void test_outstanding_questions_are_bounded(void **state)
{
    const unsigned more = 40;
    (void)state;
    world.server.silent = UINT32_MAX;
    for (unsigned i = 0; i < ASK_OUTSTANDING_MAX + more; i++) {
        ask_one();
    }
    while (world.server.heard < ASK_OUTSTANDING_MAX) {
        event_base_loop(world.base, EVLOOP_ONCE);
    }
    /* the others wait until one of these has ended, after three tries */
    wait_for(1);
    assert_true(world.called >= 3 * ASK_OUTSTANDING_MAX);
    wait_for(ASK_OUTSTANDING_MAX + more);
    assert_int_equal(world.by_status[ask_timeout], ASK_OUTSTANDING_MAX + more);
    assert_int_equal(world.called, 3 * (ASK_OUTSTANDING_MAX + more));
}

static void test_waiting_questions_are_bounded(void **state)
{
    const unsigned more = 7;
    (void)state;
    for (unsigned i = 0; i < ASK_OUTSTANDING_MAX + ASK_WAITING_MAX + more; i++) {
        ask_one();
    }
    wait_for(ASK_OUTSTANDING_MAX + ASK_WAITING_MAX + more);
    assert_int_equal(world.by_status[ask_too_many], more);
    assert_int_equal(world.by_status[ask_answered] + world.by_status[ask_timeout],
                     ASK_OUTSTANDING_MAX + ASK_WAITING_MAX);
}

/** Takes the answer of that number. */
static unsigned wanted;

static bool take(void *context, const struct ask_reply *reply)
{
    struct world *w = context;
    assert_int_equal(reply->status, ask_answered);
    assert_non_null(reply->packet);
    return ++w->by_status[ask_answered] == wanted;
}

static void on_end(void *context, enum ask_status status)
{
    struct world *w = context;
    w->done++;
    w->reply.status = status;
}

static void test_servers_of_a_zone_in_turn(void **state)
{
    const struct ask_name name = name_of("example.com.");
    const struct ask_options options = {
        .base = world.base, .policy = &world.policy, .timeout_ms = 20, .tries = 1};
    struct ask_zone *zone = calloc(1, sizeof(*zone));
    struct sockaddr_in *dead;
    (void)state;
    assert_non_null(zone);
    /* the first has no address, the second is not there, the third answers twice */
    zone->server_count = 3;
    zone->operators_word = true;
    zone->servers[1].address_count = 1;
    zone->servers[1].addresses[0] = world.address;
    dead = (struct sockaddr_in *)&zone->servers[1].addresses[0];
    dead->sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    zone->servers[2].address_count = 2;
    zone->servers[2].addresses[0] = zone->servers[2].addresses[1] = world.address;
    struct ask *other = ask_new(&options);
    assert_non_null(other);
    struct ask_budget budget = {.questions = other->questions};
    for (wanted = 1; wanted <= 3; wanted++) {
        world.done = world.by_status[ask_answered] = 0;
        assert_true(ask_authority_within(other, &budget, zone, &name, LDNS_RR_TYPE_MX, take, on_end,
                                         &world));
        wait_for(1);
        /* of a third answer there is none, and what was not taken was not what was wanted */
        assert_int_equal(world.reply.status, wanted <= 2 ? ask_answered : ask_lame);
        assert_int_equal(world.by_status[ask_answered], wanted <= 2 ? wanted : 2);
    }
    /* strangers' servers on loopback are not asked */
    zone->operators_word = false;
    const unsigned heard = world.server.heard;
    assert_true(
        ask_authority_within(other, &budget, zone, &name, LDNS_RR_TYPE_MX, take, on_end, &world));
    wait_for(2);
    assert_int_equal(world.reply.status, ask_forbidden);
    assert_int_equal(world.server.heard, heard);
    ask_free(other);
    free(zone);
}

static void on_zone(void *context, enum ask_status status, const struct ask_zone *zone)
{
    (void)context;
    (void)status;
    (void)zone;
    fail_msg("a zone was found");
}

static void on_result(void *context, const struct ask_result *result)
{
    struct world *w = context;
    w->done++;
    w->by_status[result->status]++;
    assert_true((result->status == ask_answered) == (result->records != NULL));
}

static void test_free_ends_all_without_a_callback(void **state)
{
    const struct ask_name name = name_of("example.com.");
    const struct ask_options options = {.base = world.base,
                                        .policy = &world.policy,
                                        .resolvers = &world.address,
                                        .resolver_count = 1};
    (void)state;
    world.server.silent = UINT32_MAX;
    for (unsigned i = 0; i < ASK_OUTSTANDING_MAX + 5; i++) {
        ask_one();
    }
    struct ask *other = ask_new(&options);
    assert_non_null(other);
    assert_true(ask_find_servers(other, &name, true, on_zone, NULL));
    assert_true(ask_resolve(other, &name, LDNS_RR_TYPE_A, on_result, &world));
    while (world.server.heard < 10) {
        event_base_loop(world.base, EVLOOP_ONCE);
    }
    ask_free(other);
    ask_free(world.ask);
    world.ask = NULL;
    event_base_loop(world.base, EVLOOP_NONBLOCK);
    assert_int_equal(world.done, 0);
}

static void test_resolver_that_is_silent(void **state)
{
    const struct ask_name name = name_of("example.com.");
    const struct ask_options options = {.base = world.base,
                                        .policy = &world.policy,
                                        .resolvers = &world.address,
                                        .resolver_count = 1,
                                        .timeout_ms = 20,
                                        .tries = 2};
    (void)state;
    struct ask *other = ask_new(&options);
    assert_non_null(other);
    world.server.silent = 2;
    assert_true(ask_resolve(other, &name, LDNS_RR_TYPE_A, on_result, &world));
    wait_for(1);
    assert_int_equal(world.by_status[ask_timeout], 1);
    /* nothing else resolves, so it is asked again the next time */
    assert_true(ask_resolve(other, &name, LDNS_RR_TYPE_A, on_result, &world));
    wait_for(2);
    assert_int_equal(world.by_status[ask_answered], 1);
    ask_free(other);
}

static void test_nobody_to_resolve(void **state)
{
    const struct ask_name name = name_of("example.com.");
    (void)state;
    assert_true(ask_resolve(world.ask, &name, LDNS_RR_TYPE_A, on_result, &world));
    wait_for(1);
    assert_int_equal(world.by_status[ask_lame], 1);
}

static void test_options_out_of_range(void **state)
{
    struct sockaddr_storage many[ASK_RESOLVERS_MAX + 1] = {{0}};
    struct ask_options options = {.base = world.base,
                                  .policy = &world.policy,
                                  .resolvers = many,
                                  .resolver_count = ASK_RESOLVERS_MAX + 1};
    (void)state;
    assert_null(ask_new(&options));
    options.resolver_count = 0;
    options.roots = many;
    options.root_count = ASK_ADDRESSES_MAX + 1;
    assert_null(ask_new(&options));
}

static void test_resolv_conf(void **state)
{
    struct sockaddr_storage resolvers[ASK_RESOLVERS_MAX];
    char path[] = "/tmp/mxclash-resolv-XXXXXX";
    char text[ASK_ADDRESS_TEXT_MAX];
    const int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    (void)state;
    assert_non_null(file);
    fputs("# nameserver 192.0.2.1\nsearch example.com\nnameserver 192.0.2.2\n"
          "nameserver\t2001:db8::1  \nnameserver\nnameserver none\nnameserver 192.0.2.3@54\n"
          "nameserver 192.0.2.4",
          file);
    fclose(file);
    assert_int_equal(ask_read_resolv_conf(path, resolvers), 3);
    assert_string_equal(ask_address_text(&resolvers[0], text), "192.0.2.2");
    assert_string_equal(ask_address_text(&resolvers[1], text), "2001:db8::1");
    assert_string_equal(ask_address_text(&resolvers[2], text), "192.0.2.4");
    file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 40; i++) {
        fputs("nameserver 192.0.2.1\n", file);
    }
    fclose(file);
    assert_int_equal(ask_read_resolv_conf(path, resolvers), ASK_RESOLVERS_MAX);
    unlink(path);
    assert_int_equal(ask_read_resolv_conf(path, resolvers), 0);
}

static void test_root_hints(void **state)
{
    const struct sockaddr_storage *roots;
    (void)state;
    assert_int_equal(ask_root_hints(&roots), ASK_ADDRESSES_MAX);
    for (int i = 0; i < ASK_ADDRESSES_MAX; i++) {
        assert_null(ask_address_refused(&world.policy, &roots[i]));
    }
}

static void test_names(void **state)
{
    static const struct {
        const char *octets;
        size_t len;
        bool good;
    } names[] = {
        {"\0", 1, true},
        {"\1a\0", 3, true},
        {"\1a", 2, false},
        {"\0\0", 2, false},
        {"\2a\0", 3, false},
        {"", 0, false},
        {"\x40"
         "a\0",
         3, false},
        {"\xc0\x0c", 2, false},
        {"\3a\0b\0", 5, true},
    };
    struct ask_name name;
    uint8_t longest[256];
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (ask_name_set(&name, (const uint8_t *)names[i].octets, names[i].len) != names[i].good) {
            fail_msg("name %zu", i);
        }
    }
    for (size_t i = 0; i < 254; i += 2) {
        longest[i] = 1;
        longest[i + 1] = 'A';
    }
    longest[254] = 0;
    assert_true(ask_name_set(&name, longest, 255));
    assert_int_equal(name.octets[1], 'a');
    unsigned labels = 0;
    while (ask_name_chop(&name)) {
        labels++;
    }
    assert_int_equal(labels, 127);
    assert_int_equal(name.len, 1);

    const struct ask_name root = name_of(".");
    const struct ask_name top = name_of("example.com.");
    const struct ask_name below = name_of("a.EXAMPLE.com.");
    const struct ask_name beside = name_of("bexample.com.");
    assert_true(ask_name_within(&below, &top));
    assert_true(ask_name_within(&top, &top));
    assert_true(ask_name_within(&top, &root));
    assert_false(ask_name_within(&top, &below));
    assert_false(ask_name_within(&beside, &top));
    assert_false(ask_name_equal(&beside, &top));
}

#define ON_LOOPBACK(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_LOOPBACK(test_answer),
        ON_LOOPBACK(test_recursion_is_for_resolvers),
        ON_LOOPBACK(test_each_try_has_a_port_and_an_id_of_its_own),
        ON_LOOPBACK(test_silence),
        ON_LOOPBACK(test_truncated_goes_on_over_tcp),
        ON_LOOPBACK(test_stream_that_says_nothing),
        ON_LOOPBACK(test_without_edns),
        ON_LOOPBACK(test_strays_are_passed_over_and_bounded),
        ON_LOOPBACK(test_may_send_puts_off),
        ON_LOOPBACK(test_may_send_forbids),
        ON_LOOPBACK(test_may_send_forbids_tcp),
        ON_LOOPBACK(test_loopback_is_forbidden_to_strangers),
        ON_LOOPBACK(test_nobody_is_there),
        ON_LOOPBACK(test_outstanding_questions_are_bounded),
        ON_LOOPBACK(test_waiting_questions_are_bounded),
        ON_LOOPBACK(test_servers_of_a_zone_in_turn),
        ON_LOOPBACK(test_free_ends_all_without_a_callback),
        ON_LOOPBACK(test_resolver_that_is_silent),
        ON_LOOPBACK(test_nobody_to_resolve),
        ON_LOOPBACK(test_options_out_of_range),
        ON_LOOPBACK(test_root_hints),
        cmocka_unit_test(test_resolv_conf),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
