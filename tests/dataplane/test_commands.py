"""What the controller can ask for, what bad questions get, where the history goes."""

import errno
import os
import resource
import socket

import pytest

from pytest_mqchaos.dataplane.recorder import FULL, LARGE, PIECE, Recorder
from pytest_mqchaos.errors import MqchaosError, UsageError
from tests.dataplane.peers import LIMIT, frame, read, until


@pytest.mark.parametrize(
    ("do", "arguments", "said"),
    [
        ("no such thing", {}, "unknown command 'no such thing'"),
        ("listen", {}, "'owner'"),
        ("listen", {"owner": "", "node": 1}, "needs a name"),
        ("listen", {"owner": "w", "node": 1, "port": 1 << 20}, "port"),
        ("upstream", {"node": 1, "host": "no host.invalid", "port": 1}, "does not resolve"),
        ("begin", {"history": "/no/such/folder/history"}, "cannot be written"),
    ],
)
def test_a_bad_command_is_answered_with_what_is_wrong(plane, do, arguments, said):
    with pytest.raises(MqchaosError, match=said):
        plane.request(do, **arguments)
    assert plane.request("flush") == {}


def test_a_line_that_is_no_json_or_no_object_is_told(plane):
    plane._child.control.send(b"nonsense\n[1]\n")
    assert plane.request("flush") == {}
    first, second = plane.troubles
    assert "no JSON" in first
    assert "no object" in second


def test_an_owner_has_one_listener_for_each_node(plane):
    one = plane.address("w#1", 1)
    assert plane.address("w#1", 1) == one
    assert len({one, plane.address("w#1", 2), plane.address("w#2", 1)}) == 3
    assert one[0] == "127.0.0.1"


def test_a_fixed_port_is_used_or_refused(plane):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f":{port}: Address already in use; free it"):
            plane.address("w", 1, port)
    assert plane.address("w", 1, port) == ("127.0.0.1", port)
    with pytest.raises(UsageError, match="unlisten first"):
        plane.address("w", 1, port + 1)


def test_a_broker_named_in_an_answer_gets_a_listener_that_leads_to_it(plane, make_broker):
    broker = make_broker()
    host, port = plane.request("address", owner="w", node=4, host="127.0.0.1", port=broker.port)
    assert plane.address("w", 4) == (host, port)
    with socket.create_connection((host, port), LIMIT) as client:
        client.sendall(frame(b"hello"))
        assert read(client, 9) == frame(b"hello")


def test_what_the_controller_said_about_a_node_outranks_the_answer(plane, make_broker):
    broker = make_broker()
    plane.request("upstream", node=4, host="127.0.0.1", port=broker.port)
    host, port = plane.request("address", owner="w", node=4, host="no host.invalid", port=1)
    with socket.create_connection((host, port), LIMIT) as client:
        client.sendall(frame(b"hello"))
        assert read(client, 9) == frame(b"hello")


def test_the_history_is_whole_at_every_answer(plane, through, tmp_path):
    path = tmp_path / "history"
    path.write_bytes(b"before;")
    plane.request("begin", history=str(path))
    assert plane.history == 7
    with through() as client:
        client.sendall(frame(b"x"))
        assert read(client, 5) == frame(b"x")
        assert plane.flush() == 15
    assert path.read_bytes() == b"before;0:5;1:5;"
    plane.request("end")
    plane.request("begin")  # nothing is kept from here on
    with through() as client:
        client.sendall(frame(b"x"))
        assert read(client, 5) == frame(b"x")
    plane.flush()
    assert len(path.read_bytes()) == 15


def test_the_history_is_written_when_nothing_happens(plane, through, tmp_path):
    path = tmp_path / "history"
    plane.request("begin", history=str(path))
    with through() as client:
        client.sendall(frame(b"x"))
        assert read(client, 5) == frame(b"x")
        until(lambda: path.stat().st_size == 8, "the idle flush")


def test_a_question_carries_the_length_of_the_history_before_it(plane, through, tmp_path):
    seen = []
    plane.on_ask(lambda what, arguments: seen.append(plane.history))
    plane.request("begin", history=str(tmp_path / "history"))
    with through() as client:
        client.sendall(frame(b"x"))
        assert read(client, 5) == frame(b"x")
        plane.request("ask", number=1, what="x")
        until(lambda: seen, "the question")
    assert seen == [8]


def test_a_full_disk_is_told_once_and_the_links_flow_on(plane, through):
    plane.request("begin", history="/dev/full")
    with through() as client:
        for _ in range(3):
            client.sendall(frame(b"x"))
            assert read(client, 5) == frame(b"x")
            assert plane.flush() == 0
    (trouble,) = plane.troubles
    assert "/dev/full ends at byte 0" in trouble


def test_a_recorder_writes_by_itself_when_much_has_come(tmp_path):
    told = []
    recorder = Recorder(told.append)
    recorder.append(b"no run, not kept")
    recorder.open(str(tmp_path / "history"))
    recorder.append(b"x" * (LARGE - 1))
    recorder.relieve()
    assert recorder.written == 0
    recorder.append(b"y")
    assert recorder.written == 0, "the traffic goes first"
    recorder.relieve()
    assert recorder.written == LARGE
    recorder.append(b"w" * FULL)
    assert recorder.written == LARGE + FULL, "so much may not wait for its turn"
    os.close(recorder._fd)
    for _ in range(2):
        recorder.append(b"z" * LARGE)
        recorder.relieve()
    recorder._fd = -1
    assert len(told) == 1
    assert os.strerror(errno.EBADF) in told[0]


def test_large_entries_are_written_in_pieces_and_small_ones_together(tmp_path, monkeypatch):
    sizes = []
    writev = os.writev

    def counted(fd, parts):
        sizes.append(sum(map(len, parts)))
        return writev(fd, parts)

    monkeypatch.setattr(os, "writev", counted)
    recorder = Recorder(pytest.fail)
    recorder.open(str(tmp_path / "history"))
    parts = [b"head", os.urandom(5 * PIECE + 3), b"", *(b"%d," % n for n in range(1000)), b"end"]
    for part in parts:
        recorder.append(part)
    recorder.close()
    assert (tmp_path / "history").read_bytes() == b"".join(parts)
    assert recorder.written == sum(sizes) == len(b"".join(parts))
    assert max(sizes) < 2 * PIECE
    assert len(sizes) < 10


def test_without_descriptors_it_waits_and_goes_on(plane, through):
    client = through()
    client.sendall(frame(b"x"))
    assert read(client, 5) == frame(b"x")
    usual = resource.prlimit(plane.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(plane.pid, resource.RLIMIT_NOFILE, (3, usual[1]))
    waiting = through()
    waiting.sendall(frame(b"patience"))
    until(lambda: plane.troubles, "the trouble")
    client.sendall(frame(b"y"))
    assert read(client, 5) == frame(b"y")
    resource.prlimit(plane.pid, resource.RLIMIT_NOFILE, usual)
    assert read(waiting, 12) == frame(b"patience")
    assert "Too many open files" in plane.troubles[0]


def test_a_side_request_gives_the_reply_or_none(plane, through):
    through()
    plane.request("side", number=3, node=1, frame=frame(b"leave").hex())
    plane.request("side", number=4, node=9, frame=frame(b"leave").hex())
    answers = until(lambda: len(a := plane.request("see")["answers"]) == 2 and a, "both answers")
    assert sorted(answers) == [[3, frame(b"leave").hex()], [4, None]]


def test_a_side_request_that_is_hung_up_on_gives_none(plane, through):
    through(lambda sock: sock.recv(4))
    plane.request("side", number=3, node=1, frame=frame(b"leave").hex())
    assert until(lambda: plane.request("see")["answers"], "the answer") == [[3, None]]


def test_a_write_that_takes_a_part_is_gone_on_with(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "writev", lambda fd, parts: os.write(fd, b"".join(parts)[:7]))
    recorder = Recorder(pytest.fail)
    recorder.open(str(tmp_path / "history"))
    parts = [b"%d," % n for n in range(1000)]
    for part in parts:
        recorder.append(part)
    recorder.close()
    assert (tmp_path / "history").read_bytes() == b"".join(parts)
    assert recorder.written == len(b"".join(parts))
