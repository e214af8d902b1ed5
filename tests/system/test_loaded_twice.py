# SPDX-License-Identifier: BSD-3-Clause
"""The module named twice: it says so and does not start, or each conflict would be told twice."""

import pytest
from lab import BUILD, LabError
from resolver import Unbound


def test_the_same_file_twice(world, tmp_path):
    module = BUILD / "mxclash.so"
    unbound = Unbound(
        tmp_path, world.upstreams, modules="dynlib dynlib iterator", libraries=[module, module]
    )
    with pytest.raises(LabError, match="error: mxclash: loaded already: name it once in dynlib-fi"):
        unbound.start()
    assert unbound.process.returncode == 1
    assert unbound.log.count("error: mxclash: ") == 1
