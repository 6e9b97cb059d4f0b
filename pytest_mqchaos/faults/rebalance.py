"""The group hands out its work anew. It knows no protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebalance:
    """The consumer's group is made to divide its partitions again."""

    verb: ClassVar[str] = "rebalance"
    positional: ClassVar[tuple[str, ...]] = ()
