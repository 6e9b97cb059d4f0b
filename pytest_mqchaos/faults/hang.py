"""The connection goes dark. It knows no protocol and no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_mqchaos.faults.base import positive_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """From this frame on nothing passes, while the connection stays open: for `for_` seconds (more
    than 0), or until the client gives up."""

    verb: ClassVar[str] = "hang"
    positional: ClassVar[tuple[str, ...]] = ("for_",)
    for_: float | None = None

    def __post_init__(self) -> None:
        if self.for_ is not None:
            positive_seconds(self.verb, "for_", self.for_)
