"""One worker as its supervisor sees it: the incarnation of the moment and what is wanted of it.

Pure bookkeeping, guarded by the supervisor's lock; when to start again after a failure is here too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from pytest_mqchaos.workloads.incarnation import Incarnation, Worker

State: TypeAlias = Literal["idle", "running", "crashing", "stopping"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How a supervisor restarts what ended with an exception after a fault.

    At once the first time, then after `pause` seconds, doubled each time up to `longest`, as long
    as there is no progress; `fruitless` restarts without any are a crash loop.
    """

    fruitless: int = 8
    pause: float = 0.1
    longest: float = 2.0

    def wait_before(self, restart: int) -> float:
        """Seconds to wait before the `restart`-th (from 1) fruitless restart."""
        return 0.0 if restart <= 1 else min(self.longest, self.pause * 2.0 ** (restart - 2))


@dataclass(slots=True, kw_only=True, eq=False)
class Slot:
    """`worker` is the one of `incarnation`; `due` (monotonic seconds) when the next start is;
    `unjudged`: it ended and nobody has decided yet whether there is a next one."""

    incarnation: Incarnation
    worker: Worker | None = None
    state: State = "idle"
    cause: str = ""
    due: float | None = None
    unjudged: bool = False
    fruitless: int = 0
    progress: int = field(default=-1)

    def count_failure(self, progress: int) -> int:
        """Count one more end with an exception; give how many came since the last progress."""
        self.fruitless = self.fruitless + 1 if progress == self.progress else 1
        self.progress = progress
        return self.fruitless


class Ending(NamedTuple):
    """An incarnation ended; `was` is the slot's state at that instant."""

    slot: Slot
    incarnation: Incarnation
    was: State
    error: BaseException | None
    cause: str
