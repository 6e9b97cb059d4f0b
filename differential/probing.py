"""Wait until the coordinators of a running Kafka know the topics that were just made.

A coordinator hears of a topic some moments after its leaders do, each of its fifty parts by itself.
What a group of the newer protocol (KIP-848) is told before that is true, and other every time. So a
member of another group, which the same part serves, asks for the topic until it has it.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from typing import Any

from pytest_mqchaos.wire.kafka.coordinators import partition_of

_PARTS = 50  # of __consumer_offsets
_LIMIT, _PAUSE = 30.0, 0.01  # seconds
Ask = Callable[[str, int, Mapping[str, Any], int | None], Any]


def known(ask: Ask, group: str, topic: str) -> None:
    """Wait until the part of the coordinator that serves `group` knows `topic`.

    `ask(api, version, values, node)` gives an answer's body; node None is any. Raises
    `TimeoutError`.
    """
    probe = _beside(group)
    end = time.monotonic() + _LIMIT
    while True:
        node = _coordinator(ask, probe)
        told = ask("ConsumerGroupHeartbeat", 1, _beat(probe, 0, topic), node)
        if told.error_code == 0 and told.assignment and told.assignment.topic_partitions:
            ask("ConsumerGroupHeartbeat", 1, _beat(probe, -1, topic), node)
            return
        if time.monotonic() > end:
            raise TimeoutError(f"the coordinator of {group} still does not know {topic}: {told}")
        time.sleep(_PAUSE)


def _beside(group: str) -> str:
    names = (f"probe{number}" for number in itertools.count())
    return next(n for n in names if partition_of(n, _PARTS) == partition_of(group, _PARTS))


def _coordinator(ask: Ask, group: str) -> int | None:
    values = {"key_type": 0, "coordinator_keys": [group]}
    node = int(ask("FindCoordinator", 4, values, None).coordinators[0].node_id)
    return None if node < 0 else node


def _beat(group: str, epoch: int, topic: str) -> Mapping[str, Any]:
    return {
        "group_id": group, "member_id": "probe", "member_epoch": epoch, "instance_id": None,
        "rack_id": None, "rebalance_timeout": 30000, "subscribed_topic_names": [topic],
        "subscribed_topic_regex": None, "server_assignor": None, "topic_partitions": [],
    }  # fmt: skip
