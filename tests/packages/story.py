# SPDX-License-Identifier: BSD-3-Clause
"""What the stories of the packages have in common: the packages, the documentation's commands, an
authority in the container's network.
"""

import json
import re
import shutil
import subprocess

from lab import BUILD, REPOSITORY, Authority

PACKAGES = BUILD / "deb" / "packages"
# The domain of the documentation's commands, as a mailbox provider's customer behind a CDN.
SCENARIO = """\
zone com
  @       600 NS ns.com.
  ns      600 A  127.0.0.2
  example 600 NS ns.example.com.
zone example.com
  answer by-type
  @    600 NS    ns.example.com.
  ns   600 A     127.0.0.2
  @    600 CNAME www.cdn.example.
  @    600 MX    5 mx1.qiye.aliyun.com.
  @    600 MX    10 mx2.qiye.aliyun.com.
  @    600 MX    15 mx3.qiye.aliyun.com.
  shop 600 CNAME www.cdn.example.
  shop 600 MX    5 mx1.qiye.aliyun.com.
  shop 600 MX    10 mx2.qiye.aliyun.com.
  shop 600 MX    15 mx3.qiye.aliyun.com.
zone cdn.example
  www  60  A     192.0.2.10
"""
# The resolver finds the domain here, for there is no network.
LAB_CONF = """\
server:
    do-not-query-localhost: no
    domain-insecure: "com"
    domain-insecure: "example"
    local-zone: "example." nodefault
stub-zone:
    name: "example.com"
    stub-addr: 127.0.0.2
stub-zone:
    name: "com"
    stub-addr: 127.0.0.2
stub-zone:
    name: "example"
    stub-addr: 127.0.0.2
"""


class Inside(Authority):
    """An authority in the container's network."""

    def __init__(self, folder, container):
        super().__init__(folder, SCENARIO, address="127.0.0.2", port=53)
        self.container = container

    def command(self):
        return [*self.container.enter(inside=False), *super().command()]


def commands(heading):
    """The commands of a section of the documentation, one string a block."""
    text = (REPOSITORY / "docs" / "installing.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"(?ms)^```sh\n(.*?)^```", section)


def events(debian, path, kind):
    """The events of a log in the container that are of a kind."""
    text = debian.path(path).read_text() if debian.path(path).exists() else ""
    return [e for e in map(json.loads, text.splitlines()) if e["event"] == kind]


def give_packages(debian):
    """The folder that has the packages, and what the lab wants in unbound.conf."""
    shutil.copytree(PACKAGES, debian.path("/packages"))
    debian.path("/etc/unbound/unbound.conf.d").mkdir(parents=True)
    debian.path("/etc/unbound/unbound.conf.d/lab.conf").write_text(LAB_CONF)


def upgrade(debian, suffix, folder, *names):
    """Packages of ours once more as newer versions, one of another. Returns what apt-get said."""
    for name in names:
        (package,) = PACKAGES.glob(f"{name}_*.deb")
        tree = folder / f"{name}{suffix}"
        subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
        control = tree / "DEBIAN" / "control"
        version = re.search(r"(?m)^Version: (.*)$", control.read_text()).group(1)
        control.write_text(re.sub(rf"(?m)^(Version: |Depends: mxclash \(= ){re.escape(version)}",
                                  rf"\g<1>{version}{suffix}", control.read_text()))
        made = debian.path("/packages") / f"{name}_{version}{suffix}.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, made], check=True,
                       stdout=subprocess.DEVNULL)
    return debian.run(f"cd /packages && apt-get install -y ./*{suffix}.deb")


def left_behind(debian):
    """Files by our name but for the packages', and files of /etc that name us."""
    found = debian.run("find / -xdev -name '*mxclash*' -not -path '/packages/*' "
                       "-not -path '/var/cache/apt/*'; ls -d /run/*mxclash* 2> /dev/null || true")
    named = debian.run("grep -rl mxclash /etc || true")
    return found.split(), named.split()
