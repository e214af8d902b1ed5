/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Whether a resolver sends its dnstap to mxclashd: see doctor.h. */
#include <stdio.h>

#include "cli/doctor.h"

/** Where mxclashd.socket of systemd listens. */
#define UNIT_SOCKET "/run/mxclash/dnstap.sock"

void doctor_senders(struct doctor_findings *findings, const struct config *config, const char *page)
{
    static const char check[] = "dnstap";
    const double senders = doctor_value(page, "mxclash_dnstap_senders");
    const double seen = doctor_value(page, "mxclash_dnstap_frames_total{use=\"inspected\"}");
    const double clients = doctor_value(page, "mxclash_dnstap_frames_total{use=\"client\"}");
    const char *place = config->dnstap_listen_count != 0 ? config->dnstap_listen[0] : UNIT_SOCKET;
    char cure[512];
    if (senders < 0) {
        return; /* somebody else answers there, and that was said */
    }
    if (senders == 0) {
        snprintf(cure, sizeof(cure),
                 "have the resolver send to %s, as conf-examples/dnstap shows; let its user write "
                 "to the socket (adduser unbound mxclash), AppArmor let it, and restart it; its "
                 "own log says what is missing",
                 place);
        doctor_say(findings, doctor_bad, check, cure, "no resolver is connected");
    } else if (seen == 0 && clients > 0) {
        doctor_say(findings, doctor_bad, check,
                   "have the resolver send resolver responses too, as conf-examples/dnstap shows",
                   "%.0f resolvers are connected, and send what clients get alone", senders);
    } else {
        doctor_say(findings, doctor_ok, check, NULL, "%.0f connections of resolvers", senders);
    }
}
