"""A sans-io client for tests: builds requests with kio, feeds a `Cluster`, reads the answers."""

from __future__ import annotations

import datetime as dt
import io
import struct
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, get_args

import crc32c
from kio.index import load_request_schema, load_response_schema
from kio.serial import entity_reader, entity_writer

from pytest_mqchaos.kafka_cluster.cluster import Cluster

MS = 1_000_000
_BATCH = struct.Struct(">hiqqqhii")


def cluster(brokers: int = 1, **settings: object) -> Cluster:
    """A fresh cluster; settings in Kafka's names with `_` for `.`."""
    return Cluster(
        brokers=brokers,
        addresses={node: ("host", 9000 + node) for node in range(1, brokers + 1)},
        settings={name.replace("_", "."): value for name, value in settings.items()},
    )


def batch(count=1, *, producer=-1, epoch=-1, sequence=-1, time=1000, attributes=0) -> bytes:
    """A record batch whose records are one second apart, values b"0", b"1", ..."""
    records = b"".join(_record(at, at * 1000) for at in range(count))
    last_time = time + (count - 1) * 1000
    head = (attributes, count - 1, time, last_time, producer, epoch, sequence, count)
    checked = _BATCH.pack(*head) + records
    crc = crc32c.crc32c(checked)
    return struct.pack(">qiibI", 0, len(checked) + 9, -1, 2, crc) + checked


def _record(offset: int, later: int) -> bytes:
    value = b"%d" % offset
    body = b"\0" + _zigzag(later) + _zigzag(offset) + _zigzag(-1)
    body += _zigzag(len(value)) + value + _zigzag(0)
    return _zigzag(len(body)) + body


def _zigzag(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63)
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def entity(schema: Any, values: dict[str, Any]) -> Any:
    """Fill a kio schema from plain values; what is not given takes the default, flags False."""
    chosen = {}
    for field in fields(schema):
        if field.name not in values:
            if field.type is bool:
                chosen[field.name] = False
            continue
        value = values[field.name]
        shape = get_args(field.type)[0] if isinstance(field.type, UnionType) else field.type
        inner = get_args(shape)
        if inner and is_dataclass(inner[0]) and value is not None:
            value = tuple(entity(inner[0], one) for one in value)
        elif "timedelta" in field.metadata.get("kafka_type", ""):
            value = dt.timedelta(milliseconds=value)
        chosen[field.name] = value
    return schema(**chosen)


def frame(key: int, version: int, correlation: int, values: dict[str, Any], client="c") -> bytes:
    schema = load_request_schema(key, version)
    out = io.BytesIO()
    out.write(struct.pack(">hhih", key, version, correlation, len(client)) + client.encode())
    if schema.__flexible__:
        out.write(b"\0")
    entity_writer(schema)(out, entity(schema, values))
    return struct.pack(">i", out.tell()) + out.getvalue()


class Talker:
    """One connection. `say` sends a request; `ask` sends it and gives its answer."""

    def __init__(self, cluster: Cluster, node: int = 1, client: str = "c") -> None:
        self.cluster, self.client, self.now = cluster, client, 0
        self.id = cluster.connect(node, 0)
        self._asked: dict[int, tuple[int, int]] = {}
        self._next = 0

    def say(self, api: int, version: int, /, *, now: int | None = None, **values: Any) -> int:
        self.now = self.now if now is None else now
        self._next += 1
        self._asked[self._next] = (api, version)
        data = frame(api, version, self._next, values, self.client)
        self.cluster.receive(self.id, data, self.now)
        assert not (failed := self.cluster.take_failures()), failed
        return self._next

    def heard(self) -> list[Any]:
        """Every answer on this connection so far (others' answers are kept for them)."""
        mine, others = [], []
        for connection, data in self.cluster.take_output():
            (mine if connection == self.id else others).append((connection, data))
        self.cluster._serving.output.extend(others)
        return [self._read(data) for _, data in mine]

    def ask(self, api: int, version: int, /, *, now: int | None = None, **values: Any) -> Any:
        self.say(api, version, now=now, **values)
        (answer,) = self.heard()
        return answer

    def _read(self, data: bytes) -> Any:
        size, correlation = struct.unpack_from(">ii", data)
        assert size == len(data) - 4
        key, version = self._asked.pop(correlation)
        schema = load_response_schema(key, version)
        at = 9 if schema.__header_schema__.__flexible__ else 8
        answer, read = entity_reader(schema)(data, at)
        assert at + read == len(data)
        return answer

    # ---------------------------------------------------------------- shorthands

    def create(self, name: str, partitions: int = 1, replicas: int = 1, **configs: str) -> Any:
        topic = {
            "name": name,
            "num_partitions": partitions,
            "replication_factor": replicas,
            "assignments": [],
            "configs": [
                {"name": key.replace("_", "."), "value": value} for key, value in configs.items()
            ],
        }
        return self.ask(19, 7, topics=[topic], timeout=1000).topics[0]

    def produce(self, records: bytes, *, topic="t", partition=0, acks=-1, version=9, **more) -> Any:
        data = [{"name": topic, "partition_data": [{"index": partition, "records": records}]}]
        answer = self.ask(0, version, acks=acks, timeout=1000, topic_data=data, **more)
        return answer.responses[0].partition_responses[0]

    def say_fetch(self, *partitions, wait=500, least=1, most=1 << 20, version=11, **more) -> None:
        """`partitions` are (topic, partition, offset[, limit])."""
        topics = [
            {
                "topic": topic,
                "partitions": [
                    {
                        "partition": at,
                        "fetch_offset": offset,
                        "partition_max_bytes": limit[0] if limit else 1 << 20,
                    }
                ],
            }
            for topic, at, offset, *limit in partitions
        ]
        values = {"max_wait": wait, "min_bytes": least, "max_bytes": most, "topics": topics}
        values |= {"replica_id": -1, "forgotten_topics_data": [], "rack_id": ""}
        self.say(1, version, **{**values, **more})

    def fetch(self, *partitions, **more) -> Any:
        self.say_fetch(*partitions, **{"wait": 0, **more})
        (answer,) = self.heard()
        return [one for topic in answer.responses for one in topic.partitions]

    def offset(self, timestamp: int, *, topic="t", partition=0) -> tuple[int, int, int]:
        asked = {"partition_index": partition, "timestamp": timestamp, "current_leader_epoch": -1}
        topics = [{"name": topic, "partitions": [asked]}]
        answer = self.ask(2, 7, replica_id=-1, isolation_level=0, topics=topics)
        one = answer.topics[0].partitions[0]
        return one.error_code, one.timestamp, one.offset
