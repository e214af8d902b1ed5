# SPDX-License-Identifier: BSD-3-Clause
"""Zones signed with real keys (RFC 4034), for our own authority and for NSD."""

import shutil
import subprocess

from lab import LabError

ALGORITHM = "ECDSAP256SHA256"


def tools_missing():
    """Why nothing can be signed here, or None."""
    return None if shutil.which("ldns-signzone") else "ldns-signzone (ldnsutils) is not there"


def _run(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{command[0]}: {done.stderr}")
    return done.stdout.strip()


def sign(folder, zone, lines):
    """Sign a zone with a key of its own.

    `lines` are all its records in master-file syntax with absolute owners, SOA and NS among them;
    a CNAME may stand beside other data. Returns (lines of the signed zone, DS record of its key).
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = _run(folder, "ldns-keygen", "-r", "/dev/urandom", "-a", ALGORITHM, "-k", zone)
    (folder / "plain").write_text("\n".join(lines) + "\n")
    _run(folder, "ldns-signzone", "-o", zone, "-f", "signed", "plain", key)
    signed = [line.split(" ;{")[0].strip() for line in (folder / "signed").read_text().splitlines()]
    return signed, (folder / f"{key}.ds").read_text().strip()


def is_signature_of(line, rdtype):
    """Is a line of a signed zone an RRSIG of that type?"""
    words = line.split()
    return words[3] == "RRSIG" and words[4] == rdtype
