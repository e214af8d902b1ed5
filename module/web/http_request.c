/* SPDX-License-Identifier: BSD-3-Clause */
/** \file One request: whom to answer, and with what; see http.h. */
#include <arpa/inet.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web/http.h"
#include "web/http_parts.h"

static const char type_json[] = "application/json; charset=utf-8";
static const char no_page[] = "default-src 'none'; frame-ancestors 'none'; sandbox";

/* --- replies --- */

bool http_fault(struct http_reply *reply, unsigned status, const char *code, const char *format,
                ...)
{
    char text[512];
    json_t *object;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    /* a client's own words may be no UTF-8, or cut in the middle of a character */
    for (char *c = text; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    object = json_pack("{s:{s:s, s:s}}", "error", "code", code, "text", text);
    reply->status = status;
    reply->type = type_json;
    reply->policy = no_page;
    reply->body = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
    reply->octets = reply->body == NULL ? 0 : strlen(reply->body);
    json_decref(object);
    return reply->body != NULL;
}

/** A reply's octets, which count until its reader has them. */
struct body {
    struct http *http;
    size_t octets;
    char *text;
};

static void free_body(void *argument)
{
    struct body *body = argument;

    atomic_fetch_sub(&body->http->waiting, body->octets);
    free(body->text);
    free(body);
}

static struct MHD_Response *own_body(struct http *http, struct http_reply *reply)
{
    struct body *body = malloc(sizeof(*body));
    struct MHD_Response *response = NULL;

    if (body == NULL)
        return NULL;
    *body = (struct body){.http = http, .octets = reply->octets, .text = reply->body};
    /* one reply is always served, however long */
    if (atomic_fetch_add(&http->waiting, body->octets) + body->octets <=
        HTTP_REPLY_OCTETS + reply->octets)
        response = MHD_create_response_from_buffer_with_free_callback_cls(body->octets, body->text,
                                                                          free_body, body);
    if (response != NULL)
        reply->body = NULL;
    else {
        atomic_fetch_sub(&http->waiting, body->octets);
        free(body);
    }
    return response;
}

static struct MHD_Response *fixed_body(const struct http_reply *reply)
{
    /* the library's type takes no const, but the memory is only read */
    return MHD_create_response_from_buffer(reply->octets, (void *)(uintptr_t)reply->static_body,
                                           MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result send_reply(struct http *http, struct MHD_Connection *connection,
                                  struct http_reply *reply)
{
    static const char nothing[] =
        "{\"error\":{\"code\":\"busy\",\"text\":\"too many replies wait, or no memory\"}}";
    struct MHD_Response *response = NULL;
    enum MHD_Result result;

    if (reply->body != NULL)
        response = own_body(http, reply);
    else if (reply->static_body != NULL)
        response = fixed_body(reply);
    free(reply->body);
    if (response == NULL) {
        *reply = (struct http_reply){.status = 503,
                                     .type = type_json,
                                     .policy = no_page,
                                     .static_body = nothing,
                                     .octets = sizeof(nothing) - 1};
        response = fixed_body(reply);
    }
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", reply->type);
    MHD_add_response_header(response, "Content-Security-Policy", reply->policy);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    MHD_add_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
    if (reply->status == 405)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    result = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    atomic_fetch_add(&http->replies[reply->status / 100 % 6], 1);
    return result;
}

/* --- whom to answer --- */

/** Take the port off. \return false if there is no name in it, or none that fits */
static bool host_name(const char *header, char *name, size_t size)
{
    const bool literal = header[0] == '[';
    const char *begin = literal ? header + 1 : header;
    const char *end = begin + strcspn(begin, literal ? "]" : ":");
    size_t len = (size_t)(end - begin);

    if (literal && (*end != ']' || (end[1] != '\0' && end[1] != ':')))
        return false;
    if (len > 1 && begin[len - 1] == '.')
        len--;
    if (len == 0 || len >= size)
        return false;
    memcpy(name, begin, len);
    name[len] = '\0';
    return true;
}

/**
 * May a page of this origin read us? A page of an attacker's can have its own name lead to our
 * address, and is then of our origin to the browser; but it cannot have a browser ask for an
 * address or for localhost in its own name.
 */
static bool own_host(const struct http *http, const char *header)
{
    char name[256];
    uint8_t address[16];

    if (!host_name(header, name, sizeof(name)))
        return false;
    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1 ||
        strcasecmp(name, "localhost") == 0)
        return true;
    for (size_t i = 0; i < http->options.host_count; i++) {
        const char *own = http->options.hosts[i];
        const size_t len = strlen(own), dot = len > 1 && own[len - 1] == '.';

        if (strlen(name) == len - dot && strncasecmp(name, own, len - dot) == 0)
            return true;
    }
    return false;
}

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);

    return value == NULL ? "" : value;
}

/** Another site's page asks, and not for a page to show: a script, an image, fetch(). */
static bool foreign_page(struct MHD_Connection *connection)
{
    const char *site = header_of(connection, "Sec-Fetch-Site");

    return site[0] != '\0' && strcmp(site, "none") != 0 && strcmp(site, "same-origin") != 0 &&
           strcmp(header_of(connection, "Sec-Fetch-Mode"), "navigate") != 0;
}

/** \return true with the refusal filled in */
static bool refused(const struct http *http, struct MHD_Connection *connection, const char *method,
                    bool local, struct http_reply *reply)
{
    const char *host = header_of(connection, "Host");

    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return http_fault(reply, 405, "method", "only GET and HEAD are answered");
    if (header_of(connection, "Content-Length")[0] != '\0' ||
        header_of(connection, "Transfer-Encoding")[0] != '\0')
        return http_fault(reply, 413, "body", "a request with a body is not answered");
    /* no browser reaches a unix socket, and whoever stands before it may set what it likes; nor
     * does a browser leave the header out */
    if (!local && host[0] != '\0' && !own_host(http, host))
        return http_fault(reply, 421, "host",
                          "the page is asked for by address or as localhost; another name "
                          "must stand in page-host: of mxclash.conf");
    if (foreign_page(connection))
        return http_fault(reply, 403, "cross-site", "another site's page may not read this");
    return false;
}

/* --- requests --- */

struct client *http_client_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info == NULL ? NULL : info->socket_context;
}

static enum MHD_Result add_parameter(void *argument, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
    struct http_request *request = argument;

    (void)kind;
    if (request->parameter_count == HTTP_PARAMETERS_MAX)
        return MHD_NO;
    request->parameters[request->parameter_count++] =
        (struct http_parameter){.name = name, .value = value == NULL ? "" : value};
    return MHD_YES;
}

/* Marks of a request: where its target has an octet 0, at which the library cuts it; and where it
 * was looked at and has no more to come. */
static char has_zero, whole;

void *http_on_target(void *argument, const char *target, struct MHD_Connection *connection)
{
    (void)argument;
    (void)connection;
    return strstr(target, "%00") == NULL ? NULL : &has_zero;
}

static void ask_handler(const struct http *http, struct MHD_Connection *connection,
                        const char *path, struct http_reply *reply)
{
    struct http_request request = {.path = path};

    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_parameter, &request);
    if (!http->options.handler(http->options.handler_context, &request, reply)) {
        free(reply->body);
        reply->body = NULL;
        reply->static_body = NULL;
    }
}

/**
 * Called when the headers are there, and again when the body is, which none has that gets so far. A
 * reply in the first call makes the library end the connection: it takes the rest for unread.
 */
enum MHD_Result http_on_request(void *argument, struct MHD_Connection *connection, const char *path,
                                const char *method, const char *version, const char *body,
                                size_t *body_octets, void **mark)
{
    struct http *http = argument;
    const struct client *client = http_client_of(connection);
    struct http_reply reply = {.status = 200, .type = type_json, .policy = no_page};

    (void)version;
    (void)body;
    *body_octets = 0;
    if (client == NULL)
        return MHD_NO;
    if (*mark == &whole) {
        ask_handler(http, connection, path, &reply);
        return send_reply(http, connection, &reply);
    }
    if (refused(http, connection, method, client->local, &reply))
        return send_reply(http, connection, &reply);
    if (*mark == &has_zero || path[0] != '/')
        http_fault(&reply, 400, "target", "the path is none, or has an octet 0 in it");
    else if (MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, NULL, NULL) >
             HTTP_PARAMETERS_MAX)
        http_fault(&reply, 400, "parameter", "too many parameters");
    else {
        *mark = &whole;
        return MHD_YES;
    }
    return send_reply(http, connection, &reply);
}
