"""What marks stand for on one broker, and back: ids that it made up become marks again.

Ids are counted in the order in which they were handed out, which is the same on every broker that
answers the same. It must never know which broker it is.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_mqchaos.frames import Record
from pytest_mqchaos.wire.kafka.records import build_batch

OWN = "~"
CLIENT = "differential"
STAMP = 1_700_000_000_000  # milliseconds; the base of all timestamps
# A member id: what the client or its instance calls itself, and a UUID.
_MADE_UP = re.compile(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_NOBODY, _NO_PRODUCER = "nobody-1", 987_654_321


class Marks:
    """Of one conversation on one broker. `prefix` makes its names its own."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.members: list[str] = []
        self.producers: list[int] = []
        self.topics: dict[str, uuid.UUID] = {}
        self._epochs: dict[str, int] = {}  # of members by the newer protocol, and what they have
        self._owned: dict[str, list[dict[str, Any]]] = {}

    def learn(self, body: Any) -> None:
        """Take note of the ids that an answer hands out."""
        member, producer = getattr(body, "member_id", ""), getattr(body, "producer_id", -1)
        if member and member not in self.members:
            self.members.append(member)
        if member and hasattr(body, "member_epoch"):
            self._learn_place(member, body)
        if producer >= 0 and producer not in self.producers:
            self.producers.append(producer)
        for topic in getattr(body, "topics", None) or ():
            known = getattr(topic, "topic_id", None)
            if known is not None and known.int and getattr(topic, "name", None):
                self.topics[str(topic.name)] = known

    def _learn_place(self, member: str, body: Any) -> None:
        self._epochs[member] = max(0, body.member_epoch)
        if body.assignment is not None:
            self._owned[member] = [
                {"topic_id": one.topic_id.bytes, "partitions": list(one.partitions)}
                for one in body.assignment.topic_partitions
            ]

    def resolve(self, value: Any) -> Any:
        """A request's values as this broker is to be told them."""
        if isinstance(value, str):
            return self.prefix + value[1:] if value.startswith(OWN) else value
        if isinstance(value, list | tuple):
            return [self.resolve(each) for each in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((mark, given),) = value.items()
            if mark.startswith("$"):
                return self._meant(mark, given)
        return {name: self.resolve(each) for name, each in value.items()}

    def _meant(self, mark: str, given: Any) -> Any:
        meanings: Mapping[str, Callable[[], Any]] = {
            "$member": lambda: self._known(self.members, given, _NOBODY),
            "$epoch": lambda: self._epochs.get(self._known(self.members, given, ""), 0),
            "$owned": lambda: self._owned.get(self._known(self.members, given, ""), []),
            "$producer": lambda: self._known(self.producers, given, _NO_PRODUCER),
            "$topic": lambda: self.topics.get(self.resolve(given), uuid.UUID(int=1)).bytes,
            "$bytes": lambda: bytes.fromhex(given),
            "$batch": lambda: self._batch(**given),
        }
        return meanings[mark]()

    @staticmethod
    def _known(ids: Sequence[Any], number: int, else_: Any) -> Any:
        return ids[number] if number < len(ids) else else_

    def _batch(  # noqa: PLR0913 - each argument is a property of a batch
        self, *, count: int = 1, producer: Any = None, epoch: int = -1, sequence: int = -1,
        transactional: bool = False, codec: str = "none", stamp: int = 0, harm: str = "",
        key: str | None = "k", size: int = 1,
    ) -> bytes:  # fmt: skip
        """`producer` None: not idempotent. `stamp`: milliseconds after `STAMP` of the first record,
        each is one later. `harm`: crc, magic, short, count or empty."""
        rows = [
            Record("", 0, -1, key.encode() if key is not None else None, b"%d" % n * size, (),
                   STAMP + stamp + n)
            for n in range(count)
        ]  # fmt: skip
        batch = bytearray(build_batch(
            rows, compression=codec, base_sequence=sequence, transactional=transactional,
            producer_id=self.resolve(producer) if producer is not None else -1,
            producer_epoch=epoch,
        ))  # fmt: skip
        return bytes(_harmed(batch, harm))

    def member(self, found: str) -> str:
        """A member id as a mark; `$member ?` for one that was not handed out yet."""
        if found in self.members:
            return f"$member {self.members.index(found)}"
        return "$member ?" if _MADE_UP.search(found) else found

    def producer(self, found: int) -> object:
        """A producer id as a mark."""
        return f"$producer {self.producers.index(found)}" if found in self.producers else found

    def topic(self, found: uuid.UUID | None) -> str | None:
        """A topic id as a mark."""
        if found is None or not found.int:
            return None
        names = [name for name, known in self.topics.items() if known == found]
        return f"$topic {self.name(names[0])}" if names else "$topic ?"

    def name(self, found: str) -> str:
        """A name of this conversation as it was written."""
        return found.replace(self.prefix, OWN) if self.prefix in found else found


def _harmed(batch: bytearray, harm: str) -> bytearray:
    match harm:
        case "crc":
            batch[-1] ^= 1
        case "magic":
            batch[16] = 1
        case "short":
            del batch[-3:]
        case "count":
            batch[57:61] = (99).to_bytes(4)
        case "empty":
            batch.clear()
    return batch
