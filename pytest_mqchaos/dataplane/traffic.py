"""All connections of one data plane: accepted, joined to their brokers, stirred, ended.

It knows owners, nodes and links; it must never know what a link decides or who commands.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Protocol

from pytest_mqchaos.dataplane.buffers import Pool
from pytest_mqchaos.dataplane.connection import Connection
from pytest_mqchaos.dataplane.ends import ClusterEnd, Guest, Nodes, exhausted
from pytest_mqchaos.dataplane.loop import Timing
from pytest_mqchaos.dataplane.parts import Cluster, Engine, Link
from pytest_mqchaos.dataplane.plain import PlainLink
from pytest_mqchaos.dataplane.sides import Side

DIRECT = ""  # the owner of unproxied listeners
_number = attrgetter("number")


class Taker(Protocol):
    """Who hears the embedded cluster without a link in between."""

    def feed(self, data: bytes, now: int) -> None: ...

    def finish(self, reply: bytes | None) -> None:
        """It said its last."""


class Traffic:
    """`engine` gives the engine (made when it is first needed)."""

    def __init__(
        self,
        loop: Timing,
        upstreams: Nodes,
        engine: Callable[[], Engine],
        trouble: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._upstreams = upstreams
        self._engine = engine
        self._trouble = trouble
        self._pool = Pool()
        self._links: dict[Link, Connection] = {}
        self._embedded: dict[int, Connection | Taker] = {}
        self._sides: set[Side] = set()

    def __len__(self) -> int:
        return len(self._links)

    # ------------------------------------------------------------ begin

    def _open(self, guest: Guest, owner: str, node: int, now: int) -> Link | None:
        # its port tells which forked child of a worker this is
        return self._engine().open(owner, node, now, port=guest.port())

    def accepted(self, guest: Guest, owner: str, node: int) -> None:
        """A client came to the listener of `owner` for `node`."""
        now = self._loop.clock()
        try:
            link = PlainLink() if owner == DIRECT else self._open(guest, owner, node, now)
        except Exception as error:  # noqa: BLE001 - a part failed: this client cannot be served
            self._failed(error)
            link = None
        if link is None:
            guest.close()
            return
        connection = Connection(
            link=link,
            owner=owner,
            loop=self._loop,
            pool=self._pool,
            gone=self._gone,
            refused=partial(self._refused, node),
            trouble=self._failed,
        )
        try:
            server = self._upstreams.end(node, connection.server_ready)
        except OSError as error:
            full = exhausted(error)
            if full:  # not the broker's doing: whoever waits for this client has to know
                self._trouble(f"cannot connect {owner} to {self._upstreams.where(node)}: {full}")
            else:
                self._refused(node, connection, error)
            link.closed(by_client=False, now=now)
            guest.close()
            return
        client = guest.join(connection.client_ready)
        self._links[link] = connection
        if isinstance(server, ClusterEnd):
            self._embedded[server.number] = connection
        connection.join(client, server)

    def _refused(self, node: int, connection: Connection, error: OSError) -> None:
        """The broker took no connection: on record, because the client only sees a close."""
        if connection.owner != DIRECT:
            body = {
                "note": "upstream refused",
                "owner": connection.owner,
                "node": node,
                "why": f"{self._upstreams.where(node)}: {error}",
            }
            self._engine().note(body, self._loop.clock())

    def _gone(self, connection: Connection) -> None:
        self._links.pop(connection.link, None)
        server = connection.ends[1]
        if isinstance(server, ClusterEnd):
            self._embedded.pop(server.number, None)

    def _failed(self, error: BaseException) -> None:
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        place = f" ({where.tb_frame.f_code.co_name}, line {where.tb_lineno})" if where else ""
        self._trouble(f"a link was cut: {type(error).__name__}: {error}{place}")

    # ------------------------------------------------------------ turn

    def stir(self, engine: Engine, now: int) -> None:
        """Carry out what the engine left for us."""
        while engine.sides:
            number, node, frame = engine.sides.pop(0)
            self._ask(engine, number, node, frame)
        dirty = sorted(engine.dirty, key=_number)  # a set has an order of its own in each process
        engine.dirty.clear()
        for link in dirty:
            connection = self._links.get(link)
            if connection is not None:
                connection.stir(now)

    def _ask(self, engine: Engine, number: int, node: int, frame: bytes) -> None:
        def done(side: Side, reply: bytes | None) -> None:
            self._sides.discard(side)
            if isinstance(side.end, ClusterEnd):
                self._embedded.pop(side.end.number, None)
            engine.answer(number, reply, self._loop.clock())

        end = partial(self._upstreams.end, node)
        side = Side(frame, end=end, loop=self._loop, done=done)
        self._sides.add(side)
        if isinstance(side.end, ClusterEnd):
            self.seat(side.end, side)

    def seat(self, end: ClusterEnd, taker: Taker) -> None:
        """Have `taker` hear what the embedded cluster says on a connection of its own."""
        self._embedded[end.number] = taker

    def unseat(self, end: ClusterEnd) -> None:
        """Undo `seat`."""
        self._embedded.pop(end.number, None)

    def serve(self, now: int) -> None:
        """Hand out what the embedded cluster has to say."""
        cluster = self._upstreams.cluster
        if cluster is None:
            return
        wake = cluster.next_wake()
        if wake is not None and wake <= now:
            cluster.wake(now)
        while output := list(cluster.take_output()):
            for number, data in output:
                taker = self._embedded.get(number)
                if taker is not None:
                    taker.feed(data, now)
        for number in cluster.take_closed():
            taker = self._embedded.get(number)
            if isinstance(taker, Connection):
                taker.server_closed(now)
            elif taker is not None:
                taker.finish(None)
        self._tell(cluster, now)
        for failure in cluster.take_failures():
            self._trouble(f"the embedded cluster failed: {failure}")

    def turn(self, engine: Engine | None, now: int) -> None:
        """Everything that cluster, engine and links have to say now."""
        self.serve(now)
        if engine is None:
            return
        wake = engine.next_wake()
        if wake is not None and wake <= now:
            engine.wake(now)
        while engine.dirty or engine.sides:
            self.stir(engine, now)
            self.serve(now)

    def _tell(self, cluster: Cluster, now: int) -> None:
        """Put on record who leads from now on."""
        for topic, partition, before, after, epoch in cluster.take_elections():
            leads = "nobody can lead it" if after is None else f"node {after} leads it"
            led = "" if before is None else f", before it was node {before}"
            body = {
                "note": "broker",
                "who": f"{topic}-{partition}",
                "what": "led anew",
                "why": f"{leads}{led} (leader epoch {epoch})",
            }
            self._engine().note(body, now)

    # ------------------------------------------------------------ end

    def close(self, owner: str | None = None) -> int:
        """Reset the connections of one owner, or all of them; how many there were."""
        chosen = [c for c in self._links.values() if owner is None or c.owner == owner]
        for connection in chosen:
            connection.abort()
        if owner is None:
            for side in tuple(self._sides):
                side.finish(None)
        return len(chosen)

    def unplug(self) -> None:
        """End every connection to the embedded cluster."""
        for taker in tuple(self._embedded.values()):
            with contextlib.suppress(OSError):  # it is reset: nothing can be lost any more
                taker.abort() if isinstance(taker, Connection) else taker.finish(None)
        self._embedded.clear()
