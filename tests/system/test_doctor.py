# SPDX-License-Identifier: BSD-3-Clause
"""`mxclash doctor` at real servers: a healthy one, and one for each thing that is the matter; at
Unbound, and at mxclashd beside Debian's.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from lab import BUILD, SCENARIOS, SEARCH_PATH, Authority, wait_until
from resolver import Unbound
from sidecar import Sidecar, StockUnbound
from test_fault_privileges import Elsewhere, copy_libraries

COMMAND = os.environ.get("MXCLASH_COMMAND", str(BUILD / "mxclash"))
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="another user's server wants root")


@pytest.fixture
def authority(tmp_path):
    with Authority(tmp_path / "authority", SCENARIOS / "demo-mended.scn") as found:
        yield found


def doctor(*arguments, **environment):
    """Returns the exit status and the findings."""
    env = {key: value for key, value in os.environ.items() if key != "MXCLASH_CONF"}
    done = subprocess.run([COMMAND, "doctor", "--json", *map(str, arguments)], text=True,
                          env={**env, **environment}, capture_output=True, timeout=120, check=False)
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert done.returncode == (1 if told["worst"] == "bad" else 0)
    return done.returncode, told["findings"]


def of(findings, check):
    """The one finding of a check."""
    (found,) = [finding for finding in findings if finding["check"] == check]
    return found


def bad(findings):
    return {finding["check"] for finding in findings if finding["level"] == "bad"}


def test_all_is_well(start, authority):
    unbound = start({"test": authority})
    unbound.ask("firm.test", "A")
    status, findings = doctor("--pid", unbound.pid)
    assert status == 0
    levels = {finding["check"]: finding["level"] for finding in findings}
    assert levels.pop("clock") in ("ok", "warn")  # whether anything keeps it is the machine's
    assert levels == dict.fromkeys(
        ["server", "module", "module-config", "build", "configuration", "log-file", "http",
         "version", "answers", "apparmor"], "ok")
    assert of(findings, "module")["text"] == (
        f"process {unbound.pid} has loaded {(BUILD / 'mxclash.so').resolve()}")
    assert str(unbound.mxclash_conf) in of(findings, "configuration")["text"]


def test_for_people(start, authority):
    unbound = start({"test": authority}, http=None)
    done = subprocess.run([COMMAND, "doctor", "--pid", str(unbound.pid)], text=True,
                          capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"ok    server: process {unbound.pid} ")
    at = lines.index("warn  http: no http-listen: nobody can read the counters")
    assert lines[at + 1] == "      cure: set http-listen"


def test_nothing_asked_yet(start, authority):
    unbound = start({"test": authority})
    _, findings = doctor("--pid", unbound.pid)
    assert of(findings, "answers")["level"] == "warn"


def test_not_loaded(start, authority):
    unbound = start({"test": authority}, modules="iterator")
    status, findings = doctor("--pid", unbound.pid)
    assert status == 1
    assert {"module", "module-config"} <= bad(findings)
    assert "dynlib" in of(findings, "module-config")["cure"]


def test_the_cure_is_the_chain_that_is_there(start, authority):
    """It can be taken as it stands."""
    unbound = start({"test": authority}, modules="dns64 validator iterator")
    cure = of(doctor("--pid", unbound.pid)[1], "module-config")["cure"]
    assert 'module-config: "dns64 dynlib validator iterator"' in cure


def test_module_on_disk_is_another_one(start, authority, tmp_path):
    library = tmp_path / "mxclash.so"
    shutil.copy(BUILD / "mxclash.so", library)
    unbound = start({"test": authority}, libraries=[library])
    assert of(doctor("--pid", unbound.pid)[1], "module")["level"] == "ok"
    shutil.copy(BUILD / "mxclash.so", tmp_path / "new")
    (tmp_path / "new").rename(library)
    found = of(doctor("--pid", unbound.pid)[1], "module")
    assert (found["level"], found["cure"]) == ("warn", "restart Unbound")


def test_configuration_that_would_end_it(start, authority):
    unbound = start({"test": authority})
    unbound.mxclash_conf.write_text("probe: maybe\n")
    status, findings = doctor("--pid", unbound.pid)
    assert status == 1
    assert of(findings, "configuration")["text"] == (
        f'{unbound.mxclash_conf}:1: probe: "maybe" is neither yes nor no')


@pytest.fixture
def public():
    """A folder that every user may enter; tmp_path is only ours."""
    with tempfile.TemporaryDirectory(prefix="mxclash-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@needs_root
def test_what_another_user_may_not(authority, public):
    """The server gives up root before it reads and writes anything of ours."""
    log = public / "log"
    log.mkdir(mode=0o755)
    library = public / "mxclash.so"
    shutil.copy(BUILD / "mxclash.so", library)
    with Unbound(public / "unbound", {"test": authority}, settings={"username": '"nobody"'},
                 libraries=[library], mxclash={"log-file": str(log / "events"),
                                               "state-file": str(log / "state")}) as unbound:
        status, findings = doctor("--pid", unbound.pid)
        assert status == 1
        assert bad(findings) == {"log-file", "state-file"}
        assert "Permission denied" in of(findings, "log-file")["text"]
        # where the state is written anew each time, the file's own rights do not count
        (log / "state").write_text("")
        log.chmod(0o777)
        _, findings = doctor("--pid", unbound.pid)
        assert bad(findings) == set()
        assert of(findings, "state-file")["text"].endswith(f" can write to {log / 'state'}")
        unbound.mxclash_conf.chmod(0o600)
        status, findings = doctor("--pid", unbound.pid)
        assert bad(findings) == {"configuration"}
        assert "cannot read" in of(findings, "configuration")["text"]


@needs_root
def test_chroot(authority, public):
    """Its paths are looked at inside, as its user."""
    root = public / "root"
    (root / "log").mkdir(parents=True)
    (root / "log").chmod(0o777)
    shutil.copy(BUILD / "mxclash.so", root)
    copy_libraries(BUILD / "mxclash.so", root)
    with Elsewhere(root, {"test": authority}, module="/mxclash.so", conf="/mxclash.conf",
                   settings={"chroot": f'"{root}"', "username": '"nobody"'},
                   mxclash={"log-file": "/log/events"}) as unbound:
        unbound.ask("firm.test", "A")
        _, findings = doctor("--pid", unbound.pid)
        assert bad(findings) == set()
        assert of(findings, "chroot")["text"].endswith(f" {root}")
        assert of(findings, "log-file")["text"].endswith(" can write to /log/events")
        assert of(findings, "configuration")["text"] == str(root / "mxclash.conf")
        assert of(findings, "build")["level"] == "ok"
        (root / "log" / "events").chmod(0o400)
        (root / "log").chmod(0o500)
        assert bad(doctor("--pid", unbound.pid)[1]) == {"log-file"}


def test_log_folder_is_gone(start, authority, tmp_path):
    unbound = start({"test": authority}, mxclash={"log-file": str(tmp_path / "none" / "events")})
    _, findings = doctor("--pid", unbound.pid)
    assert "No such file or directory" in of(findings, "log-file")["text"]
    assert of(findings, "log-file")["cure"] == "make its folder, writable by Unbound's user"


def test_log_is_a_folder(start, authority, tmp_path):
    unbound = start({"test": authority}, mxclash={"log-file": str(tmp_path)})
    assert of(doctor("--pid", unbound.pid)[1], "log-file")["level"] == "bad"


@pytest.mark.parametrize("answers", [True, False])
def test_port_of_somebody_else(start, authority, answers):
    """Who has it answers with something else, or with nothing until we give up."""
    with socket.create_server((authority.address, 0)) as other:
        place = f"{authority.address}@{other.getsockname()[1]}"
        unbound = start({"test": authority}, mxclash={"http-listen": place})
        wait_until(lambda: "http-listen" in unbound.log, 60, "the fault of http-listen")
        asking = subprocess.Popen([COMMAND, "doctor", "--json", "--pid", str(unbound.pid)],
                                  text=True, stdout=subprocess.PIPE)
        connection, _ = other.accept()
        with connection:
            if answers:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
            out, _ = asking.communicate(timeout=120)
    assert asking.returncode == 1
    found = of(json.loads(out)["findings"], "http")
    assert found["level"] == "bad"
    assert found["text"].startswith(f"{place} ")
    assert ("404" in found["text"]) == answers


def test_unix_socket(start, authority):
    unbound = start({"test": authority}, http="unix")
    assert of(doctor("--pid", unbound.pid)[1], "http")["level"] == "ok"


def unbound_conf(folder, modules, library):
    path = folder / "unbound.conf"
    path.write_text(f'server:\n  module-config: "{modules}"\n  chroot: ""\n  username: ""\n'
                    f'dynlib:\n  dynlib-file: "{library}"\n')
    return path


def at_rest(path):
    """Ask about a server that does not run, with the programs of the build."""
    return doctor("--conf", path, PATH=f"{BUILD / 'unbound' / 'sbin'}:{os.environ['PATH']}")


def test_at_rest(tmp_path):
    status, findings = at_rest(unbound_conf(tmp_path, "dynlib validator iterator",
                                            BUILD / "mxclash.so"))
    assert status == 1
    assert bad(findings) == {"server"}
    assert of(findings, "build")["level"] == "ok"


@pytest.mark.parametrize("chain", ["validator iterator", "dynlib validator iterator"])
def test_an_unbound_that_can_load_nothing(tmp_path, chain):
    """Debian's own: no chain would load the module, and its checker refuses one with dynlib."""
    conf = unbound_conf(tmp_path, chain, BUILD / "mxclash.so")
    _, findings = doctor("--conf", conf, PATH=SEARCH_PATH)
    found = of(findings, "module-config")
    assert found["level"] == "bad"
    assert "without dynlib" in found["text"]
    assert "--with-dynlibmodule" in found["cure"] and "mxclashd" in found["cure"]


@pytest.mark.parametrize("modules", ["iterator dynlib", "dynlib dns64 iterator"])
def test_order(tmp_path, modules):
    _, findings = at_rest(unbound_conf(tmp_path, modules, BUILD / "mxclash.so"))
    assert "module-config" in bad(findings)


def test_module_of_another_build(tmp_path):
    other = tmp_path / "mxclash.so"
    other.write_bytes((BUILD / "mxclash.so").read_bytes().replace(b"--with-pythonmodule ",
                                                                  b"--with-pythonmoduly "))
    _, findings = at_rest(unbound_conf(tmp_path, "dynlib iterator", other))
    assert of(findings, "build")["level"] == "bad"
    assert "configure line differs" in of(findings, "build")["text"]


def test_module_that_is_not_there(tmp_path):
    _, findings = at_rest(unbound_conf(tmp_path, "dynlib iterator", tmp_path / "mxclash.so"))
    assert "build" in bad(findings)


def test_another_module_only(tmp_path):
    _, findings = at_rest(unbound_conf(tmp_path, "dynlib iterator", "/usr/lib/other.so"))
    assert "dynlib-file" in bad(findings)


# --- mxclashd


@pytest.fixture
def beside(authority, tmp_path):
    """mxclashd, and Debian's Unbound that sends to it."""
    with Sidecar(tmp_path / "sidecar", resolver=authority) as sidecar:
        unbound = StockUnbound(tmp_path / "u", {"test": authority}, sidecar.socket_path)
        yield sidecar, unbound


def test_sidecar_is_well(beside):
    sidecar, unbound = beside
    with unbound:
        sidecar.wait_senders()
        unbound.ask("firm.test", "A")
        wait_until(lambda: sidecar.frames("inspected") > 0, 60, "frames")
        status, findings = doctor("--pid", sidecar.pid)
    assert status == 0
    levels = {finding["check"]: finding["level"] for finding in findings}
    assert levels.pop("clock") in ("ok", "warn")
    assert levels == dict.fromkeys(
        ["server", "configuration", "log-file", "http", "version", "dnstap", "answers",
         "apparmor"], "ok")
    assert str(sidecar.config_path) in of(findings, "configuration")["text"]


def test_sidecar_that_nobody_sends_to(beside):
    sidecar, _ = beside
    status, findings = doctor("--pid", sidecar.pid)
    assert status == 1
    assert bad(findings) == {"dnstap"}
    assert str(sidecar.socket_path) in of(findings, "dnstap")["cure"]


def test_sidecar_that_hears_of_clients_alone(beside):
    sidecar, unbound = beside
    unbound.clauses = [line for line in unbound.clauses
                       if "dnstap-log-resolver-response" not in line]
    with unbound:
        sidecar.wait_senders()
        unbound.ask("firm.test", "A")
        wait_until(lambda: sidecar.frames("client") > 0, 60, "frames")
        _, findings = doctor("--pid", sidecar.pid)
    assert "resolver responses" in of(findings, "dnstap")["cure"]


def test_sidecar_whose_configuration_is_spoilt(beside):
    """It runs on; the next start is what would fail."""
    sidecar, _ = beside
    with sidecar.config_path.open("a") as conf:
        conf.write("probe: maybe\n")
    status, findings = doctor("--pid", sidecar.pid)
    assert status == 1
    found = of(findings, "configuration")
    assert found["text"].startswith(f"{sidecar.config_path}:")
    assert "mxclashd does not start" in found["cure"]


@needs_root
def test_what_a_unit_makes_read_only(authority, public):
    """As ProtectSystem=strict does: the folder's rights are right, and it cannot be written."""
    log = public / "log"
    log.mkdir(mode=0o777)

    class Strict(Sidecar):
        def command(self):
            return ["unshare", "--mount", "sh", "-c",
                    f'mount --bind -o ro {log} {log} && exec "$@"', "-", *super().command()]

    with Strict(public / "sidecar", resolver=authority,
                mxclash={"log-file": str(log / "events")}) as sidecar:
        _, findings = doctor("--pid", sidecar.pid)
    assert bad(findings) == {"log-file", "dnstap"}
    found = of(findings, "log-file")
    assert "Read-only file system" in found["text"]
    assert "ReadWritePaths=" in found["cure"]


@pytest.mark.parametrize("arguments", [["x"], ["--pid"], ["--pid", "x"], ["--pid", "-1"],
                                       ["--conf"], ["--pid", str(os.getpid())]])
def test_bad_use(arguments):
    done = subprocess.run([COMMAND, "doctor", *arguments], text=True, capture_output=True,
                          timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mxclash doctor: ")
