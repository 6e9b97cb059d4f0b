"""What keeps one `chaos.worker` running, as a Crew sees it.

In real time it has threads and processes of its own, in virtual time it is on the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from pytest_mqchaos.chaos.pace import Maybe


class Keeper(Protocol):
    """What keeps one `chaos.worker` running: see `workloads.supervisor.Supervisor`."""

    @property
    def failure(self) -> BaseException | None: ...

    @property
    def running(self) -> tuple[str, ...]: ...

    @property
    def waiting(self) -> tuple[str, ...]: ...

    def pid_of(self, incarnation: str) -> int | None: ...

    def require_crashable(self) -> None: ...

    def start(self) -> Maybe[None]: ...

    def crash(self, incarnation: str, *, cause: str = "", limit: float = 10.0) -> Maybe[bool]: ...

    def crash_child(
        self, incarnation: str, port: int, *, cause: str = "", limit: float = 10.0
    ) -> bool: ...

    def freeze(self, incarnation: str, child_at: int | None = None) -> None: ...

    def fell(self, incarnation: str) -> bool: ...

    def restart(self, *, cause: str = ..., limit: float = 10.0) -> Maybe[None]: ...

    def stop(self, *, limit: float = 10.0) -> Maybe[None]: ...


Hire: TypeAlias = Callable[..., Keeper]
