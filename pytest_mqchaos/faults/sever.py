"""The connection is cut. It knows no protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_mqchaos.faults.base import flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Sever:
    """The connection closes at this frame, which is lost with it. `reset`: with a TCP reset."""

    verb: ClassVar[str] = "sever"
    positional: ClassVar[tuple[str, ...]] = ()
    reset: bool = False

    def __post_init__(self) -> None:
        flag(self.verb, "reset", self.reset)
