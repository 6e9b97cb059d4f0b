"""The network of a simulation: addresses, and the side that serves."""

import asyncio
import socket

import pytest

from pytest_mqchaos.errors import EscapedSimulation, UsageError
from pytest_mqchaos.simulation.stage import Stage


class Peer:
    """Serves one connection; writes down what it hears, and does what `on` says."""

    def __init__(self, wire, on=None):
        self.wire, self.log, self.on = wire, [], on or {}
        self.inside = False

    def hear(self, what, data=None):
        assert not self.inside
        self.inside = True
        self.log.append(what if data is None else (what, data))
        self.on.get(what, lambda _: None)(self.wire)
        self.inside = False

    def received(self, data):
        self.hear("received", data)

    def ended(self):
        self.hear("ended")

    def lost(self):
        self.hear("lost")


def run(main):
    with Stage() as stage:
        return stage.run(main())


async def served(**on):
    network, peers = asyncio.get_running_loop().network, []

    def accept(wire):
        peers.append(Peer(wire, on))
        return peers[-1]

    port = network.listen(accept)
    reader, writer = await asyncio.open_connection("localhost", port)
    return peers[0], reader, writer


def test_bytes_go_both_ways_in_order():
    async def main():
        peer, reader, writer = await served(received=lambda wire: wire.send(b"pong"))
        writer.write(b"pi")
        writer.write(b"ng")
        assert await reader.readexactly(4) == b"pong"
        assert peer.log == [("received", b"ping")]
        assert peer.wire.client == writer.get_extra_info("sockname")
        assert peer.wire.server == writer.get_extra_info("peername")
        writer.close()

    run(main)


def test_a_client_that_closes_is_heard_as_an_end_and_as_lost_when_it_is_sent_to():
    async def main():
        peer, _, writer = await served()
        writer.write(b"bye")
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(1)
        assert peer.log == [("received", b"bye"), "ended"]
        peer.wire.send(b"are you there")
        peer.wire.send(b"are you")
        await asyncio.sleep(1)
        assert peer.log[2:] == ["lost"]

    run(main)


def test_after_a_half_close_the_server_may_still_speak():
    async def main():
        def answer(wire):
            wire.send(b"answer")
            wire.end()

        peer, reader, writer = await served(ended=answer)
        writer.write_eof()
        assert await reader.read() == b"answer"
        writer.close()
        await asyncio.sleep(1)
        assert peer.log == ["ended"]

    run(main)


def test_a_reset_comes_after_what_was_sent():
    async def main():
        def cut(wire):
            wire.send(b"half an ans")
            wire.reset()

        peer, reader, writer = await served(received=cut)
        writer.write(b"question")
        assert await reader.readexactly(11) == b"half an ans"
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        await asyncio.sleep(1)
        assert peer.log == [("received", b"question")]

    run(main)


def test_a_client_that_aborts_with_unread_bytes_is_lost():
    async def main():
        peer, _, writer = await served()
        writer.transport.pause_reading()
        peer.wire.send(b"not read")
        await asyncio.sleep(1)
        assert peer.wire.backlog == 8
        writer.transport.abort()
        await asyncio.sleep(1)
        assert peer.log == ["lost"]

    run(main)


def test_a_paused_server_fills_the_buffers_of_its_client():
    async def main():
        peer, _, writer = await served()
        peer.wire.pause()

        async def fill():
            while True:
                writer.write(bytes(1 << 16))
                await writer.drain()

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(fill(), 40)
        assert writer.transport.get_write_buffer_size() > 1 << 16
        assert peer.log == []
        peer.wire.resume()
        await writer.drain()
        await asyncio.sleep(1)
        assert sum(len(data) for _, data in peer.log) % (1 << 16) == 0
        writer.close()

    run(main)


def test_a_server_that_closes_with_unread_bytes_resets():
    async def main():
        peer, reader, writer = await served()
        peer.wire.pause()
        writer.write(b"never read")
        await asyncio.sleep(1)
        peer.wire.close()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)

    run(main)


def test_refusal_by_the_one_who_would_accept():
    async def main():
        def accept(_):
            raise ConnectionRefusedError("the broker is dead")

        port = asyncio.get_running_loop().network.listen(accept)
        with pytest.raises(ConnectionRefusedError, match="Connect call failed"):
            await asyncio.open_connection("127.0.0.1", port)

    run(main)


def test_ports_are_given_the_same_each_time_and_taken_once():
    async def main():
        network = asyncio.get_running_loop().network
        ports = [network.listen(Peer) for _ in range(3)]
        with pytest.raises(UsageError, match="listened on already"):
            network.listen(Peer, "localhost", ports[0])
        network.unlisten(ports[0])
        assert not network.listens("localhost", ports[0])
        assert network.listens("127.0.0.1", ports[1])
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", ports[0])
        return ports

    assert run(main) == run(main)


def test_a_name_is_a_host_of_its_own():
    async def main():
        loop = asyncio.get_running_loop()
        loop.network.listen(Peer, "broker-1.test", 9092)
        loop.network.listen(Peer, "broker-2.test", 9092)
        [(family, kind, _, _, address)] = await loop.getaddrinfo(
            "broker-2.test", 9092, type=socket.SOCK_STREAM
        )
        assert (family, kind, address) == (socket.AF_INET, socket.SOCK_STREAM, ("10.0.0.2", 9092))
        for host in ("broker-1.test", "10.0.0.1"):
            _, writer = await asyncio.open_connection(host, 9092)
            assert writer.get_extra_info("peername") == ("10.0.0.1", 9092)
            writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", 9092)
        with pytest.raises(socket.gaierror):
            await loop.getaddrinfo("broker-3.test", 9092)
        await asyncio.open_connection("broker-3.test", 9092)

    with pytest.raises(EscapedSimulation, match=r"broker-3\.test:9092"):
        run(main)


def test_what_a_connection_says_of_itself():
    async def main():
        _, _, writer = await served()
        sock = writer.get_extra_info("socket")
        assert sock.getpeername() == writer.get_extra_info("peername")
        assert sock.getsockname()[0] == "127.0.0.1"
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert sock.fileno() == -1
        assert writer.get_extra_info("sslcontext") is None
        writer.close()
        assert writer.is_closing()

    run(main)


def test_a_connect_that_is_cancelled_leaves_no_connection():
    async def main():
        network, peers = asyncio.get_running_loop().network, []

        def accept(wire):
            peers.append(Peer(wire))
            return peers[-1]

        task = asyncio.create_task(asyncio.open_connection("127.0.0.1", network.listen(accept)))
        while not peers:  # noqa: ASYNC110 - there is nobody to set an event
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(1)
        assert task.cancelled()
        assert peers[0].log == ["ended"]

    run(main)
