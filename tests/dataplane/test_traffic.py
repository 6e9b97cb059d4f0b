"""Real sockets through a real data plane: the same bytes, the same ends, bounded memory."""

import random
import socket
import threading

import psutil
import pytest

from tests.dataplane.peers import LIMIT, frame, read, until


def stream(dice, count=200):
    return b"".join(
        frame(dice.randbytes(dice.choice((1, 50, 3_000, 70_000)))) for _ in range(count)
    )


@pytest.mark.parametrize("mode", ["pass", "decide", "early"])
def test_both_directions_carry_the_same_bytes(plane, through, mode):
    plane.request("set", mode=mode)
    dice = random.Random(mode)
    there, back = stream(dice), stream(dice)
    heard = []

    def serve(sock):
        sender = threading.Thread(target=sock.sendall, args=(back,))
        sender.start()
        heard.append(read(sock, len(there)))
        sender.join(LIMIT)

    with through(serve) as client:

        def send():
            at = 0
            while at < len(there):
                size = dice.choice((1, 100, 10_000, 100_000))
                client.sendall(there[at : at + size])
                at += size

        sender = threading.Thread(target=send)
        sender.start()
        assert read(client, len(back)) == back
        sender.join(LIMIT)
        assert client.recv(1) == b""
    assert heard == [there]
    assert plane.troubles == []


def test_a_half_close_is_passed_on_and_the_other_half_still_speaks(plane, through):
    def serve(sock):
        got = read(sock, 1 << 20)  # to the end
        sock.sendall(frame(b"heard %d" % len(got)))

    with through(serve) as client:
        client.sendall(frame(b"a" * 96))
        client.shutdown(socket.SHUT_WR)
        assert read(client, 100) == frame(b"heard 100")
    assert until(lambda: plane.request("see")["ended"], "the link to end") == [[1, True]]


def test_a_half_close_that_the_link_keeps_is_not_passed_on(plane, through):
    told = threading.Event()

    def serve(sock):
        read(sock, 6)
        sock.sendall(frame(b"still here"))
        read(sock, 1)
        told.set()

    plane.request("set", half_close=False)
    with through(serve) as client:
        client.sendall(frame(b"hi"))
        client.shutdown(socket.SHUT_WR)
        assert read(client, 14) == frame(b"still here")
        assert not told.is_set()
    plane.request("close", link=1, how="flush")
    assert told.wait(LIMIT)


def test_who_does_not_read_holds_up_the_other_side_and_costs_no_memory(plane, through):
    total = 96 << 20
    pushed = []
    stuck = threading.Event()

    def serve(sock):
        data = frame(b"z" * 65_532)
        sock.settimeout(1.0)
        try:
            for n in range(total // len(data)):
                sock.sendall(data)
                pushed.append(n)
        except TimeoutError:
            stuck.set()

    with through(serve) as client:
        assert read(client, 65_536)[:4] == frame(b"z" * 65_532)[:4]
        assert stuck.wait(LIMIT)  # the client reads no more, so the broker could not go on
        assert len(pushed) * 65_536 < total // 2
        assert psutil.Process(plane.pid).memory_info().rss < 60 << 20


def test_a_slow_reader_gets_everything_in_the_end(plane, through):
    data = b"".join(frame(bytes([n % 251]) * 50_000) for n in range(200))

    with through(lambda sock: sock.sendall(data)) as client:
        got = b"".join(iter(lambda: client.recv(7_000), b""))
    assert got == data


def test_made_bytes_and_timers_reach_the_client(plane, through):
    with through() as client:
        client.sendall(frame(b"x"))
        assert read(client, 5) == frame(b"x")
        plane.request("say", link=1, data="made later", after=5_000_000)
        assert read(client, 10) == b"made later"


def test_two_hundred_connections_at_once(plane, through):
    clients = [through() for _ in range(200)]
    for n, client in enumerate(clients):
        client.sendall(frame(b"number %d" % n))
    for n, client in enumerate(clients):
        expected = frame(b"number %d" % n)
        assert read(client, len(expected)) == expected
    for client in clients:
        client.close()
    plane.request("unlisten", owner="w")
    process = psutil.Process(plane.pid)
    assert len(plane.request("see")["ended"]) == 200
    assert len(process.net_connections()) <= 2  # nothing of all that is left
    assert process.memory_info().rss < 100 << 20  # twice the connections of P14


def test_the_client_is_closed_when_nobody_listens_upstream(plane):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    plane.request("upstream", node=1, host="127.0.0.1", port=port)
    with socket.create_connection(plane.address("w", 1), LIMIT) as client:
        assert client.recv(1) == b""
    (note,) = plane.request("see")["notes"]
    assert note["note"] == "upstream refused"
    assert str(port) in note["why"]
    assert plane.request("see")["ended"] == [[1, False]]


def test_a_node_that_nobody_named_is_refused_and_noted(plane):
    with socket.create_connection(plane.address("w", 7), LIMIT) as client:
        assert client.recv(1) == b""
    (note,) = plane.request("see")["notes"]
    assert "node 7 is unknown" in note["why"]


def test_a_refused_owner_is_closed_at_once(plane, through):
    plane.request("refuse", owner="w")
    with through() as client:
        assert client.recv(1) == b""


@pytest.mark.parametrize("how", ["flush", "reset"])
def test_a_severed_link_ends_both_sides(plane, through, how):
    ends = []
    over = threading.Event()

    def serve(sock):
        try:
            while data := sock.recv(100):
                sock.sendall(data)
            ends.append("closed")
        except ConnectionResetError:
            ends.append("reset")
        over.set()

    with through(serve) as client:
        client.sendall(frame(b"x"))
        assert read(client, 5) == frame(b"x")
        plane.request("close", link=1, how=how)
        if how == "flush":
            assert client.recv(1) == b""
        else:
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert over.wait(LIMIT)
    assert ends == ["closed" if how == "flush" else "reset"]
    assert plane.request("see")["ended"] == [[1, False]]


def test_a_client_that_resets_is_told_apart_and_its_broker_gets_what_it_sent(plane, through):
    heard = []
    over = threading.Event()

    def serve(sock):
        heard.append(read(sock, 1 << 20))
        over.set()

    client = through(serve)
    client.sendall(frame(b"last words"))
    until(lambda: plane.request("see")["frames"] == {"1": [1, 0]}, "the frame to pass")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    assert over.wait(LIMIT)
    assert heard == [frame(b"last words")]
    until(lambda: plane.request("see")["ended"], "the link to end")
    assert plane.request("see")["ended"] == [[1, True]]


def test_a_paused_direction_is_not_read_until_it_goes_on(plane, through):
    plane.request("set", mode="decide")
    with through() as client:
        client.sendall(frame(b"1"))
        assert read(client, 5) == frame(b"1")
        plane.request("pause", link=1, direction=0, on=True)
        client.sendall(frame(b"2"))
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        plane.request("pause", link=1, direction=0, on=False)
        client.settimeout(LIMIT)
        assert read(client, 5) == frame(b"2")


def test_an_engine_that_raises_costs_one_link_and_is_told(plane, through):
    first = through()
    first.sendall(frame(b"x"))
    assert read(first, 5) == frame(b"x")
    plane.request("set", mode="raise")
    first.sendall(frame(b"y"))
    with pytest.raises(ConnectionResetError):
        first.recv(1)
    plane.request("set", mode="pass")
    second = through()
    second.sendall(frame(b"z"))
    assert read(second, 5) == frame(b"z")
    (trouble,) = plane.troubles
    assert "the engine stumbled" in trouble


def test_unlisten_ends_links_and_listeners_of_that_owner_alone(plane, through):
    mine, other = through(owner="a"), through(owner="b")
    for client in (mine, other):
        client.sendall(frame(b"x"))
        assert read(client, 5) == frame(b"x")
    address = plane.address("a", 1)
    assert plane.request("unlisten", owner="a") == {"links": 1}
    with pytest.raises(ConnectionResetError):
        mine.recv(1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, LIMIT)
    other.sendall(frame(b"y"))
    assert read(other, 5) == frame(b"y")
