"""The frame is overtaken by later ones. It knows no protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_mqchaos.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorder:
    """The frame lands behind at least `window` (1 or more) later ones."""

    verb: ClassVar[str] = "reorder"
    positional: ClassVar[tuple[str, ...]] = ("window",)
    window: int = 1

    def __post_init__(self) -> None:
        whole = isinstance(self.window, int) and not isinstance(self.window, bool)
        if not whole or self.window < 1:
            raise UsageError(
                f".reorder(window={self.window!r}): the window counts later messages that arrive "
                "first, a whole number of 1 or more. Leave it out for 1."
            )
