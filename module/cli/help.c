/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The help of each command: see help.h. The same, at length, is in mxclash(1). */
#include "cli/help.h"

#include <stddef.h>
#include <string.h>

static const char bad_use[] = "bad use";

static const struct help helps[] = {
    {"check",
     "Asks the authorities of DOMAIN themselves and prints what each says, whether a CNAME hides\n"
     "its MX, what senders meet, and the repair steps. The verdict is the detector's own.\n"
     "\n"
     "  --server ADDRESS@PORT    ask this server alone, be it on loopback; port 53 if not said\n"
     "  --resolver ADDRESS@PORT  who names the servers; may be given again. Else resolver: of the\n"
     "                           configuration, else /etc/resolv.conf, else the root servers\n"
     "  --root ADDRESS@PORT      begin at this server, as at the root, and ask no resolver\n"
     "  --json                   for programs\n"
     "\n"
     "Nets that do-not-ask: names, and loopback and the like, are never asked: mxclash.conf(5).\n",
     "mxclash check example.com\n"
     "mxclash check example.com --server 192.0.2.53\n"
     "mxclash check example.com --json | jq .result\n",
     "healthy", "a conflict was found", "could not tell, or bad use"},
    {"check-conf",
     "Reads the configuration as the module would, and tells the first fault as FILE:LINE: "
     "reason.\n"
     "Without FILE it looks where the module looks: the file that MXCLASH_CONF names, else\n"
     "mxclash.conf in Unbound's configuration folder.\n",
     "mxclash check-conf && unbound-control reload\n", "no fault", "a fault was found", bad_use},
    {"check-zone",
     "Reads a zone file (RFC 1035 5, with $ORIGIN, $TTL and $INCLUDE) and names the lines where a\n"
     "CNAME stands beside other data or at the top of the zone, an MX names an alias, an origin "
     "is\n"
     "doubled for want of a last dot, or MX and SPF do not fit the mailbox provider.\n"
     "\n"
     "  --origin NAME  the name of the zone\n"
     "  --json         for programs\n",
     "mxclash check-zone /etc/nsd/example.com.zone --origin example.com\n", "no fault",
     "a fault was found", "the file cannot be read, or bad use"},
    {"providers",
     "Shows the table of mailbox providers that the configuration chooses, or that of FILE, in "
     "the\n"
     "format of a provider-file.\n",
     "mxclash providers > /etc/unbound/mxclash.providers\n", "it was shown",
     "the file or the configuration has a fault", bad_use},
    {"help", "Shows the commands. COMMAND --help shows more of one.\n", NULL, "it was shown", NULL,
     bad_use},
    {"version", "Shows the version.\n", NULL, "it was shown", NULL, bad_use},
};

const struct help *help_of(const char *name)
{
    for (size_t i = 0; i < sizeof(helps) / sizeof(helps[0]); i++) {
        if (strcmp(helps[i].name, name) == 0) {
            return &helps[i];
        }
    }
    return NULL;
}
