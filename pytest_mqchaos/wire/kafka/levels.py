"""How closely each API is looked at: `Interest` -> one byte of flags per API key.

The tables are shared by all scanners with the same interest. A flag of 0 means "unseen": the frame
is stepped over by its length alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from pytest_mqchaos.wire.base import Interest
from pytest_mqchaos.wire.kafka.apis import (
    API_VERSIONS,
    APIS,
    KEYS,
    SASL_HANDSHAKE,
)
from pytest_mqchaos.wire.kafka.endpoints import ENDPOINTS_FROM

NOTE = 1  # remember the request until its reply passed
KEEP = 2  # and its bytes, because the reply will be looked at
RECORD = 4  # hand it over once it was let through
DECIDE = 8  # hold it whole
ODD = 16  # not in our table, or special: check before trusting it
LATE = 32  # matters from a version on only (ENDPOINTS_FROM): its replies may name brokers (KIP-951)

ADDRESSES: frozenset[str] = frozenset(
    ("Metadata", "FindCoordinator", "DescribeCluster", "ShareFetch", "ShareAcknowledge")
)
_MEMBERSHIP = ("JoinGroup", "SyncGroup", "LeaveGroup", "ConsumerGroupHeartbeat")
_ACKS = ("OffsetCommit", "TxnOffsetCommit")
_TRANSACTIONS = ("EndTxn", "AddOffsetsToTxn", "InitProducerId")
# A Fetch request tells from where its reply really begins, and incremental sessions (KIP-227) need
# every one of them: without it a re-read batch would look like a second delivery of its head.
RECORDED_REQUESTS: frozenset[str] = frozenset(
    ("Produce", "Fetch", *_MEMBERSHIP, *_ACKS, *_TRANSACTIONS)
)
RECORDED_REPLIES: frozenset[str] = RECORDED_REQUESTS | {
    "CreateTopics",
    "Metadata",
    "DescribeTopicPartitions",
}

ALL_REQUESTS = bytes([NOTE | DECIDE]) * 65536
ALL_REPLIES = bytes([DECIDE]) * 65536


ALWAYS = -1 << 15  # the lowest version that a header can name
NEVER = 1 << 15


class Levels(NamedTuple):
    """Flags by API key (as an unsigned 16-bit number). `looked_at`: the version from which on a
    request is looked at, for the keys of our table (any other always is)."""

    requests: bytes
    replies: bytes
    looked_at: tuple[int, ...]


@lru_cache(maxsize=64)
def levels(interest: Interest) -> Levels:
    """Build the tables for an interest; names that are no API of ours are of no effect."""
    replies = _replies(interest)
    requests = bytearray([ODD | (NOTE if interest.track else 0)]) * 65536
    for key, api in APIS.items():
        flags = NOTE if interest.track else 0
        if replies[key] & (RECORD | DECIDE) and api.name not in ADDRESSES and key != API_VERSIONS:
            flags |= NOTE | KEEP
        elif replies[key]:
            flags |= NOTE | (LATE if key in ENDPOINTS_FROM and not interest.track else 0)
        if interest.record and api.name in RECORDED_REQUESTS:
            flags |= NOTE | RECORD
        if api.name in interest.requests:
            flags = flags & ~LATE | NOTE | DECIDE
        requests[key] = flags
    requests[SASL_HANDSHAKE] |= ODD
    for name in interest.replies:  # a rule on such a reply wants the request as well
        if name in KEYS:
            requests[KEYS[name]] |= NOTE | KEEP
    return Levels(bytes(requests), bytes(replies), _looked_at(requests))


def _looked_at(requests: bytearray) -> tuple[int, ...]:
    """What the scanner asks of every frame that it steps over, hence made ready for it."""
    found = [ALWAYS] * (max(APIS) + 1)
    for key in APIS:
        if not requests[key]:
            found[key] = NEVER
        elif requests[key] == NOTE | LATE:
            found[key] = ENDPOINTS_FROM[key]
    return tuple(found)


def _replies(interest: Interest) -> bytearray:
    replies = bytearray(65536)
    for key, api in APIS.items():
        flags = 0
        if interest.record and api.name in RECORDED_REPLIES:
            flags |= RECORD
        if api.name in ADDRESSES or key == API_VERSIONS or api.name in interest.replies:
            flags |= DECIDE
        if key in ENDPOINTS_FROM:
            flags |= LATE
        replies[key] = flags
    return replies
