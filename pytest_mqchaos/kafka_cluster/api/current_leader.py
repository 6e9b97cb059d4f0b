"""Who leads, told beside the error that says that this node does not (KIP-951).

It knows what one node knows; the truth may be another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.registry import Call

_WRONG_LEADER = {ErrorCode.not_leader_or_follower, ErrorCode.fenced_leader_epoch}
NOBODY = {"leader_id": -1, "leader_epoch": -1}


def current_leader(call: Call, code: ErrorCode, topic: str, index: int) -> dict[str, Any]:
    """Give leader and epoch as the node that was asked knows them; nothing for other errors."""
    partition = call.state.topics.partition(topic, index) if code in _WRONG_LEADER else None
    if partition is None:
        return NOBODY
    seen = partition.seen_by(call.node)
    leader = -1 if seen.leader is None else seen.leader
    return {"leader_id": leader, "leader_epoch": seen.epoch}


def endpoints(call: Call, leaders: Sequence[int]) -> list[dict[str, Any]]:
    """Give the addresses of these nodes, each once."""
    if not leaders:
        return []
    addresses = call.state.addresses
    return [
        {"node_id": node, "host": addresses[node][0], "port": addresses[node][1], "rack": None}
        for node in sorted(set(leaders) & addresses.keys())
    ]
