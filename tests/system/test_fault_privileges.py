# SPDX-License-Identifier: BSD-3-Clause
"""Unbound gives up root, or sees only a part of the file system: what then works and what not."""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from faults import RETRY_TIMEOUT_S, breaker, dropped, opened_in, wait_log, wait_opened
from lab import BUILD, LabError, wait_until
from resolver import EVENT_TIMEOUT_S, Unbound
from watcher import watching

USER = "nobody"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up being root")


class Elsewhere(Unbound):
    """An Unbound that finds the module and its configuration at other paths than we do."""

    def __init__(self, folder, upstreams, *, module, conf=None, **options):
        super().__init__(folder, upstreams, **options)
        self.module = module
        self.conf = conf

    def configure(self):
        super().configure()
        path = self.folder / "unbound.conf"
        path.write_text(path.read_text().replace(str(BUILD / "mxclash.so"), str(self.module)))
        self.mxclash_conf.chmod(0o644)

    def environment(self):
        return {"MXCLASH_CONF": self.conf or str(self.mxclash_conf)}


@pytest.fixture
def public():
    """A folder that every user can see: those of pytest are root's alone."""
    with tempfile.TemporaryDirectory(prefix="mxclash-test-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        shutil.copy(BUILD / "mxclash.so", path)
        yield path


@pytest.fixture
def conflicts(tmp_path):
    with breaker(tmp_path / "own") as found:
        yield found


def as_user(public, world, conflicts, log):
    return conflicts.resolver(
        public / "unbound",
        world,
        kind_of=Elsewhere,
        module=public / "mxclash.so",
        settings={"username": f'"{USER}"'},
        mxclash={"log-file": str(log), "http-listen": str(log.with_name("http"))},
        http="unix",
    )


def test_log_of_an_unprivileged_user(public, world, conflicts):
    """The file is the user's; a reload finds it again; what root rotates must be given to it."""
    user = pwd.getpwnam(USER)
    log = public / "log" / "events"
    log.parent.mkdir()
    os.chown(log.parent, user.pw_uid, user.pw_gid)
    unbound = as_user(public, world, conflicts, log)
    unbound.http_path = log.with_name("http")
    with unbound, watching(unbound, "privileges given up"):
        assert os.stat(f"/proc/{unbound.pid}").st_uid == user.pw_uid
        wait_opened(unbound, conflicts.open_one(unbound))
        made = log.stat()
        assert (made.st_uid, made.st_gid) == (user.pw_uid, user.pw_gid)
        assert made.st_mode & 0o777 == 0o640
        unbound.reload()
        wait_opened(unbound, conflicts.open_one(unbound))
        assert unbound.http("/healthz")[0] == 200
        assert "log-file" not in unbound.log and "http-listen" not in unbound.log
        # rotated by root, who forgot whose the new file is to be
        rotated = log.with_name("events.1")
        log.rename(rotated)
        log.touch(0o600)
        conflicts.open_one(unbound)
        wait_log(unbound, f"mxclash: log-file {log}: Permission denied; events are dropped")
        wait_until(lambda: dropped(unbound) == 1, EVENT_TIMEOUT_S, "a lost event")
        os.chown(log, user.pw_uid, user.pw_gid)
        wait_log(unbound, f"mxclash: log-file {log}: is back, 1 events were", RETRY_TIMEOUT_S)
        wait_opened(unbound, conflicts.open_one(unbound))
    assert len(opened_in([rotated, log])) == 3
    assert unbound.process.returncode == 0


def test_folder_of_another_user(public, world, conflicts):
    """Neither log nor socket can be made: told once each, and all else goes on."""
    log = public / "log" / "events"
    log.parent.mkdir()
    unbound = as_user(public, world, conflicts, log)
    with unbound, watching(unbound, "privileges given up, log folder of root"):
        wait_log(unbound, f"mxclash: log-file {log}: Permission denied; events are dropped")
        wait_log(unbound, f"mxclash: http-listen {log.with_name('http')}: Permission denied; tried")
        conflicts.open_one(unbound)
        unbound.reload()
        assert unbound.log.count("Permission denied") == 4
    assert unbound.process.returncode == 0


def test_configuration_of_another_user(public, world, conflicts):
    """The start is refused with the reason."""
    unbound = as_user(public, world, conflicts, public / "events")
    unbound.conf = str(public / "secret.conf")
    Path(unbound.conf).write_text("log-syslog: no\n")
    Path(unbound.conf).chmod(0o600)
    with pytest.raises(LabError, match=f"error: mxclash: {unbound.conf}: Permission denied"):
        unbound.start()
    assert unbound.process.returncode == 1


def copy_libraries(module, root):
    """What a module is linked with, at the same paths below another root."""
    listed = subprocess.run(["ldd", str(module)], capture_output=True, text=True, check=True)
    for library in re.findall(r"(/\S+) \(0x", listed.stdout):
        inside = root / library[1:]
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, inside)


def test_chroot(public, world, conflicts):
    """Every path of ours is one of the inside, the module and its libraries too."""
    root = public / "root"
    unbound = conflicts.resolver(
        root,
        world,
        kind_of=Elsewhere,
        module="/mxclash.so",
        conf="/mxclash.conf",
        settings={"chroot": f'"{root}"', "username": f'"{USER}"'},
        mxclash={"log-file": "/log/events", "http-listen": "/log/http"},
        http="unix",
    )
    user = pwd.getpwnam(USER)
    (root / "log").mkdir()
    os.chown(root / "log", user.pw_uid, user.pw_gid)
    shutil.copy(public / "mxclash.so", root)
    copy_libraries(public / "mxclash.so", root)
    unbound.events_path = root / "log" / "events"
    unbound.http_path = root / "log" / "http"
    with unbound, watching(unbound, "chroot and privileges given up"):
        assert os.readlink(f"/proc/{unbound.pid}/root") == str(root)
        wait_opened(unbound, conflicts.open_one(unbound))
        assert unbound.http("/healthz")[0] == 200
        unbound.reload()
        wait_opened(unbound, conflicts.open_one(unbound))
        assert unbound.http("/healthz")[0] == 200
    assert not unbound.http_path.exists()
    assert unbound.events()[-1]["event"] == "stopped"


def test_chroot_without_the_module(public, world, conflicts):
    """The module is at its path outside only: Unbound says so and does not start."""
    root = public / "root"
    unbound = conflicts.resolver(
        root,
        world,
        kind_of=Elsewhere,
        module=public / "mxclash.so",
        settings={"chroot": f'"{root}"'},
        mxclash={"log-file": ""},
    )
    with pytest.raises(LabError, match=f"unable to load dynamic library \"{public}/mxclash.so\""):
        unbound.start()
    assert unbound.process.returncode == 1
