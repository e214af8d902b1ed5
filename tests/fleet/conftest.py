# SPDX-License-Identifier: BSD-3-Clause
"""The lab is that of the system tests."""

import sys
from pathlib import Path

SYSTEM = Path(__file__).resolve().parents[1] / "system"
sys.path[:0] = [str(Path(__file__).parent), str(SYSTEM)]
