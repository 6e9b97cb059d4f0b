"""Framing, order of answers, what is not served, and what garbage does."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kio.index import load_request_schema, load_response_schema

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.kafka_cluster.apis import APIS
from pytest_mqchaos.kafka_cluster.cluster import Cluster
from pytest_mqchaos.kafka_cluster.schema import render
from tests.kafka_cluster.talking import MS, Talker, batch, cluster, frame

METADATA = {"topics": [{"name": "t"}]}
API_VERSIONS = {"client_software_name": "n", "client_software_version": "1"}


def _apart(data: bytes) -> tuple[int, bytes]:
    return struct.unpack_from(">i", data, 4)[0], data[8:]


@given(cuts=st.lists(st.integers(1, 200)), transitions=st.integers(1, 4))
def test_any_chunking_gives_the_same_answers_in_order(cuts, transitions):
    data = b"".join(frame(3, 9, at, METADATA) for at in range(transitions))
    at_once, in_pieces = cluster(), cluster()
    at_once.receive(at_once.connect(1, 0), data, 0)
    connection, at = in_pieces.connect(1, 0), 0
    for cut in [*cuts, len(data)]:
        in_pieces.receive(connection, memoryview(data)[at : at + cut], 0)
        at += cut
    assert in_pieces.take_output() == (expected := at_once.take_output())
    assert [_apart(answer)[0] for _, answer in expected] == list(range(transitions))


def test_a_connection_has_one_request_in_work_and_later_ones_wait():
    talker = Talker(cluster())
    talker.create("t")
    talker.say_fetch(("t", 0, 0), wait=100)
    talker.say(18, 3, **API_VERSIONS)
    assert talker.heard() == []
    assert talker.cluster.next_wake() == 100 * MS
    talker.cluster.wake(100 * MS)
    fetched, versions = talker.heard()
    assert fetched.responses[0].partitions[0].records == b""
    assert len(versions.api_keys) == len(APIS)


def test_what_a_client_sent_before_it_left_is_still_done():
    brokers = cluster()
    gone, other = Talker(brokers), Talker(brokers)
    gone.create("t")
    gone.say_fetch(("t", 0, 0), wait=100)
    data = [{"name": "t", "partition_data": [{"index": 0, "records": batch()}]}]
    gone.say(0, 9, acks=1, timeout=0, topic_data=data)
    brokers.disconnect(gone.id, 0)
    assert other.offset(-1) == (0, -1, 0)
    brokers.wake(100 * MS)
    assert other.offset(-1) == (0, -1, 1)
    assert gone.heard() == []


def test_garbage_of_a_client_that_has_left_is_its_own_affair():
    brokers = cluster()
    gone = Talker(brokers)
    gone.create("t")
    gone.say_fetch(("t", 0, 0), wait=100)
    brokers.receive(gone.id, struct.pack(">i", -1), 0)
    brokers.disconnect(gone.id, 0)
    brokers.wake(100 * MS)
    assert (brokers.take_closed(), brokers.take_failures(), brokers.next_wake()) == ([], [], None)


def test_an_answer_that_lacks_a_field_is_our_error():
    with pytest.raises(KeyError, match="HeartbeatResponse v4 needs 'error_code'"):
        render(12, 4, 1, {})


def test_an_unknown_version_of_api_versions_is_answered_as_v0():
    brokers = cluster()
    connection = brokers.connect(1, 0)
    brokers.receive(connection, struct.pack(">ihhih", 10, 18, 99, 7, -1), 0)
    ((_, data),) = brokers.take_output()
    assert _apart(data) == (7, struct.pack(">hihhh", 35, 1, 18, 0, 4))
    assert brokers.take_closed() == []


def test_api_versions_tells_the_table_and_only_what_can_be_read_and_written():
    answer = Talker(cluster()).ask(18, 4, **API_VERSIONS)
    told = {one.api_key: (one.min_version, one.max_version) for one in answer.api_keys}
    assert told == {key: (api.low, api.high) for key, api in APIS.items()}
    assert {24, 25, 26, 28} <= set(told)
    for key, (low, high) in told.items():
        for version in range(low, high + 1):
            assert load_request_schema(key, version)
            assert load_response_schema(key, version)


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">i", -1),
        struct.pack(">i", 2**31 - 1),
        struct.pack(">i", 0),
        struct.pack(">ihhi", 8, 3, 12, 1),
        struct.pack(">ihhih", 10, 3, 99, 1, -1),
        struct.pack(">ihhih", 10, 24, 0, 1, -1),
        struct.pack(">ihhih", 10, 3, 12, 1, 500),
        struct.pack(">ihhihBBBBB", 15, 3, 12, 1, -1, 255, 255, 255, 255, 255),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_garbage_ends_that_connection_and_no_other(data):
    brokers = cluster()
    bad, good = brokers.connect(1, 0), Talker(brokers)
    brokers.receive(bad, data, 0)
    assert brokers.take_closed() == [bad]
    brokers.receive(bad, data, 0)
    brokers.disconnect(bad, 0)
    assert good.ask(18, 4, **API_VERSIONS).error_code == 0
    assert brokers.take_closed() == []


@given(
    key=st.sampled_from(sorted(APIS)),
    version=st.integers(0, 16),
    body=st.binary(max_size=60),
    now=st.integers(0, 2**40),
)
def test_no_bytes_raise_and_none_break_the_broker(key, version, body, now):
    brokers = cluster(brokers=2)
    connection = brokers.connect(1, now)
    data = struct.pack(">hhih", key, version, 1, -1) + body
    brokers.receive(connection, struct.pack(">i", len(data)) + data, now)
    brokers.wake(now + 10**15)
    assert brokers.take_failures() == []
    assert Talker(brokers).ask(18, 4, **API_VERSIONS).error_code == 0


def test_the_same_calls_give_the_same_bytes_and_another_seed_other_ids():
    def run(seed):
        brokers = Cluster(brokers=1, addresses={1: ("h", 1)}, seed=seed)
        connection = brokers.connect(1, 0)
        brokers.receive(connection, frame(3, 9, 1, METADATA), 0)
        return brokers.take_output()

    assert run(1) == run(1) != run(2)


def test_a_failure_of_our_own_is_told_and_ends_only_that_connection(monkeypatch):
    def broken(call):
        raise ZeroDivisionError("ours")

    monkeypatch.setitem(APIS, 60, APIS[60]._replace(handle=broken))
    brokers = cluster()
    bad, good = brokers.connect(1, 0), Talker(brokers)
    brokers.receive(bad, frame(60, 0, 1, {}), 0)
    brokers.state.timers.at(5, broken)
    brokers.wake(5)
    assert brokers.take_closed() == [bad]
    assert brokers.take_failures() == [
        "DescribeCluster v0: ZeroDivisionError: ours",
        "timers: ZeroDivisionError: ours",
    ]
    assert good.ask(18, 4, **API_VERSIONS).error_code == 0
    wrong = {"client_software_name": "-", "client_software_version": "1"}
    assert good.ask(18, 4, **wrong).error_code == 42


def test_bad_use_is_told_where_it_is_made():
    with pytest.raises(UsageError, match="nodes 1 to 2"):
        Cluster(brokers=2, addresses={1: ("h", 1)})
    with pytest.raises(UsageError, match=r"'num.partition'.*'num.partitions'"):
        Cluster(addresses={1: ("h", 1)}, settings={"num.partition": 3})
    with pytest.raises(UsageError, match="whole number"):
        Cluster(addresses={1: ("h", 1)}, settings={"num.partitions": "three"})
    with pytest.raises(UsageError, match="negative"):
        Cluster(addresses={1: ("h", 1)}, settings={"num.partitions": -3})
    with pytest.raises(UsageError, match="true or false"):
        Cluster(addresses={1: ("h", 1)}, settings={"auto.create.topics.enable": 3})
    with pytest.raises(UsageError, match="no node 2"):
        cluster().connect(2, 0)
