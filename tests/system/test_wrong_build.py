# SPDX-License-Identifier: BSD-3-Clause
"""dynlib checks no version: the module itself must refuse a server it was not made for."""

import subprocess

from lab import BUILD, free_address, free_port

# build/unbound points to the folder of the server that was asked for
HOST = (BUILD / "unbound").resolve().parent
DEADLINE_S = 60

CONF = """
server:
  module-config: "dynlib iterator"
  interface: {address}@{port}
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
dynlib:
  dynlib-file: "{module}"
"""


def test_a_module_of_another_build_refuses_to_start(tmp_path):
    conf = tmp_path / "unbound.conf"
    address = free_address()
    port = free_port(address)
    module = HOST / "wrong-build.so"
    conf.write_text(CONF.format(folder=tmp_path, module=module, address=address, port=port))
    run = subprocess.run(
        [BUILD / "unbound/sbin/unbound", "-d", "-c", conf],
        stderr=subprocess.PIPE,
        timeout=DEADLINE_S,
        check=False,
    )
    log = run.stderr.decode()
    # an exit of its own, not a signal
    assert run.returncode == 1, log
    assert log.count("mxclash:") == 1
    assert "this module was made for one build of Unbound" in log
    assert "UNBOUND_SRC=" in log
