/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * An authoritative name server for tests, on loopback only, that can do the wrong things that DNS
 * providers do. What it serves is said by a scenario file, see scenario.h.
 *
 *     authority -a ADDRESS [-a ADDRESS]... [-p PORT] [-l FILE] [-t SECONDS] SCENARIO
 *
 *     -a  loopback address to listen on, UDP and TCP; the first is that of made-up name servers
 *     -p  port, 0 (the default) has one chosen
 *     -l  append a line `qname qtype udp|tcp` for every query, qname in lower case
 *     -t  end after so many seconds, 3600 if not said, so that nothing is left behind
 *
 * Says `listening ADDRESS@PORT` for every address once it answers. SIGHUP reads the scenario again
 * and says `reloaded`, or `reload failed: REASON` and goes on with the old one. SIGTERM and SIGINT
 * end it.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "scenario.h"
#include "server.h"

#define LIFETIME_DEFAULT_S 3600
#define HEADER_OCTETS      12
#define EXIT_USE           2

struct authority {
    struct scenario scenario;
    FILE *log;
};

static volatile sig_atomic_t end_wanted;
static volatile sig_atomic_t reload_wanted;

static void note_signal(int number)
{
    if (number == SIGHUP)
        reload_wanted = 1;
    else
        end_wanted = 1;
}

static void log_query(FILE *log, const ldns_pkt *query, bool udp)
{
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
    ldns_rdf *name;
    char *name_text;
    char *type_text;

    if (!log || !question)
        return;
    name = ldns_rdf_clone(ldns_rr_owner(question));
    ldns_dname2canonical(name);
    name_text = ldns_rdf2str(name);
    type_text = ldns_rr_type2str(ldns_rr_get_type(question));
    fprintf(log, "%s %s %s\n", name_text, type_text, udp ? "udp" : "tcp");
    /* Tests wait for these lines. */
    fflush(log);
    free(name_text);
    free(type_text);
    ldns_rdf_deep_free(name);
}

/* A header that says FORMERR to the message with this header. */
static bool refuse_format(const uint8_t *message, uint8_t **reply, size_t *reply_len)
{
    *reply = calloc(1, HEADER_OCTETS);
    if (!*reply)
        return false;
    memcpy(*reply, message, 2);
    (*reply)[2] = 0x80;
    (*reply)[3] = LDNS_RCODE_FORMERR;
    *reply_len = HEADER_OCTETS;
    return true;
}

static bool answer_message(void *context, const uint8_t *message, size_t message_len, bool udp,
                           uint8_t **reply, size_t *reply_len)
{
    struct authority *authority = context;
    ldns_pkt *query;
    bool send;

    /* Never answer an answer. */
    if (message_len < HEADER_OCTETS || message[2] & 0x80)
        return false;
    if (ldns_wire2pkt(&query, message, message_len) != LDNS_STATUS_OK)
        return refuse_format(message, reply, reply_len);
    log_query(authority->log, query, udp);
    send = answer_query(&authority->scenario, query, udp, reply, reply_len);
    ldns_pkt_free(query);
    return send;
}

static void reload(struct authority *authority, const char *path, const char *ns_address)
{
    struct scenario fresh;
    char error[SCENARIO_ERROR_MAX];

    if (scenario_load(path, ns_address, &fresh, error)) {
        scenario_free(&authority->scenario);
        authority->scenario = fresh;
        puts("reloaded");
    } else {
        printf("reload failed: %s\n", error);
    }
    fflush(stdout);
}

/* Have the signals wait, but for the time inside ppoll(). \return the mask for ppoll() */
static sigset_t catch_signals(void)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
    struct sigaction action = {.sa_handler = note_signal};
    sigset_t blocked;
    sigset_t before;

    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        sigaction(numbers[i], &action, NULL);
        sigaddset(&blocked, numbers[i]);
    }
    sigprocmask(SIG_BLOCK, &blocked, &before);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigdelset(&before, numbers[i]);
    return before;
}

static int use(void)
{
    fputs("use: authority -a ADDRESS [-a ADDRESS]... [-p PORT] [-l FILE] [-t SECONDS] SCENARIO\n",
          stderr);
    return EXIT_USE;
}

/* \return false if text is no whole number from 0 to max */
static bool read_number(const char *text, long max, long *number)
{
    char *end;

    errno = 0;
    *number = strtol(text, &end, 10);
    return end != text && !*end && !errno && *number >= 0 && *number <= max;
}

int main(int argc, char **argv)
{
    const char *addresses[SERVER_ADDRESSES_MAX];
    size_t address_count = 0;
    const char *log_path = NULL;
    long port = 0;
    long lifetime_s = LIFETIME_DEFAULT_S;
    struct authority authority = {.log = NULL};
    char error[SCENARIO_ERROR_MAX];
    struct timespec now;
    struct server *server;
    int status = EXIT_FAILURE;
    sigset_t signals;
    int option;

    while ((option = getopt(argc, argv, "a:p:l:t:")) != -1) {
        if (option == 'a' && address_count < SERVER_ADDRESSES_MAX)
            addresses[address_count++] = optarg;
        else if (option == 'p' && read_number(optarg, 65535, &port))
            continue;
        else if (option == 't' && read_number(optarg, 86400, &lifetime_s))
            continue;
        else if (option == 'l')
            log_path = optarg;
        else
            return use();
    }
    if (address_count == 0 || argc - optind != 1)
        return use();
    if (!scenario_load(argv[optind], addresses[0], &authority.scenario, error)) {
        fprintf(stderr, "%s\n", error);
        return EXIT_FAILURE;
    }
    if (log_path && !(authority.log = fopen(log_path, "a"))) {
        fprintf(stderr, "authority: %s: %s\n", log_path, strerror(errno));
        return EXIT_FAILURE;
    }
    signals = catch_signals();
    server = server_open(addresses, address_count, (uint16_t)port, answer_message, &authority);
    if (server) {
        for (size_t i = 0; i < address_count; i++)
            printf("listening %s@%u\n", addresses[i], server_port(server));
        fflush(stdout);
        clock_gettime(CLOCK_MONOTONIC, &now);
        while (server_run(server, &signals, now.tv_sec + lifetime_s) && !end_wanted)
            if (reload_wanted) {
                reload_wanted = 0;
                reload(&authority, argv[optind], addresses[0]);
            }
        status = EXIT_SUCCESS;
    }
    server_close(server);
    scenario_free(&authority.scenario);
    if (authority.log)
        fclose(authority.log);
    return status;
}
