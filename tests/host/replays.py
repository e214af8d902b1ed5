# SPDX-License-Identifier: BSD-3-Clause
"""Unbound's own replays, edited so that a dynlib module is in their chain of modules.

Only the configuration of a replay is touched, the part before CONFIG_END: the module gets its
`dynlib:` clause, and the word dynlib goes into `module-config:`.
"""

import re

MODULE_CONFIG = re.compile(r'^(?P<key>[ \t]*module-config:[ \t]*)"(?P<chain>[^"]*)"', re.MULTILINE)
CONFIG_END = re.compile(r"^\s*CONFIG_END", re.MULTILINE)


class ReplayError(Exception):
    """A replay that cannot be edited; the message says why."""


def with_dynlib(chain, place):
    """A chain of modules with dynlib put in at `place`, counted from 0."""
    words = chain.split()
    return " ".join(words[:place] + ["dynlib"] + words[place:])


def edited(text, module, default_chain, *, place=0):
    """The text of a replay with `module` loaded.

    `default_chain` is what holds where a replay has no module-config. A replay that loads dynlib
    modules of its own keeps them: our clause comes first, as our word does.
    """
    end = CONFIG_END.search(text)
    if not end:
        raise ReplayError("no CONFIG_END")
    config, scenario = text[: end.start()], text[end.start() :]
    if place and "dynlib" in config:
        raise ReplayError("it loads a dynlib module of its own, so ours must be the first")
    head = f'dynlib:\n\tdynlib-file: "{module}"\nserver:\n'
    config, count = MODULE_CONFIG.subn(
        lambda found: f'{found["key"]}"{with_dynlib(found["chain"], place)}"', config
    )
    if not count:
        if re.search(r"^[^;#\n]*module-config:", config, re.MULTILINE):
            raise ReplayError("a module-config that this script cannot read")
        head += f'\tmodule-config: "{with_dynlib(default_chain, place)}"\n'
    # without a clause of its own what follows belongs to the server clause, as in the tester's file
    return head + config + scenario
