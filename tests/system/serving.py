# SPDX-License-Identifier: BSD-3-Clause
"""A real `mxclash serve` on a log that a test writes.

As a program it writes such a log: serving.py COUNT FILE
"""
import contextlib
import datetime
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.parse

from lab import LabError, free_port, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("MXCLASH_COMMAND", str(ROOT / "build" / "mxclash"))
START_TIMEOUT_S = 60

KINDS = ["cname-and-mx", "cname-at-apex", "foreign-mx", "incomplete-mx", "spf-missing"]
ADVICE = {
    "cname-and-mx": ["remove-cname", "replace-cname-with-address", "move-cname",
                     "separate-mail-domain", "flatten-cname"],
    "cname-at-apex": ["remove-cname", "flatten-cname"],
    "foreign-mx": ["remove-foreign-mx"],
    "incomplete-mx": ["complete-mx"],
    "spf-missing": ["fix-spf"],
}
IMPACTS = ["implicit-mx", "no-mail-host", "wrong-mail-host", "none", "unknown"]
PROVIDERS = ["alibaba-mail-standard", "alibaba-mail-enterprise", "microsoft-365", None]

def canonical(name):
    """A name as the detector and the book write it: anything but these octets is \\DDD."""
    def octet(found):
        text = found.group(0)
        if len(text) == 4:
            code = int(text[1:])
        else:
            code = ord(text[-1])
        plain = chr(code) in "abcdefghijklmnopqrstuvwxyz0123456789-_*"
        return chr(code) if plain else f"\\{code:03}"
    return re.sub(r"\\[0-9]{3}|\\.|[^a-z0-9_*.-]", octet, name)


# names that a zone can have and that a page could stumble over
HOSTILE = [
    "<script>document.title='taken'</script>.test",
    "\"onmouseover='document.title=1'.test",
    "<img/src=x\\032onerror=alert(1)>.test",
    "</script><script>alert(1)</script>.test",
    "<!--<script>.test",
    "&lt;b&gt;&amp;.test",
    "\\226\\128\\174txet.test",
    "\\000\\001\\127\\255.test",
    "a\\.b\\\\c\\\"d.test",
    "javascript:alert(1).test",
    "..%2f..%2fetc.test".replace("..", "dots"),
    "?kind=x&q=y#domain=z.test",
    "__proto__", "constructor", "tostring.test",
    ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61]),
]


def rfc3339(at):
    text = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat("T", "milliseconds")
    return text.replace("+00:00", "Z")


def event(domain, at=None, **given):
    """One line of the log: an opened conflict, but for what is given."""
    at = time.time() - 3600 if at is None else at
    kind = given.get("kind", "cname-and-mx")
    cname = {"target": "www.cdn.test", "ttl": 600} if kind.startswith("cname") else None
    told = {
        "time": rfc3339(at), "event": "opened", "domain": domain, "kind": kind,
        "state": "confirmed", "evidence": "probe", "apex": True, "zone": domain, "cname": cname,
        "mx": [{"preference": 5, "exchange": "mx1.qiye.aliyun.com"},
               {"preference": 10, "exchange": "mx2.qiye.aliyun.com"},
               {"preference": 15, "exchange": "mx3.qiye.aliyun.com"}],
        "provider": "alibaba-mail-standard", "impact": "implicit-mx" if cname else "unknown",
        "hides_spf": None, "spf": "lacks-provider" if kind == "spf-missing" else None,
        "authority": "192.0.2.53", "authorities_differ": False, "first_seen": rfc3339(at),
        "last_seen": rfc3339(at), "mx_queries": 0, "advice": ADVICE[kind], "host": "resolver1",
        "held_back": 0,
    }
    told.update(given)
    return told


def many(count):
    """So many conflicts of every sort, the hostile names among them; the same each time."""
    now = time.time()
    for i in range(count):
        kind = KINDS[i % len(KINDS)]
        domain = HOSTILE[i] if i < len(HOSTILE) and count > 3 else f"shop{i}.example{i % 97}.test"
        yield event(domain, now - 86400 * 20 * (i + 1) / (count + 1), kind=kind,
                    state="suspected" if i % 4 == 3 else "confirmed",
                    provider=PROVIDERS[i % len(PROVIDERS)], mx_queries=(i * 7919) % 5003,
                    impact=IMPACTS[i // 5 % 5] if kind.startswith("cname") else "unknown")


def write_log(path, events):
    with open(path, "a", encoding="utf-8") as log:
        for told in events:
            log.write(json.dumps(told) + "\n")


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Serve(contextlib.AbstractContextManager):
    """mxclash serve in a folder of its own, with a log of these events."""

    def __init__(self, folder, events=(), listen=None, conf=""):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = folder / "events.json"
        self.port = free_port("127.0.0.1")
        self.listen = [f"127.0.0.1@{self.port}"] if listen is None else listen
        write_log(self.log, events)
        self.conf = folder / "mxclash.conf"
        self.conf.write_text(
            f'log-file: "{self.log}"\ndatabase: "{folder / "book.db"}"\n'
            + "".join(f'page-listen: "{where}"\n' for where in self.listen) + conf)
        self.output = folder / "serve.out"
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def start(self):
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(
                [COMMAND, "serve"], env={**os.environ, "MXCLASH_CONF": str(self.conf)},
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            try:
                assert self.process.wait(20) == 0, self.output.read_text()
            finally:
                self.process.kill()
                self.process = None

    def __exit__(self, *fault):
        self.stop()

    def get(self, path, method="GET", headers=None, **parameters):
        """One request on a connection of its own."""
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path + query, headers=headers or {})
            return Answer(connection.getresponse())

    def api(self, path, **parameters):
        answer = self.get(f"/api/v1/{path}", **parameters)
        assert answer.status == 200, answer.body
        return answer.json

    def domain(self, name):
        return self.get("/api/v1/conflicts/" + urllib.parse.quote(name, safe=""))

    def wait_serving(self):
        def asked():
            assert self.process.poll() is None, self.output.read_text()
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self.get("/healthz").status == 200
            return False
        wait_until(asked, START_TIMEOUT_S, "mxclash serve")
        return self

    def wait_total(self, total, timeout_s=START_TIMEOUT_S, **parameters):
        """Wait until the list has so many."""
        self.wait_serving()

        def there():
            answer = self.get("/api/v1/conflicts", **{"limit": 1, **parameters})
            return answer.status == 200 and answer.json["total"] == total
        try:
            wait_until(there, timeout_s, f"{total} conflicts")
        except LabError as error:
            last = self.get("/api/v1/conflicts", **parameters).body[:500]
            raise LabError(f"{error}: {last}\n{self.output.read_text()}") from None
        return self


if __name__ == "__main__":
    write_log(sys.argv[2], many(int(sys.argv[1])))
