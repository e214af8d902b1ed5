# SPDX-License-Identifier: BSD-3-Clause
"""Mail flows: a real Postfix sends to a broken domain, and the message arrives where it belongs.

Everything is real and on loopback: the authority, Unbound with the module, Postfix, SMTP. The
domain's CNAME points to the host of a CDN, its MX to a mail host; both take any message.
"""

import pytest

from asking import confirm, mx_hosts, question
from lab import DNS_PORT, Authority, port_53_missing, wait_until
from mail import MailHost, Postfix, mail_missing, members
from resolver import Unbound

DELIVERY_TIMEOUT_S = 60
MISSING = port_53_missing() or mail_missing()

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING or "")

ZONES = """\
zone cdn.test
  www 600 A {cdn}
zone host.test
  mail 600 A {mail}
zone shop.test
  answer {mode}
  @ 600 CNAME www.cdn.test.
  @ 600 MX 5 mail.host.test.
zone good.test
  @ 600 MX 5 mail.host.test.
  @ 600 A {cdn}
"""


@pytest.fixture
def hosts():
    """The CDN's host and the mail host, both on port 25."""
    with MailHost("www.cdn.test") as cdn, MailHost("mail.host.test") as mail:
        yield cdn, mail


@pytest.fixture
def resolver(tmp_path, hosts):
    """resolver(mode, repair): Unbound on port 53, where the C library looks for it."""
    cdn, mail = hosts
    servers = []

    def build(mode, repair):
        scenario = ZONES.format(cdn=cdn.address, mail=mail.address, mode=mode)
        servers.append(Authority(tmp_path / "authority", scenario).start())
        unbound = Unbound(
            tmp_path / "unbound",
            dict.fromkeys(("cdn.test", "host.test", "shop.test", "good.test"), servers[0]),
            mxclash={"repair": repair},
            port=DNS_PORT,
        )
        servers.append(unbound.start())
        return unbound

    yield build
    for server in reversed(servers):
        server.stop()


def arrival(hosts, subject):
    """Wait until a message has arrived somewhere, and return the name of that host."""

    def find():
        return [h.name for h in hosts for m in h.messages if f"Subject: {subject}" in m.body]

    wait_until(find, DELIVERY_TIMEOUT_S, f"the message {subject}")
    return find()


@pytest.mark.parametrize("mode", ["by-type", "both"])
@pytest.mark.parametrize(
    "repair, wanted", [("no", ["www.cdn.test"]), ("yes", ["mail.host.test"])]
)
def test_where_mail_arrives(resolver, hosts, mode, repair, wanted):
    unbound = resolver(mode, repair)
    # somebody opens the web site, somebody sends a mail: the conflict is known
    confirm(unbound, "shop.test")
    unbound.ask("shop.test", "A")
    with Postfix(unbound) as postfix:
        for number in range(3):
            postfix.send("info@shop.test", f"broken-{number}")
            assert arrival(hosts, f"broken-{number}") == wanted
        postfix.send("info@good.test", "sound")
        assert arrival(hosts, "sound") == ["mail.host.test"]
        assert {m.recipient for h in hosts for m in h.messages} == {
            "info@shop.test",
            "info@good.test",
        }
        leader = postfix.pid
        assert leader in members(leader)
    wait_until(lambda: not members(leader), DELIVERY_TIMEOUT_S, "the end of Postfix")
    # it did ask our resolver
    outcome = {"no": "hidden", "yes": "repaired"}[repair]
    name = f'mxclash_affected_mx_answers_total{{outcome="{outcome}"}}'
    assert unbound.metrics()[name] >= 1
    assert bool(mx_hosts(question(unbound, "shop.test", "MX"), "shop.test")) == (repair == "yes")
