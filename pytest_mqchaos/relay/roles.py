"""What the parts of the heart know of each other, so that arrows between them point one way.

engine --> firing --> link --> (Judge: whoever decides, Task: whoever works on a link)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol, TypeVar

from pytest_mqchaos.frames import Frame, Sighting
from pytest_mqchaos.wire.base import Codec


class Task(Protocol):
    """One firing, as links and the engine see it."""

    @property
    def index(self) -> int:
        """Of its rule."""

    frame: Frame
    healed: bool

    @property
    def held(self) -> Collection[Frame]: ...

    @property
    def owner(self) -> str: ...

    def start(self, now: int) -> None: ...

    def awaits(self, reply: Frame) -> bool: ...

    def reply(self, frame: Frame, now: int) -> None: ...

    def arrived(self, frame: Frame, sighting: Sighting, now: int) -> None: ...

    def drained(self, now: int) -> None: ...

    def timer(self, now: int) -> None: ...

    def answer(self, value: object, now: int) -> None: ...

    def closed(self, now: int, *, by_client: bool) -> None: ...

    def heal(self, now: int, why: str) -> None: ...

    def drop(self, now: int) -> None: ...


L_contra = TypeVar("L_contra", contravariant=True)


class Judge(Protocol[L_contra]):
    """The engine, as a link (`L`) and the firings on it see it."""

    codec: Codec
    now: int
    asks: list[dict[str, object]]
    sides: list[tuple[int, int, bytes]]

    # ------------------------------------------------------------ asked by links

    def recorded(self, link: L_contra, now: int) -> None: ...

    def blind(self, link: L_contra, now: int) -> None: ...

    def record(self, link: L_contra, frame: Frame, *, held: bool) -> None: ...

    def arrived(self, link: L_contra, frame: Frame, now: int) -> None: ...

    def trigger(self, link: L_contra, frame: Frame) -> Task | None: ...

    def rewritten(self, link: L_contra, frame: Frame) -> bytes: ...

    def gone(self, link: L_contra, now: int, *, by_client: bool) -> None: ...

    def touched(self, link: L_contra) -> None:
        """It has output made outside of its own scan."""

    # ------------------------------------------------------------ asked by both, and by firings

    def note(self, body: Mapping[str, object], now: int) -> None: ...

    def fate(self, frame: Frame, what: str, by: int | None) -> None: ...

    def decode(self, frame: Frame) -> Sighting: ...

    def rule_note(self, armed: Any, what: str, text: str, now: int) -> None: ...

    def lost(self, owner: str, sighting: Sighting) -> None: ...

    def cut(self, owner: str, now: int) -> None: ...

    def wake_at(self, t: int, task: Task) -> None: ...

    def question(self, task: Task) -> int: ...

    def asked(self, task: Task) -> bool: ...

    def finished(self, task: Task) -> None: ...
