/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The kinds of value in the configuration file.
 */
#include "runtime/config_value.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "ask/address.h"
#include "mxclash.h"

bool config_flag(const struct config_place *place, const char *text, bool *flag)
{
    char shown[CONFIG_QUOTE_MAX];
    const bool yes = strcmp(text, "yes") == 0;
    if (!yes && strcmp(text, "no") != 0) {
        return config_fault(place, "%s is neither yes nor no", config_quote(text, shown));
    }
    *flag = yes;
    return true;
}

/**
 * Read the digits at text; a number that does not fit becomes UINT64_MAX, which no range allows.
 * \return octets read, 0 if there is no digit
 */
static size_t read_digits(const char *text, uint64_t *number)
{
    size_t len = 0;
    *number = 0;
    for (; text[len] >= '0' && text[len] <= '9'; len++) {
        const uint64_t digit = (uint64_t)(text[len] - '0');
        *number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
    }
    return len;
}

bool config_number(const struct config_place *place, const char *text, unsigned min, unsigned max,
                   unsigned *number)
{
    char shown[CONFIG_QUOTE_MAX];
    uint64_t value;
    const size_t len = read_digits(text, &value);
    if (len == 0 || text[len] != '\0') {
        return config_fault(place, "%s is no number; write one from %u to %u",
                            config_quote(text, shown), min, max);
    }
    if (value < min || value > max) {
        return config_fault(place, "%s is out of range; write a number from %u to %u",
                            config_quote(text, shown), min, max);
    }
    *number = (unsigned)value;
    return true;
}

/** Room for size_text(): 20 digits, a unit, the NUL. */
#define SIZE_TEXT_MAX 22

/** Write octets with the largest unit that divides them. \return out */
static const char *size_text(uint64_t octets, char out[SIZE_TEXT_MAX])
{
    static const char *const units[] = {"", "k", "m", "g"};
    size_t unit = 0;
    while (unit < 3 && octets % 1024 == 0) {
        octets /= 1024;
        unit++;
    }
    snprintf(out, SIZE_TEXT_MAX, "%llu%s", (unsigned long long)octets, units[unit]);
    return out;
}

/** \return log2 of a unit's octets, 0 if it is none */
static unsigned unit_shift(char unit)
{
    switch (unit) {
    case 'k':
    case 'K':
        return 10;
    case 'm':
    case 'M':
        return 20;
    case 'g':
    case 'G':
        return 30;
    default:
        return 0;
    }
}

bool config_size(const struct config_place *place, const char *text, uint64_t min, uint64_t max,
                 size_t *octets)
{
    char shown[CONFIG_QUOTE_MAX];
    uint64_t value;
    const size_t len = read_digits(text, &value);
    const char *unit = text + len;
    const unsigned shift = unit_shift(*unit);
    if (shift != 0) {
        unit++;
    }
    if (*unit == 'b' || *unit == 'B') {
        unit++;
    }
    if (len == 0 || *unit != '\0') {
        return config_fault(place,
                            "%s is no size; write octets, or a number with k, m or g such as 16m",
                            config_quote(text, shown));
    }
    if (max > SIZE_MAX) {
        max = SIZE_MAX; /* where pointers have 32 bits */
    }
    if (value > max >> shift || value << shift < min) {
        char least[SIZE_TEXT_MAX];
        char most[SIZE_TEXT_MAX];
        return config_fault(place, "%s is out of range; write a size from %s to %s",
                            config_quote(text, shown), size_text(min, least), size_text(max, most));
    }
    *octets = (size_t)(value << shift);
    return true;
}

bool config_path(const struct config_place *place, const char *text)
{
    char shown[CONFIG_QUOTE_MAX];
    if (text[0] == '\0') {
        return true;
    }
    /* The resolver may change its folder after the start, so a relative path could surprise. */
    if (text[0] != '/') {
        return config_fault(place,
                            "%s is no absolute path; begin it with /, or write \"\" for none",
                            config_quote(text, shown));
    }
    if (text[strlen(text) - 1] == '/') {
        return config_fault(place, "%s names a folder; name a file in it",
                            config_quote(text, shown));
    }
    return true;
}

/** \return the family of an address with its octets, AF_UNSPEC if it is none */
static int read_address(const char *text, struct in6_addr *octets)
{
    if (inet_pton(AF_INET, text, octets) == 1) {
        return AF_INET;
    }
    return inet_pton(AF_INET6, text, octets) == 1 ? AF_INET6 : AF_UNSPEC;
}

static bool listen_path(const struct config_place *place, const char *text,
                        char where[CONFIG_LISTEN_MAX])
{
    const size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path);
    const size_t len = strlen(text);
    if (len >= room) {
        return config_fault(place, "socket path of %zu octets; at most %zu fit", len, room - 1);
    }
    snprintf(where, CONFIG_LISTEN_MAX, "%s", text);
    return config_path(place, text);
}

bool config_listen(const struct config_place *place, const char *text,
                   char where[CONFIG_LISTEN_MAX])
{
    char shown[CONFIG_QUOTE_MAX];
    struct in6_addr octets;
    if (text[0] == '/') {
        return listen_path(place, text, where);
    }
    const char *at = strrchr(text, '@');
    if (at == NULL && read_address(text, &octets) != AF_UNSPEC) {
        return config_fault(place, "%s has no port; write %s@9853", config_quote(text, shown),
                            text);
    }
    if (at == NULL) {
        return config_fault(place,
                            "%s has no @; write address@port such as 127.0.0.1@9853, the absolute "
                            "path of a unix socket, or \"\" for none",
                            config_quote(text, shown));
    }
    uint64_t port;
    const size_t digits = read_digits(at + 1, &port);
    if (digits == 0 || at[1 + digits] != '\0' || port < 1 || port > UINT16_MAX) {
        return config_fault(place, "%s has a bad port; write one from 1 to 65535 behind the @",
                            config_quote(text, shown));
    }
    char address[INET6_ADDRSTRLEN] = "";
    const size_t len = (size_t)(at - text);
    if (len < sizeof(address)) {
        memcpy(address, text, len);
        address[len] = '\0';
    }
    const int family = read_address(address, &octets);
    if (family == AF_UNSPEC) {
        return config_fault(place,
                            "%s has a bad address; write an IPv4 or IPv6 address without "
                            "brackets, such as 127.0.0.1@9853 or ::1@9853",
                            config_quote(text, shown));
    }
    if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&octets)) {
        inet_ntop(AF_INET, octets.s6_addr + 12, address, sizeof(address));
        return config_fault(place, "%s is an IPv4 address in the form of IPv6; write %s@%u",
                            config_quote(text, shown), address, (unsigned)port);
    }
    inet_ntop(family, &octets, address, sizeof(address));
    snprintf(where, CONFIG_LISTEN_MAX, "%s@%u", address, (unsigned)port);
    return true;
}

bool config_is_near(const struct config_place *place, const char *where)
{
    char shown[CONFIG_QUOTE_MAX];
    if (where[0] == '/' || strncmp(where, "127.", 4) == 0 || strncmp(where, "::1@", 4) == 0) {
        return true;
    }
    return config_fault(place,
                        "%s is no loopback address; whoever reaches it could make up answers, so "
                        "write the path of a unix socket, or a loopback address such as "
                        "127.0.0.1@6000",
                        config_quote(where, shown));
}

bool config_domain(const struct config_place *place, const char *text)
{
    char shown[CONFIG_QUOTE_MAX];
    uint8_t name[MXCLASH_NAME_MAX];
    size_t name_len;
    for (const char *octet = text; *octet != '\0'; octet++) {
        if ((unsigned char)*octet > '~') {
            return config_fault(place, "%s is not ASCII; write its A-labels (xn--...)",
                                config_quote(text, shown));
        }
    }
    if (mxclash_name_from_text(text, name, &name_len) != mxclash_ok) {
        return config_fault(place, "%s is no domain name; write one such as example.org",
                            config_quote(text, shown));
    }
    return true;
}

bool config_server(const struct config_place *place, const char *text)
{
    char shown[CONFIG_QUOTE_MAX];
    struct sockaddr_storage address;
    return ask_address_parse(text, &address) ||
           config_fault(place, "%s is no address; write one such as 192.0.2.53 or 192.0.2.53@5353",
                        config_quote(text, shown));
}

bool config_net(const struct config_place *place, const char *text)
{
    char shown[CONFIG_QUOTE_MAX];
    struct ask_net net;
    return ask_net_parse(text, &net) ||
           config_fault(place,
                        "%s is no net, or has bits behind its length; write one such as "
                        "10.0.0.0/8 or 2001:db8::/32",
                        config_quote(text, shown));
}
