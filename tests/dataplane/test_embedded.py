"""The embedded cluster behind the real engine: real clients, no second socket hop."""

import contextlib
import socket
import struct

import pytest
from confluent_kafka import Consumer, Producer

from pytest_mqchaos.dataplane.controller import DataPlane
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history import spool
from tests.dataplane.peers import LIMIT, read, until

API_VERSIONS = struct.Struct(">ihhih").pack(10, 18, 0, 77, -1)


@pytest.fixture(scope="module")
def shared():
    with DataPlane() as plane:
        yield plane


@pytest.fixture
def cluster(shared):
    """A fresh cluster of one broker; its direct address."""
    host, port = shared.request("cluster", brokers=1)["addresses"]["1"]
    yield shared, f"{host}:{port}"
    shared.request("end")
    for owner in ("w", "test"):
        shared.request("unlisten", owner=owner)


def produce(servers, count, topic="orders"):
    told = []
    producer = Producer({"bootstrap.servers": servers, "acks": "all", "linger.ms": 1})
    for n in range(count):
        producer.produce(topic, b"value %d" % n, on_delivery=lambda e, m: told.append(e))
    assert producer.flush(LIMIT) == 0
    return told


def consume(servers, count, group, topic="orders"):
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": group, "auto.offset.reset": "earliest"}
    )
    try:
        consumer.subscribe([topic])
        got = []
        while len(got) < count:
            messages = consumer.consume(count - len(got), timeout=LIMIT)
            assert messages, f"nothing more after {len(got)}"
            got += [message.value() for message in messages if message.error() is None]
        return got
    finally:
        consumer.close()


def test_a_real_client_speaks_through_its_own_link(cluster, tmp_path):
    plane, direct = cluster
    path = tmp_path / "history"
    plane.request("begin", history=str(path), settings={})
    servers = "{}:{}".format(*plane.address("w", 1))
    assert servers != direct
    assert produce(servers, 200) == [None] * 200
    assert consume(servers, 200, "a") == [b"value %d" % n for n in range(200)]
    assert len(consume(direct, 200, "b")) == 200
    plane.flush()
    entries = list(spool.read(path.read_bytes()))
    links = [e.body for e in entries if isinstance(e, spool.NoteEntry) and e.body["note"] == "link"]
    assert {link["owner"] for link in links} == {"w"}  # the direct client is not on record
    assert any(isinstance(entry, spool.FrameEntry) for entry in entries)
    assert plane.troubles == []


def test_a_fresh_cluster_forgets_and_hangs_up(cluster):
    plane, direct = cluster
    host, port = direct.split(":")
    with socket.create_connection((host, int(port)), LIMIT) as old:
        old.sendall(API_VERSIONS)
        assert len(read(old, 8)) == 8
        fresh = plane.request("cluster", brokers=2)["addresses"]
        with contextlib.suppress(ConnectionResetError):
            while old.recv(65536):
                pass
    assert sorted(fresh) == ["1", "2"]
    with socket.create_connection(tuple(fresh["2"]), LIMIT) as client:
        client.sendall(API_VERSIONS)
        assert read(client, 8)[4:] == struct.pack(">i", 77)


def test_nonsense_gets_hung_up_on_as_kafka_does(cluster):
    _, direct = cluster
    host, port = direct.split(":")
    with socket.create_connection((host, int(port)), LIMIT) as client:
        client.sendall(struct.pack(">ihhi", 8, 9999, 0, 1))
        assert client.recv(100) == b""


def test_a_client_that_half_closes_is_closed_as_kafka_does(cluster):
    plane, _ = cluster
    plane.request("begin", settings={})
    with socket.create_connection(plane.address("test", 1), LIMIT) as client:
        client.sendall(API_VERSIONS)
        assert len(read(client, 8)) == 8
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass
    assert plane.request("status")["links"] == {}


def test_settings_that_cannot_be_are_refused(cluster):
    plane, _ = cluster
    with pytest.raises(UsageError, match=r"no\.such\.setting"):
        plane.request("cluster", brokers=1, settings={"no.such.setting": 1})


@pytest.mark.parametrize("linger", [b"\0" * 8, b"\1" + b"\0" * 7], ids=["FIN", "RST"])
def test_who_closed_a_link_is_on_record(cluster, tmp_path, linger):
    plane, _ = cluster
    path = tmp_path / "history"
    plane.request("begin", history=str(path), settings={})
    with socket.create_connection(plane.address("test", 1), LIMIT) as client:
        client.sendall(API_VERSIONS)
        (size,) = struct.unpack(">i", read(client, 4))
        assert len(read(client, size)) == size
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    until(lambda: plane.request("status")["links"] == {}, "the link to end")
    notes = [e.body for e in spool.read(path.read_bytes()) if isinstance(e, spool.NoteEntry)]
    assert [note["by"] for note in notes if note["note"] == "closed"] == ["client"]
