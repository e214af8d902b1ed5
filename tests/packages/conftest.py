# SPDX-License-Identifier: BSD-3-Clause
"""The lab of the system tests is that of these, too."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]
