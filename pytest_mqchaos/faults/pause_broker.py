"""A broker process stands still. It knows no protocol and no process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_mqchaos.faults.base import positive_seconds
from pytest_mqchaos.faults.target import Target, target


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseBroker:
    """The broker stands still at this frame as by SIGSTOP: for `for_` seconds (more than 0), or
    until the waiting or the end of the test heals it."""

    verb: ClassVar[str] = "pause_broker"
    positional: ClassVar[tuple[str, ...]] = ("target",)
    target: Target = "leader"
    for_: float | None = None

    def __post_init__(self) -> None:
        target(self.verb, self.target)
        if self.for_ is not None:
            positive_seconds(self.verb, "for_", self.for_)
