/* SPDX-License-Identifier: BSD-3-Clause */
/** \file `mxclash check` for people. See check.h. */
#include <stdlib.h>
#include <string.h>

#include "cli/check.h"
#include "cli/check_told.h"
#include "cli/print_advice.h"
#include "cli/table.h"

/** A text that grows. */
struct text {
    FILE *out;
    char *octets;
    size_t len;
};

static bool text_begin(struct text *text)
{
    *text = (struct text){0};
    text->out = open_memstream(&text->octets, &text->len);
    return text->out != NULL;
}

/** \return for free(); "" cannot fail to be there */
static char *text_end(struct text *text)
{
    fclose(text->out);
    return text->octets;
}

/** Write RDATA as a zone file has it, without last dots and with no octet that a terminal obeys. */
static void print_rdata(FILE *out, const ldns_rr *rr)
{
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *rdf = ldns_rr_rdf(rr, i);
        struct ask_name name;
        char text[MXCLASH_NAME_TEXT_MAX];
        if (i > 0) {
            fputc(' ', out);
        }
        if (ask_name_of(&name, rdf)) {
            mxclash_name_to_text(name.octets, name.len, text);
            fputs(text, out);
            continue;
        }
        char *written = ldns_rdf2str(rdf);
        for (const char *at = written; at != NULL && *at != '\0'; at++) {
            fputc(*at >= ' ' && *at <= '~' ? *at : '?', out);
        }
        free(written);
    }
}

/** What stands in the table for one question: records, or why there are none. */
static void print_answer(FILE *out, const struct check *check, const struct check_server *server,
                         enum check_type type)
{
    const struct check_answer *answer = &server->answers[type];
    const ldns_rr *rr;
    size_t count = 0;
    if (answer->packet == NULL) {
        fputs(ask_status_text(answer->status), out);
        return;
    }
    if (!check_answer_counts(answer)) {
        char *rcode = ldns_pkt_rcode2str(ldns_pkt_get_rcode(answer->packet));
        const bool lame = ldns_pkt_get_rcode(answer->packet) == LDNS_RCODE_NOERROR;
        fputs(lame || rcode == NULL ? "no authority" : rcode, out);
        free(rcode);
        return;
    }
    while ((rr = check_record(answer, &check->domain, check_qtypes[type], count)) != NULL) {
        fprintf(out, "%s%u ", count > 0 ? "\n" : "", ldns_rr_ttl(rr));
        print_rdata(out, rr);
        count++;
    }
    if (type != check_cname &&
        check_record(answer, &check->domain, LDNS_RR_TYPE_CNAME, 0) != NULL) {
        fputs(count > 0 ? "\nand the CNAME" : "the CNAME", out);
        count++;
    }
    if (count == 0) {
        fputs(ldns_pkt_get_rcode(answer->packet) == LDNS_RCODE_NXDOMAIN ? "no such name" : "-",
              out);
    }
}

/** Do two servers say the same of everything? */
static bool say_the_same(const struct check *check, const struct check_server *a,
                         const struct check_server *b)
{
    bool same = true;
    for (size_t i = 0; same && i < CHECK_TYPES; i++) {
        struct text one;
        struct text other;
        if (!text_begin(&one)) {
            return false;
        }
        if (!text_begin(&other)) {
            free(text_end(&one));
            return false;
        }
        print_answer(one.out, check, a, (enum check_type)i);
        print_answer(other.out, check, b, (enum check_type)i);
        char *left = text_end(&one);
        char *right = text_end(&other);
        same = left != NULL && right != NULL && strcmp(left, right) == 0;
        free(left);
        free(right);
    }
    return same;
}

static enum paint paint_of(const struct check_server *server, enum check_type type)
{
    const bool clash = server->verdict.conflicts[mxclash_cname_and_mx] != NULL ||
                       server->verdict.conflicts[mxclash_cname_at_apex] != NULL;
    return clash && (type == check_cname || type == check_mx) ? paint_bad : paint_none;
}

/** The records, once for all servers that say the same. \return false if there is no memory */
static bool show_records(const struct check *check, size_t columns)
{
    static const char *const headers[] = {"type", "TTL and data", NULL};
    bool shown[CHECK_SERVERS_MAX] = {0};
    bool good = true;
    for (size_t i = 0; i < check->server_count; i++) {
        const struct check_server *server = &check->servers[i];
        if (shown[i] || server->refused != NULL || !server->authoritative) {
            continue;
        }
        struct text at;
        if (!text_begin(&at)) {
            return false;
        }
        fputs("at", at.out);
        for (size_t k = i; k < check->server_count; k++) {
            const struct check_server *other = &check->servers[k];
            if (k == i ||
                (!shown[k] && other->authoritative && say_the_same(check, server, other))) {
                shown[k] = true;
                fprintf(at.out, "%s %s%s%s", k == i ? "" : ",", other->name,
                        other->name[0] != '\0' ? " " : "", other->address_text);
            }
        }
        char *who = text_end(&at);
        putchar('\n');
        print_wrapped(stdout, who != NULL ? who : "", columns, 3, 1);
        free(who);
        struct table *table = table_new(headers);
        if (table == NULL) {
            return false;
        }
        for (size_t type = 0; type < CHECK_TYPES; type++) {
            struct text text;
            if (!text_begin(&text)) {
                break;
            }
            print_answer(text.out, check, server, (enum check_type)type);
            char *cell = text_end(&text);
            table_add(table, paint_of(server, (enum check_type)type), check_type_names[type]);
            table_add(table, paint_of(server, (enum check_type)type), cell != NULL ? cell : "?");
            free(cell);
        }
        good = table_print(table, stdout, columns) && good;
        table_free(table);
    }
    return good;
}

/** What the table of servers says of one. */
static const char *standing(const struct check_server *server, enum paint *paint)
{
    bool answered = false;
    enum ask_status status = ask_timeout;
    *paint = paint_bad;
    if (server->refused != NULL) {
        *paint = paint_doubtful;
        return server->refused;
    }
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        if (server->verdict.conflicts[kind] != NULL) {
            return mxclash_kind_name((enum mxclash_kind)kind);
        }
    }
    for (size_t i = 0; i < CHECK_TYPES; i++) {
        answered = answered || server->answers[i].status == ask_answered;
        status = server->answers[i].status;
    }
    if (server->authoritative) {
        *paint = paint_good;
        return "no conflict";
    }
    return answered ? "lame" : ask_status_text(status);
}

static bool show_servers(const struct check *check, size_t columns)
{
    static const char *const headers[] = {"server", "address", "serial", "ms", "finds", NULL};
    struct table *table = table_new(headers);
    if (table == NULL) {
        return false;
    }
    for (size_t i = 0; i < check->server_count; i++) {
        const struct check_server *server = &check->servers[i];
        char number[16] = "-";
        enum paint paint;
        const char *says = standing(server, &paint);
        table_add(table, paint_none, server->name[0] != '\0' ? server->name : "--server");
        table_add(table, paint_none, server->address_text);
        if (server->has_serial) {
            snprintf(number, sizeof(number), "%u", server->serial);
        }
        table_add(table, paint_none, number);
        snprintf(number, sizeof(number), "%u", server->answers[check_mx].rtt_ms);
        table_add(table, paint_none, server->authoritative ? number : "-");
        table_add(table, paint, says);
    }
    putchar('\n');
    const bool good = table_print(table, stdout, columns);
    table_free(table);
    return good;
}

/** Where the domain lies. \return false if there is no memory */
static bool show_zone(const struct check *check, size_t columns)
{
    char zone[MXCLASH_NAME_TEXT_MAX];
    char parent[MXCLASH_NAME_TEXT_MAX];
    char address[ASK_ADDRESS_TEXT_MAX];
    struct text text;
    if (!text_begin(&text)) {
        return false;
    }
    fputs(check->domain_text, text.out);
    if (!check->has_zone) {
        fputs(": its zone is not known", text.out);
    } else if (ask_name_equal(&check->zone.name, &check->domain)) {
        fputs(" is the top of its zone", text.out);
    } else {
        mxclash_name_to_text(check->zone.name.octets, check->zone.name.len, zone);
        fprintf(text.out, " lies in the zone %s", zone);
    }
    if (check->has_zone && check->zone.parent.len != 0) {
        mxclash_name_to_text(check->zone.parent.octets, check->zone.parent.len, parent);
        ask_address_text(&check->zone.parent_server, address);
        fprintf(text.out, ", %s %s (asked at %s)",
                check->zone.no_referral ? "at the servers of" : "delegated by", parent, address);
    }
    char *line = text_end(&text);
    if (line != NULL) {
        print_wrapped(stdout, line, columns, 0, 0);
    }
    free(line);
    return line != NULL;
}

/** How a conflict shows: at which servers, how it is known. */
static bool show_heading(const struct check *check, const struct mxclash_event *event,
                         size_t columns)
{
    const char *kind = mxclash_kind_name(event->kind);
    struct text text;
    size_t at = 0;
    size_t heard = 0;
    if (!text_begin(&text)) {
        return false;
    }
    for (size_t i = 0; i < check->server_count; i++) {
        heard += check->servers[i].authoritative;
        at += check->servers[i].verdict.conflicts[event->kind] != NULL;
    }
    fprintf(text.out, ", %s", mxclash_state_name(event->state));
    if (event->evidence == mxclash_same_answer) {
        fputs(" by one answer that carries all", text.out);
    } else if (event->evidence == mxclash_probe) {
        fputs(" by asking afresh", text.out);
    }
    if (event->kind == mxclash_cname_at_apex && event->evidence == mxclash_probe &&
        event->state == mxclash_suspected) {
        fputs(" (it is not known whether mail is wanted here)", text.out);
    }
    if (at == 0) {
        fputs(", by what the servers say together", text.out);
    } else {
        fprintf(text.out, ", at %zu of %zu server%s", at, heard, heard == 1 ? "" : "s");
    }
    char *rest = text_end(&text);
    printf("\n%s%s%s", paint_begin(stdout, paint_bad), kind, paint_end(stdout));
    if (rest != NULL) {
        print_wrapped(stdout, rest, columns, 2, strlen(kind));
    }
    free(rest);
    return rest != NULL;
}

/** What senders find who follow the CNAME. \return false if there is no memory */
static bool show_target(const struct check *check, size_t columns)
{
    char name[MXCLASH_NAME_TEXT_MAX];
    struct text text;
    if (check->target_records == NULL) {
        return true;
    }
    if (!text_begin(&text)) {
        return false;
    }
    const size_t count = ldns_rr_list_rr_count(check->target_records);
    mxclash_name_to_text(check->target.octets, check->target.len, name);
    fprintf(text.out, "Senders find at %s: %s", name, count == 0 ? "nothing" : "");
    for (size_t i = 0; i < count; i++) {
        const ldns_rr *rr = ldns_rr_list_rr(check->target_records, i);
        char *type = ldns_rr_type2str(ldns_rr_get_type(rr));
        fprintf(text.out, "%s%s ", i > 0 ? ", " : "", type != NULL ? type : "?");
        print_rdata(text.out, rr);
        free(type);
    }
    char *line = text_end(&text);
    if (line != NULL) {
        print_wrapped(stdout, line, columns, 2, 0);
    }
    free(line);
    return line != NULL;
}

static bool show_conflict(const struct check *check, const struct mxclash_event *event,
                          size_t columns)
{
    struct advice advice;
    if (!show_heading(check, event, columns) || !told_advice(check->providers, event, &advice)) {
        return false;
    }
    print_wrapped(stdout, advice.fault, columns, 2, 0);
    print_wrapped(stdout, advice.impact, columns, 2, 0);
    const bool good = event->cname_target_len == 0 || show_target(check, columns);
    printf("\n%sHow to mend it%s\n", paint_begin(stdout, paint_bold), paint_end(stdout));
    cli_print_steps(&advice, columns);
    advice_free(&advice);
    char *web = told_for_the_web(event);
    if (web != NULL) {
        print_wrapped(stdout, web, columns, 2, 0);
    }
    free(web);
    return good;
}

static void show_remarks(const struct check *check, size_t columns)
{
    struct check_remark remarks[CHECK_REMARKS_MAX];
    const size_t count = check_remarks(check, remarks);
    if (count != 0) {
        printf("\n%sAlso%s\n", paint_begin(stdout, paint_bold), paint_end(stdout));
    }
    for (size_t i = 0; i < count; i++) {
        fputs("  - ", stdout);
        print_wrapped(stdout, remarks[i].text, columns, 4, 4);
        free(remarks[i].text);
    }
}

bool check_show(struct check *check)
{
    static const struct {
        enum paint paint;
        const char *word;
    } results[] = {
        [check_healthy] = {paint_good, "healthy"},
        [check_conflict] = {paint_bad, "conflict found"},
        [check_unknown] = {paint_doubtful, "could not tell"},
    };
    const size_t columns = terminal_columns(stdout);
    char *why = check_why(check);
    bool good = why != NULL;
    good = show_zone(check, columns) && good;
    if (check->server_count != 0) {
        good = show_servers(check, columns) && good;
        good = show_records(check, columns) && good;
    }
    for (int kind = 0; good && kind < MXCLASH_KINDS; kind++) {
        const struct mxclash_event *event = check_event(check, (enum mxclash_kind)kind);
        good = event == NULL || show_conflict(check, event, columns);
    }
    show_remarks(check, columns);
    if (good) {
        printf("\n%s%s%s%s", paint_begin(stdout, results[check->result].paint),
               results[check->result].word, paint_end(stdout), why[0] != '\0' ? ": " : "");
        print_wrapped(stdout, why, columns, 2, strlen(results[check->result].word) + 2);
    }
    free(why);
    return good;
}
