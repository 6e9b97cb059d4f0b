"""One Kafka request as bytes, one reply as data, in the newest version that both sides know.

It knows schemas (from kio) and versions; it must never know sockets, topics or retries. Values are
given as plain mappings named as in the protocol's newest schemas; what a version does not have is
left out, so a caller may give both spellings of a renamed field.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Mapping
from typing import Any

from pytest_mqchaos.errors import BrokerError, BrokerRefused, missing_extra
from pytest_mqchaos.wire.kafka import bodies
from pytest_mqchaos.wire.kafka.compression import Unreadable
from pytest_mqchaos.wire.kafka.packing import pack

try:
    from kio.index import load_request_schema
except ImportError as error:
    raise missing_extra("kio", "kafka", "talking to a Kafka broker") from error

NONE = 0
_CLIENT = b"mqchaos-direct"

# API: key, oldest and newest version that the callers in this room give all values for.
# OffsetFetch 10 and Metadata below 4 (auto-creates) are left out on purpose.
APIS: dict[str, tuple[int, int, int]] = {
    "Produce": (0, 3, 12),
    "Fetch": (1, 4, 17),
    "ListOffsets": (2, 2, 10),
    "Metadata": (3, 4, 13),
    "OffsetFetch": (9, 2, 9),
    "FindCoordinator": (10, 1, 6),
    "LeaveGroup": (13, 0, 5),
    "DescribeGroups": (15, 0, 6),
    "ListGroups": (16, 0, 5),
    "ApiVersions": (18, 0, 4),
    "CreateTopics": (19, 2, 7),
    "DeleteTopics": (20, 1, 6),
    "DeleteGroups": (42, 0, 2),
    "ElectLeaders": (43, 1, 2),
    "AlterPartitionReassignments": (45, 0, 1),
    "UpdateFeatures": (57, 1, 2),
    "ConsumerGroupDescribe": (69, 0, 1),
}


def choose(api: str, served: Mapping[int, tuple[int, int]]) -> int:
    """The version to speak. BrokerError if the broker does not serve it in a version we know."""
    key, oldest, newest = APIS[api]
    if key not in served:
        raise BrokerError(f"the broker does not serve {api} (API key {key})")
    low, high = served[key]
    version = min(newest, high)
    if version < max(oldest, low):
        raise BrokerError(
            f"no common version of {api}: the broker serves {low} to {high}, we know {oldest} to "
            f"{newest}"
        )
    return version


def encode(api: str, version: int, correlation: int, values: Mapping[str, object]) -> bytes:
    """A whole request frame, length prefix included."""
    head, body_type = _request(APIS[api][0], version)
    frame = struct.pack(">hhi", APIS[api][0], version, correlation) + head + pack(body_type, values)
    return struct.pack(">i", len(frame)) + frame


@functools.cache
def _request(key: int, version: int) -> tuple[bytes, Any]:
    """What is between its correlation id and its body (who asks, no tagged fields), its schema."""
    body_type: Any = load_request_schema(key, version)
    tags = b"\0" if body_type.__header_schema__.__flexible__ else b""
    return struct.pack(">h", len(_CLIENT)) + _CLIENT + tags, body_type


def decode(api: str, version: int, frame: bytes) -> Any:
    """The reply's body; `frame` has its length prefix. BrokerError if it cannot be read."""
    try:
        body, _ = bodies.read(APIS[api][0], version, frame, 0, reply=True)
    except Unreadable as error:
        raise BrokerError(f"unreadable reply to {api} version {version}: {error}") from error
    return body


def correlation_of(frame: bytes) -> int:
    """Of a reply frame; both reply headers begin with it."""
    return int(struct.unpack_from(">i", frame, 4)[0])


def refuse(what: str, code: int, message: str | None = None) -> None:
    """Raise BrokerRefused for every code but 0."""
    if code != NONE:
        name = getattr(code, "name", "")
        text = f": {message}" if message else ""
        raise BrokerRefused(
            f"{what} was refused with {name.upper()} ({int(code)}){text}", int(code)
        )


def retriable(code: int) -> bool:
    """Whether Kafka says that the same request may succeed later."""
    from kio.schema.errors import ErrorCode

    try:
        return bool(ErrorCode(code).retriable)
    except ValueError:
        return False
