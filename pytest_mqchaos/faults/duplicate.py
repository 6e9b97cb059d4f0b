"""The frame arrives twice. It knows no protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """The frame arrives a second time, as after a retry of its sender."""

    verb: ClassVar[str] = "duplicate"
    positional: ClassVar[tuple[str, ...]] = ()
