"""The frame is lost. It knows no protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """The frame never arrives. On an ordered stream that means: swallowed, then the connection is
    cut, because a stream cannot lose one frame and carry on."""

    verb: ClassVar[str] = "drop"
    positional: ClassVar[tuple[str, ...]] = ()
