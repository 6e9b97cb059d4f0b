"""Too much at once: who does not read, who writes byte by byte, a thousand connections, no
descriptor left. Memory stays bounded, other links flow on, and what is wrong is said."""

import contextlib
import errno
import os
import resource
import socket
import struct
import threading

import psutil
import pytest

from pytest_mqchaos.dataplane.__main__ import FILES
from pytest_mqchaos.dataplane.controller import DataPlane
from tests.dataplane.conversations import BROKER, CLIENT
from tests.dataplane.peers import LIMIT, read, until
from tests.dataplane.test_weather_cuts import MODES, begin, links, nothing_left
from tests.dataplane.test_weather_garbage import canary

MB = 1 << 20
FETCH = 1
MANY = 1000
BOUND = 40 * MB  # what one link that does not flow may cost, whatever is still to come
QUIET = 0.3  # seconds without progress that count as standing still

modes = pytest.mark.parametrize(
    "mode",
    [pytest.param(mode, marks=() if mode == "recorded" else pytest.mark.wide) for mode in MODES],
)


def memory(plane):
    return psutil.Process(plane.pid).memory_info().rss


def fetch(correlation):
    return struct.pack(">ihhih", 70, FETCH, 4, correlation, -1) + bytes(60)


def reply(correlation, size):
    return struct.pack(">ii", size - 4, correlation) + bytes([correlation % 251]) * (size - 8)


def request(correlation, size):
    """A Produce request of that size with acks=0: none is kept until it is answered."""
    head = struct.pack(">ihhihhhi", size - 4, 0, 7, correlation, -1, -1, 0, 1000)
    return head + bytes([correlation % 251]) * (size - len(head))


def push(sock, parts):
    """Write all of it, in a thread; how much went is seen in `sent`."""
    sent = [0]

    def work():
        with contextlib.suppress(OSError):
            for part in parts:
                view = memoryview(part)
                while view:
                    size = sock.send(view)
                    sent[0] += size
                    view = view[size:]

    thread = threading.Thread(target=work)
    thread.start()
    return thread, sent


def stands_still(sent):
    """Wait until nothing has moved for a while; how much had gone."""
    seen = [-1]

    def looked():
        before, seen[0] = seen[0], sent[0]
        threading.Event().wait(QUIET)
        return before == seen[0] == sent[0]

    until(looked, "the writer to stand still")
    return sent[0]


@modes
@pytest.mark.parametrize("slow", [CLIENT, BROKER], ids=["client", "broker"])
def test_who_does_not_read_stops_the_writer_and_nobody_else(stage, slow, mode, tmp_path):
    begin(stage.plane, tmp_path / "history", MODES[mode], record=mode != "plain")
    numbers = range(1, 81)
    made = reply if slow == CLIENT else request
    parts = [made(n, MB) for n in numbers]
    total = len(parts) * MB
    before = memory(stage.plane)
    with nothing_left(stage.plane):
        ends = stage.connect()
        with ends[0], ends[1]:
            if slow == CLIENT:
                asked = b"".join(fetch(n) for n in numbers)
                ends[CLIENT].sendall(asked)
                assert read(ends[BROKER], len(asked)) == asked
            writer, sent = push(ends[1 - slow], parts)
            gone = stands_still(sent)
            assert gone < total, "nobody stopped the writer"
            assert memory(stage.plane) < before + BOUND
            canary(stage)
            for part in parts:
                assert read(ends[slow], len(part)) == part
            writer.join(LIMIT)
            assert sent == [total]
            assert memory(stage.plane) < before + BOUND
    stage.plane.request("end")


@modes
def test_who_writes_byte_by_byte_is_understood(stage, mode, tmp_path):
    begin(stage.plane, tmp_path / "history", MODES[mode], record=mode != "plain")
    with nothing_left(stage.plane):
        client, broker = stage.connect()
        with client, broker:
            for asked, told in stage.pairs:
                for source, target, said in ((client, broker, asked), (broker, client, told)):
                    for at in range(len(said)):
                        source.sendall(said[at : at + 1])
                    assert read(target, len(said)) == said
        until(lambda: not links(stage.plane), "the link to end")
    assert stage.plane.request("status")["undecoded"] == 0
    stage.plane.request("end")


@contextlib.contextmanager
def descriptors(pid, most):
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(most, usual[1]), usual[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)


@modes
def test_a_thousand_connections_at_once(stage, mode, tmp_path):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < 4 * MANY:
        pytest.skip(f"only {hard} descriptors may be had here (ulimit -Hn)")
    begin(stage.plane, tmp_path / "history", MODES[mode], record=mode != "plain")
    asked, told = stage.pairs[0]
    before = memory(stage.plane)
    with descriptors(0, 4 * MANY), nothing_left(stage.plane), contextlib.ExitStack() as stack:
        ends = [stage.connect() for _ in range(MANY)]
        for pair in ends:
            for sock in pair:
                stack.enter_context(sock)
        for client, _ in ends:
            client.sendall(asked[:30])  # half a frame of everybody
        assert memory(stage.plane) < before + 150 * MB
        for client, _ in ends:
            client.sendall(asked[30:])
        for _, broker in ends:
            assert read(broker, len(asked)) == asked
            broker.sendall(told)
        for client, _ in ends:
            assert read(client, len(told)) == told
        assert links(stage.plane) == {"w": MANY}
    stage.plane.request("end")


@pytest.mark.parametrize(
    ("room", "said"),
    [(40, "cannot accept for few: "), (41, "cannot connect few to node 1 at 127.0.0.1")],
    ids=["clients", "brokers"],
)
def test_without_descriptors_it_says_so_and_does_not_spin(stage, room, said, tmp_path):
    plane = stage.plane
    begin(plane, tmp_path / "history", ())
    process = psutil.Process(plane.pid)
    # A listener of its own: who has not been let in yet when all is over goes with it.
    address = plane.address("few", 1)
    with contextlib.ExitStack() as stack:
        with descriptors(plane.pid, process.num_fds() + room):
            for _ in range(100):
                stack.enter_context(socket.create_connection(address, LIMIT))
            until(lambda: plane.troubles, "the trouble")
            until(lambda: links(plane) == {"few": 20}, "as many links as there can be")
            turns = process.num_ctx_switches().voluntary
            threading.Event().wait(QUIET)
            assert process.num_ctx_switches().voluntary - turns < 200, "it waits between two tries"
            (trouble,) = plane.troubles
            assert trouble.startswith(said)
            assert os.strerror(errno.EMFILE) in trouble
            assert "ulimit -n" in trouble
            plane.troubles.clear()
        plane.request("unlisten", owner="few")
        stage._listener.settimeout(0)  # all that it connected is there: no other test may accept it
        with contextlib.suppress(BlockingIOError):
            while True:
                stage._listener.accept()[0].close()
        stage._listener.settimeout(LIMIT)
    assert links(plane) == {}
    plane.request("end")


def test_it_takes_more_descriptors_than_a_shell_gives_it():
    with descriptors(0, 256), DataPlane() as plane:
        soft, hard = resource.prlimit(plane.pid, resource.RLIMIT_NOFILE)
    assert soft == min(hard, FILES) if hard != resource.RLIM_INFINITY else FILES
