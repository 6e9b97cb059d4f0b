"""What is no Kafka at all, from either side, in any pieces: it arrives unchanged or not at all,
other links notice nothing, and a link that could not be read is on record."""

import contextlib
import random
import socket
import struct
import threading

import psutil
import pytest

from tests.dataplane.conversations import BROKER, CLIENT, METADATA
from tests.dataplane.peers import LIMIT, read, until
from tests.dataplane.test_weather_cuts import MODES, begin, links, nothing_left

HEADER = struct.Struct(">ihhih")  # size, key, version, correlation, length of the client id
TLS = bytes.fromhex("1603010200010001fc0303") + bytes(range(200))
GARBAGE = {
    "nothing": b"",
    "zeros": bytes(1000),
    "ones": b"\xff" * 1000,
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost:9092\r\nAccept: */*\r\n\r\n",
    "HTTP answer": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "TLS": TLS,
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "negative length": HEADER.pack(-1, 18, 0, 1, -1) + b"x" * 500,
    "most negative length": HEADER.pack(-(1 << 31), 18, 0, 1, -1) + b"x" * 500,
    "2 GiB": HEADER.pack((1 << 31) - 1, 0, 9, 1, -1) + b"x" * 500,
    "1 GiB that never comes": HEADER.pack(1 << 30, 0, 9, 1, -1) + b"x" * 500,
    "length 0": HEADER.pack(0, 18, 0, 1, -1),
    "shorter than a header": HEADER.pack(7, 18, 0, 1, -1),
    "no such API": HEADER.pack(10, 9999, 0, 1, -1) * 20,
    "negative API": HEADER.pack(10, -1, 0, 1, -1) * 20,
    "wrong version": b"".join(HEADER.pack(10, 0, v, 1, -1) for v in (-1, 99, 255, 32767)),
    "version that is to come": HEADER.pack(10, METADATA, 200, 1, -1) * 20,
    "huge client id": HEADER.pack(10, 18, 0, 1, 32767) * 20,
    "negative client id": HEADER.pack(10, 18, 0, 1, -2) * 20,
    "Produce without a body": b"".join(HEADER.pack(10, 0, v, v, -1) for v in range(14)),
    "Fetch without a body": b"".join(HEADER.pack(10, 1, v, v, -1) for v in range(19)),
    "SASL that loses its frames": HEADER.pack(10, 17, 0, 1, -1) + b"\0tester\0secret" * 30,
}


def pieces(data, rng, most):
    """The same bytes in pieces of 1 to `most`."""
    at = 0
    while at < len(data):
        size = rng.randint(1, most)
        yield data[at : at + size]
        at += size


def throw(stage, who, data, rng, most=10_000):
    """Say it to the other side piece by piece and end; what the other side heard."""
    ends = stage.connect()
    with ends[0], ends[1]:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces(data, rng, most):
                ends[who].sendall(piece)
            ends[who].shutdown(socket.SHUT_WR)
        heard = bytearray()
        with contextlib.suppress(ConnectionResetError):
            while more := ends[1 - who].recv(1 << 16):
                heard += more
    return bytes(heard)


def canary(stage):
    """A whole conversation goes through as ever."""
    assert stage.cut(CLIENT, len(stage.said(CLIENT)), reset=False) == stage.said(CLIENT)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("who", [CLIENT, BROKER], ids=["client", "broker"])
def test_what_is_no_kafka_arrives_unchanged_or_not_at_all(stage, who, mode, tmp_path):
    begin(stage.plane, tmp_path / "history", MODES[mode], record=mode != "plain")
    rng = random.Random(4)
    with nothing_left(stage.plane):
        for name, data in GARBAGE.items():
            heard = throw(stage, who, data, rng, rng.choice((1, 7, 10_000)))
            assert data.startswith(heard), (name, heard)
            if mode == "plain":
                assert heard == data, name
        canary(stage)
    stage.plane.request("end")


def mutated(said, rng):
    """Some of the bytes changed, removed, repeated or put in, and often another end."""
    data = bytearray(said)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(data))
        what = rng.randrange(5)
        if what == 0:
            data[at] = rng.randrange(256)
        elif what == 1:
            data[at : at + 4] = struct.pack(
                ">i", rng.choice((-1, 0, 1, 1 << 16, 1 << 30, -(1 << 31)))
            )
        elif what == 2:
            del data[at : at + rng.randint(1, 40)]
        elif what == 3:
            data[at:at] = data[: rng.randint(1, 40)]
        else:
            data[at:at] = rng.randbytes(rng.randint(1, 40))
        if not data:
            return b""
    return bytes(data[: rng.randint(1, len(data))] if rng.random() < 0.3 else data)


def storm(stage, mode, history, *, count, seed):
    """So many conversations of which one side says something else: requests are never rewritten, so
    each must come through as a prefix; replies may be, so they must only end."""
    plane, rng = stage.plane, random.Random(seed)
    begin(plane, history, MODES[mode], record=mode != "plain")
    before = psutil.Process(plane.pid).memory_info().rss
    for n in range(count):
        said = mutated(stage.said(CLIENT), rng)
        heard = throw(stage, CLIENT, said, rng, rng.choice((1, 50, 10_000)))
        assert said.startswith(heard), (seed, n)
        if n % 2:
            answer_wrongly(stage, rng)
    until(lambda: not links(plane), "every link to end")
    # A changed address is the one thing that a link cannot pass on: it ends, and says why.
    assert [text for text in plane.troubles if "does not resolve" not in text] == []
    plane.troubles.clear()
    canary(stage)
    plane.request("end")
    assert psutil.Process(plane.pid).memory_info().rss < before + (64 << 20)


def answer_wrongly(stage, rng):
    """A client asks as ever and gets changed replies; both connections end."""
    ends = stage.connect()
    with ends[CLIENT] as client, ends[BROKER] as broker:
        client.sendall(stage.said(CLIENT))
        broker.settimeout(0.02)  # rules may keep a request until what came before is answered
        with contextlib.suppress(TimeoutError):
            read(broker, len(stage.said(CLIENT)))
        broker.settimeout(LIMIT)
        with contextlib.suppress(OSError):
            for piece in pieces(mutated(stage.said(BROKER), rng), rng, rng.choice((50, 10_000))):
                broker.sendall(piece)
            broker.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while client.recv(1 << 16):
                pass


@pytest.mark.parametrize("mode", MODES)
def test_changed_conversations_hurt_nobody_else(stage, mode, tmp_path):
    storm(stage, mode, tmp_path / "history", count=20, seed=17)


@pytest.mark.wide
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mode", MODES)
def test_many_changed_conversations_hurt_nobody_else(stage, mode, seed, tmp_path):
    storm(stage, mode, tmp_path / "history", count=2500, seed=seed)


@pytest.mark.parametrize("mode", MODES)
def test_half_frames_of_many_connections_are_not_mixed_up(stage, mode, tmp_path):
    begin(stage.plane, tmp_path / "history", MODES[mode], record=mode != "plain")
    rng = random.Random(8)
    said = stage.said(CLIENT)
    with nothing_left(stage.plane), contextlib.ExitStack() as stack:
        pairs = [stage.connect() for _ in range(60)]
        for pair in pairs:
            for sock in pair:
                stack.enter_context(sock)
        left = {n: pieces(said, rng, 90) for n in range(len(pairs))}
        while left:
            n = rng.choice(list(left))
            piece = next(left[n], None)
            if piece is None:
                del left[n]
            else:
                pairs[n][CLIENT].sendall(piece)
        for client, broker in pairs:
            client.shutdown(socket.SHUT_WR)
            assert read(broker, len(said) + 1) == said
    stage.plane.request("end")


@pytest.mark.wide
def test_a_frame_that_is_too_large_to_be_kept_cuts_its_link_and_says_so(stage, tmp_path):
    plane = stage.plane
    begin(plane, tmp_path / "history", ())
    process = psutil.Process(plane.pid)
    before = process.memory_info().rss
    client, broker = stage.connect()
    heard = threading.Thread(target=swallow, args=(broker,))
    heard.start()
    with client, pytest.raises((BrokenPipeError, ConnectionResetError)):
        client.sendall(HEADER.pack(1 << 29, 0, 9, 1, -1) + bytes(300 << 20))
    heard.join(LIMIT)
    broker.close()
    canary(stage)
    assert process.memory_info().rss < before + (64 << 20)
    (trouble,) = plane.troubles
    plane.troubles.clear()
    assert "a frame of more than" in trouble
    plane.request("end")


def swallow(sock):
    with contextlib.suppress(OSError):
        while sock.recv(1 << 20):
            pass
