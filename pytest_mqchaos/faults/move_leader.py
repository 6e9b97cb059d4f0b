"""Leadership goes to another broker, in an orderly way. It knows no protocol and no process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_mqchaos.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveLeader:
    """At this frame another broker takes the lead of its partition or queue. `to`: a node's index
    (0 or more) that has an in-sync copy; None = the next that has one."""

    verb: ClassVar[str] = "move_leader"
    positional: ClassVar[tuple[str, ...]] = ("to",)
    to: int | None = None

    def __post_init__(self) -> None:
        given = self.to
        if given is None or (isinstance(given, int) and not isinstance(given, bool) and given >= 0):
            return
        raise UsageError(
            f".{self.verb}(to={given!r}): must be a node's index, 0 or more; leave it out for the "
            "next node that has an in-sync copy."
        )
