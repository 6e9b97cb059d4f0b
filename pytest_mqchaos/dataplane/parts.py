"""What the shell needs of the parts that it carries, and how they are found.

It knows shapes and import paths; it must never import a part itself: `python -m
pytest_mqchaos.dataplane` starts on the standard library, an engine, a codec or a cluster is loaded
when the first command needs it.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Protocol, TypeAlias

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Direction

DEFAULTS: Mapping[str, str] = {
    "engine": "pytest_mqchaos.relay.engine:Engine",
    "command": "pytest_mqchaos.relay.commands:command",
    "codec": "pytest_mqchaos.wire.kafka.codec:KafkaCodec",
    "cluster": "pytest_mqchaos.kafka_cluster.cluster:Cluster",
}


Step: TypeAlias = tuple[int, int, object]  # how far a scan came; see `relay.link.Step`


class Link(Protocol):
    """One connection's heart; see `relay.link.Link`."""

    out: tuple[list[bytes], list[bytes]]
    paused: list[bool]
    closing: str | None

    def scan(
        self, direction: Direction, buf: bytearray | memoryview, start: int, end: int, now: int
    ) -> Step: ...

    def eof(self, direction: Direction, now: int) -> bool: ...

    def closed(self, *, by_client: bool, now: int) -> None: ...


class Engine(Protocol):
    """What decides; see `relay.engine.Engine`. The shell empties `asks`, `sides` and `dirty`."""

    asks: list[dict[str, Any]]
    sides: list[tuple[int, int, bytes]]
    dirty: set[Any]

    def open(self, owner: str, node: int, now: int, *, port: int = 0) -> Link | None: ...

    def wake(self, now: int) -> None: ...

    def next_wake(self) -> int | None: ...

    def note(self, body: Mapping[str, object], now: int) -> None: ...

    def answer(self, ask: int, value: object, now: int) -> None: ...


class Cluster(Protocol):
    """The embedded brokers; see `kafka_cluster.cluster.Cluster`."""

    def connect(self, node: int, now: int) -> int: ...

    def receive(self, connection: int, data: bytes | memoryview, now: int) -> None: ...

    def disconnect(self, connection: int, now: int) -> None: ...

    def wake(self, now: int) -> None: ...

    def next_wake(self) -> int | None: ...

    def take_output(self) -> Iterable[tuple[int, bytes]]: ...

    def take_closed(self) -> Iterable[int]: ...

    def take_failures(self) -> Iterable[str]: ...

    def take_elections(self) -> Iterable[tuple[str, int, int | None, int | None, int]]: ...

    def alive(self, node: int) -> bool: ...

    def kill(self, node: int, now: int) -> None: ...

    def restart(self, node: int, now: int) -> None: ...

    def leader(self, topic: str, partition: int) -> int | None: ...

    def followers(self, topic: str, partition: int) -> Iterable[int]: ...

    def coordinator(self, kind: str, key: str) -> int | None: ...

    def move_leader(self, topic: str, partition: int, to: int | None, now: int) -> int: ...

    def move_coordinator(self, kind: str, key: str, to: int | None, now: int) -> int: ...

    def isolate(self, groups: Sequence[Collection[int]], now: int) -> None: ...

    def hold_replication(
        self, topic: str | None, partition: int | None, follower: int | None, now: int
    ) -> None: ...


# kio registers its types with it where it is installed: more than half of the time that an embedded
# cluster takes to start, for strategies that nobody asks of this process.
UNWANTED = "hypothesis"


@contextlib.contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Importing `name` says that it is not there (`None` is the import system's word for that);
    afterwards it may be imported as ever."""
    absent = name not in sys.modules
    if absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if absent:
            del sys.modules[name]


@cache
def load(path: str) -> Callable[..., Any]:
    """Find `module:name`; one that was found is remembered: each command wants it. Raises
    `UsageError` with what is wrong about it."""
    module, _, name = path.partition(":")
    try:
        with _hidden(UNWANTED):
            found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(
            f"cannot load {path!r} ({error}); give an importable 'package.module:name'"
        ) from error
    if not callable(found):
        raise UsageError(f"{path!r} is a {type(found).__name__}, expected something to call")
    return found  # type: ignore[no-any-return]
