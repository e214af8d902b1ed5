# SPDX-License-Identifier: BSD-3-Clause
"""The lab of the system tests is that of these, too. A module is one story, in one container."""

import os
import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

from container import Container
from lab import BUILD
from story import Inside


@pytest.fixture(scope="module")
def debian(request):
    """Booted, where the module says BOOTED."""
    if os.geteuid() != 0:
        pytest.skip("a container wants root")
    folder = BUILD / "deb" / "chroot"
    run = folder / f"run-{os.getpid()}"
    with Container(folder / "base", run, folder / "archives",
                   init=getattr(request.module, "BOOTED", False)) as found:
        yield found
    shutil.rmtree(run)


@pytest.fixture(scope="module")
def authority(debian, tmp_path_factory):
    with Inside(tmp_path_factory.mktemp("authority"), debian) as found:
        yield found
