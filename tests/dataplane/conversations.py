"""A real client's conversation with a real (embedded) cluster, recorded byte for byte and played
again through a link, with somebody at each end who can stop at any byte.

    recorded()  client -> Tap -> direct listener of a cluster, as turns: who spoke, what they said
    Stage       client (ours) -> link -> broker (ours): plays turns, cuts them, hears the other side
"""

import contextlib
import socket
import struct
import threading
from typing import NamedTuple

from confluent_kafka import Consumer, Producer, TopicPartition

from pytest_mqchaos.dataplane.controller import DataPlane
from tests.dataplane.peers import LIMIT, read

CLIENT, BROKER = 0, 1
METADATA = 3
PATIENCE = 8.0
RESET = struct.pack("ii", 1, 0)


class Turn(NamedTuple):
    who: int
    said: bytes


class Tap:
    """A plain TCP relay that writes down what passes: `heard[n]` are the turns of connection n."""

    def __init__(self, target):
        self.heard = []
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._socks = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target, LIMIT)
                for sock in (client, server):
                    sock.settimeout(None)
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._socks += [client, server]
                turns = []
                self.heard.append(turns)
                for who, pair in ((CLIENT, (client, server)), (BROKER, (server, client))):
                    args = (who, turns, *pair)
                    self._threads.append(
                        threading.Thread(target=self._move, args=args, daemon=True)
                    )
                    self._threads[-1].start()

    @staticmethod
    def _move(who, turns, source, target):
        gone = False
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 20):
                turns.append(Turn(who, data))  # before it goes on: its answer stands behind it
                try:
                    if not gone:
                        target.sendall(data)
                except OSError:
                    gone = True  # what comes for one that has hung up is written down all the same
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def stream(self, who):
        """All that was said by one side, by connection."""
        return [b"".join(turn.said for turn in turns if turn.who == who) for turns in self.heard]

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._socks:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LIMIT)
        for sock in self._socks:
            sock.close()


def frames(data):
    """The length-prefixed frames of a stream."""
    at = 0
    while at < len(data):
        end = at + 4 + struct.unpack_from(">i", data, at)[0]
        yield data[at:end]
        at = end


def recorded():
    """((request, reply) of one connection after the other, the port that the broker names as its
    own): a produced batch, and a fetch of it. Without what nobody answered any more."""
    with DataPlane() as broker, DataPlane() as plane, contextlib.ExitStack() as stack:
        host, port = broker.request("cluster", brokers=1)["addresses"]["1"]
        tap = Tap((host, port))
        stack.callback(tap.close)
        # The link behind which the tap stands, or the client would go round it.
        plane.request("upstream", node=1, host="127.0.0.1", port=tap.port)
        servers = "{}:{}".format(*plane.address("recorded", 1))
        producer = Producer({"bootstrap.servers": servers, "acks": "all"})
        producer.produce("orders", b"value", headers=[("mqchaos-id", b"one")])
        assert producer.flush(LIMIT) == 0
        consumer = Consumer({"bootstrap.servers": servers, "group.id": "g"})
        consumer.assign([TopicPartition("orders", 0, 0)])
        assert consumer.poll(LIMIT).value() == b"value"
        consumer.close()
        del producer  # its connections end here
        streams = zip(tap.stream(CLIENT), tap.stream(BROKER), strict=True)
        pairs = [
            pair
            for asked, told in streams
            for pair in zip(frames(asked), frames(told), strict=False)
        ]
        return pairs, port


def turns_of(pairs, together):
    """So many requests at once, then their replies."""
    for at in range(0, len(pairs), together):
        requests, replies = zip(*pairs[at : at + together], strict=True)
        yield Turn(CLIENT, b"".join(requests))
        yield Turn(BROKER, b"".join(replies))


class Stage:
    """Our own broker behind the link of `plane`, and clients of it. What they say names the link
    itself as the broker's address, so nothing has to be rewritten and every byte can be compared.
    """

    def __init__(self, plane, pairs, port):
        self.plane = plane
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listener.settimeout(LIMIT)
        at = self._listener.getsockname()[1]
        plane.request("upstream", node=1, host="127.0.0.1", port=at)
        self.address = plane.address("w", 1)
        old, new = struct.pack(">i", port), struct.pack(">i", self.address[1])
        self.pairs = [(asked, told.replace(old, new)) for asked, told in pairs]

    def connect(self):
        """A new connection through the link, both of its ends."""
        client = socket.create_connection(self.address, LIMIT)
        broker, _ = self._listener.accept()
        broker.settimeout(LIMIT)
        for sock in (client, broker):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client, broker

    def said(self, who):
        """All that one side says when nobody stops it."""
        return b"".join(pair[who] for pair in self.pairs)

    def cut(self, who, after, *, reset, together=2, stuck=None):
        """Play until `who` has said `after` bytes and ends there; what the other side has heard
        from the first byte on, until the link ended for it too. `stuck` is called if that does not
        come by itself."""
        ends = self.connect()
        heard = bytearray()
        left = after
        for turn in turns_of(self.pairs, together):
            said = turn.said if turn.who != who else turn.said[:left]
            ends[turn.who].sendall(said)
            if turn.who == who:
                left -= len(said)
                if len(said) < len(turn.said) or not left:
                    break
            got = read(ends[1 - turn.who], len(said))
            if turn.who == who:
                heard += got
            if len(got) < len(said):
                break  # a rule ended the link first
            assert got == said
        if reset:
            ends[who].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        ends[who].close()
        with contextlib.suppress(ConnectionResetError), ends[1 - who] as other:
            if stuck is not None:
                other.settimeout(PATIENCE)
                with contextlib.suppress(TimeoutError):
                    while data := other.recv(1 << 16):
                        heard += data
                    return bytes(heard)
                stuck()
                other.settimeout(LIMIT)
            heard += read(other, 1 << 20)
        return bytes(heard)

    def close(self):
        self._listener.close()
