"""Which nodes the words of a rule mean: a leader, a follower, a coordinator, all, or one by its id.

It knows roles of nodes as the broker tells them now; it must never know what is done to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_mqchaos.brokers.base import Broker, Placed
from pytest_mqchaos.errors import Impossible

Arguments = Mapping[str, Any]


def meant(broker: Broker, given: Arguments) -> tuple[list[int], str]:
    """Which nodes a target means, and what to call them. With one node every name means it.

    Raises `Impossible`, as all of these do, where nobody is meant."""
    target, node = given.get("target", "leader"), int(given["node"])
    known = sorted(broker.addresses())
    if target == "all":
        return known, f"all brokers ({named(known)})" if len(known) > 1 else f"node {known[0]}"
    if len(known) == 1 and not isinstance(target, int):
        return known, f"node {known[0]}"
    if isinstance(target, int):
        if target not in known:
            raise Impossible(f"there is no node {target}: there are {named(known)}")
        return [target], f"node {target}"
    found, role = _role(broker, str(target), node, given)
    return [found], f"node {found}{role}"


def _role(broker: Broker, target: str, node: int, given: Arguments) -> tuple[int, str]:
    if target == "coordinator":
        return _coordinator(broker, node, given)
    if not given.get("places") and target == "leader":
        return node, ""  # a request without messages: whoever it goes to
    topic, partition = places(given, target)[0]
    if target == "leader":
        found = leader(broker, topic, partition)
        return (node if found is None else found), f", leader of {topic}-{partition},"
    return followers(broker, topic, partition)[0], f", follower of {topic}-{partition},"


def _coordinator(broker: Broker, node: int, given: Arguments) -> tuple[int, str]:
    names = {"transaction": given.get("transactional_id"), "group": given.get("group")}
    kind, key = next(((kind, key) for kind, key in names.items() if key), ("", ""))
    if not kind:
        raise Impossible(
            "this frame names no group and no transaction, so nobody coordinates it: use it at "
            "on.ack(...) or at a request of a group such as on.control(api='Heartbeat')"
        )
    found = broker.coordinator(kind, str(key)) if isinstance(broker, Placed) else node
    if found is None:
        raise Impossible(f"nobody coordinates the {kind} {key!r} just now")
    return found, f", coordinator of {kind} {key},"


def places(given: Arguments, role: str) -> list[tuple[str, int]]:
    """The partitions that the frame names, of which somebody could have this role."""
    found = [(str(topic), int(partition)) for topic, partition in given.get("places") or ()]
    if not found:
        raise Impossible(f"this frame names no partition that could have a {role}")
    return found


def leader(broker: Broker, topic: str, partition: int) -> int | None:
    """The node that leads it; None while nobody does, or where the broker cannot tell."""
    return broker.leader(topic, partition) if isinstance(broker, Placed) else None


def followers(broker: Broker, topic: str, partition: int) -> tuple[int, ...]:
    """The nodes that hold a copy of it and do not lead it, at least one."""
    found = broker.followers(topic, partition) if isinstance(broker, Placed) else ()
    if not found:
        raise Impossible(
            f"{topic}-{partition} has one replica, so there is no follower: create it with "
            "replication=2 or more"
        )
    return tuple(found)


def named(nodes: Sequence[int]) -> str:
    """Nodes as one says them."""
    return f"node{'s' if len(nodes) > 1 else ''} {', '.join(map(str, nodes))}"
