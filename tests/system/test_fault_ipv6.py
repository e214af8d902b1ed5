# SPDX-License-Identifier: BSD-3-Clause
"""A machine without IPv4: resolver, authority and metrics are on ::1."""

import socket

import pytest
from asking import confirm
from lab import Authority, free_port
from resolver import Unbound
from watcher import watching

# What a watcher asks (watcher.py), and a broken domain.
ZONES = """\
zone cdn.test
  www 60 A 192.0.2.10
zone wild.test
  * 600 CNAME www.cdn.test.
zone good.test
  mail 600 A 192.0.2.31
zone split.test
  answer by-type
  @ 600 CNAME www.cdn.test.
  @ 600 MX 5 mx1.qiye.aliyun.com.
"""
ONLY_IPV6 = {
    "do-ip4": "no",
    "do-ip6": "yes",
    "outgoing-interface": "::1",
    "access-control": "::1 allow",
}


@pytest.fixture
def loopback():
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError as error:
            pytest.skip(f"this machine has no ::1: {error.strerror}")
    return "::1"


def test_ipv6_only(loopback, tmp_path):
    with Authority(tmp_path / "own", ZONES, loopback, free_port(loopback)) as own:
        upstreams = dict.fromkeys(("cdn.test", "wild.test", "good.test", "split.test"), own)
        unbound = Unbound(tmp_path / "unbound", upstreams, address=loopback, settings=ONLY_IPV6)
        with unbound, watching(unbound, "IPv6 only"):
            event = confirm(unbound, "split.test")
            assert event["authority"] == loopback
            assert unbound.mxclash["http-listen"] == f"::1@{unbound.http_port}"
            metrics = unbound.metrics()
            assert metrics['mxclash_conflicts_opened_total{kind="cname-and-mx"}'] == 1
            unbound.reload()
            assert confirm(unbound, "split.test")
            assert unbound.http("/healthz")[0] == 200
