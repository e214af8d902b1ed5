# SPDX-License-Identifier: BSD-3-Clause
"""`mxclash check`: what it says of domains at real authorities, with and without a resolver."""

import re
import time

import pytest
from asking import STANDARD
from checking import ALONE, LAB, Delegations, check, kinds, show, tags
from lab import Authority, free_address, free_port, port_53_missing
from test_cli import run

MX = [{"preference": 5 * (i + 1), "exchange": name[:-1]} for i, name in enumerate(STANDARD)]

needs_port_53 = pytest.mark.skipif(port_53_missing() is not None, reason="port 53 wants root")


def root_of(delegated):
    return ("--root", f"{delegated.root.address}@{delegated.root.port}")


# domain: kind, state, evidence, does it know the MX
BROKEN = {
    "split.test": ("cname-and-mx", "confirmed", "probe", True),
    "tiny.test": ("cname-and-mx", "confirmed", "same-answer", True),
    "turned.test": ("cname-and-mx", "confirmed", "same-answer", True),
    "big.test": ("cname-and-mx", "confirmed", "probe", True),
    # the type CNAME is refused, or not answered: the address type shows it
    "refusing.test": ("cname-and-mx", "confirmed", "probe", True),
    "silent.test": ("cname-and-mx", "confirmed", "probe", True),
    # what stands behind the CNAME is never served; whether mail is wanted nobody knows
    "power.test": ("cname-at-apex", "suspected", "probe", False),
    "hidden.test": ("cname-at-apex", "suspected", "probe", False),
}


@pytest.mark.parametrize("domain", BROKEN)
def test_broken(tmp_path, delegated, domain):
    """Nobody resolves: from the root down to the authority."""
    kind, state, evidence, knows_mx = BROKEN[domain]
    status, told = check(tmp_path, domain, *root_of(delegated))
    assert status == 1
    assert kinds(told) == [kind]
    conflict = told["conflicts"][0]
    server = delegated.server_of(domain)
    assert (conflict["state"], conflict["evidence"]) == (state, evidence)
    assert (told["zone"], told["parent"]) == (domain, ".")
    assert told["parent_server"] == delegated.root.address
    assert conflict["cname"] == {"target": "www.cdn.test", "ttl": 600}
    assert conflict["mx"] == (MX if knows_mx else [])
    assert conflict["authority"] == server.address
    # the target has an address and no MX
    assert conflict["impact"] == "implicit-mx"
    assert told["target"] == "www.cdn.test"
    assert told["target_records"] == [{"type": "A", "ttl": 60, "rdata": ["192.0.2.10"]}]
    assert [s["address"] for s in told["servers"]] == [server.address]
    assert told["servers"][0]["conflicts"] == [kind]
    # the repair steps, with this domain's own names
    words = [step["word"] for step in conflict["steps"] if step["word"]]
    assert words == ["remove-cname", "replace-cname-with-address", "move-cname",
                     "separate-mail-domain", "flatten-cname"]  # fmt: skip
    records = [step["records"] for step in conflict["steps"] if step["records"]]
    assert conflict["provider"] == ("alibaba-mail-standard" if knows_mx else None)
    if knows_mx:
        assert records[0].splitlines() == [
            *(f"@ MX {mx['preference']} {mx['exchange']}" for mx in MX),
            "@ TXT v=spf1 include:spf.qiye.aliyun.com -all",
        ]
    assert f"{domain}. HTTPS 0 www.cdn.test." in conflict["web"]


HEALTHY = {
    "good.test": "good.test has an MX (mail.good.test), and no CNAME beside it.",
    "mail.good.test": "mail.good.test has neither MX nor CNAME: mail goes to its address "
    "(RFC 5321 5.1).",
    "www.good.test": "www.good.test is only an alias of www.cdn.test, and not the top of a zone",
    "email.alias.test": "email.alias.test is only an alias of return.mailer.test",
    "user.old.moved.test": "user.old.moved.test lies below old.moved.test, which is a DNAME",
    "some.wild.test": "some.wild.test is an alias of www.cdn.test, made by the wildcard "
    "*.wild.test",
    "post.wild.test": "post.wild.test has an MX (mail.good.test), and no CNAME beside it.",
}


@pytest.mark.parametrize("domain", HEALTHY)
def test_healthy(tmp_path, delegated, domain):
    status, told = check(tmp_path, domain, *root_of(delegated))
    assert (status, kinds(told)) == (0, [])
    assert told["why"].startswith(HEALTHY[domain])
    assert told["servers"][0]["conflicts"] == []


@pytest.mark.parametrize("domain", ["nothing.good.test", "nosuch.test"])
def test_name_that_is_not_there(tmp_path, delegated, domain):
    status, told = check(tmp_path, domain, *root_of(delegated))
    assert (status, told["result"]) == (2, "unknown")
    assert told["why"].startswith(f"{domain} does not exist, say the servers of ")




@needs_port_53
def test_legal_aliases_of_other_kinds(tmp_path):
    null = "zone null.test\n answer by-type\n @ CNAME www.null.test.\n @ MX 0 .\n www A 192.0.2.1\n"
    nodata = (
        "zone nodata.test\n answer by-type\n only TXT @\n @ CNAME www.nodata.test.\n"
        " @ TXT x\n www A 192.0.2.1\n"
    )
    with Delegations(tmp_path, {"null.test": [null], "nodata.test": [nodata]}) as world:
        status, told = check(tmp_path, "null.test", *world.option)
        assert (status, kinds(told)) == (0, [])
        assert told["why"] == (
            "null.test says with a null MX (RFC 7505) that it takes no mail, so its CNAME hides none."
        )
        assert check(tmp_path, "nodata.test", *world.option)[0] in (0, 1)


def test_truncated_answers_come_over_tcp(tmp_path, delegated):
    told = check(tmp_path, "big.test", *root_of(delegated))[1]
    answers = told["servers"][0]["answers"]
    assert {name: answer["tcp"] for name, answer in answers.items()} == dict.fromkeys(
        ["SOA", "NS", "CNAME", "MX", "A", "AAAA", "TXT"], True
    )
    asked = {how for _, _, how in delegated.own.queries("big.test", "MX")}
    assert asked == {"udp", "tcp"}


def test_second_look(tmp_path, delegated):
    """As in the resolver, what two answers show is looked at twice."""
    began = time.monotonic()
    conf = LAB.replace("confirm-after: 0", "confirm-after: 1")
    assert check(tmp_path, "split.test", *root_of(delegated), conf=conf)[0] == 1
    assert time.monotonic() - began >= 1


class TestResolver:
    def test_finds_the_servers(self, tmp_path, delegated, start):
        """The CNAME that the resolver has in its cache hides the cut from it, and not from us."""
        unbound = start({".": delegated.root}, modules="iterator",
                        settings={"do-not-query-localhost": "no"})  # fmt: skip
        assert unbound.ask("hidden.test", "A").answer
        for domain in ("hidden.test", "split.test"):
            status, told = check(tmp_path, domain, "--resolver", unbound.endpoint)
            assert (status, told["zone"], kinds(told)) == (1, domain, [BROKEN[domain][0]])
            assert told["conflicts"][0]["impact"] == "implicit-mx"
        conf = LAB.replace("127.0.0.1@9", unbound.endpoint)
        assert check(tmp_path, "good.test", conf=conf)[1]["zone"] == "good.test"

    def test_does_not_answer(self, tmp_path):
        address = free_address()
        endpoint = f"{address}@{free_port(address)}"
        status, told = check(tmp_path, "split.test", "--resolver", endpoint)
        assert (status, told["servers"], told["zone"]) == (2, [], None)
        assert told["why"].startswith("The servers of split.test could not be found: nobody is there")

    def test_second_one_is_asked(self, tmp_path, delegated, start):
        unbound = start({".": delegated.root}, modules="iterator",
                        settings={"do-not-query-localhost": "no"})  # fmt: skip
        address = free_address()
        dead = f"{address}@{free_port(address)}"
        told = check(tmp_path, "good.test", "--resolver", dead, "--resolver", unbound.endpoint)[1]
        assert told["result"] == "healthy"


class TestServer:
    """--server: the operator's word."""

    @pytest.mark.parametrize("domain", ["split.test", "hidden.test", "power.test", "tiny.test"])
    def test_broken(self, tmp_path, delegated, domain):
        """On loopback, though nothing is allowed there; the zone is found without the one above."""
        server = delegated.server_of(domain)
        status, told = check(
            tmp_path, domain, "--server", server.endpoint, conf=ALONE
        )
        assert (status, kinds(told)) == (1, [BROKEN[domain][0]])
        assert told["zone"] == domain

    @pytest.mark.parametrize("domain", ["good.test", "email.alias.test", "www.good.test"])
    def test_healthy(self, tmp_path, delegated, domain):
        server = delegated.server_of(domain)
        status, told = check(
            tmp_path, domain, "--server", server.endpoint, conf=ALONE
        )
        assert (status, told["zone"]) == (0, domain.split(".", domain.count(".") - 1)[-1])

    def test_lame(self, tmp_path, delegated):
        status, told = check(tmp_path, "split.test", "--server", delegated.nsd.endpoint)
        assert (status, tags(told)) == (2, ["lame-server"])
        assert told["why"].startswith("No server answered for split.test as an authority")

    def test_dead(self, tmp_path):
        address = free_address()
        status, told = check(
            tmp_path, "split.test", "--server", f"{address}@{free_port(address)}"
        )
        assert (status, tags(told)) == (2, ["dead-server"])
        assert told["servers"][0]["answers"]["MX"]["status"] == "unreachable"

    def test_ipv6(self, tmp_path):
        try:
            port = free_port("::1")
        except OSError:
            pytest.skip("no ::1 here")
        scenario = "zone six.test\n answer by-type\n @ CNAME www.cdn.test.\n @ MX 5 mx.six.test.\n"
        with Authority(tmp_path / "six", scenario, "::1", port):
            status, told = check(tmp_path, "six.test", "--server", f"::1@{port}")
        assert (status, kinds(told)) == (1, ["cname-and-mx"])
        assert told["servers"][0]["address"] == f"::1@{port}"
        assert told["conflicts"][0]["authority"] == "::1"


class TestAddresses:
    """A stranger chooses them."""

    def test_loopback_is_not_asked_by_itself(self, tmp_path, delegated):
        before = len(delegated.own.queries("split.test"))
        status, told = check(tmp_path, "split.test", *root_of(delegated), conf=ALONE)
        assert (status, tags(told)) == (2, ["not-asked"])
        assert told["servers"][0]["not_asked"] == "loopback"
        assert told["why"].startswith("None of the servers of split.test has an address")
        assert len(delegated.own.queries("split.test")) == before

    def test_do_not_ask_is_stronger(self, tmp_path, delegated):
        before = len(delegated.own.queries("split.test"))
        conf = LAB + f"do-not-ask: {delegated.own.address}\n"
        told = check(tmp_path, "split.test", *root_of(delegated), conf=conf)[1]
        assert told["servers"][0]["not_asked"] == "do-not-ask"
        assert len(delegated.own.queries("split.test")) == before

    @needs_port_53
    def test_targets_at_loopback_are_not_asked_either(self, tmp_path):
        """Nor where the detector wants to know what senders meet."""
        lone = "zone lone.test\n answer by-type\n @ CNAME www.trap.test.\n @ MX 5 mx.lone.test.\n"
        trap = "zone trap.test\n www A 192.0.2.1\n"
        with Delegations(tmp_path, {"lone.test": [lone], "trap.test": [trap]}) as world:
            conf = f"{ALONE}may-ask: {world.addresses['lone.test'][0]}\n"
            status, told = check(tmp_path, "lone.test", *world.option, conf=conf)
            assert (status, told["conflicts"][0]["impact"]) == (1, "unknown")
            assert world.servers["trap.test"][0].queries("www.trap.test") == []


SOA = "@ SOA ns.two.test. host.two.test. {serial} 3600 600 86400 60"
BOTH = "@ CNAME www.two.test.\n @ MX 5 mx.two.test.\n www A 192.0.2.1\n"
ONE_MX = "@ MX 5 mx.two.test.\n www A 192.0.2.1\n"
ONE_CNAME = "@ CNAME www.two.test.\n www A 192.0.2.1\n"


def zone_of(records, serial=7):
    return f"zone two.test\n answer by-type\n {SOA.format(serial=serial)}\n {records}"


@needs_port_53
class TestServers:
    """What several servers say."""

    def test_all_the_same(self, tmp_path):
        with Delegations(tmp_path, {"two.test": [zone_of(BOTH), zone_of(BOTH)]}) as world:
            status, told = check(tmp_path, "two.test", *world.option)
            assert (status, kinds(told)) == (1, ["cname-and-mx"])
            assert [s["conflicts"] for s in told["servers"]] == [["cname-and-mx"]] * 2
            assert [s["serial"] for s in told["servers"]] == [7, 7]
            # the delegation names two servers, the zone the one that was made up
            assert set(tags(told)) == {"delegation-differs", "mx-has-no-address"}
            text = show(tmp_path, "two.test", *world.option)[1]
            assert ", at 2 of 2 servers" in text
            assert text.count("\nat ns") == 1

    def test_one_of_two_has_both(self, tmp_path):
        zones = {"two.test": [zone_of(BOTH), zone_of(ONE_MX, serial=6)]}
        with Delegations(tmp_path, zones) as world:
            status, told = check(tmp_path, "two.test", *world.option)
            assert (status, kinds(told)) == (1, ["cname-and-mx"])
            assert [s["conflicts"] for s in told["servers"]] == [["cname-and-mx"], []]
            assert {"serials-differ", "records-differ"} <= set(tags(told))
            assert ", at 1 of 2 servers" in show(tmp_path, "two.test", *world.option)[1]

    def test_each_has_one_with_one_serial(self, tmp_path):
        """No server is wrong alone, and a resolver meets both."""
        with Delegations(tmp_path, {"two.test": [zone_of(ONE_CNAME), zone_of(ONE_MX)]}) as world:
            status, told = check(tmp_path, "two.test", *world.option)
            assert (status, kinds(told)) == (1, ["cname-and-mx"])
            assert told["conflicts"][0]["authorities_differ"] is True
            assert told["servers"][1]["conflicts"] == []

    def test_change_that_may_be_on_its_way(self, tmp_path):
        """A name that is an alias in one copy and has an MX in the other: nobody can tell yet."""
        old = zone_of("mail CNAME www.two.test.\n www A 192.0.2.1\n", serial=7)
        new = zone_of("mail MX 5 mx.two.test.\n www A 192.0.2.1\n", serial=8)
        conf = LAB.replace("confirm-after: 0", "confirm-after: 1")
        with Delegations(tmp_path, {"two.test": [old, new]}) as world:
            status, told = check(tmp_path, "mail.two.test", *world.option, conf=conf)
        assert (status, kinds(told)) == (2, [])
        assert {"serials-differ", "records-differ"} <= set(tags(told))
        assert told["why"].startswith("The servers have different copies of the zone")

    def test_apex_that_is_an_alias_in_one_copy(self, tmp_path):
        """That server is wrong by itself, whichever copy is the newer one."""
        zones = {"two.test": [zone_of(ONE_CNAME, serial=8), zone_of(ONE_MX, serial=7)]}
        conf = LAB.replace("confirm-after: 0", "confirm-after: 1")
        with Delegations(tmp_path, zones) as world:
            status, told = check(tmp_path, "two.test", *world.option, conf=conf)
        assert (status, kinds(told)) == (1, ["cname-at-apex"])
        assert [s["conflicts"] for s in told["servers"]] == [["cname-at-apex"], []]

    def test_dead_and_lame_ones_beside_a_good_one(self, tmp_path):
        zones = {"two.test": [None, "zone other.test\n", zone_of(ONE_MX)]}
        with Delegations(tmp_path, zones) as world:
            status, told = check(tmp_path, "two.test", *world.option)
        assert status == 0
        assert {"dead-server", "lame-server"} <= set(tags(told))
        assert [s["authoritative"] for s in told["servers"]] == [False, False, True]

    def test_all_are_dead(self, tmp_path):
        with Delegations(tmp_path, {"two.test": [None, None]}) as world:
            status, told = check(tmp_path, "two.test", *world.option)
        assert (status, tags(told)) == (2, ["dead-server"])
        assert told["zone"] == "two.test"
        assert len(told["servers"]) == 2


@needs_port_53
def test_hosts_of_the_mx(tmp_path):
    """As a sender looks them up; what is wrong with them is a remark."""
    zone = (
        "zone two.test\n @ MX 5 alias.two.test.\n @ MX 6 nowhere.two.test.\n @ MX 7 good.two.test.\n"
        " alias CNAME good.two.test.\n good A 192.0.2.1\n"
    )
    with Delegations(tmp_path, {"two.test": [zone]}) as world:
        status, told = check(tmp_path, "two.test", *world.option)
    assert status == 0
    said = [(r["tag"], r["text"].split(",")[0]) for r in told["remarks"]]
    assert [one for one in said if one[0] != "delegation-differs"] == [
        ("mx-is-alias", "The MX names alias.two.test"),
        ("mx-has-no-address", "The MX names nowhere.two.test"),
    ]


class TestForPeople:
    def test_everything_is_there(self, tmp_path, delegated):
        status, text = show(tmp_path, "split.test", *root_of(delegated), COLUMNS="100")
        assert status == 1
        for line in (
            f"split.test is the top of its zone, delegated by . (asked at {delegated.root.address})",
            "cname-and-mx, confirmed by asking afresh, at 1 of 1 server",
            "How to mend it",
            "conflict found",
        ):
            assert line in text.splitlines()
        assert "Senders find at www.cdn.test: A 192.0.2.10" in text
        assert "Senders deliver to the address of www.cdn.test itself." in text
        assert re.search(r"(?m)^A +the CNAME$", text)
        assert "\033" not in text

    @pytest.mark.parametrize("columns", [40, 60, 80, 132])
    def test_fits_the_terminal(self, tmp_path, delegated, columns):
        text = show(tmp_path, "split.test", *root_of(delegated), COLUMNS=str(columns))[1]
        # records are to be copied, so they are not cut
        lines = [line for line in text.splitlines() if not line.startswith(" " * 8 + "@ ")]
        assert max(map(len, lines)) <= columns

    def test_names_of_hostile_octets(self, tmp_path):
        scenario = (
            "zone evil.test\n answer by-type\n @ CNAME \\027[2J\\010.cdn.test.\n"
            ' @ MX 5 \\027]0;x\\007.test.\n @ TXT "\\027[31m\\013"\n'
        )
        with Authority(tmp_path / "evil", scenario) as server:
            status, text = show(tmp_path, "evil.test", "--server", server.endpoint)
        assert status == 1
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)


@pytest.mark.parametrize(
    "arguments, fault",
    [
        ([], "no DOMAIN"),
        (["a", "b"], "more than one DOMAIN"),
        (["a..b"], "a..b is no domain name"),
        (["a.test", "--server"], "--server needs an ADDRESS@PORT"),
        (["a.test", "--server", "ns.test"],
         "ns.test is no address; write one such as 192.0.2.53 or 192.0.2.53@5353"),
        (["a.test", "--root", "127.0.0.1@0"],
         "127.0.0.1@0 is no address; write one such as 192.0.2.53 or 192.0.2.53@5353"),
        (["a.test", "--sever", "x"], "no option --sever"),
    ],
)  # fmt: skip
def test_bad_use(arguments, fault):
    status, out, err = run("check", *arguments, MXCLASH_CONF="")
    assert (status, out) == (2, "")
    assert err.startswith(f"mxclash check: {fault}\nusage: mxclash check DOMAIN ")


def test_bad_configuration(tmp_path):
    path = tmp_path / "conf"
    path.write_text("may-ask: x\n")
    status, out, err = run("check", "a.test", MXCLASH_CONF=str(path))
    assert (status, out) == (2, "")
    assert err.startswith(f"{path}:1: may-ask: ")
