"""A broker process ends and comes back at once. It knows no protocol and no process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_mqchaos.faults.target import Target, target


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartBroker:
    """The broker is stopped at this frame, which is held until it is back with the same identity,
    port and data."""

    verb: ClassVar[str] = "restart_broker"
    positional: ClassVar[tuple[str, ...]] = ("target",)
    target: Target = "leader"

    def __post_init__(self) -> None:
        target(self.verb, self.target)
