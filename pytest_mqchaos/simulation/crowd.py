"""How many times longer whoever is real may need because the machine has too much to do.

It knows processes that want to run and cores; it must never know who waits for whom.
"""

from __future__ import annotations

import os
from pathlib import Path

CROWDED = 10.0  # times, at most


def runnable() -> float:
    """How many processes want to run: on Linux now or in the last minute, whichever is more."""
    try:
        words = Path("/proc/loadavg").read_text(encoding="ascii").split()
        return max(float(words[0]), float(words[3].partition("/")[0]))
    except (OSError, IndexError, ValueError):
        return os.getloadavg()[0]


def times() -> float:
    """1 where there are cores enough."""
    return min(max(1.0, runnable() / (os.cpu_count() or 1)), CROWDED)
