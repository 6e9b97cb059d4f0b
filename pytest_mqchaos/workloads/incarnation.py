"""One start of one worker: its name, what it is started with, how it ended.

It knows no kind of worker and no broker. Code under test can be asked in whose name it runs
(`current_incarnation`): the answer travels with the context of its tasks and threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

ENVIRONMENT = "MQCHAOS_INCARNATION"  # the same answer for a child process


@dataclass(frozen=True, slots=True, kw_only=True)
class Incarnation:
    """The `number`-th start (from 1) of the worker `worker`; `name` is the owner of its links."""

    worker: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.worker}#{self.number}"

    def next(self) -> Incarnation:
        """The one that a supervisor starts after this one."""
        return Incarnation(worker=self.worker, number=self.number + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What one incarnation is started with, its own addresses already in place.

    `args` and `kwargs` are the function's; for a command `args` is the whole argv. `env` is added
    to the environment of a process and means nothing to the other kinds. `ports`: of listeners that
    are its alone.
    """

    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    ports: frozenset[int] = frozenset()


class End(NamedTuple):
    """How an incarnation ended. `error` is None when it returned, exited with 0 or did what it was
    told (stop, crash); `cause` is a short sentence for the report."""

    error: BaseException | None
    cause: str


Ended: TypeAlias = Callable[[End], None]


class Worker(Protocol):
    """One incarnation at work. Start it once; `ended` is called once, from a thread of its own.

    `start` does not wait. `crash` and `stop` return when it is dead and raise `WaitTimeout` when
    that took longer than `limit` seconds; they must not be called on the loop it runs on.
    """

    incarnation: Incarnation

    def start(self, ended: Ended) -> None: ...

    def crash(self, limit: float) -> None: ...

    def stop(self, limit: float) -> None: ...


TOLD = 160  # characters of an exception's text that a cause shows


def told(error: BaseException) -> str:
    """Say an exception in one short line: "ValueError: no such account". Clients' texts have line
    breaks and indentation in them, some twice as long as a timeline."""
    name, text = type(error).__name__, " ".join(str(error).replace("\\n", " ").split())
    text = text.removeprefix(f"{name}: ")
    if len(text) > TOLD:
        text = f"{text[: TOLD - 1].rstrip()}…"
    return f"{name}: {text}" if text else name


running_as: ContextVar[str | None] = ContextVar("mqchaos_running_as", default=None)


def current_incarnation() -> str | None:
    """Name the incarnation ("worker-1#2") whose code this is, None outside of any worker."""
    return running_as.get() or os.environ.get(ENVIRONMENT)
