# SPDX-License-Identifier: BSD-3-Clause
"""The book: mxclash serve makes it from logs, mxclash list and show read it."""
import json
import os
import random
import re
import resource
import signal
import sqlite3
import subprocess
import time

import pytest
from bookkeeping import BOOK_TIMEOUT_S, COMMAND, Keeper, event, keeping, rfc3339, write
from lab import wait_until

# `make check-book` tries all of them
KILLS = int(os.environ.get("MXCLASH_KILLS", "4"))
CONFLICTS = int(os.environ.get("MXCLASH_CONFLICTS", "0"))


# --- what the commands say ---------------------------------------------------------------------------

def test_list_and_show_from_the_book(tmp_path):
    now = time.time()
    with keeping(tmp_path) as keeper:
        write(keeper.log, event("a.test", mx_queries=7, at=now - 7200),
              event("b.test", "opened", kind="spf-missing", cname=None, spf="lacks-provider",
                    advice=["fix-spf"], impact="unknown"),
              event("c.test"), event("c.test", "cleared", at=now, since=now - 60))
        keeper.wait_listed("a.test", "b.test")
        assert keeper.list("--kind", "spf-missing").keys() == {"b.test"}
        assert keeper.list("--ended").keys() == {"c.test"}
        assert keeper.list("--all").keys() == {"a.test", "b.test", "c.test"}
        assert keeper.list()["a.test"]["mx_queries"] == 7

        status, out, err = keeper.run("show", "A.Test.")
        assert (status, err) == (1, "")
        for text in ["a.test: cname-and-mx, confirmed", "7 met it", "resolver1 (7)",
                     "MX 15 mx3.qiye.aliyun.com", "Delete the CNAME record whose host is @",
                     "@ TXT v=spf1 include:spf.qiye.aliyun.com -all", "48 hours"]:
            assert text in out
        assert keeper.run("show", "c.test")[0] == 0
        assert keeper.run("show", "d.test")[:2] == (0, "d.test: nothing is known of it\n")
        status, out, _ = keeper.run("show", "a.test", "--letter", "--language", "zh")
        assert status == 1 and "删除主机记录为 @ 的 CNAME 记录" in out
        told = json.loads(keeper.run("show", "b.test", "--json")[1])
        assert told["in_conflict"] and told["conflicts"][0]["spf"] == "lacks-provider"
        assert keeper.stop() == 0


def test_list_of_a_log(tmp_path):
    keeper = Keeper(tmp_path)
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    write(one, event("a.test", host="r1", mx_queries=3))
    write(other, event("a.test", host="r2", mx_queries=4), "no event", event("b.test", host="r2"))
    status, out, err = keeper.run("list", "--log", one, "--log", other, "--json")
    assert status == 0
    told = {line["domain"]: line for line in map(json.loads, out.splitlines())}
    assert told["a.test"]["hosts"] == 2 and told["a.test"]["mx_queries"] == 7
    assert f"{other}:2: no JSON object; the line is passed over" in err
    assert "1 of 4 lines are no events" in err
    assert keeper.run("list", f"--log={other}", "--host", "r1")[1] == ""
    assert keeper.run("show", "a.test", "--log", one)[0] == 1
    assert keeper.run("list", "--log", tmp_path / "none.json") == (
        2, "", f"mxclash list: {tmp_path}/none.json: No such file or directory\n")
    # a log that is piped in
    done = subprocess.run(f"cat {one} | {COMMAND} list --log /dev/stdin --json", shell=True,
                          env={**os.environ, "MXCLASH_CONF": str(keeper.conf)}, text=True,
                          capture_output=True, timeout=BOOK_TIMEOUT_S, check=True)
    assert '"domain":"a.test"' in done.stdout


def test_table_fits_the_terminal(tmp_path):
    keeper = Keeper(tmp_path)
    write(keeper.log, event("a" * 60 + "." + "b" * 60 + ".test"), event("c.test"))
    for columns in [60, 80, 120]:
        out = keeper.run("list", "--log", keeper.log, COLUMNS=str(columns))[1]
        assert "c.test" in out
        assert max(map(len, out.splitlines())) <= max(columns, 112)
    assert "\033" not in out
    # the names are whole where nobody looks at a terminal
    out = keeper.run("list", "--log", keeper.log)[1]
    assert "a" * 60 + "." + "b" * 60 + ".test" in out


def test_hostile_log_cannot_break_the_terminal(tmp_path):
    keeper = Keeper(tmp_path)
    write(keeper.log,
          event("\033[2J\033]0;x\007.test", provider="\033[31m", impact="\033", authority="\n\n",
                host="h\033[5m", advice=["\033", "remove-cname"],
                mx=[{"preference": 5, "exchange": "\033[1m.test"}],
                cname={"target": "\x9b31m.test", "ttl": 1}),
          event("ok.test", host="bücher\u200b\u202e"))
    for arguments in [["list"], ["list", "--json"], ["show", "ok.test"],
                      ["show", "\\027\\0912j\\027\\0930\\059x\\007.test"]]:
        status, out, err = keeper.run(*arguments, "--log", keeper.log)
        assert out != "" and re.fullmatch(r"[\n -~]*", out + err), out + err


@pytest.mark.parametrize("arguments", [
    ["list", "--sort", "size"], ["list", "--limit", "0"], ["list", "--limit", "x"], ["list", "x"],
    ["list", "--all", "--ended"], ["list", "--no-such"], ["list", "--state"], ["show"],
    ["show", "a..b"], ["show", "bücher.test"], ["show", "a", "b"], ["serve", "x"],
    ["show", "a", "--language", "fr"], ["list", "--json=yes"], ["list", "--kind", "a", "--kind", "b"],
])
def test_bad_use(tmp_path, arguments):
    status, out, err = Keeper(tmp_path).run(*arguments)
    assert (status, out) == (2, "")
    assert f"usage: mxclash {arguments[0]}" in err


def test_no_book_yet(tmp_path):
    status, out, err = Keeper(tmp_path).run("list")
    assert (status, out) == (2, "")
    assert "book.db: No such file or directory" in err and "--log FILE" in err


def test_serve_needs_a_log_and_a_place(tmp_path):
    keeper = Keeper(tmp_path)
    keeper.conf.write_text(f"database: {keeper.database}\n")
    assert keeper.run("serve")[0] == 2
    keeper.conf.write_text(f"log-file: {keeper.log}\ndatabase: \"\"\n")
    assert keeper.run("serve")[0] == 2
    assert "read a log with --log" in keeper.run("list")[2]


# --- following ---------------------------------------------------------------------------------------

def test_many_logs_that_come_and_rotate(tmp_path):
    logs = tmp_path / "logs"
    with keeping(tmp_path, "--log", logs / "*.json", "--log", tmp_path / "far.json") as keeper:
        keeper.wait_says("far.json: is not there yet")
        logs.mkdir()
        write(logs / "r1.json", event("a.test", host="r1"))
        write(logs / "r2.json", event("a.test", host="r2"), event("b.test", host="r2"))
        keeper.wait_listed("a.test", "b.test")
        assert keeper.list()["a.test"]["hosts"] == 2
        os.rename(logs / "r1.json", logs / "r1.json.1")
        write(logs / "r1.json.1", event("c.test", host="r1"))
        write(logs / "r1.json", event("d.test", host="r1"))
        write(tmp_path / "far.json", event("e.test", host="r3"))
        keeper.wait_listed("a.test", "b.test", "c.test", "d.test", "e.test")


def test_tallies_and_lines_of_a_newer_version(tmp_path):
    now = time.time()
    with keeping(tmp_path) as keeper:
        write(keeper.log, event("a.test", at=now - 600),
              {"time": rfc3339(now - 300), "event": "tally", "domain": "a.test",
               "kind": "cname-and-mx", "state": "confirmed", "mx_queries": 40, "host": "resolver1",
               "first_seen": rfc3339(now - 600), "since": rfc3339(now - 600)},
              {"time": rfc3339(now), "event": "tally", "domain": None, "domains": 9,
               "mx_queries": 90, "since": rfc3339(now - 600), "host": "resolver1"},
              {"time": rfc3339(now), "event": "reloaded", "host": "resolver1"},
              event("b.test", new_field={"x": [1]}, kind="new-kind"), "{", event("c.test"))
        keeper.wait_listed("a.test", "b.test", "c.test")
        assert keeper.list()["a.test"]["mx_queries"] == 40
        keeper.wait_says(f"log {keeper.log}:6: no JSON object; the line is passed over")
        assert keeper.stop() == 0


def test_stopped_and_rotated_meanwhile(tmp_path):
    with keeping(tmp_path) as keeper:
        write(keeper.log, event("a.test"))
        keeper.wait_listed("a.test")
        assert keeper.stop() == 0
        write(keeper.log, event("b.test"))
        os.rename(keeper.log, tmp_path / "log.json.1")
        write(keeper.log, event("c.test"))
        keeper.start()
        keeper.wait_listed("a.test", "b.test", "c.test")
        assert keeper.stderr.read_text() == ""


# --- a killed process --------------------------------------------------------------------------------

def test_killed_under_load(tmp_path):
    """Lines come, the log is rotated, the keeper is killed again and again: the book has it all."""
    rng = random.Random(1912)
    born = time.time() - 3600
    opened, written = {}, 0
    with keeping(tmp_path) as keeper:
        for _ in range(KILLS):
            end = time.monotonic() + rng.uniform(0.3, 1.5)
            while time.monotonic() < end:
                for _ in range(rng.randrange(1, 200)):
                    written += 1
                    at = born + written / 1000
                    if opened and rng.random() < 0.3:
                        domain, since = opened.popitem()
                        write(keeper.log, event(domain, "cleared", at=at, since=since,
                                                mx_queries=written))
                    else:
                        domain = f"d{written}.test"
                        opened[domain] = at
                        write(keeper.log, event(domain, at=at))
                if rng.random() < 0.1:
                    # no more than what is kept of old logs
                    os.replace(keeper.log, tmp_path / f"log.json.{written}")
            keeper.kill()
            keeper.start()
        write(keeper.log, event("last.test"))
        opened["last.test"] = 0
        wait_until(lambda: "last.test" in (keeper.list("--name", "last.test") or {}),
                   BOOK_TIMEOUT_S, "the last line to be in the book")
        listed = keeper.list()
        everything = keeper.list("--all")
        assert keeper.stop() == 0
    assert set(listed) == set(opened)
    # each line opened or ended one, so each domain that ever was is there
    ended = {domain: told for domain, told in everything.items() if domain not in opened}
    assert len(everything) + len(ended) == written + 1
    assert all(told["ending"] == "cleared" and told["mx_queries"] > 0 for told in ended.values())
    assert keeper.stderr.read_text() == ""
    with sqlite3.connect(f"file:{keeper.database}?mode=ro", uri=True) as book:
        assert book.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert book.execute("SELECT sum(opened), sum(cleared) FROM hour").fetchone() == (
            len(everything), len(ended))
    print(f"{written} lines, {KILLS} kills")


# --- faults of the database --------------------------------------------------------------------------

def test_folder_that_is_not_there(tmp_path):
    with keeping(tmp_path, database=tmp_path / "no" / "book.db") as keeper:
        write(keeper.log, event("a.test"))
        keeper.wait_says("No such file or directory; it is tried again every 5 s")
        (tmp_path / "no").mkdir()
        keeper.wait_says("is back")
        keeper.wait_listed("a.test")
        assert keeper.stderr.read_text().count("\n") == 2


def test_locked(tmp_path):
    with keeping(tmp_path) as keeper:
        write(keeper.log, event("a.test"))
        keeper.wait_listed("a.test")
        holder = sqlite3.connect(keeper.database, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        write(keeper.log, event("b.test"))
        keeper.wait_says("database is locked")
        # who reads does not wait
        assert set(keeper.list()) == {"a.test"}
        holder.execute("ROLLBACK")
        keeper.wait_listed("a.test", "b.test")
        keeper.wait_says("is back")
        holder.close()


def test_full(tmp_path):
    """No octet can be written, as on a full disk; and then there is room again."""
    with keeping(tmp_path) as keeper:
        write(keeper.log, event("a.test"))
        keeper.wait_listed("a.test")
        # room for what it says
        before = resource.prlimit(keeper.process.pid, resource.RLIMIT_FSIZE, (1 << 14, -1))
        write(keeper.log, *[event(f"d{i}.test") for i in range(500)])
        keeper.wait_says("it is tried again")
        assert set(keeper.list()) == {"a.test"}
        resource.prlimit(keeper.process.pid, resource.RLIMIT_FSIZE, before)
        keeper.wait_says("is back")
        wait_until(lambda: len(keeper.list()) == 501, BOOK_TIMEOUT_S, "all to be listed")
        assert keeper.stop() == 0


def nobody():
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def test_read_only(tmp_path):
    """By another user than root, which may write everywhere."""
    folder = tmp_path / "book"
    folder.mkdir()
    with keeping(tmp_path, database=folder / "book.db") as keeper:
        write(keeper.log, event("a.test"))
        keeper.wait_listed("a.test")
        assert keeper.stop() == 0
        for path in [*tmp_path.parents][:3]:
            if path.stat().st_uid == os.geteuid() and path != path.parent:
                path.chmod(path.stat().st_mode | 0o055)
        for path in folder.iterdir():
            path.chmod(0o444)
        keeper.log.chmod(0o444)
        tmp_path.chmod(0o755)
        folder.chmod(0o555)
        try:
            write(keeper.log, event("b.test"))
            keeper.start(preexec_fn=nobody)
            keeper.wait_says("it is tried again")
            # and who may only read it reads it
            done = subprocess.run([COMMAND, "list", "--json"], preexec_fn=nobody, text=True,
                                  env={**os.environ, "MXCLASH_CONF": str(keeper.conf)},
                                  capture_output=True, timeout=BOOK_TIMEOUT_S, check=False)
            assert (done.returncode, done.stderr) == (0, "")
            assert '"domain":"a.test"' in done.stdout
        finally:
            folder.chmod(0o755)


def damage(path):
    """Write over the middle of every page but the first."""
    with open(path, "r+b") as file:
        size = os.fstat(file.fileno()).st_size
        for page in range(4096, size, 4096):
            file.seek(page + 100)
            file.write(b"\xa5" * 2000)


def test_corrupt_at_the_start(tmp_path):
    with keeping(tmp_path) as keeper:
        write(keeper.log, *[event(f"d{i}.test") for i in range(50)])
        wait_until(lambda: len(keeper.list() or ()) == 50, BOOK_TIMEOUT_S, "the book")
        assert keeper.stop() == 0
        damage(keeper.database)
        keeper.start()
        keeper.wait_says("it is set aside as")
        # made anew from the log
        wait_until(lambda: len(keeper.list() or ()) == 50, BOOK_TIMEOUT_S, "the new book")
        assert len(list(tmp_path.glob("book.db.corrupt-*T*Z"))) == 1


def test_taken_away(tmp_path):
    with keeping(tmp_path) as keeper:
        write(keeper.log, event("a.test"))
        keeper.wait_listed("a.test")
        for path in tmp_path.glob("book.db*"):
            path.unlink()
        write(keeper.log, event("b.test"))
        keeper.wait_says("was taken away; a new one is made from the logs")
        keeper.wait_listed("a.test", "b.test")


def test_database_of_another_program(tmp_path):
    database = tmp_path / "book.db"
    with sqlite3.connect(database) as other:
        other.execute("CREATE TABLE precious (x)")
    before = database.read_bytes()
    with keeping(tmp_path) as keeper:
        write(keeper.log, event("a.test"))
        keeper.wait_says("is the database of another program")
        assert keeper.stop() == 0
    assert database.read_bytes() == before


def test_two_keepers_of_one_book(tmp_path):
    with keeping(tmp_path) as keeper:
        write(keeper.log, event("a.test"))
        keeper.wait_listed("a.test")
        second = Keeper(tmp_path)
        second.stderr = tmp_path / "second.stderr"
        second.start()
        try:
            second.wait_says("another process keeps this book")
            assert keeper.stop() == 0
            # and takes over
            second.wait_says("is back")
            write(keeper.log, event("b.test"))
            second.wait_listed("a.test", "b.test")
        finally:
            second.kill()


def test_ends_at_once(tmp_path):
    for ending in [signal.SIGTERM, signal.SIGINT]:
        with keeping(tmp_path) as keeper:
            write(keeper.log, event("a.test"))
            keeper.wait_listed("a.test")
            keeper.process.send_signal(signal.SIGHUP)
            keeper.process.send_signal(ending)
            assert keeper.process.wait(10) == 0


# --- its size ----------------------------------------------------------------------------------------

@pytest.mark.skipif(CONFLICTS == 0, reason="make check-book does this")
def test_list_of_many(tmp_path):
    """Processor time, so that a machine that is busy with other things tells the same."""
    now = time.time()
    with keeping(tmp_path) as keeper:
        write(keeper.log, *[
            event(f"shop{i}.example{i % 997}.test", at=now - i, mx_queries=i * 7919 % 5003,
                  host=f"r{i % 3}", state="suspected" if i % 4 == 3 else "confirmed")
            for i in range(CONFLICTS)])
        began = time.monotonic()
        wait_until(lambda: len((keeper.list("--sort", "first-seen", "--limit", "1") or {})) == 1
                   and keeper.run("list", "--limit", "1")[2].find(f"of {CONFLICTS};") > 0,
                   600, "the book to have them all")
        print(f"{CONFLICTS} conflicts in the book after {time.monotonic() - began:.0f} s")
        for arguments in [["list"], ["list", "--limit", "100", "--sort", "last-seen"],
                          ["list", "--state", "suspected", "--limit", "100"],
                          ["list", "--host", "r1", "--limit", "100"],
                          ["list", "--name", "example500", "--limit", "100"],
                          ["list", "--json", "--limit", "10000"], ["show", "shop77.example77.test"]]:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            assert keeper.run(*arguments)[0] in (0, 1)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            print(f"{took:.2f} s  mxclash {' '.join(arguments)}")
            assert took < 1
