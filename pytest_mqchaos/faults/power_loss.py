"""The machine of a broker loses its power. It knows no protocol, no process and no disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_mqchaos.faults.base import positive_seconds
from pytest_mqchaos.faults.target import Target, target


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLoss:
    """The broker dies at this frame, and what it had not flushed to its disk is gone.
    `restart_after`: seconds (0 or more) until it is started again with what the disk has; None =
    at the end of the test."""

    verb: ClassVar[str] = "power_loss"
    positional: ClassVar[tuple[str, ...]] = ("target",)
    target: Target = "leader"
    restart_after: float | None = None

    def __post_init__(self) -> None:
        target(self.verb, self.target)
        if self.restart_after is not None:
            positive_seconds(self.verb, "restart_after", self.restart_after, zero=True)
