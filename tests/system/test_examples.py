# SPDX-License-Identifier: BSD-3-Clause
"""The examples of whole configurations: each through the checkers, and then run.

What belongs to the machine (addresses, paths, the user) is replaced by what the lab has; a name that
is not replaced would make the start fail. Zones of the lab are added.
"""

import re
import subprocess

import dns.message
import dns.query
import pytest
from lab import BUILD, REPOSITORY, Authority, free_address, free_port, wait_until
from resolver import Unbound
from test_chains import Redis

EXAMPLES = REPOSITORY / "conf-examples"
SBIN = BUILD / "unbound" / "sbin"
ALL_MODULES = BUILD / "hosts" / "distribution-all"
ZONES = """\
zone shop.test
  answer by-type
  @    600 CNAME www.cdn.test.
  @    600 MX    5 mx1.qiye.aliyun.com.
  @    600 MX    10 mx2.qiye.aliyun.com.
  @    600 MX    15 mx3.qiye.aliyun.com.
zone walled.test
  @    600 A     192.0.2.20
  @    600 MX    5 mx1.qiye.aliyun.com.
zone cdn.test
  www  60  A     192.0.2.10
zone partner.example
  www  60  A     192.0.2.30
"""


class Example(Unbound):
    """An Unbound with the two files of an example.

    replaced   further texts of the example, and what stands in their place
    included   files that are included behind it
    """

    def __init__(self, folder, example, upstreams, *, replaced=(), included=(), **options):
        super().__init__(folder, upstreams, http="port", **options)
        self.example = EXAMPLES / example
        self.replaced = dict(replaced)
        self.included = included

    def adapted(self, text):
        """The text with what the lab has in place of the machine's."""
        library = self.libraries[0]
        trust = self.folder / "root.key"
        swapped = {
            "/usr/lib/mxclash/mxclash.so": str(library),
            "/var/lib/unbound/root.key": str(trust),
            "/var/lib/unbound/": f"{self.folder}/",
            "/run/unbound.ctl": str(self.folder / "control"),
            "/var/log/unbound/mxclash.json": str(self.events_path),
            "192.0.2.53@9853": f"{self.address}@{self.http_port}",
            "127.0.0.1@9853": f"{self.address}@{self.http_port}",
            'username: "unbound"': 'username: ""',
            "use-syslog: yes": "use-syslog: no",
            # 3.5 GB and a big receive buffer are not the machine's of a test
            "msg-cache-size: 512m": "msg-cache-size: 4m",
            "rrset-cache-size: 1g": "rrset-cache-size: 4m",
            "so-rcvbuf: 1m": "so-rcvbuf: 0",
            **self.replaced,
        }
        for was, now in swapped.items():
            text = text.replace(was, now)
        # one address to listen at
        return re.sub(r"(?m)^ +interface: .*\n", "", text)

    def configure(self):
        self.mxclash_conf.write_text(
            # the second of two listeners is the same as the first by now
            re.sub(r"(http-listen: \S+\n)\1", r"\1",
                   self.adapted((self.example / "mxclash.conf").read_text()))
            + ("" if "http-listen" in (self.example / "mxclash.conf").read_text()
               else f"http-listen: {self.address}@{self.http_port}\n"))
        anchor = subprocess.run([SBIN / "unbound-anchor", "-l"], capture_output=True, text=True,
                                check=True).stdout
        (self.folder / "root.key").write_text(
            "\n".join(re.findall(r"(?m)^\. IN DS .*$", anchor)) + "\n")
        (self.folder / "rpz.isp.example.zone").write_text(
            "$ORIGIN rpz.isp.example.\n@ 300 SOA ns. op. 1 60 60 600 60\n@ 300 NS ns.\n"
            "blocked.test CNAME .\nwalled.test CNAME www.cdn.test.\n")
        text = self.adapted((self.example / "unbound.conf").read_text())
        for name in self.included:
            text += self.adapted((self.example / name).read_text())
        controlled = "control-enable: yes" in text
        text += f"""
server:
    interface: {self.address}
    port: {self.port}
    access-control: 127.0.0.0/8 allow
    outgoing-interface: 127.0.0.1
    do-not-query-localhost: no
    do-ip6: no
    directory: "{self.folder}"
    pidfile: ""
    logfile: ""
    local-zone: "test." nodefault
    domain-insecure: "test"
    domain-insecure: "example"
remote-control:
    control-use-cert: no
"""
        if not controlled:
            text += f'    control-enable: yes\n    control-interface: "{self.folder}/control"\n'
        for zone, server in self.upstreams.items():
            text += f'stub-zone:\n    name: "{zone}"\n    stub-addr: {server.endpoint}\n'
        (self.folder / "unbound.conf").write_text(text)
        self.check()

    def check(self):
        """Both checkers are content."""
        sbin = self.host / "prefix" / "sbin" if self.host else SBIN
        for command in ([sbin / "unbound-checkconf", self.folder / "unbound.conf"],
                        [BUILD / "mxclash", "check-conf", self.mxclash_conf]):
            subprocess.run(command, check=True, timeout=60)


@pytest.fixture
def own(tmp_path):
    with Authority(tmp_path / "own", ZONES) as found:
        yield found


def find_conflict(unbound):
    """As somebody who opens the website and a mail server ask."""
    assert unbound.ask("shop.test", "A").answer
    unbound.ask("shop.test", "MX")
    event = unbound.wait_event(event="opened", domain="shop.test")
    assert (event["kind"], event["state"]) == ("cname-and-mx", "confirmed")


def doctor(unbound):
    return subprocess.run([BUILD / "mxclash", "doctor", "--pid", str(unbound.pid)], text=True,
                          capture_output=True, timeout=60, check=False).stdout


class TlsServer(Unbound):
    """Another resolver that is asked by DNS over TLS; its certificate is for `name`."""

    def __init__(self, folder, upstreams, name):
        super().__init__(folder, upstreams, modules="iterator")
        self.tls_port = free_port(self.address)
        self.certificate = self.folder / "certificate"
        self.clauses = ["server:", f"  interface: {self.address}@{self.tls_port}",
                        f"  tls-port: {self.tls_port}",
                        f'  tls-service-key: "{self.folder / "key"}"',
                        f'  tls-service-pem: "{self.certificate}"']
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                        "-keyout", self.folder / "key", "-out", self.certificate],
                       check=True, capture_output=True, timeout=120)


def test_the_shortest(tmp_path, own):
    """The two files that show every key, with a log of its own."""
    events = tmp_path / "u" / "events"
    replaced = {"/usr/local/lib/mxclash/mxclash.so": str(BUILD / "mxclash.so"),
                "#http-listen:": "http-listen:",
                '#log-file: ""': f'log-file: "{events}"'}
    with Example(tmp_path / "u", ".", {"shop.test": own, "cdn.test": own},
                 replaced=replaced) as unbound:
        find_conflict(unbound)
        assert not re.search("(?m)^bad", doctor(unbound))


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("mxclash*.conf")),
                         ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_each_mxclash_conf_is_good(path):
    """As it stands."""
    done = subprocess.run([BUILD / "mxclash", "check-conf", path], text=True, capture_output=True,
                          timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, f"{path}: ok\n")


def test_one_resolver(tmp_path, own):
    with Example(tmp_path / "u", "one-resolver", {"shop.test": own, "cdn.test": own}) as unbound:
        find_conflict(unbound)
        assert not re.search("(?m)^bad", doctor(unbound))


def test_isp(tmp_path, own):
    upstreams = {"shop.test": own, "cdn.test": own, "walled.test": own}
    with Example(tmp_path / "u", "isp", upstreams) as unbound:
        # what the policy makes of a name is no CNAME of its zone's
        for rdtype in ["A", "MX", "A", "MX"]:
            assert "www.cdn.test." in str(unbound.ask("walled.test", rdtype).answer[0])
        find_conflict(unbound)
        assert [event["domain"] for event in unbound.events(event="opened")] == ["shop.test"]
        assert unbound.ask("blocked.test", "A").rcode() == 3
        assert not re.search("(?m)^bad", doctor(unbound))
        # opened is not told in the host's own log, as the example says
        assert "opened confirmed" not in unbound.log


def test_isp_with_a_view(tmp_path, own):
    """Customers of the view have a name of their own; for the others it is none."""
    with Example(tmp_path / "u", "isp", {"test": own},
                 replaced={"203.0.113.0/24": "127.0.77.0/24"}) as unbound:
        def portal(source):
            query = dns.message.make_query("portal.isp.example", "A")
            return dns.query.udp(query, unbound.address, 60, unbound.port, source=source).answer

        assert "192.0.2.80" in str(portal("127.0.77.1"))
        assert portal("127.0.78.1") == []


def test_isp_with_a_partner(tmp_path, own):
    """Whose names come by TLS, and whose answers the module sees too."""
    with TlsServer(tmp_path / "partner", {"partner.example": own},
                   "dns.partner.example") as partner:
        replaced = {
            "192.0.2.153@853": f"{partner.address}@{partner.tls_port}",
            "/etc/ssl/certs/ca-certificates.crt": str(partner.certificate),
        }
        with Example(tmp_path / "u", "isp", {"test": own}, replaced=replaced) as unbound:
            assert "192.0.2.30" in str(unbound.ask("www.partner.example", "A").answer)
            unbound.wait_metric('mxclash_answers_inspected_total{source="upstream"}', 1)


@pytest.mark.skipif(not ALL_MODULES.exists(), reason="no host with cachedb was built")
def test_isp_with_cachedb(tmp_path, own):
    address = free_address()
    redis = Redis(tmp_path / "redis", address, free_port(address))
    replaced = {"redis-server-host: 127.0.0.1": f"redis-server-host: {address}",
                "redis-server-port: 6379": f"redis-server-port: {redis.port}"}
    with redis, Example(tmp_path / "u", "isp", {"shop.test": own, "cdn.test": own},
                        host=ALL_MODULES, replaced=replaced,
                        included=["cachedb.conf"]) as unbound:
        assert "validator cachedb iterator" in doctor(unbound)
        find_conflict(unbound)
        wait_until(lambda: redis.say("DBSIZE") not in (b":0\r\n", b""), 60, "something in Redis")


def test_forwarder(tmp_path, own):
    """Asked by TLS, the name of the certificate checked; a wrong name gets no answer."""
    with TlsServer(tmp_path / "upstream", {"test": own}, "dns.isp.example") as upstream:
        replaced = {
            "192.0.2.153@853": f"{upstream.address}@{upstream.tls_port}",
            "/etc/ssl/certs/ca-certificates.crt": str(upstream.certificate),
        }
        with Example(tmp_path / "u", "forwarder", {}, replaced=replaced) as unbound:
            assert unbound.ask("shop.test", "A").answer
            unbound.wait_metric('mxclash_answers_inspected_total{source="upstream"}', 1)
            assert not re.search("(?m)^bad", doctor(unbound))
        replaced["#dns.isp.example"] = "#somebody.example"
        with Example(tmp_path / "v", "forwarder", {}, replaced=replaced) as unbound:
            assert unbound.ask("shop.test", "A").rcode() == 2


def test_each_example_is_run():
    """What is added must be run here, or with the sidecar."""
    tests = REPOSITORY / "tests" / "system"
    text = "".join((tests / name).read_text() for name in ("test_examples.py", "sidecar.py"))
    for path in EXAMPLES.glob("*/unbound.conf"):
        assert f'"{path.parent.name}"' in text
