"""The process behind the connection dies. It knows no protocol and no process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pytest_mqchaos.faults.base import one_of

When = Literal["before", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashWorker:
    """The worker that owns the connection dies at this frame, which is held meanwhile.

    `when`: "before" = the frame never arrives; "after" = it arrives and the broker's answer was
    seen before the worker dies. `scope`: None = the whole process group, "child" = the one child
    that owns the connection (prefork servers).
    """

    verb: ClassVar[str] = "crash_worker"
    positional: ClassVar[tuple[str, ...]] = ("when",)
    when: When = "before"
    scope: Literal["child"] | None = None

    def __post_init__(self) -> None:
        one_of(self.verb, "when", self.when, ("before", "after"))
        if self.scope is not None:
            one_of(self.verb, "scope", self.scope, ("child",))
