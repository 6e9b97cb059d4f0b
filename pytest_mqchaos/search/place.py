"""Where a simulation is started from: the test that pytest runs at this moment, if it does.

It imports nothing heavy: the plugin loads it with every session. What is here is put here by
`guest`, which knows pytest; `simulate` only looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.config import Config
    from pytest_mqchaos.chaos.session import Chaos
    from pytest_mqchaos.chaos.telling import Telling
    from pytest_mqchaos.plan.rules import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A test: what reports say of it, the plan that replaces every other (--mqchaos-plan), the
    seed that is its own, the project's settings, the kind of its brokers over sockets; `ended` is
    called with each Chaos at its end."""

    telling: Telling
    config: Config
    ended: Callable[[Chaos], None]
    plan: Plan | None = None
    seed: int = 0
    kind: str = "embedded"


_look: Callable[[], Place] | None = None


@contextmanager
def standing(look: Callable[[], Place]) -> Iterator[None]:
    """While this lasts, `look()` gives the place."""
    global _look  # noqa: PLW0603 - one process runs one test at a time
    before, _look = _look, look
    try:
        yield
    finally:
        _look = before


def here() -> Place | None:
    """The test that is running; None outside of pytest."""
    return None if _look is None else _look()
