"""A broker process dies without a word. It knows no protocol and no process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.faults.base import flag, positive_seconds
from pytest_mqchaos.faults.target import Target, target


@dataclass(frozen=True, slots=True, kw_only=True)
class KillBroker:
    """The broker dies at this frame as by SIGKILL. `restart_after`: seconds (0 or more) until it
    is started again with the same identity and data; None = at the end of the test.
    `unreplicated`: the leader has taken the frame and answered it, as far as it does that without
    its followers, and none of them has a copy when it dies."""

    verb: ClassVar[str] = "kill_broker"
    positional: ClassVar[tuple[str, ...]] = ("target",)
    target: Target = "leader"
    restart_after: float | None = None
    unreplicated: bool = False

    def __post_init__(self) -> None:
        target(self.verb, self.target)
        if self.restart_after is not None:
            positive_seconds(self.verb, "restart_after", self.restart_after, zero=True)
        flag(self.verb, "unreplicated", self.unreplicated)
        if self.unreplicated and self.target != "leader":
            raise UsageError(
                f".{self.verb}({self.target!r}, unreplicated=True): only a leader has what its "
                f'followers lack. Write .{self.verb}("leader", unreplicated=True).'
            )
