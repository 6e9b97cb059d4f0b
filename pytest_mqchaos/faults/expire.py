"""The broker throws away what it stores, read or not. It knows no protocol and no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire:
    """At this frame everything that its partition or queue holds comes to the end of its time, and
    what the frame carries is lost on the way."""

    verb: ClassVar[str] = "expire"
    positional: ClassVar[tuple[str, ...]] = ()
