/* SPDX-License-Identifier: BSD-3-Clause */
/** \file `mxclash check DOMAIN`: ask the authorities themselves. See check.h. */
#include "cli/check.h"

#include <event2/event.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check_told.h"
#include "cli/cli.h"
#include "runtime/options.h"

/** Somebody waits, so what does not answer is given up sooner than a resolver would. */
#define TIMEOUT_MS 800
#define TRIES      3

struct arguments {
    const char *domain;
    bool json;
    bool has_server;
    struct sockaddr_storage server;
    struct sockaddr_storage resolvers[ASK_RESOLVERS_MAX];
    size_t resolver_count;
    struct sockaddr_storage roots[ASK_ADDRESSES_MAX];
    size_t root_count;
};

/** \return false after cli_bad_use() */
static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"server", required_argument, NULL, 's'},
        {"resolver", required_argument, NULL, 'r'},
        {"root", required_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {0},
    };
    int option;
    optind = 1;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        struct sockaddr_storage address = {0};
        if (option == ':' || option == '?') {
            cli_bad_use(argv[0], option == ':' ? "%s needs an ADDRESS@PORT" : "no option %s",
                        argv[optind - 1]);
            return false;
        }
        if (option != 'j' && !ask_address_parse(optarg, &address)) {
            cli_bad_use(argv[0],
                        "%s is no address; write one such as 192.0.2.53 or 192.0.2.53@5353",
                        optarg);
            return false;
        }
        if (option == 'j') {
            arguments->json = true;
        } else if (option == 's') {
            arguments->has_server = true;
            arguments->server = address;
        } else if (option == 'r' && arguments->resolver_count < ASK_RESOLVERS_MAX) {
            arguments->resolvers[arguments->resolver_count++] = address;
        } else if (option == 'o' && arguments->root_count < ASK_ADDRESSES_MAX) {
            arguments->roots[arguments->root_count++] = address;
        }
    }
    if (argc - optind != 1) {
        cli_bad_use(argv[0], argc == optind ? "no DOMAIN" : "more than one DOMAIN");
        return false;
    }
    arguments->domain = argv[optind];
    return true;
}

/** \return for free(), each a good net, as the configuration checked; NULL if there is no memory */
static struct ask_net *nets_of(char *const *texts, size_t count)
{
    struct ask_net *nets = calloc(count + 1, sizeof(*nets));
    for (size_t i = 0; nets != NULL && i < count; i++) {
        ask_net_parse(texts[i], &nets[i]);
    }
    return nets;
}

/** Who is asked first: --root or --resolver, else the configuration's resolvers, else the
 * machine's; and if none of these answers, the roots. */
static void choose_whom_to_ask(struct arguments *arguments, const struct config *config)
{
    const struct sockaddr_storage *roots;
    if (arguments->root_count != 0) {
        return;
    }
    for (size_t i = 0;
         arguments->resolver_count == 0 && i < config->resolver_count && i < ASK_RESOLVERS_MAX;
         i++) {
        ask_address_parse(config->resolver[i], &arguments->resolvers[i]);
        if (i + 1 == config->resolver_count || i + 1 == ASK_RESOLVERS_MAX) {
            arguments->resolver_count = i + 1;
            return;
        }
    }
    if (arguments->resolver_count != 0) {
        return;
    }
    arguments->resolver_count = ask_read_resolv_conf(ASK_RESOLV_CONF, arguments->resolvers);
    if (!arguments->has_server) {
        arguments->root_count = ask_root_hints(&roots);
        memcpy(arguments->roots, roots, arguments->root_count * sizeof(*roots));
    }
}

/** \return false if there is no memory */
static bool run(struct check *check, const struct arguments *arguments)
{
    const struct ask_options options = {
        .base = check->base,
        .resolvers = arguments->resolvers,
        .resolver_count = arguments->resolver_count,
        .roots = arguments->roots,
        .root_count = arguments->root_count,
        .policy = &check->policy,
        .timeout_ms = TIMEOUT_MS,
        .tries = TRIES,
    };
    check->ask = check->base != NULL ? ask_new(&options) : NULL;
    if (check->ask == NULL) {
        return false;
    }
    progress_begin(&check->progress);
    check_ask_all(check);
    check_ask_hosts(check);
    const bool good = check_judge(check);
    progress_end(&check->progress);
    return good && (arguments->json ? check_print_json(check) : check_show(check));
}

static void free_check(struct check *check)
{
    ask_free(check->ask);
    for (size_t i = 0; i < check->server_count; i++) {
        for (size_t k = 0; k < CHECK_TYPES; k++) {
            check_answer_free(&check->servers[i].answers[k]);
        }
        check_verdict_free(&check->servers[i].verdict);
    }
    check_verdict_free(&check->all);
    ldns_rr_list_deep_free(check->target_records);
    if (check->base != NULL) {
        event_base_free(check->base);
    }
    providers_free(check->providers);
    free(check->do_not_ask);
    free(check->may_ask);
    free(check);
}

enum cli_exit cli_check(int argc, char **argv)
{
    static const enum cli_exit exits[] = {
        [check_healthy] = cli_good, [check_conflict] = cli_bad, [check_unknown] = cli_trouble};
    struct arguments arguments = {0};
    uint8_t name[MXCLASH_NAME_MAX];
    size_t len;
    struct cli_config loaded;
    if (!read_arguments(argc, argv, &arguments)) {
        return cli_trouble;
    }
    if (mxclash_name_from_text(arguments.domain, name, &len) != mxclash_ok) {
        return cli_bad_use(argv[0], "%s is no domain name", arguments.domain);
    }
    if (!cli_load_config(NULL, &loaded)) {
        return cli_trouble;
    }
    choose_whom_to_ask(&arguments, &loaded.config);
    struct check *check = calloc(1, sizeof(*check));
    enum cli_exit status = cli_trouble;
    if (check != NULL) {
        check->config = &loaded.config;
        ask_name_set(&check->domain, name, len);
        mxclash_name_to_text(name, len, check->domain_text);
        check->only = arguments.has_server ? &arguments.server : NULL;
        check->do_not_ask = nets_of(loaded.config.do_not_ask, loaded.config.do_not_ask_count);
        check->may_ask = nets_of(loaded.config.may_ask, loaded.config.may_ask_count);
        check->policy = (struct ask_policy){
            .do_not_ask = check->do_not_ask,
            .do_not_ask_count = loaded.config.do_not_ask_count,
            .may_ask = check->may_ask,
            .may_ask_count = loaded.config.may_ask_count,
        };
        check->base = event_base_new();
        check->providers = config_to_providers(&loaded.config);
        if (check->providers != NULL && check->policy.do_not_ask != NULL &&
            check->policy.may_ask != NULL && run(check, &arguments)) {
            status = exits[check->result];
        } else {
            fputs("mxclash check: no memory\n", stderr);
        }
        free_check(check);
    }
    config_free(&loaded.config);
    return status;
}
