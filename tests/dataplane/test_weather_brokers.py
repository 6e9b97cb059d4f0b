"""Brokers that are not there, never answer, never accept, die and come back: the client sees what
it would see without a link, and nothing of it stays."""

import contextlib
import socket

import psutil
import pytest

from pytest_mqchaos.history import spool
from tests.dataplane.conversations import BROKER, CLIENT, RESET
from tests.dataplane.peers import LIMIT, read, until
from tests.dataplane.test_weather_cuts import NEVER, begin, links, open_files
from tests.dataplane.test_weather_garbage import canary


@pytest.fixture(
    params=[
        pytest.param((), id="recorded"),
        pytest.param(NEVER, id="armed", marks=pytest.mark.wide),
    ]
)
def begun(stage, request, tmp_path):
    begin(stage.plane, tmp_path / "history", request.param)
    return tmp_path / "history"


def refusals(history):
    notes = [e.body for e in spool.read(history.read_bytes()) if isinstance(e, spool.NoteEntry)]
    return [note["why"] for note in notes if note["note"] == "upstream refused"]


def test_a_broker_that_goes_and_comes_back_is_found_again(stage, begun):
    plane = stage.plane
    canary(stage)
    until(lambda: not links(plane), "the link to end")
    before = open_files(plane)
    place = stage._listener.getsockname()
    open_links = [stage.connect() for _ in range(5)]
    for _, broker in open_links:
        broker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        broker.close()
    stage.close()
    holder = socket.socket()  # nobody else is given the port meanwhile
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(place)
    for client, _ in open_links:
        with client, contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
    for _ in range(20):
        with socket.create_connection(stage.address, LIMIT) as client:
            assert client.recv(1) == b"", "closed, as nothing can be said"
    stage._listener = socket.create_server(place, backlog=1024)
    holder.close()
    stage._listener.settimeout(LIMIT)
    canary(stage)
    until(lambda: not links(plane), "every link to end")
    assert open_files(plane) == before
    plane.flush()
    told = [why for why in refusals(begun) if "Connection refused" in why]
    assert len(told) == 20
    assert all(f"node 1 at 127.0.0.1:{place[1]}: " in why for why in told)
    assert plane.troubles == []


@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_a_client_that_gives_up_on_a_silent_broker_is_heard(stage, begun, how):
    asked = stage.pairs[0][CLIENT]
    client, broker = stage.connect()
    with broker:
        client.sendall(asked)
        assert read(broker, len(asked)) == asked
        if how == "RST":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.close()
        assert broker.recv(1) == b"", "the broker is told"
    until(lambda: not links(stage.plane), "the link to end")


def test_links_to_a_broker_that_hangs_end_with_their_owner(stage, begun):
    plane = stage.plane
    before = open_files(plane)
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            client, broker = stage.connect()
            stack.enter_context(broker)
            with client:
                client.sendall(stage.pairs[0][CLIENT])
        assert plane.request("unlisten", owner="w") == {"links": 20}
    assert links(plane) == {}
    assert open_files(plane) == before - 1
    stage.address = plane.address("w", 1, stage.address[1])


def test_a_broker_that_does_not_accept_costs_nothing(stage, begun):
    """Its backlog is full: the connection is neither made nor refused for minutes."""
    plane = stage.plane
    with contextlib.ExitStack() as stack:
        deaf = stack.enter_context(socket.socket())
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(2):  # what the kernel accepts without anybody
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(deaf.getsockname())
        plane.request("upstream", node=2, host="127.0.0.1", port=deaf.getsockname()[1])
        waiting = [
            stack.enter_context(socket.create_connection(plane.address("deaf", 2), LIMIT))
            for _ in range(5)
        ]
        for client in waiting:
            client.sendall(stage.pairs[0][CLIENT])
        until(lambda: links(plane).get("deaf") == 5, "the links to wait")
        process = psutil.Process(plane.pid)
        turns = process.num_ctx_switches().voluntary
        canary(stage)
        assert process.num_ctx_switches().voluntary - turns < 1000, "it does not spin"
        plane.request("unlisten", owner="deaf")
        for client in waiting:
            with pytest.raises(ConnectionResetError):
                client.recv(1)
    assert "deaf" not in links(plane)


def test_a_broker_that_speaks_first_is_passed_on(stage, begun):
    client, broker = stage.connect()
    with client, broker:
        broker.sendall(stage.pairs[0][BROKER])
        assert read(client, len(stage.pairs[0][BROKER])) == stage.pairs[0][BROKER]
    until(lambda: not links(stage.plane), "the link to end")
    stage.plane.flush()
    notes = [e.body for e in spool.read(begun.read_bytes()) if isinstance(e, spool.NoteEntry)]
    assert ["without its request" in note["why"] for note in notes if note["note"] == "blind"]
