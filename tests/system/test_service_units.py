# SPDX-License-Identifier: BSD-3-Clause
"""The units of systemd in conf-examples, as systemd itself judges them."""

import shutil
import subprocess

import pytest
from lab import BUILD, REPOSITORY

UNITS = REPOSITORY / "conf-examples" / "systemd"
# in tenths, of 100; what is left is that it talks to the network
EXPOSURE_MAX = 20

pytestmark = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not on this machine"
)


@pytest.fixture
def units(tmp_path):
    """The units as they would be installed, with our program and without pages of manuals, which
    are not installed here."""
    for path in UNITS.glob("mxclashd.*"):
        lines = path.read_text().replace("/usr/sbin/mxclashd", str(BUILD / "mxclashd"))
        kept = [line for line in lines.splitlines() if not line.startswith("Documentation=")]
        (tmp_path / path.name).write_text("\n".join(kept) + "\n")
    return [str(path) for path in sorted(tmp_path.iterdir())]


def test_the_units_are_good(units):
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_is_confined(units):
    service = next(path for path in units if path.endswith(".service"))
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE_MAX}", service],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
