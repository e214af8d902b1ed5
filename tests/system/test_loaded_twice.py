# SPDX-License-Identifier: BSD-3-Clause
"""The module named twice: it says so and does not start, or each conflict would be told twice."""

import pytest
from lab import BUILD, LabError
from resolver import Unbound


class WithTwoModules(Unbound):
    """An Unbound that loads two files through dynlib."""

    def __init__(self, folder, upstreams, libraries, **options):
        super().__init__(folder, upstreams, modules="dynlib dynlib iterator", **options)
        self.libraries = libraries

    def configure(self):
        super().configure()
        path = self.folder / "unbound.conf"
        named = '  dynlib-file: "{}"'.format
        both = "\n".join(named(library) for library in self.libraries)
        path.write_text(path.read_text().replace(named(BUILD / "mxclash.so"), both))


def test_the_same_file_twice(world, tmp_path):
    module = BUILD / "mxclash.so"
    unbound = WithTwoModules(tmp_path, world.upstreams, [module, module])
    with pytest.raises(LabError, match="error: mxclash: loaded already: name it once in dynlib-fi"):
        unbound.start()
    assert unbound.process.returncode == 1
    assert unbound.log.count("error: mxclash: ") == 1
