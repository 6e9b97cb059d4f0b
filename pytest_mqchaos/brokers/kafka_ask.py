"""Asking a Kafka cluster, one request at a time: which node, how often, how long.

It keeps a connection per node, finds nodes by their ids, and asks again while the answer is one
that Kafka calls retriable. What is asked is the business of kafka_topics, kafka_read, kafka_groups.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from pytest_mqchaos.brokers.base import Address
from pytest_mqchaos.brokers.kafka_connection import Connection
from pytest_mqchaos.brokers.kafka_request import refuse, retriable
from pytest_mqchaos.errors import BrokerRefused, UsageError, WaitTimeout

T = TypeVar("T")
TopicPartition = tuple[str, int]

LEADER_NOT_AVAILABLE = 5  # also what we say ourselves where waiting helps
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.2
_SILENT = 2.0  # seconds after which a node that says nothing is passed over, if there are others


class Reach(NamedTuple):
    """How questions get to their broker, and whose time passes while nobody answers (seconds)."""

    connection: Callable[[Address], Connection]
    clock: Callable[[], float]
    pause: Callable[[float], None] | None  # None: nothing changes while we ask


SOCKETS = Reach(Connection, time.monotonic, time.sleep)


class Topic(NamedTuple):
    """A topic as Metadata tells it. `leaders` maps each partition to its leader's node id, -1 for
    none; `id` is None on brokers without topic ids. `error` is a Kafka error code, 0 for none.
    `epochs` counts each partition's leaderships (-1: not told), `copies` are the nodes that shall
    hold it, `in_sync` those that do."""

    name: str
    id: uuid.UUID | None
    leaders: Mapping[int, int]
    internal: bool
    error: int
    epochs: Mapping[int, int]
    copies: Mapping[int, tuple[int, ...]]
    in_sync: Mapping[int, tuple[int, ...]]


class Cluster(NamedTuple):
    """One Metadata answer."""

    nodes: Mapping[int, Address]
    controller: int
    topics: Mapping[str, Topic]


class Asker:
    """Shared by all questions of one `Direct`; from several threads too. `check` is called between
    tries and may raise, when no answer can come any more."""

    def __init__(
        self, address: str | tuple[str, int] | Iterable[tuple[str, int]], timeout: float,
        check: Callable[[], None] = lambda: None, reach: Reach = SOCKETS,
    ) -> None:  # fmt: skip
        self.timeout = timeout
        self._reach = reach
        self._check = check
        self._seeds = _addresses(address)
        self._connections: dict[Address, Connection] = {}
        self._nodes: dict[int, Address] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            for connection in self._connections.values():
                connection.close()
            self._connections.clear()

    def look(self, topics: Iterable[str] | None, left: float) -> Cluster:
        """One Metadata request, no second try."""
        wanted = None if topics is None else [{"topic_id": None, "name": t} for t in topics]
        values = {"topics": wanted, "allow_auto_topic_creation": False,
                  "include_topic_authorized_operations": False,
                  "include_cluster_authorized_operations": False}  # fmt: skip
        reply = self.seed(lambda c, left: c.call("Metadata", values, left), left)
        refuse("Metadata", getattr(reply, "error_code", 0))
        nodes = {int(b.node_id): Address(str(b.host), int(b.port)) for b in reply.brokers}
        self._nodes = nodes
        return Cluster(
            nodes=nodes,
            controller=int(reply.controller_id),
            topics={str(t.name): _topic(t) for t in reply.topics},
        )

    def call(self, node: int, api: str, values: Mapping[str, object], left: float) -> Any:
        """One request by name to one node, no second try: the reply's body. Where there are others
        that may take its place, a silent node is not waited for to the end."""
        connection = self.node(node, left)
        return connection.call(api, values, min(left, _SILENT) if len(self._nodes) > 1 else left)

    def node(self, node: int, left: float) -> Connection:
        """The connection to a node, by its id."""
        nodes = self._nodes if node in self._nodes else self.look((), left).nodes
        if node not in nodes:
            known = sorted(nodes)
            raise BrokerRefused(f"node {node} is not there ({known} are)", LEADER_NOT_AVAILABLE)
        return self._connection(nodes[node])

    def alone(self, frame: bytes, node: int | None) -> bytes:
        """One frame on a connection of its own: an old one may have died unnoticed, and a frame
        that cannot be sent twice needs one that is known to live."""
        wanted = self._seeds[0] if node is None else self.node(node, self.timeout).address
        connection = self._reach.connection(wanted)
        try:
            return connection.exchange(frame, self.timeout)
        finally:
            connection.close()

    def seed(self, ask: Callable[[Connection, float], T], left: float) -> T:
        """Ask the first of the given addresses that answers, within `left` seconds. One that does
        not comes last from then on: a paused node must not cost its patience every time."""
        seeds = tuple(self._seeds)
        for address in seeds[:-1]:
            try:
                return ask(self._connection(address), min(left, _SILENT))
            except (OSError, WaitTimeout):
                with self._lock:
                    self._seeds.remove(address)
                    self._seeds.append(address)
        return ask(self._connection(seeds[-1]), left)

    def persist(
        self,
        what: str,
        attempt: Callable[[float], T],
        *,
        check: Callable[[], None] | None = None,
        always: bool = False,
    ) -> T:
        """Call `attempt(seconds left)` until it neither breaks off nor is refused for now.
        `always`: whatever is refused, try again. WaitTimeout says what was wanted and why not."""
        clock = self._reach.clock
        end = clock() + self.timeout
        pause = _FIRST_PAUSE
        last: Exception | None = None
        while True:
            try:
                return attempt(max(0.001, end - clock()))
            except BrokerRefused as error:
                if not (always or retriable(error.code)):
                    raise
                last = error
            except WaitTimeout as error:  # the end of our own patience explains less than a refusal
                last = last or error
            except OSError as error:
                last = error
            (check or self._check)()
            if self._reach.pause is None or clock() + pause >= end:
                seeds = ", ".join(map(str, self._seeds))
                raise WaitTimeout(
                    f"could not {what} at {seeds} within {self.timeout:g} s; last: {last}"
                ) from last
            self._reach.pause(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _connection(self, address: Address) -> Connection:
        with self._lock:
            return self._connections.setdefault(address, self._reach.connection(address))


def milliseconds(seconds: float) -> dt.timedelta:
    """A duration as the schemas want it, whole milliseconds."""
    return dt.timedelta(milliseconds=int(seconds * 1000))


def _topic(told: Any) -> Topic:
    parts = {int(p.partition_index): p for p in told.partitions}
    return Topic(
        name=str(told.name),
        id=getattr(told, "topic_id", None),
        leaders={n: int(p.leader_id) for n, p in parts.items()},
        internal=bool(told.is_internal),
        error=int(told.error_code),
        epochs={n: int(getattr(p, "leader_epoch", -1)) for n, p in parts.items()},
        copies={n: tuple(map(int, p.replica_nodes)) for n, p in parts.items()},
        in_sync={n: tuple(map(int, p.isr_nodes)) for n, p in parts.items()},
    )


def _addresses(given: str | tuple[str, int] | Iterable[tuple[str, int]]) -> list[Address]:
    if isinstance(given, str):
        pairs = [part.strip().rpartition(":") for part in given.split(",")]
        if not all(host and port.isdigit() for host, _, port in pairs):
            raise UsageError(f"Kafka address {given!r}: wanted is host:port or host:port,host:port")
        return [Address(host, int(port)) for host, _, port in pairs]
    match given:
        case (str(host), int(port)):
            return [Address(host, port)]
    found = [Address(*each) for each in given]
    if not found:
        raise UsageError("Kafka address: none given, wanted is at least one host:port")
    return found
