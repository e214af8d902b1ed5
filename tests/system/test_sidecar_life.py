# SPDX-License-Identifier: BSD-3-Clause
"""mxclashd as a process: start, faults of a start, signals, sockets that it is given, files."""

import os
import pty
import re
import signal
import socket
import subprocess
import time

import pytest
from lab import BUILD, DNS_PORT, Authority, free_address, wait_until
from observing import EVENT_TIMEOUT_S
from sidecar import Sidecar, read_files
from tapping import CLIENT_RESPONSE, Sender, answer, capture, conflict, tap

TIMEOUT_S = 60
PROGRAM = os.environ.get("MXCLASH_SIDECAR", str(BUILD / "mxclashd"))


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """An authority that does as a resolver too: twenty broken domains."""
    address = free_address(DNS_PORT)
    names = [f"d{number}.test" for number in range(20)]
    lines = ["zone ."]
    for name in (*names, "cdn.test"):
        lines += [f"  {name}. NS ns.{name}.", f"  ns.{name}. A {address}"]
    lines += ["zone cdn.test", "  www A 192.0.2.1", "  mail A 192.0.2.2"]
    for name in names:
        lines += [f"zone {name}", "  answer by-type", "  @ 600 CNAME www.cdn.test."]
        lines += ["  @ 600 MX 5 mail.cdn.test."]
    folder = tmp_path_factory.mktemp("own")
    with Authority(folder, "\n".join(lines) + "\n", address, DNS_PORT) as authority:
        yield authority


def run(*arguments, **options):
    return subprocess.run(
        [PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        **options,
    )


def write_config(path, **keys):
    lines = [f'{key.replace("_", "-")}: "{value}"' for key, value in keys.items()]
    path.write_text("\n".join(lines) + "\n")
    return path


# --- the command line and faults of a start


def test_help_and_version():
    done = run("--help")
    assert done.returncode == 0 and done.stderr == ""
    for word in ("--config", "--read", "--version", "SIGHUP", "dnstap-listen:"):
        assert word in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert re.fullmatch(r"mxclashd \d+\.\d+\.\d+\n", run("--version").stdout)


@pytest.mark.parametrize("arguments", [["--nonsense"], ["file"], ["--read"], ["--config"]])
def test_bad_use(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert "--help" in done.stderr


def test_bad_configuration(tmp_path):
    path = tmp_path / "mxclash.conf"
    for text, fault in (
        ("prob: yes\n", ':1: unknown key "prob"; did you mean probe?'),
        ("\ndnstap-listen: 192.0.2.1@6000\n", ":2: dnstap-listen: "),
        ("dnstap-listen: relative/path\n", ":1: dnstap-listen: "),
        ("dnstap-listen: /run/a\ndnstap-listen: /run/a\n", ":2: dnstap-listen: "),
    ):
        path.write_text(text)
        done = run("--config", path)
        assert done.returncode == 1
        assert done.stderr.startswith(f"mxclashd: {path}{fault}"), done.stderr
    done = run("--config", tmp_path / "none")
    assert (done.returncode, done.stderr) == (
        1,
        f"mxclashd: {tmp_path}/none: No such file or directory\n",
    )


def test_nothing_to_listen_at(tmp_path):
    done = run("--config", write_config(tmp_path / "c", http_listen=""))
    assert done.returncode == 1
    assert "dnstap-listen" in done.stderr


def test_a_place_that_cannot_be_had(tmp_path):
    (tmp_path / "file").write_text("somebody's")
    config = write_config(tmp_path / "c", http_listen="", dnstap_listen=tmp_path / "file")
    done = run("--config", config)
    assert done.returncode == 1
    assert f"dnstap-listen {tmp_path}/file: a file that is no socket" in done.stderr
    assert (tmp_path / "file").read_text() == "somebody's"


# --- signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_end(own, tmp_path, number):
    """What is queued is written, the socket's file is removed, the status is 0; with a sender
    connected and proofs under way."""
    with Sidecar(tmp_path, resolver=own) as sidecar:
        with Sender(sidecar).begin() as sender:
            sender.tell(conflict("d0.test"))
            sidecar.wait_event(event="opened")
            sender.tell([m for n in range(1, 20) for m in conflict(f"d{n}.test")])
            wait_until(lambda: sidecar.frames("inspected") == 40, EVENT_TIMEOUT_S, "all frames")
            sidecar.process.send_signal(number)
            assert sidecar.process.wait(TIMEOUT_S) == 0
            assert sender.is_closed()
        assert sidecar.events()[-1]["event"] == "stopped"
        assert not sidecar.socket_path.exists()


def reload(sidecar):
    """Have it read its configuration, and return what it says of it."""
    before = len(sidecar.log)
    sidecar.process.send_signal(signal.SIGHUP)

    def answer_of_it():
        told = sidecar.log[before:]
        return told if "read anew" in told or "holds on" in told else None

    return wait_until(answer_of_it, EVENT_TIMEOUT_S, "the reload")


def test_a_reload(own, tmp_path):
    """Another log, another place; senders stay. What cannot be read changes nothing."""
    with Sidecar(tmp_path, resolver=own) as sidecar, Sender(sidecar).begin() as sender:
        sender.tell(conflict("d0.test"))
        sidecar.wait_event(event="opened", domain="d0.test")
        good = sidecar.config_path.read_text()
        sidecar.config_path.write_text(good + "nonsense: yes\n")
        assert ':7: unknown key "nonsense"' in reload(sidecar)
        sender.tell(conflict("d1.test"))
        sidecar.wait_event(event="opened", domain="d1.test")
        sidecar.events_path = tmp_path / "other"
        other = tmp_path / "tap2"
        sidecar.config_path.write_text(
            good.replace(str(tmp_path / "events"), str(sidecar.events_path)).replace(
                str(sidecar.socket_path), str(other)
            )
        )
        reload(sidecar)
        sender.tell(conflict("d2.test"))
        sidecar.wait_event(event="opened", domain="d2.test")
        assert not sidecar.socket_path.exists()
        sidecar.socket_path = other
        with Sender(sidecar).begin() as second:
            second.tell(conflict("d3.test"))
            sidecar.wait_event(event="opened", domain="d3.test")


# --- sockets that it is given


def test_sockets_of_whoever_starts_it(own, tmp_path):
    """systemd's way: what is sent before it runs is not lost, nor the socket when it ends."""
    sidecar = Sidecar(tmp_path, resolver=own, listen=None)
    sidecar.configure()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(sidecar.socket_path))
        listening.listen()
        with Sender(sidecar) as early:
            early.send(capture(conflict("d0.test")))
            shell = 'exec 3<&"$0"; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
            with open(sidecar.log_path, "wb") as output:
                process = subprocess.Popen(
                    ["bash", "-c", shell, str(listening.fileno()), *sidecar.command()],
                    pass_fds=[listening.fileno()],
                    stderr=output,
                )
            try:
                sidecar.wait_event(event="opened", domain="d0.test", state="confirmed")
            finally:
                process.terminate()
                assert process.wait(TIMEOUT_S) == 0
        assert sidecar.socket_path.exists()


# --- files


def files_config(own, tmp_path, **keys):
    return write_config(
        tmp_path / "c",
        **{
            "log_file": tmp_path / "events",
            "http_listen": "",
            "resolver": own.endpoint,
            "may_ask": "127.0.0.0/8",
            "confirm_after": 1,
            "probe_rate": 200,
            **keys,
        },
    )


def test_a_captured_file(own, tmp_path):
    """All that it shows is proved before it ends; the readable lines go to standard output."""
    (tmp_path / "file").write_bytes(
        capture([m for n in range(20) for m in conflict(f"d{n}.test", seconds=1700000000 + n)])
    )
    done = run("--config", files_config(own, tmp_path), "--read", tmp_path / "file")
    assert (done.returncode, done.stderr) == (0, "")
    for number in range(20):
        assert f"mxclash: opened confirmed cname-and-mx d{number}.test: " in done.stdout
    # the last two lines, and no event comes later or in the middle of one
    frames, conflicts = done.stdout.splitlines()[-2:]
    assert frames == "40 frames: inspected 40, client 0, passed-over 0, malformed 0"
    assert conflicts.startswith("conflicts: cname-and-mx 20, ")


def test_without_proofs_the_times_of_the_file_count(own, tmp_path):
    """Two answers of which the one was over before the other came are no conflict."""
    cname, mx = conflict("d0.test", seconds=1700000000)
    _, late = conflict("d1.test", seconds=1700000700)
    early, _ = conflict("d1.test", seconds=1700000000)
    (tmp_path / "file").write_bytes(capture([cname, early, mx, late]))
    config = files_config(own, tmp_path, probe="no")
    done = run("--config", config, "--read", tmp_path / "file")
    assert done.returncode == 0
    assert "opened suspected cname-and-mx d0.test" in done.stdout
    assert "d1.test" not in done.stdout
    assert '"first_seen":"2023-11-14T22:13:20' in (tmp_path / "events").read_text()


def test_files_that_are_none(own, tmp_path):
    whole = capture(conflict("d0.test"))
    (tmp_path / "torn").write_bytes(whole[:-20])
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "other").write_bytes(b"root:x:0:0\n" * 100)
    config = files_config(own, tmp_path, probe="no")

    def read(path):
        done = run("--config", config, "--read", path)
        return done.returncode, done.stderr

    assert read(tmp_path / "torn") == (
        0,
        f"mxclashd: {tmp_path}/torn: ends without saying so, inside a frame\n",
    )
    assert read(tmp_path / "empty") == (1, f"mxclashd: {tmp_path}/empty: is no dnstap file\n")
    assert read(tmp_path / "other")[0] == 1
    assert read(tmp_path / "none") == (
        1,
        f"mxclashd: {tmp_path}/none: No such file or directory\n",
    )
    assert read(tmp_path)[0] == 1


def test_standard_input_and_several(own, tmp_path):
    hidden = answer("d0.test.", "MX", "d0.test. 600 CNAME www.cdn.test.", aa=False)
    messages = [tap(CLIENT_RESPONSE, hidden)] * 5
    (tmp_path / "file").write_bytes(capture(conflict("d0.test")))
    config = files_config(own, tmp_path)
    with open(tmp_path / "more", "wb") as more:
        more.write(capture(messages))
    with open(tmp_path / "more", "rb") as more:
        arguments = ["--config", config, "--read", tmp_path / "file", "--read", "-"]
        done = run(*arguments, stdin=more)
    assert done.returncode == 0
    assert "7 frames: inspected 2, client 5, passed-over 0, malformed 0\n" in done.stdout


def test_progress_on_a_terminal(own, tmp_path):
    (tmp_path / "file").write_bytes(capture(conflict("d0.test") * 20000))
    config = files_config(own, tmp_path)
    master, slave = pty.openpty()
    with open(tmp_path / "output", "wb") as output:
        process = subprocess.Popen(
            [PROGRAM, "--config", config, "--read", tmp_path / "file"], stdout=output, stderr=slave
        )
    os.close(slave)
    shown = b""
    try:
        while more := os.read(master, 4096):
            shown += more
    except OSError:
        pass  # the terminal's other end is closed
    os.close(master)
    assert process.wait(TIMEOUT_S) == 0
    assert re.search(rb"file: +\d+ %, \d+ frames, \d+ conflicts", shown)
    # the line is taken away in the end
    assert shown.endswith(b"\r\x1b[K")


def test_reading_is_ended_by_a_signal(own, tmp_path):
    """Also while it waits for more of a pipe."""
    config = files_config(own, tmp_path)
    process = subprocess.Popen(
        [PROGRAM, "--config", config, "--read", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_until((tmp_path / "events").exists, EVENT_TIMEOUT_S, "the start")
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(TIMEOUT_S) == 1
    assert "0 frames: " in process.stdout.read()
    process.stdin.close()
    process.stdout.close()


def test_a_million_frames(own, tmp_path):
    """A captured file again and again: none is lost, and memory stays."""
    dull = tap(4, answer("x.test.", "A", "x.test. 60 A 192.0.2.9"), "test")
    alias = tap(4, answer("y.test.", "A", "y.test. 60 CNAME z.test.", "z.test. 9 A 192.0.2.9"), ".")
    (tmp_path / "file").write_bytes(capture([*conflict("d0.test"), *[dull, alias] * 12499]))
    config = files_config(own, tmp_path, table_size="4m")
    status, told, most_kib = read_files(config, [tmp_path / "file"] * 40)
    assert status == 0
    assert "1000000 frames: inspected 1000000, client 0, passed-over 0, malformed 0\n" in told
    assert "conflicts: cname-and-mx 1, " in told
    if not os.environ.get("MXCLASH_SANITIZER"):
        assert 0 < most_kib < 24 * 1024
