"""A process that outlives its parent just long enough to kill what the parent started.

It runs as a plain script on the standard library, in a session of its own, so that Ctrl-C and a
SIGKILL to the test run do not reach it. The parent writes `+<pgid>` and `-<pgid>` lines; when the
pipe ends, for whatever reason, every process group still listed is killed. It knows nothing else.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable


def survivors(orders: Iterable[str]) -> set[int]:
    """The process groups that were announced and not withdrawn, once `orders` has ended."""
    groups: set[int] = set()
    for order in orders:
        group = int(order[1:])
        if order.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def main() -> None:
    """Read orders from standard input until it ends, then kill what is left."""
    for group in survivors(sys.stdin):
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue  # it ended by itself


if __name__ == "__main__":
    main()
