"""The broker hands a message out again. It knows no protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeliver:
    """The broker is made to take the message back and hand it out again, with its own marks."""

    verb: ClassVar[str] = "redeliver"
    positional: ClassVar[tuple[str, ...]] = ()
