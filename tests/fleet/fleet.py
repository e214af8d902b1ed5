# SPDX-License-Identifier: BSD-3-Clause
"""The parts of a fleet on loopback: what conf-examples/fleet has, each as a process of its own.

The files are the examples themselves. What is another place here is named in Fleet.places alone.
"""

import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg2
import psycopg2.extras
import yaml
from lab import REPOSITORY, SEARCH_PATH, LabError, Server, free_address, free_port, wait_until
from prometheus import EXAMPLES as PROMETHEUS_EXAMPLES
from prometheus import PACE, Prometheus
from resolver import Unbound

EXAMPLES = REPOSITORY / "conf-examples" / "fleet"
# As whom the collector and the loader run here; the database knows him as mxclash_writer.
NOBODY = "nobody"
FLEET_TIMEOUT_S = 60


def postgresql_folder():
    """Where the newest PostgreSQL of Debian has its programs, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


def fleet_missing(*more):
    """Why no fleet can be had here, or None. `more` names programs that are needed besides."""
    if os.geteuid() != 0:
        return "four host names on one machine and users of their own want root"
    programs = ("rsyslogd", "openssl", "logrotate", *more)
    lacking = [program for program in programs if not shutil.which(program, path=SEARCH_PATH)]
    if not list(Path("/usr/lib").glob("*/rsyslog/omrelp.so")):
        lacking.append("rsyslog-relp")
    if not postgresql_folder():
        lacking.append("postgresql")
    if lacking:
        return f"not installed: {', '.join(lacking)}"
    tried = subprocess.run(["unshare", "-u", "hostname", "x"], capture_output=True, text=True)
    return tried.stderr.strip() or None


def own(path, user):
    """Give a path to a user."""
    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid)


@contextlib.contextmanager
def open_folder():
    """A folder where other users may look: pytest's are root's alone. It is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="fleet-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def as_user(user, *command):
    entry = pwd.getpwnam(user)
    ids = (f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
    # what the lab has set is lost with the old user
    return ["setpriv", *ids, "--pdeathsig=TERM", *map(str, command)]


class NamedUnbound(Unbound):
    """An Unbound on a machine of its own, as far as its name goes."""

    def __init__(self, folder, upstreams, name, **options):
        super().__init__(folder, upstreams, **options)
        self.name = name

    def command(self):
        program, *arguments = super().command()
        named = 'hostname "$1" && shift && exec "$@"'
        return [
            *("unshare", "-u", "sh", "-c", named, "sh", self.name),
            *(os.path.abspath(program), *arguments),
        ]

    def target(self):
        return f"{self.address}:{self.http_port}"

    def lines(self):
        """All lines of the log and of those that were rotated away, however often."""
        paths = sorted(self.events_path.parent.glob(f"{self.events_path.name}*"))
        return [line for path in paths for line in path.read_text().split("\n")[:-1]]


class PostgreSql(Server):
    """A cluster of its own, on a unix socket only. `user` runs it, for it refuses root.

    Processes crash here, the machine does not: without `safe` nothing waits for the disk.
    """

    user = "postgres"

    def __init__(self, folder, *, safe=False, **options):
        super().__init__(folder, "127.0.0.1", 5432, **options)
        self.safe = safe
        self.programs = postgresql_folder()
        own(self.folder, self.user)

    def configure(self):
        if (self.folder / "data").exists():
            return
        subprocess.run(
            as_user(
                self.user, self.programs / "initdb", "-D", self.folder / "data", "-E", "UTF8",
                "--no-locale", "--no-instructions", "--no-sync", "-U", self.user,
            ),
            check=True, capture_output=True, cwd="/",
        )  # fmt: skip
        (self.folder / "data" / "pg_hba.conf").write_text("local all all peer map=fleet\n")
        users = {"postgres": "postgres", NOBODY: "mxclash_writer", "root": "mxclash_reader"}
        (self.folder / "data" / "pg_ident.conf").write_text(
            "".join(f"fleet {user} {role}\n" for user, role in users.items())
        )

    def command(self):
        return as_user(
            self.user, self.programs / "postgres", "-D", self.folder / "data", "-k", self.folder,
            "-c", "listen_addresses=", "-c", "timezone=Asia/Shanghai",
            "-c", f"fsync={'on' if self.safe else 'off'}",
        )  # fmt: skip

    def launch(self):
        # left by one that was killed, and its process id may be another's by now
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        super().launch()

    def is_ready(self):
        try:
            self.connect("mxclash_reader", "postgres").close()
        except psycopg2.OperationalError as error:
            # it says that there is no such role before it has one
            return "does not exist" in str(error)
        return True

    @property
    def socket(self):
        return str(self.folder)

    def connect(self, role, database="mxclash"):
        connection = psycopg2.connect(host=self.socket, dbname=database, user=role)
        connection.autocommit = True
        return connection

    def psql(self, *arguments, database="mxclash", user="postgres", role="postgres", text=None):
        """What psql says as a user of this machine. Raises LabError with what is wrong."""
        done = subprocess.run(
            as_user(
                user, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.socket, "-d", database,
                "-U", role, *arguments,
            ),
            input=text, capture_output=True, text=True, cwd="/", check=False,
        )  # fmt: skip
        if done.returncode:
            raise LabError(done.stderr)
        return done.stdout

    def create(self):
        """The database of the example, by its own file."""
        self.psql("-c", "CREATE DATABASE mxclash", database="postgres")
        self.psql(text=(EXAMPLES / "schema.sql").read_text())

    def rows(self, statement, *values):
        """What the reader gets, as a list of dicts; None while the database is away."""
        try:
            connection = self.connect("mxclash_reader")
        except psycopg2.OperationalError:
            return None
        with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute("SET search_path = mxclash; SET timezone = 'UTC'")
            cursor.execute(statement, values or None)
            found = [dict(row) for row in cursor.fetchall()]
        connection.close()
        return found

    def stop(self):
        """Fast: what is open is rolled back."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return super().stop()

    def crash(self):
        """Leave at once, as after a power cut: the log is played at the next start."""
        self.process.send_signal(signal.SIGQUIT)
        return self.process.wait(FLEET_TIMEOUT_S)


class Rsyslogd(Server):
    """One rsyslogd with an example of ours; `conf` is its text."""

    user = None

    def __init__(self, folder, conf, address="127.0.0.1", port=0, **options):
        super().__init__(folder, address, port, **options)
        self.conf = conf

    def configure(self):
        (self.folder / "rsyslog.conf").write_text(self.conf)
        if self.user:
            own(self.folder, self.user)

    def command(self):
        command = ["rsyslogd", "-n", "-iNONE", "-f", str(self.folder / "rsyslog.conf")]
        return as_user(self.user, *command) if self.user else command

    def is_ready(self):
        return True


class Relay(Rsyslogd):
    """On a resolver: one each, as in life, so that each can end by itself."""

    def configure(self):
        super().configure()
        # what mxclash-relay.service does before it
        unit = (EXAMPLES / "mxclash-relay.service").read_text()
        before = re.search("^ExecStartPre=/bin/sh -c '(.*)'$", unit, re.MULTILINE)[1]
        before = before.replace("/var/lib/mxclash-relay", str(self.folder))
        subprocess.run(["sh", "-c", before], check=True)

    def stop(self):
        """As mxclash-relay.service ends it."""
        if self.process and self.process.poll() is None:
            self.kill()
        return super().stop()


class Collector(Rsyslogd):
    user = NOBODY

    def is_ready(self):
        try:
            socket.create_connection((self.address, self.port), timeout=1).close()
        except OSError:
            return False
        return True


class FleetLoad(Server):
    """The loader of the example. Ready once it has said anything."""

    def __init__(self, folder, spool, database, **options):
        super().__init__(folder, "127.0.0.1", 0, **options)
        self.spool = spool
        self.database = database

    def command(self):
        conninfo = f"host={self.database.socket} dbname=mxclash user=mxclash_writer"
        return as_user(NOBODY, EXAMPLES / "fleet-load", self.spool, conninfo)

    def is_ready(self):
        return "fleet-load: " in self.log


class Victoria(Server):
    """VictoriaMetrics, the receiver of remote writes."""

    def __init__(self, folder, **options):
        address = free_address()
        super().__init__(folder, address, free_port(address), **options)

    def command(self):
        return [
            "victoria-metrics",
            f"-storageDataPath={self.folder / 'data'}",
            f"-httpListenAddr={self.address}:{self.port}",
            "-retentionPeriod=1",
            "-search.latencyOffset=0s",
            "-search.disableCache",
            "-memory.allowedPercent=5",
        ]

    # it answers as Prometheus does
    http = Prometheus.http
    api = Prometheus.api
    query = Prometheus.query

    def is_ready(self):
        try:
            return self.http("/health")[0] == 200
        except OSError:
            return False


class SitePrometheus(Prometheus):
    """The Prometheus of the example, scraping resolvers from a file."""

    example = "prometheus.yml"

    def __init__(self, folder, targets, write_to=None, **options):
        super().__init__(folder, None, **options)
        self.targets = targets
        self.write_to = write_to

    def list_resolvers(self):
        """resolvers.yml, which Prometheus reads anew when it changes; as the example, by two sites."""
        half = (len(self.targets) + 1) // 2
        groups = yaml.safe_load((EXAMPLES / "resolvers.yml").read_text())
        for group, targets in zip(groups, (self.targets[:half], self.targets[half:]), strict=True):
            group["targets"] = targets
        (self.folder / "resolvers.new").write_text(yaml.safe_dump(groups))
        (self.folder / "resolvers.new").rename(self.folder / "resolvers.yml")

    def configure(self):
        config = yaml.safe_load((EXAMPLES / self.example).read_text())
        config["global"] |= {"scrape_interval": PACE, "evaluation_interval": PACE}
        for name in config.get("rule_files", ()):
            found = [f / name for f in (EXAMPLES, PROMETHEUS_EXAMPLES) if (f / name).exists()]
            shutil.copy(found[0], self.folder / name)
        for job in config["scrape_configs"]:
            job.pop("scrape_interval", None)
            if "static_configs" in job:
                job["static_configs"] = [{"targets": self.targets}]
        for write in config.get("remote_write", ()):
            receiver = f"//{self.write_to.address}:{self.write_to.port}"
            write["url"] = re.sub("//[^/]*", receiver, write["url"])
            # it waits longer and longer while the receiver is away, and the test has no hours
            write["queue_config"] = {"max_backoff": PACE, "batch_send_deadline": PACE}
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        if self.example == "prometheus.yml":
            self.list_resolvers()


class FederatingPrometheus(SitePrometheus):
    example = "prometheus-federate.yml"


def certificates(folder):
    """A CA, and certificates for the collector and the resolvers, named as in the examples."""
    folder.mkdir()

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *key, "-subj", "/CN=CA", "-keyout", "ca.key", "-out", "ca.pem")
    for name in ("collector.example.net", "r1.resolvers.example.net", "stranger.example.org"):
        subject = ("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}")
        files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        openssl("req", "-x509", *key, *subject, "-CA", "ca.pem", "-CAkey", "ca.key", *files)
    for path in folder.iterdir():
        path.chmod(0o644)


class Fleet:
    """Where everything is, and the examples with that put in."""

    def __init__(self, folder):
        self.folder = folder
        self.spool = folder / "spool"
        self.spool.mkdir()
        own(self.spool, NOBODY)
        self.address = free_address()
        self.port = free_port(self.address)
        certificates(folder / "tls")

    def places(self, text, *, state, name, log=None):
        """The one place where an example's paths and ports become the test's."""
        tls = self.folder / "tls"
        changes = {
            "/var/lib/mxclash-relay": state,
            "/var/lib/mxclash-fleet": state,
            "/var/spool/mxclash-fleet": self.spool,
            "/usr/local/lib/mxclash": EXAMPLES,
            "/var/log/unbound/mxclash.json": log,
            'target="collector.example.net"': f'target="{self.address}"',
            'port="2514"\n    ruleset': f'port="{self.port}"\n    address="{self.address}"\n    ruleset',
            'port="2514"': f'port="{self.port}"',
            "/etc/mxclash/fleet/ca.pem": tls / "ca.pem",
            "/etc/mxclash/fleet/cert.pem": tls / f"{name}.pem",
            "/etc/mxclash/fleet/key.pem": tls / f"{name}.key",
            # the test has no minutes to wait for a collector that is back
            'interval="60"': 'interval="1"',
            'resumeInterval="5"': 'resumeInterval="1"',
            'resumeIntervalMax="60"': 'resumeIntervalMax="1"',
        }
        for theirs, ours in changes.items():
            text = text.replace(theirs, str(ours))
        return text

    def relay(self, number, log, name="r1.resolvers.example.net"):
        folder = self.folder / f"relay-{number}"
        text = (EXAMPLES / "rsyslog-resolver.conf").read_text()
        return Relay(folder, self.places(text, state=folder, name=name, log=log))

    def collector(self):
        folder = self.folder / "collector"
        text = (EXAMPLES / "rsyslog-collector.conf").read_text()
        conf = self.places(text, state=folder, name="collector.example.net")
        return Collector(folder, conf, self.address, self.port)

    def rotate(self, log):
        """Once, as docs/operations.md says it."""
        page = (REPOSITORY / "docs" / "operations.md").read_text()
        block = re.search(r"    /var/log/unbound/mxclash.json \{\n(?:    .*\n)*?    \}\n", page)[0]
        conf = self.folder / "logrotate.conf"
        text = block.replace("/var/log/unbound/mxclash.json", str(log))
        conf.write_text(text.replace("unbound unbound", "root root"))
        state = ("--state", str(self.folder / "logrotate.state"))
        subprocess.run(["logrotate", "--force", *state, str(conf)], check=True, capture_output=True)


def named_queries():
    """The queries of queries.sql by their names."""
    text = (EXAMPLES / "queries.sql").read_text()
    return {
        name: statement.strip()
        for name, statement in re.findall(r"-- name: ([\w-]+):(?:.*\n)((?:.+\n)+)", text)
    }


def told(lines):
    """Lines as a sorted list of objects that can be compared."""
    return sorted(json.dumps(json.loads(line), sort_keys=True) for line in lines)


def wait_same(database, logs, what):
    """Wait until the database has exactly what the logs have: nothing lost, nothing twice."""
    deadline = time.monotonic() + FLEET_TIMEOUT_S

    def same():
        rows = database.rows("SELECT told::text AS line FROM event")
        have = told(row["line"] for row in rows or [])
        want = told(line for log in logs for line in log())
        if have == want:
            return True
        if time.monotonic() > deadline - 1:
            lost, more = set(want) - set(have), set(have) - set(want)
            raise LabError(f"{what}: {len(lost)} of {len(want)} lost, {len(more)} more: {list(lost)[:3]}")
        return False

    wait_until(same, FLEET_TIMEOUT_S, what)
