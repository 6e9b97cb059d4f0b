"""What is asked of producers: everything arrives once, as it was sent, and is confirmed."""

from __future__ import annotations

import functools

import pytest

from pytest_mqchaos.brokers.kafka_ask import milliseconds
from pytest_mqchaos.brokers.kafka_request import decode, encode
from pytest_mqchaos.wire.kafka.batch import COMPRESSION
from pytest_mqchaos.wire.kafka.records import batches
from tests.conformance.conversing import FIVE
from tests.conformance.matrix.consumers import reading, take
from tests.conformance.matrix.flow import MANY, PARTITIONS, through
from tests.conformance.producing import SENDERS, errors

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")  # by number, as in a batch's attributes
LONG = [one + "." * 80 for one in MANY]  # worth compressing, or librdkafka leaves a batch as it is
HEADERS = [("trace", b"\x00\xff"), ("kind", b"x"), ("kind", b"again"), ("empty", b"")]
FETCH = 12  # the last version that names topics


def stored_codecs(seen):
    """How the batches of the log are compressed."""
    parts = [
        {"partition": n, "fetch_offset": 0, "partition_max_bytes": 1 << 20}
        for n in range(PARTITIONS)
    ]
    asked = {
        "replica_id": -1, "max_wait": milliseconds(0), "min_bytes": 0, "max_bytes": 1 << 20,
        "isolation_level": 0, "topics": [{"topic": seen.topic, "partitions": parts}],
        "forgotten_topics_data": (),
    }  # fmt: skip
    answer = seen.chaos.host.side.direct.raw(encode("Fetch", FETCH, 1, asked))
    (topic,) = decode("Fetch", FETCH, answer).responses
    blobs = [part.records or b"" for part in topic.partitions]
    found = [CODECS[batch.attributes & COMPRESSION] for blob in blobs for batch in batches(blob)]
    assert found
    return set(found)


def plain(seen, client):
    history = through(seen, client, client)
    assert {row.producer_id for row in history.attempts} == {-1}
    assert {row.key for row in history.attempts} == {row.key for row in history.stored} == {None}
    assert stored_codecs(seen) == {"none"}


def idempotent(seen, client):
    """The numbers of a partition count up from 0, in the order of its log."""
    history = through(seen, client, client, idempotent=True)
    (producer,) = {row.producer_id for row in history.attempts}
    assert producer >= 0
    places = {(row.partition, row.offset) for row in history.stored}
    assert {(row.partition, row.sequence) for row in history.attempts} == places
    assert all(row.sequence == row.offset for row in history.attempts)


def compressed(seen, client, *, codec):
    through(seen, client, client, LONG, **client.codec(codec))
    assert stored_codecs(seen) == {codec}


COMPRESSED = {name: functools.partial(compressed, codec=name) for name in CODECS[1:]}


def keys_and_headers(seen, client):
    """Each key finds its partition, and what the application is given is what was sent."""
    history = through(seen, client, client, keys=True, headers=HEADERS)
    for rows in history.attempts, history.deliveries:
        assert {(row.id, row.key, row.headers) for row in rows} == {
            (one, one.encode(), tuple(HEADERS)) for one in MANY
        }
    assert {(row.id, row.key) for row in history.stored} == {(one, one.encode()) for one in MANY}
    with reading(seen, client, f"{seen.group}-again") as reader:
        got = take(reader, len(MANY))
    assert {(one.id, one.key, one.headers) for one in got} == {
        (one, one.encode(), tuple(HEADERS)) for one in MANY
    }
    assert {(one.id, one.partition, one.offset) for one in got} == {
        (row.id, row.partition, row.offset) for row in history.stored
    }


NULL = [("no", None)]


def null_header(seen, client, producer=None):
    """A header without a value is not one with an empty value."""
    told = SENDERS[producer or client.name](seen.servers, seen.topic, FIVE, headers=NULL)
    assert errors(told) == {}
    with reading(seen, client) as reader:
        assert [(one.id, one.headers) for one in take(reader, 5)] == [
            (one, tuple(NULL)) for one in FIVE
        ]
    history = seen.chaos.history
    assert {row.headers for row in (*history.attempts, *history.deliveries)} == {tuple(NULL)}


def null_header_only_read(seen, client):
    """kafka-python: refuses to send one, reads one from another producer."""
    with pytest.raises(TypeError, match="All headers items must be"):
        SENDERS[client.name](seen.servers, seen.topic, FIVE, headers=NULL)
    null_header(seen, client, producer="aiokafka")
