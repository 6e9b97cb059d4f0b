"""The frame arrives late. It knows no protocol and no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_mqchaos.faults.base import positive_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """The frame is held for `seconds` (more than 0), then goes on unharmed."""

    verb: ClassVar[str] = "delay"
    positional: ClassVar[tuple[str, ...]] = ("seconds",)
    seconds: float

    def __post_init__(self) -> None:
        positive_seconds(self.verb, "seconds", self.seconds)
