/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The English sentences: see texts.h. */
#include "advice/texts.h"

static const struct text faults[] = {
    {"cname-and-mx", "{domain} has a CNAME record, to {target}, beside its MX records ({mx}): "
                     "whoever has the CNAME no longer finds the MX."},
    {"cname-at-apex/mx",
     "{domain} is the top of its zone and a CNAME to {target}, with which its name servers answer "
     "every question: its MX records ({mx}) are not found."},
    {"cname-at-apex",
     "{domain} is the top of its zone and a CNAME to {target}, with which its name servers answer "
     "every question: an MX record cannot be found there."},
    {"foreign-mx/sure", "The MX records of {domain} name mail hosts of {provider} and, beside "
                        "them, others that are not its own: {foreign}."},
    {"foreign-mx", "The MX records of {domain} ({mx}) name mail hosts of {provider} and, beside "
                   "them, others that are not its own."},
    {"incomplete-mx/add-final-dot", "MX records of {domain} ({mx}) have the domain's own name "
                                    "behind the host's, because the last dot lacks."},
    {"incomplete-mx",
     "The MX records of {domain} ({mx}) are not the ones that {provider} documents."},
    {"spf-missing/permerror",
     "The SPF record of {domain} breaks the syntax, so that no mail server reads it."},
    {"spf-missing/several-records",
     "{domain} has more than one SPF record, so that no mail server reads any of them."},
    {"spf-missing", "Mail of {domain} is at {provider}, and its SPF record does not name that "
                    "provider's servers."},
    {"", "{domain} has a fault of the kind {kind}."},
};

static const struct text impacts[] = {
    {"no-mail-host", "Senders find no mail host: {target} has neither an MX record nor an address. "
                     "Mail to {domain} bounces."},
    {"implicit-mx", "Senders deliver to the address of {target} itself. That is mostly a web "
                    "server, which takes no mail: mail to {domain} waits for days and bounces."},
    {"wrong-mail-host", "Senders deliver to the mail host of {target}, which is not the one that "
                        "{domain} names: mail bounces there or is lost."},
    {"none", "Mail arrives for now, because {target} has the same MX records. It ends as soon as "
             "one of the two changes."},
    {"cname-and-mx", "What senders meet at {target} is not known yet. Those that have the CNAME "
                     "do not find the mail host of {domain}."},
    {"cname-at-apex", "What senders meet at {target} is not known yet. They do not find a mail "
                      "host of {domain} itself."},
    {"foreign-mx", "Mail that goes to the hosts of others does not reach the mailboxes at "
                   "{provider}: some of it is lost."},
    {"incomplete-mx/add-final-dot",
     "Senders look for mail hosts that do not exist: mail to {domain} is late or bounces."},
    {"incomplete-mx", "Mail is late or bounces whenever the hosts that are named are not reached."},
    {"spf-missing", "Mail from {domain} may be refused or be taken for spam by those that get it."},
    {"", "What senders meet is not known."},
};

static const struct text ways[] = {
    {"remove-cname",
     "Delete the CNAME record whose host is {host}. First make sure that no active service relies "
     "on it."},
    {"replace-cname-with-address",
     "Delete the CNAME record whose host is {host}, and add an A record there with the IP address "
     "of {target}. The website keeps its name."},
    {"move-cname", "Change the host of the CNAME record from {host} to another one, such as {www}. "
                   "The CNAME stays in the zone."},
    {"separate-mail-domain",
     "Use a domain or subdomain of its own for the mailboxes, such as mail.{domain}. CNAME and MX "
     "then stand at different hosts."},
    {"flatten-cname",
     "Have the DNS provider flatten the CNAME (also called ALIAS or ANAME): it looks up {target} "
     "by itself and answers with its addresses, and the MX can be found."},
    {"remove-foreign-mx/sure", "Delete these MX records at host {host}: {foreign}."},
    {"remove-foreign-mx", "Delete the MX records at host {host} that are not of {provider}."},
    {"complete-mx", "Set the MX records at host {host} as {provider} documents them, preferences "
                    "included."},
    {"add-final-dot", "Write a dot at the end of the names of the mail hosts in the MX records at "
                      "host {host}, or enter them as the console asks for whole names."},
    {"fix-spf/permerror", "Mend the syntax of the SPF record (a TXT record) at host {host}. It "
                          "names the provider's servers with {include}."},
    {"fix-spf/several-records", "Keep a single SPF record (a TXT record) at host {host}. It names "
                                "the provider's servers with {include}."},
    {"fix-spf", "Add {include} to the SPF record (a TXT record) at host {host}."},
    {NULL, NULL},
};

const struct texts texts_english = {
    .faults = faults,
    .suspected = "Seen, but not proved: ",
    .impacts = impacts,
    .hides_spf = " The CNAME hides the SPF record too, so mail from {domain} may be refused.",
    .authorities_differ = " Its name servers have different copies of the zone: look at each.",
    .ways = ways,
    .prepare = "Log on to the DNS provider of {zone}, and open the DNS records of that zone.",
    .choose = "Do one of these:",
    .records = "Check that the records for mail at host {host} then are these:",
    .wait = "Wait: the change takes effect in one to two hours as a rule, and can take up to 48 "
            "hours.",
    .some_target = "another name",
    .some_provider = "the mailbox provider",
    .some_include = "the include that the provider documents",
    .no_mx = "none seen",
    .comma = ", ",
    .greeting = "Hello,\n\nyou have a fault in the DNS records of {domain} that harms mail.\n\n",
    .before_steps = "How to mend it:\n\n",
};
