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
    {"list",
     "Lists the domains that are in conflict now, those with the most MX queries first: from the\n"
     "book, or from a log.\n"
     "\n"
     "  --log FILE       read this log in place of the book; may be given again\n"
     "  --all, --ended   also, or only, conflicts that ended and are kept\n"
     "  --state, --kind, --impact, --provider, --host VALUE\n"
     "                   only these, as the log names them\n"
     "  --name PART      only domains with this in their name\n"
     "  --sort ORDER     mx-queries (most first), first-seen, last-seen (newest first), domain\n"
     "  --limit N        at most so many; a table has 1000 where this is not said\n"
     "  --json           for programs: one object a line\n",
     "mxclash list --state confirmed --sort first-seen\n"
     "mxclash list --log /var/log/unbound/mxclash.json --kind cname-and-mx\n",
     "the list is written, be it empty", NULL, "the book or a log cannot be read, or bad use"},
    {"show",
     "Shows all that is known of a domain: what is wrong, what senders meet, since when, how many\n"
     "MX queries met it, which hosts tell of it, and the repair steps with its own names in them.\n"
     "\n"
     "  --log FILE          read this log in place of the book; may be given again\n"
     "  --letter            only a text that can be sent to the domain's owner\n"
     "  --language en|zh    of sentences and steps\n"
     "  --json              for programs\n",
     "mxclash show example.com\n"
     "mxclash show example.com --letter --language zh\n",
     "not in conflict as far as the book knows", "in conflict",
     "the book or a log cannot be read, or bad use"},
    {"serve",
     "Follows the log of one or many resolvers, keeps the book that list and show read, and "
     "serves\n"
     "the page. Runs in the foreground until SIGTERM or SIGINT, as a user of its own: it must be\n"
     "able to read the logs and to write into the folder of database:.\n"
     "\n"
     "  --log FILE  follow this log in place of log-file:; a path or a pattern such as\n"
     "              '/var/log/mx/*.json'; may be given again\n",
     "mxclash serve\n"
     "mxclash serve --log '/var/log/resolvers/*.json'\n",
     "ended by a signal", NULL, "could not start, or bad use"},
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
