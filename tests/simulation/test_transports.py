"""Connections in memory and asyncio's own over sockets: the same scripts, the same callbacks."""

import asyncio

import pytest

from pytest_mqchaos.simulation.loop import VirtualLoop

MEGABYTE = 1 << 20


class Told(asyncio.Protocol):
    """Writes down what a transport tells it."""

    def __init__(self, *, keep=False):
        self.log, self.data, self.keep = [], bytearray(), keep
        self.transport = None
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.log.append("made")

    def data_received(self, data):
        if self.log[-1] != "data":
            self.log.append("data")
        self.data += data

    def eof_received(self):
        self.log.append("eof")
        return self.keep

    def pause_writing(self):
        self.log.append("pause")

    def resume_writing(self):
        self.log.append("resume")

    def connection_lost(self, error):
        self.log.append(f"lost {type(error).__name__ if error else None}")
        self.lost.set_result(None)


class Buffered(asyncio.BufferedProtocol):
    """The same with a buffer of its own."""

    def __init__(self):
        self.buffer, self.data = bytearray(7), bytearray()
        self.lost = asyncio.get_running_loop().create_future()

    def get_buffer(self, hint):
        return self.buffer

    def buffer_updated(self, size):
        self.data += self.buffer[:size]

    def connection_lost(self, error):
        self.lost.set_result(None)


async def pair(*, keep=False, served_keep=False):
    loop, served = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

    def accept():
        protocol = Told(keep=served_keep)
        loop.call_soon(served.set_result, protocol)
        return protocol

    server = await loop.create_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    _, client = await loop.create_connection(lambda: Told(keep=keep), "127.0.0.1", port)
    return client, await served, server


async def until(condition):
    while not condition():  # noqa: ASYNC110 - there is nobody to set an event
        await asyncio.sleep(0.001)


async def finish(server, *protocols):
    for protocol in protocols:
        if not protocol.lost.done():
            protocol.transport.abort()
    for protocol in protocols:
        await protocol.lost
    server.close()
    await server.wait_closed()
    return [protocol.log for protocol in protocols]


async def talk():
    client, served, server = await pair()
    client.transport.write(b"ping")
    await until(lambda: served.data)
    served.transport.writelines([b"po", b"ng"])
    await until(lambda: len(client.data) == 4)
    assert (bytes(client.data), bytes(served.data)) == (b"pong", b"ping")
    return await finish(server, client, served)


async def close_by_client():
    client, served, server = await pair()
    client.transport.write(b"last words")
    client.transport.close()
    assert client.transport.is_closing()
    await asyncio.gather(client.lost, served.lost)
    assert served.data == b"last words"
    return await finish(server, client, served)


async def close_by_server():
    client, served, server = await pair()
    served.transport.write(b"bye")
    served.transport.close()
    await asyncio.gather(client.lost, served.lost)
    return await finish(server, client, served)


async def half_close():
    client, served, server = await pair(served_keep=True)
    client.transport.write(b"question")
    client.transport.write_eof()
    with pytest.raises(RuntimeError):
        client.transport.write(b"more")
    await until(lambda: "eof" in served.log)
    served.transport.write(b"answer")
    await until(lambda: client.data == b"answer")
    served.transport.close()
    await asyncio.gather(client.lost, served.lost)
    return await finish(server, client, served)


async def writes_to_who_is_gone():
    client, served, server = await pair(keep=True)
    served.transport.close()
    await until(lambda: "eof" in client.log)
    client.transport.write(b"to nobody")
    await asyncio.sleep(0.05)
    assert not client.lost.done()
    client.transport.write(b"and again")
    await client.lost
    return await finish(server, client, served)


async def reset_by_what_was_not_read():
    client, served, server = await pair()
    served.transport.pause_reading()
    client.transport.write(b"never read")
    await asyncio.sleep(0.05)
    served.transport.close()
    await asyncio.gather(client.lost, served.lost)
    return await finish(server, client, served)


async def abort_by_client():
    client, served, server = await pair()
    client.transport.abort()
    await asyncio.gather(client.lost, served.lost)
    client.transport.write(b"ignored")
    return await finish(server, client, served)


async def back_pressure():
    client, served, server = await pair()
    served.transport.pause_reading()
    assert not served.transport.is_reading()
    sent = 0
    while "pause" not in client.log:
        client.transport.write(bytes(MEGABYTE))
        sent += MEGABYTE
    assert client.transport.get_write_buffer_size() > 64 * 1024
    served.transport.resume_reading()
    await until(lambda: len(served.data) == sent)
    assert client.transport.get_write_buffer_size() == 0
    return await finish(server, client, served)


async def close_waits_for_what_was_written():
    client, served, server = await pair()
    served.transport.pause_reading()
    client.transport.write(bytes(16 * MEGABYTE))
    client.transport.close()
    await asyncio.sleep(0.05)
    assert not client.lost.done()
    served.transport.resume_reading()
    await asyncio.gather(client.lost, served.lost)
    assert len(served.data) == 16 * MEGABYTE
    return await finish(server, client, served)


async def abort_drops_what_was_written():
    client, served, server = await pair()
    served.transport.pause_reading()
    client.transport.write(bytes(16 * MEGABYTE))
    client.transport.abort()
    await client.lost
    served.transport.resume_reading()
    await served.lost
    assert len(served.data) < 16 * MEGABYTE
    return await finish(server, client, served)


async def pause_holds_the_end():
    client, served, server = await pair()
    client.transport.pause_reading()
    served.transport.write(b"held")
    served.transport.close()
    await asyncio.sleep(0.05)
    assert client.log == ["made"]
    client.transport.resume_reading()
    await asyncio.gather(client.lost, served.lost)
    return await finish(server, client, served)


async def streams():
    async def echo(reader, writer):
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"a\nb\n")
    writer.write_eof()
    assert await reader.read() == b"A\nB\n"
    writer.close()
    await writer.wait_closed()
    server.close()
    return [server.is_serving(), reader.at_eof()]


async def refused():
    server = await asyncio.get_running_loop().create_server(Told, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    with pytest.raises(ConnectionRefusedError, match="Connect call failed") as caught:
        await asyncio.open_connection("127.0.0.1", port)
    return [caught.value.errno]


async def a_protocol_that_fails():
    loop, told = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: told.append(context["message"]))
    client, served, server = await pair()
    served.data_received = lambda _: 1 / 0
    client.transport.write(b"x")
    await asyncio.gather(client.lost, served.lost)
    return [*await finish(server, client, served), told]


async def a_buffered_protocol():
    loop, served = asyncio.get_running_loop(), []

    def accept():
        served.append(Buffered())
        return served[0]

    server = await loop.create_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await loop.create_connection(Told, "127.0.0.1", port)
    transport.write(bytes(range(100)))
    transport.close()
    await until(lambda: served)
    await served[0].lost
    server.close()
    return bytes(served[0].data)


SCRIPTS = [
    a_buffered_protocol, a_protocol_that_fails, abort_by_client, abort_drops_what_was_written,
    back_pressure, close_by_client, close_by_server, close_waits_for_what_was_written, half_close,
    pause_holds_the_end, refused, reset_by_what_was_not_read, streams, talk, writes_to_who_is_gone,
]  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_callbacks_are_those_of_sockets(script):
    with asyncio.Runner() as runner:
        real = runner.run(script())
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        virtual = runner.run(script())
    assert virtual == real
