"""Every reply that carries addresses, in every version: rewritten, and nothing else changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mqchaos.frames import Record
from pytest_mqchaos.wire.kafka.apis import APIS, KEYS
from pytest_mqchaos.wire.kafka.bodies import schema_of
from pytest_mqchaos.wire.kafka.codec import KafkaCodec
from pytest_mqchaos.wire.kafka.endpoints import find
from pytest_mqchaos.wire.kafka.entities import encode, fill, read
from pytest_mqchaos.wire.kafka.records import build_batch

NODES = [(1, "broker-1.example", 9092), (2, "b2", 9093), (700, "x" * 120, 65535)]


def moved(node: int, host: str, port: int) -> tuple[str, int]:
    assert (node, host, port) in NODES
    return f"127.0.0.{node % 250}", port - 1000


def entries(places) -> list[dict]:
    return [{"node_id": n, "broker_id": n, "host": h, "port": p, "rack": "r"} for n, h, p in places]


TOPIC = {
    "name": "t",
    "topic_id": bytes(15) + b"\1",
    "partitions": [{"partition_index": 3, "leader_id": 1, "replica_nodes": [1, 2]}],
}


def fields_of(name: str, places) -> dict:
    return {
        "Metadata": {"brokers": entries(places), "topics": [TOPIC], "cluster_id": "c"},
        "DescribeCluster": {"brokers": entries(places), "cluster_id": "c", "controller_id": 1},
        "FindCoordinator": {
            **(entries(places)[0] if places else {}),
            "coordinators": [{"key": "g", **entry} for entry in entries(places)],
        },
        "Produce": {
            "node_endpoints": entries(places),
            "responses": [
                {"name": "t", "partition_responses": [{"index": 0, "error_code": 6}]},
            ],
        },
        "Fetch": {
            "node_endpoints": entries(places),
            "responses": [{"partitions": [{"error_code": 6, "records": b"\x01\x00" * 500}]}],
        },
        "ShareFetch": {
            "node_endpoints": entries(places),
            "responses": [{"partitions": [{"error_code": 6, "records": b"\x01\x00" * 500}]}],
        },
        "ShareAcknowledge": {"node_endpoints": entries(places)},
    }[name]


CASES = [
    (name, version)
    for name in (
        "Metadata", "DescribeCluster", "FindCoordinator", "Produce", "Fetch", "ShareFetch",
        "ShareAcknowledge",
    )
    for version in range(APIS[KEYS[name]].low, APIS[KEYS[name]].high + 1)
    if (name, version) >= (name, {"Produce": 10, "Fetch": 16}.get(name, 0))
]  # fmt: skip


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("name", "version"), CASES)
def test_addresses_are_rewritten_and_nothing_else(answer, frame_of, name, version, count):
    places = NODES[:count]
    raw = answer(name, version, 7, **fields_of(name, places))
    new = KafkaCodec().rewrite_addresses(frame_of(name, version, raw, reply=True), moved)
    targets = [(n, *moved(n, h, p)) for n, h, p in places]
    want = answer(name, version, 7, **fields_of(name, targets))
    assert new == want


@pytest.mark.parametrize(("name", "version"), CASES)
def test_a_reply_without_addresses_is_left_alone(answer, frame_of, name, version):
    nobody = {"node_id": -1, "host": "", "port": -1}
    if name == "FindCoordinator":
        raw = answer(name, version, 7, error_code=15, coordinators=[nobody], **nobody)
    else:
        raw = answer(name, version, 7, **fields_of(name, []))
    assert KafkaCodec().rewrite_addresses(frame_of(name, version, raw, reply=True), moved) is None


@pytest.mark.parametrize("version", [11, 15])
def test_a_message_that_ends_as_a_list_of_brokers_stays_as_it_is(answer, frame_of, version):
    """A header that is the end of a reply of Kafka's: before version 16 no list stands there."""
    newer = answer("Produce", 10, 7, **fields_of("Produce", NODES))
    section = find(newer)
    assert section is not None
    message = Record("t", 0, 0, None, b"", (("forwarded", newer[section.start :]),))
    part = {"partition_index": 0, "records": build_batch([message], base_offset=0)}
    raw = answer("Fetch", version, 7, responses=[{"topic": "t", "partitions": [part]}])
    at_its_end = version == 11
    assert (find(raw) is not None) is at_its_end
    assert (
        KafkaCodec().rewrite_addresses(frame_of("Fetch", version, raw, reply=True), moved) is None
    )


@pytest.mark.parametrize("version", [16, 17])
def test_nor_is_one_taken_for_it_that_ends_so_with_the_tags_behind_it(answer, frame_of, version):
    """Its last bytes and the three empty tag lists behind it read as one broker at port 8960."""
    inside = b"\x01\x00\x0e\x02" + b"\0\0\0\1" + b"\x03b2" + b"\0\0\x23"
    message = Record("t", 0, 0, None, b"", (("h", inside),))
    part = {"partition_index": 0, "records": build_batch([message], base_offset=0)}
    raw = answer("Fetch", version, 7, responses=[{"topic_id": bytes(16), "partitions": [part]}])
    section = find(raw)
    assert section is not None
    assert [(place.host, place.port) for place in section.found] == [("b2", 8960)]
    assert (
        KafkaCodec().rewrite_addresses(frame_of("Fetch", version, raw, reply=True), moved) is None
    )


def test_requests_and_torn_replies_are_left_alone(ask, answer, frame_of):
    codec = KafkaCodec()
    assert codec.rewrite_addresses(frame_of("Metadata", 12, ask("Metadata", 12)), moved) is None
    raw = answer("Metadata", 12, 7, **fields_of("Metadata", NODES))
    for cut in range(8, 40):
        torn = frame_of("Metadata", 12, raw[:cut], reply=True)
        assert codec.rewrite_addresses(torn, moved) is None


def test_unknown_tagged_fields_survive(answer, frame_of):
    raw = answer("Metadata", 12, 7, **fields_of("Metadata", NODES[:1]))
    grown = raw[:-1] + b"\x01\x63\x03abc"  # tag 99, three bytes
    frame = frame_of("Metadata", 12, grown, reply=True)
    new = KafkaCodec().rewrite_addresses(frame, moved)
    assert new.endswith(b"\x01\x63\x03abc")
    assert b"127.0.0.1" in new
    assert KafkaCodec().decode(frame).undecoded


@pytest.mark.parametrize("version", range(5))
def test_versions_beyond_ours_are_not_negotiated(answer, frame_of, version):
    offered = [
        {"api_key": 0, "min_version": 3, "max_version": 99},
        {"api_key": 3, "min_version": 0, "max_version": 5},
        {"api_key": 1, "min_version": 90, "max_version": 99},
        {"api_key": 999, "min_version": 0, "max_version": 9},
    ]
    raw = answer("ApiVersions", version, 7, api_keys=offered)
    frame = frame_of("ApiVersions", version, raw, reply=True)
    offered[0]["max_version"] = APIS[0].high
    want = answer("ApiVersions", version, 7, api_keys=offered)
    assert KafkaCodec().rewrite_addresses(frame, moved) == want
    same = frame_of("ApiVersions", version, want, reply=True)
    assert KafkaCodec().rewrite_addresses(same, moved) is None


def test_a_refused_version_is_told_in_the_oldest_form(answer, frame_of):
    one = [{"api_key": 0, "min_version": 3, "max_version": 99}]
    raw = answer("ApiVersions", 0, 7, error_code=35, api_keys=one)
    frame = frame_of("ApiVersions", 4, raw, reply=True)
    one[0]["max_version"] = APIS[0].high
    assert KafkaCodec().decode(frame).error == 35
    assert KafkaCodec().rewrite_addresses(frame, moved) == answer(
        "ApiVersions", 0, 7, error_code=35, api_keys=one
    )


@pytest.mark.parametrize(
    ("name", "version"),
    [(n, v) for n in ("Metadata", "CreateTopics") for v in range(7, APIS[KEYS[n]].high + 1)]
    + [("DescribeTopicPartitions", 0)],
)
def test_topic_ids_are_learned(answer, frame_of, name, version):
    full = {
        **TOPIC,
        "configs": [{"name": "cleanup.policy", "value": "delete"}, {"name": "x", "value": None}],
        "eligible_leader_replicas": [1],
    }
    other = {**full, "name": "u", "topic_id": bytes(15) + b"\2"}
    raw = answer(name, version, 7, brokers=entries(NODES), topics=[full, other])
    codec = KafkaCodec()
    codec.rewrite_addresses(frame_of(name, version, raw, reply=True), moved)
    learned = {bytes(15) + b"\1": "t", bytes(15) + b"\2": "u"}
    assert codec.topic_names == ({} if name == "Metadata" and version < 10 else learned)


@given(st.sampled_from(CASES), st.binary(max_size=200))
def test_any_bytes_are_read_without_error(frame_of, case, noise):
    name, version = case
    frame = frame_of(name, version, bytes(8) + noise, reply=True)
    codec = KafkaCodec()
    new = codec.rewrite_addresses(frame, lambda node, host, port: ("h", 1))
    assert new is None or new != frame.raw
    codec.decode(frame)


@pytest.mark.parametrize("reply", [False, True])
def test_every_schema_goes_out_and_comes_back(ask, answer, frame_of, reply):
    for key, api in APIS.items():
        for version in range(api.low, api.high + 1):
            raw = (answer if reply else ask)(api.name, version, 7)
            body = read(frame_of(api.name, version, raw, reply=reply))
            assert encode(body) == encode(fill(schema_of(key, version, reply=reply), {}))
