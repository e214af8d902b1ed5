/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The help of each command: see help.h. The same, at length, is in mxclash(1). */
#include "cli/help.h"

#include <stddef.h>
#include <string.h>

static const char bad_use[] = "bad use";

static const struct help helps[] = {
    {"check",
     "Asks the authorities of DOMAIN themselves and prints what each says, whether a\n"
     "CNAME hides its MX, what senders meet, and the repair steps. The verdict is the\n"
     "detector's own.\n"
     "\n"
     "  --server A@P    ask this server alone, be it on loopback\n"
     "  --resolver A@P  who names the servers; may be given again. Else resolver: of\n"
     "                  the configuration, else /etc/resolv.conf, else the roots\n"
     "  --root A@P      begin at this server, as at the root, and ask no resolver\n"
     "  --json          for programs\n"
     "\n"
     "A@P is an address, and @port behind it if that is not 53. Loopback and the\n"
     "like, and what do-not-ask: names, is never asked: see mxclash.conf(5).\n",
     "mxclash check example.com\n"
     "mxclash check example.com --server 192.0.2.53\n"
     "mxclash check example.com --json | jq .result\n",
     "healthy", "a conflict was found", "could not tell, or bad use"},
    {"check-conf",
     "Reads the configuration as the module would, and tells the first fault as\n"
     "FILE:LINE: reason. Without FILE it looks where the module looks: the file that\n"
     "MXCLASH_CONF names, else mxclash.conf in Unbound's configuration folder.\n",
     "mxclash check-conf && unbound-control reload\n", "no fault", "a fault was found", bad_use},
    {"check-zone",
     "Reads a zone file (RFC 1035 5, with $ORIGIN, $TTL and $INCLUDE) and names the\n"
     "lines where a CNAME stands beside other data or at the top of the zone, an MX\n"
     "names an alias, an origin is doubled for want of a last dot, or MX and SPF do\n"
     "not fit the mailbox provider.\n"
     "\n"
     "  --origin NAME  the name of the zone\n"
     "  --json         for programs\n",
     "mxclash check-zone example.com.zone --origin example.com\n", "no fault", "a fault was found",
     "the file cannot be read, or bad use"},
    {"list",
     "Lists the domains that are in conflict now, those with the most MX queries\n"
     "first: from the book, or from a log.\n"
     "\n"
     "  --log FILE       read this log in place of the book; may be given again\n"
     "  --all, --ended   also, or only, conflicts that ended and are kept\n"
     "  --state, --kind, --impact, --provider, --host VALUE\n"
     "                   only these, as the log names them\n"
     "  --name PART      only domains with this in their name\n"
     "  --sort ORDER     mx-queries (most first), first-seen, last-seen (newest\n"
     "                   first), domain\n"
     "  --limit N        at most so many; a table has 1000 where this is not said\n"
     "  --json           for programs: one object a line\n",
     "mxclash list --state confirmed --sort first-seen\n"
     "mxclash list --log /var/log/unbound/mxclash.json --kind cname-and-mx\n",
     "the list is written, be it empty", NULL, "book or log cannot be read, or bad use"},
    {"show",
     "Shows all that is known of a domain: what is wrong, what senders meet, since\n"
     "when, how many MX queries met it, which hosts tell of it, and the repair steps\n"
     "with its own names in them.\n"
     "\n"
     "  --log FILE        read this log in place of the book; may be given again\n"
     "  --letter          only a text that can be sent to the domain's owner\n"
     "  --language en|zh  of sentences and steps\n"
     "  --json            for programs\n",
     "mxclash show example.com\n"
     "mxclash show example.com --letter --language zh\n",
     "not in conflict as far as is known", "in conflict", "book or log cannot be read, or bad use"},
    {"report",
     "Writes the page of mxclash serve with its data in it, as one file that works\n"
     "without a server: what is open, at most the 1,000 conflicts with the most MX\n"
     "queries.\n"
     "\n"
     "  --html FILE  where to; - is standard output\n"
     "  --log FILE   read this log in place of the book; may be given again\n",
     "mxclash report --html report.html\n"
     "mxclash report --html - --log /var/log/unbound/mxclash.json > report.html\n",
     "it was written", NULL, "book or log cannot be read, FILE not written, or bad use"},
    {"serve",
     "Follows the logs of one or many resolvers, keeps the book that list and show\n"
     "read, and serves the page. Runs in the foreground until SIGTERM or SIGINT, as a\n"
     "user of its own: one that may read the logs, and write into the folder of\n"
     "database:.\n"
     "\n"
     "  --log FILE  follow this log in place of log-file:, a path or a pattern such\n"
     "              as '/var/log/mx/*.json'; may be given again\n",
     "mxclash serve\n"
     "mxclash serve --log '/var/log/resolvers/*.json'\n",
     "ended by a signal", NULL, "could not start, or bad use"},
    {"doctor",
     "Looks at this machine and says what keeps mxclash from working in its Unbound,\n"
     "or mxclashd beside a resolver, each with the cure. Changes nothing. As root it\n"
     "sees more.\n"
     "\n"
     "  --json       for programs\n"
     "  --pid PID    this process; else an Unbound that has the module, else mxclashd\n"
     "  --conf FILE  Unbound's configuration; without --pid it alone, as if none ran\n",
     "mxclash doctor\n", "nothing is bad", "something is bad", bad_use},
    {"providers",
     "Shows the table of mailbox providers that the configuration chooses, or that\n"
     "of FILE, in the format of a provider-file.\n",
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
