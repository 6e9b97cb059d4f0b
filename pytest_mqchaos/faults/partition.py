"""Brokers do not hear each other any more. It knows no protocol and no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_mqchaos.faults.base import positive_seconds
from pytest_mqchaos.faults.target import Target, target


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """From this frame on `target` and all other brokers do not hear each other ("all": nobody hears
    anybody), while clients reach all of them: for `for_` seconds (more than 0), or until the
    waiting or the end of the test heals it."""

    verb: ClassVar[str] = "partition"
    positional: ClassVar[tuple[str, ...]] = ("target",)
    target: Target = "leader"
    for_: float | None = None

    def __post_init__(self) -> None:
        target(self.verb, self.target)
        if self.for_ is not None:
            positive_seconds(self.verb, "for_", self.for_)
