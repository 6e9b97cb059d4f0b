"""Single requests as every family uses them: an API in one of the versions that are served."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from differential.conversation import Step
from differential.frames import VERSIONS
from differential.marks import STAMP

A, B, MISSING = "~a", "~b", "~missing"
PLACES = st.sampled_from([(A, 0), (A, 0), (A, 0), (A, 1), (B, 0), (A, 7), (MISSING, 0)])
KNOWN = st.sampled_from([(A, 0), (A, 0), (A, 1), (B, 0)])


@st.composite
def asked(
    draw: st.DrawFn, api: str, values: Mapping[str, Any], *, low: int = 0, high: int = 99,
    at: str = "any", links: int = 0,
) -> Step:  # fmt: skip
    """A request in any served version between `low` and `high`, on any of the links."""
    first, last = VERSIONS[api]
    version = draw(st.integers(max(first, low), min(last, high)))
    link = draw(st.integers(0, links)) if links else 0
    return Step(api=api, version=version, values=values, at=at, link=link)


def _where(place: tuple[str, int]) -> st.SearchStrategy[str]:
    """Who leads the partition; at times who does not (the same where there is one node)."""
    roles = st.sampled_from(["leader"] * 9 + ["follower"])
    return roles.map(lambda role: f"{role}:{place[0]}:{place[1]}")


@st.composite
def produce(
    draw: st.DrawFn, place: tuple[str, int], batch: Mapping[str, Any], acks: int = -1,
    transactional: str | None = None,
) -> Step:  # fmt: skip
    """One batch to one partition."""
    topic, partition = place
    one = {"index": partition, "records": {"$batch": batch}}
    values = {
        "transactional_id": transactional, "acks": acks, "timeout": 5000,
        "topic_data": [{"name": topic, "topic_id": {"$topic": topic}, "partition_data": [one]}],
    }  # fmt: skip
    return draw(asked("Produce", values, at=draw(_where(place))))


@st.composite
def fetch(draw: st.DrawFn, place: tuple[str, int], offset: int) -> Step:
    """From one partition; nothing to read is answered after 5 ms."""
    topic, partition = place
    one = {
        "partition": partition, "fetch_offset": offset, "partition_max_bytes": 1 << 20,
        "current_leader_epoch": draw(st.sampled_from([-1, -1, -1, 0, 5])),
        "last_fetched_epoch": -1, "log_start_offset": -1,
    }  # fmt: skip
    values = {
        "replica_id": -1, "max_wait": 5, "min_bytes": draw(st.sampled_from([0, 1])),
        "max_bytes": 1 << 22, "isolation_level": draw(st.sampled_from([0, 1])), "session_id": 0,
        "session_epoch": -1, "rack_id": "", "forgotten_topics_data": [],
        "topics": [{"topic": topic, "topic_id": {"$topic": topic}, "partitions": [one]}],
    }  # fmt: skip
    return draw(asked("Fetch", values, at=draw(_where(place))))


@st.composite
def list_offsets(draw: st.DrawFn, place: tuple[str, int]) -> Step:
    """By a special timestamp, or by one around those of the records."""
    topic, partition = place
    stamp = draw(st.sampled_from([-1, -2, -3, STAMP, STAMP + 2, STAMP + 11, STAMP + 10_000_000]))
    one = {
        "partition_index": partition, "timestamp": stamp,
        "current_leader_epoch": draw(st.sampled_from([-1, -1, 0, 3])),
    }  # fmt: skip
    values = {
        "replica_id": -1, "isolation_level": draw(st.sampled_from([0, 1])), "timeout": 1000,
        "topics": [{"name": topic, "partitions": [one]}],
    }  # fmt: skip
    low = 7 if stamp == -3 else 0
    return draw(asked("ListOffsets", values, at=draw(_where(place)), low=low))


@st.composite
def delete_records(draw: st.DrawFn, place: tuple[str, int]) -> Step:
    """Up to some offset, perhaps beyond the end."""
    topic, partition = place
    one = {"partition_index": partition, "offset": draw(st.sampled_from([-1, 0, 1, 2, 4, 50, -5]))}
    values = {"topics": [{"name": topic, "partitions": [one]}], "timeout": 2000}
    return draw(asked("DeleteRecords", values, at=draw(_where(place))))


@st.composite
def metadata(draw: st.DrawFn, names: tuple[str, ...] = (A, B, MISSING)) -> Step:
    """Of one topic, by its name."""
    name = draw(st.sampled_from(names))
    values = {
        "topics": [{"name": name, "topic_id": None}], "allow_auto_topic_creation": False,
        "include_cluster_authorized_operations": False,
        "include_topic_authorized_operations": False,
    }  # fmt: skip
    surely = names == (A, B, MISSING) and name != MISSING  # versions below 4 create what is missing
    return draw(asked("Metadata", values, low=0 if surely else 4))


@st.composite
def epoch_ends(draw: st.DrawFn, place: tuple[str, int]) -> Step:
    """Where an epoch of a leader ended."""
    topic, partition = place
    one = {
        "partition": partition, "current_leader_epoch": draw(st.sampled_from([-1, -1, 0, 3])),
        "leader_epoch": draw(st.sampled_from([0, 0, 1, -1, 7])),
    }  # fmt: skip
    values = {"replica_id": -1, "topics": [{"topic": topic, "partitions": [one]}]}
    return draw(asked("OffsetForLeaderEpoch", values, at=draw(_where(place))))


@st.composite
def coordinator(draw: st.DrawFn) -> Step:
    """Who coordinates a group (0) or a transaction (1); 2 is no kind that is served."""
    values = {"key": "~g", "coordinator_keys": ["~g"], "key_type": draw(st.integers(0, 1))}
    return draw(asked("FindCoordinator", values, low=0 if values["key_type"] == 0 else 1))


@st.composite
def init_producer(
    draw: st.DrawFn, transactional: str | None = None, producer: Any = -1, epoch: int = -1
) -> Step:
    """A producer id, or a new epoch of one."""
    values = {
        "transactional_id": transactional, "transaction_timeout": 60000,
        "producer_id": producer, "producer_epoch": epoch,
    }  # fmt: skip
    at = f"transaction:{transactional}" if transactional else "any"
    return draw(asked("InitProducerId", values, at=at, low=3 if epoch >= 0 else 0))


@st.composite
def producers(draw: st.DrawFn, place: tuple[str, int]) -> Step:
    """Who writes to a partition, as far as its leader remembers."""
    topic, partition = place
    values = {"topics": [{"name": topic, "partition_indexes": [partition]}]}
    return draw(asked("DescribeProducers", values, at=draw(_where(place))))
