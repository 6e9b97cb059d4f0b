"""What is said: requests as plain data that fits into JSON, the same for every broker.

What only the broker knows is written as a mark, a mapping with one key that begins with `$`:

    {"$member": 0}       the first member id that was handed out     {"$producer": 0}  producer id
    {"$topic": "~a"}     the id of a topic                           {"$bytes": "0f"}  bytes
    {"$batch": {...}}    a record batch, see marks.py
    {"$epoch": 0}        the epoch that the first member was told last (KIP-848)
    {"$owned": 0}        the partitions that it was told last

A text that begins with `~` is a name of this conversation alone: topics, groups, transactional ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request. `link`: the connections of one number to one node are one. `at`: who is asked,
    see `players.Player.node`."""

    api: str
    version: int
    values: Mapping[str, Any]
    link: int = 0
    at: str = "any"

    def to_json(self) -> dict[str, Any]:
        return {"api": self.api, "version": self.version, "link": self.link, "at": self.at,
                "values": self.values}  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Step:
        return cls(**data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic that is there before the conversation begins."""

    name: str
    partitions: int = 1
    replication: int = 1
    configs: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "partitions": self.partitions,
                "replication": self.replication, "configs": dict(self.configs)}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """`family` is what it is about; `nodes` how many brokers it needs."""

    family: str
    topics: Sequence[Topic]
    steps: Sequence[Step]
    nodes: int = 1

    def to_json(self) -> dict[str, Any]:
        return {"family": self.family, "nodes": self.nodes,
                "topics": [topic.to_json() for topic in self.topics],
                "steps": [step.to_json() for step in self.steps]}  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Conversation:
        return cls(
            family=data["family"],
            nodes=data["nodes"],
            topics=[Topic(**topic) for topic in data["topics"]],
            steps=[Step.from_json(step) for step in data["steps"]],
        )
