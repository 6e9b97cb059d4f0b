"""One connection, against peers that misbehave on purpose."""

import contextlib
import socket
import struct
import threading

import pytest

from pytest_mqchaos.brokers.base import Address
from pytest_mqchaos.brokers.kafka_connection import Connection
from pytest_mqchaos.brokers.kafka_request import APIS, choose, decode, encode
from pytest_mqchaos.errors import BrokerError, WaitTimeout


@contextlib.contextmanager
def peer(*answers):
    """Accepts one connection per answer, reads a request and sends the answer; None: says nothing
    until the client goes away."""

    def serve():
        for answer in answers:
            try:
                connection, _ = server.accept()
            except TimeoutError:
                return  # whose time was up before it had connected
            with connection:
                connection.recv(65536)
                if answer is None:
                    connection.recv(1)
                else:
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        thread = threading.Thread(target=serve)
        thread.start()
        connection = Connection(Address(*server.getsockname()))
        yield connection
        connection.close()
        thread.join()


def framed(payload):
    return struct.pack(">i", len(payload)) + payload


REQUEST = encode("ListGroups", 4, 1, {})


def test_an_answer_in_pieces_is_one_frame():
    with peer(framed(b"\0\0\0\1" + b"x" * 200_000)) as connection:
        assert connection.exchange(REQUEST, 5.0) == framed(b"\0\0\0\1" + b"x" * 200_000)


def test_silence_has_a_limit():
    with peer(None) as connection, pytest.raises(WaitTimeout, match="did not answer in time"):
        connection.exchange(REQUEST, 0.05)


def test_an_answer_that_nobody_waits_for_any_more_is_no_answer_to_the_next(monkeypatch):
    """Ctrl-C in the middle of an answer; then the clean-up asks on."""
    first, second = framed(b"\0\0\0\1first"), framed(b"\0\0\0\2second")
    receive = Connection._receive

    def interrupted(connection, sock, size, end):
        receive(connection, sock, size, end)
        raise KeyboardInterrupt

    with peer(first, second) as connection:
        monkeypatch.setattr(Connection, "_receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            connection.exchange(REQUEST, 5.0)
        monkeypatch.undo()
        assert connection.exchange(REQUEST, 5.0) == second


def test_an_end_in_the_middle_is_a_broken_connection():
    cut = framed(b"\0\0\0\1abc")[:-1]
    closed = pytest.raises(ConnectionResetError, match="closed the connection")
    with peer(cut) as connection, closed:
        connection.exchange(REQUEST, 5.0)


def test_another_protocol_is_told():
    told = pytest.raises(BrokerError, match="does not speak Kafka: a frame of 1213486160 bytes")
    with peer(b"HTTP/1.1 400 Bad Request\r\n") as connection, told:
        connection.exchange(REQUEST, 5.0)


def test_after_a_failure_the_next_exchange_connects_anew():
    with peer(b"", framed(b"\0\0\0\1")) as connection:
        with pytest.raises(ConnectionResetError):
            connection.exchange(REQUEST, 5.0)
        assert connection.exchange(REQUEST, 5.0) == framed(b"\0\0\0\1")


def test_an_answer_to_something_else_is_refused():
    told = pytest.raises(BrokerError, match="answered ApiVersions with correlation id 41")
    with peer(framed(struct.pack(">ihi", 41, 0, 0))) as connection, told:
        connection.call("ListGroups", {}, 5.0)


def test_an_unreadable_answer_is_told():
    with pytest.raises(BrokerError, match="unreadable reply to ListGroups version 4"):
        decode("ListGroups", 4, framed(b"\0\0\0\1\0\0"))


def test_versions_meet_in_the_newest_that_both_know():
    key, oldest, newest = APIS["Fetch"]
    assert choose("Fetch", {key: (0, 99)}) == newest
    assert choose("Fetch", {key: (0, oldest)}) == oldest
    with pytest.raises(BrokerError, match=r"serves 98 to 99, we know"):
        choose("Fetch", {key: (98, 99)})
    with pytest.raises(BrokerError, match="does not serve Fetch"):
        choose("Fetch", {})


@pytest.mark.parametrize("version", range(APIS["LeaveGroup"][1], APIS["LeaveGroup"][2] + 1))
def test_both_spellings_of_a_renamed_field_may_be_given(version):
    from kio.index import load_request_schema
    from kio.serial import entity_reader

    schema = load_request_schema(APIS["LeaveGroup"][0], version)
    gone = {"member_id": "m", "group_instance_id": None}
    frame = encode("LeaveGroup", version, 7, {"group_id": "g", "member_id": "m", "members": [gone]})
    _, at = entity_reader(schema.__header_schema__)(frame, 4)
    entity, size = entity_reader(schema)(frame, 4 + at)
    assert 4 + at + size == len(frame)
    member = entity.members[0] if version >= 3 else entity
    assert (entity.group_id, member.member_id) == ("g", "m")
