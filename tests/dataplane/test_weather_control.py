"""The control channel in hostile weather: nonsense from either side, a controller that does not
read, one that is killed while frames are held, a data plane that stands still."""

import contextlib
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from pytest_mqchaos.dataplane import spawn
from pytest_mqchaos.dataplane.controller import DataPlane
from pytest_mqchaos.errors import DataPlaneDied, WaitTimeout
from tests.dataplane.conversations import Stage
from tests.dataplane.peers import FAKES, LIMIT, frame, read, until
from tests.dataplane.test_process import gone

NONSENSE = {
    "no JSON": b"nonsense",
    "half of it": b'{"id": 1, "do": "flu',
    "not UTF-8": b"\xff\xfe\x00\x01",
    "too deep": b"[" * 100_000,
    "no object": b"[1, 2]",
    "nothing asked": b"{}",
    "an answer that nobody asked for": b'{"answer": 7}',
    "an answer to no number": b'{"answer": [7]}',
    "a command that is no word": b'{"id": 5, "do": {"a": 1}}',
    "arguments that are none": b'{"id": 6, "do": "listen", "owner": [], "node": "x"}',
    "long": b'{"do": "' + b"x" * 500_000 + b'"}',
}


def test_nonsense_on_the_control_channel_stops_nothing_behind_it(plane, through):
    with through() as client:
        for name, said in NONSENSE.items():
            plane._child.control.setblocking(True)
            plane._child.control.sendall(said + b'\n{"id": 100000, "do": "flush"}\n')
            plane._child.control.setblocking(False)
            assert plane.request("flush") == {}, name
        client.sendall(frame(b"x"))
        assert read(client, 5) == frame(b"x")
    assert plane.died is None


def test_random_lines_on_the_control_channel_stop_nothing(plane, through):
    rng = random.Random(3)
    with through() as client:
        for _ in range(200):
            plane._child.control.send(rng.randbytes(rng.randint(0, 60)) + b"\n")
        assert plane.request("flush") == {}
        client.sendall(frame(b"x"))
        assert read(client, 5) == frame(b"x")
    assert plane.troubles


SAYINGS = ["nonsense", '{"id": 1}', '{"ask": 1}', "[]", "{}", '{"history": 1}', "[" * 100_000]
sayings = [
    pytest.param(said, id=said[:20], marks=() if n < 3 else pytest.mark.wide)
    for n, said in enumerate(SAYINGS)
]


@pytest.mark.parametrize("said", sayings)
def test_a_data_plane_that_talks_nonsense_is_given_up_at_once(tmp_path, monkeypatch, said):
    main = tmp_path / "main.py"
    main.write_text(
        "import socket, sys\n"
        "control = socket.socket(fileno=int(sys.argv[1]))\n"
        "control.recv(65536)\n"
        "control.sendall(b'{\"ready\": 1}\\n')\n"
        "control.recv(65536)\n"
        f"control.sendall({said.encode()!r} + b'\\n')\n"
        "while control.recv(65536): pass\n"
    )
    monkeypatch.setattr(spawn, "MAIN", main)
    plane = DataPlane().start()
    try:
        with pytest.raises(DataPlaneDied, match=r"cannot be understood|what.*failed"):
            plane.request("flush", timeout=LIMIT)
    finally:
        plane.stop()


def test_a_controller_that_does_not_read_gets_all_answers_later(make_broker):
    broker, many = make_broker(), 20_000
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest_mqchaos.dataplane", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            env={**os.environ, "MQCHAOS_CONTROL_TOKEN": "t"},
        )
        theirs.close()
        ours.settimeout(LIMIT)
        lines = ours.makefile("rb")
        say(ours, {"token": "t", "parts": FAKES})
        assert json.loads(lines.readline()) == {"ready": process.pid}
        say(ours, {"id": 1, "do": "upstream", "node": 1, "host": "127.0.0.1", "port": broker.port})
        say(ours, {"id": 2, "do": "listen", "owner": "w", "node": 1})
        lines.readline()
        address = tuple(json.loads(lines.readline())["ok"]["address"])
        for number in range(many):
            say(ours, {"id": number, "do": "flush"})
        with socket.create_connection(address, LIMIT) as client:
            client.sendall(frame(b"x"))
            assert read(client, 5) == frame(b"x")
        assert psutil.Process(process.pid).memory_info().rss < 100 << 20
        assert [json.loads(lines.readline())["id"] for _ in range(many)] == list(range(many))
        lines.close()
    assert process.wait(LIMIT) == 0


def say(sock, body):
    sock.sendall(json.dumps(body).encode() + b"\n")


HOLDER = """
import sys
sys.path.insert(0, {root!r})
from pytest_mqchaos.dataplane.controller import DataPlane
from pytest_mqchaos.plan.on import on
plane = DataPlane().start()
plane.request("upstream", node=1, host="127.0.0.1", port={port})
plane.request("begin", settings={{}})
plane.request("arm", rules=[{{"index": 0, "rule": on.confirm(nth=1).delay(3600).to_json()}}])
print(plane.pid, plane.address("w", 1)[1], flush=True)
sys.stdin.read()
"""


def test_a_controller_that_is_killed_while_a_frame_is_held_leaves_nothing(conversation):
    with DataPlane() as other, contextlib.closing(Stage(other, *conversation)) as stage:
        code = HOLDER.format(root=str(Path.cwd()), port=stage._listener.getsockname()[1])
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as parent:
            pid, at = map(int, parent.stdout.readline().split())
            stage.address = ("127.0.0.1", at)
            client, broker = stage.connect()
            with client, broker:
                held = hold(stage, client, broker)
                parent.kill()
                until(lambda: gone(pid), "the data plane to end with its parent")
                with contextlib.suppress(ConnectionResetError):
                    assert client.recv(1) == b"", "the held frame is lost, not half of it"
                with contextlib.suppress(ConnectionResetError):
                    assert broker.recv(1) == b""
            assert held


def hold(stage, client, broker):
    """Play until the confirm is held; True when it is."""
    for asked, told in stage.pairs:
        client.sendall(asked)
        assert read(broker, len(asked)) == asked
        broker.sendall(told)
        if asked[4:6] == b"\0\0":  # Produce
            client.settimeout(0.2)
            with pytest.raises(TimeoutError):
                client.recv(1)
            client.settimeout(LIMIT)
            return True
        assert len(read(client, len(told))) == len(told)
    return False


def test_a_data_plane_that_stands_still_is_named_and_ended(plane, through):
    with through() as client:
        client.sendall(frame(b"x"))
        assert read(client, 5) == frame(b"x")
        os.kill(plane.pid, signal.SIGSTOP)
        with pytest.raises(WaitTimeout, match=rf"0.05 s for the data plane \(pid {plane.pid}\)"):
            plane.request("status", timeout=0.05)
        plane.stop(timeout=0.1)
        assert gone(plane.pid)
        with pytest.raises(DataPlaneDied, match="was stopped"):
            plane.request("flush")


@pytest.mark.parametrize("size", [-1, -(1 << 31), (1 << 31) - 1, 1 << 28])
def test_a_side_request_is_not_answered_by_nonsense(plane, through, size):
    through(lambda sock: sock.sendall(struct.pack(">i", size) + bytes(100_000)) or sock.recv(100))
    plane.request("side", number=3, node=1, frame=frame(b"leave").hex())
    assert until(lambda: plane.request("see")["answers"], "the answer") == [[3, None]]
