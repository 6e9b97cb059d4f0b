"""Consumer groups as the cluster sees them: who is in them, and how far they are.

Classic groups and those of the consumer protocol (KIP-848) alike; a kind of group that we cannot
look into has `members` None. It must never know the code under test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from pytest_mqchaos.brokers.kafka_ask import Asker, TopicPartition
from pytest_mqchaos.brokers.kafka_request import refuse

T = TypeVar("T")
Call = Callable[[str, Mapping[str, object]], Any]  # ask the coordinator

_GROUP_NOT_FOUND = 69
_CONSUMER_GROUP_DESCRIBE = 69
_NO_OFFSET = -1


class Member(NamedTuple):
    """One member. `instance` is the static id (KIP-345), `host` as the broker saw it."""

    id: str
    client: str
    host: str
    instance: str | None


class Group(NamedTuple):
    """`state` is Kafka's word ("Stable", "Empty", ...); `type` "classic", "consumer", ... ("" on
    brokers that do not tell); `coordinator` is a node id; `members` None: cannot be asked."""

    name: str
    state: str
    type: str
    coordinator: int
    members: tuple[Member, ...] | None


def groups(ask: Asker) -> list[Group]:
    """See `Direct.groups`. Each node lists those that it coordinates; one that died meanwhile is no
    longer told of, once the cluster has noticed."""

    def attempt(left: float) -> list[Group]:
        nodes = ask.look((), left).nodes
        return [group for node in sorted(nodes) for group in _at(ask, node, left)]

    return ask.persist("list groups at every node", attempt)


def committed(ask: Asker, group: str | None) -> dict[str, dict[TopicPartition, int]]:
    """See `Direct.committed`."""
    names = [group] if group is not None else [each.name for each in groups(ask)]
    return {
        name: _coordinated(ask, name, f"ask for the offsets of group {name!r}", _offsets(name))
        for name in names
    }


def leave(ask: Asker, group: str, member: str) -> None:
    """See `Direct.leave_group` (LeaveGroup, KIP-345 from version 3 on)."""

    def request(call: Call) -> None:
        gone = {"member_id": member, "group_instance_id": None}
        reply = call("LeaveGroup", {"group_id": group, "member_id": member, "members": [gone]})
        what = f"making {member!r} leave group {group!r}"
        refuse(what, reply.error_code)
        for each in getattr(reply, "members", ()):
            refuse(what, each.error_code)

    _coordinated(ask, group, f"make {member!r} leave group {group!r}", request)


def delete(ask: Asker, group: str) -> None:
    """See `Direct.delete_group`."""

    def request(call: Call) -> None:
        for each in call("DeleteGroups", {"groups_names": (group,)}).results:
            if each.error_code != _GROUP_NOT_FOUND:
                refuse(f"deleting group {group!r}", each.error_code)

    _coordinated(ask, group, f"delete group {group!r}", request)


def _offsets(group: str) -> Callable[[Call], dict[TopicPartition, int]]:
    def request(call: Call) -> dict[TopicPartition, int]:
        one = {"group_id": group, "topics": None, "member_id": None, "member_epoch": -1}
        reply = call("OffsetFetch", {"group_id": group, "topics": None, "groups": [one],
                                     "require_stable": False})  # fmt: skip
        answer = reply.groups[0] if hasattr(reply, "groups") else reply
        if answer.error_code == _GROUP_NOT_FOUND:
            return {}
        refuse(f"OffsetFetch of group {group!r}", answer.error_code)
        found = {}
        for topic in answer.topics:
            for each in topic.partitions:
                refuse(f"OffsetFetch of {topic.name}-{each.partition_index}", each.error_code)
                if each.committed_offset != _NO_OFFSET:
                    found[str(topic.name), int(each.partition_index)] = int(each.committed_offset)
        return found

    return request


def _coordinated(
    ask: Asker,
    group: str,
    what: str,
    request: Callable[[Call], T],
) -> T:
    """Ask the group's coordinator, whoever that is now."""

    def attempt(left: float) -> T:
        values = {"key": group, "key_type": 0, "coordinator_keys": (group,)}
        reply = ask.seed(lambda c, left: c.call("FindCoordinator", values, left), left)
        answer = reply.coordinators[0] if hasattr(reply, "coordinators") else reply
        refuse(f"finding the coordinator of {group!r}", answer.error_code)
        return request(lambda api, given: ask.call(int(answer.node_id), api, given, left))

    return ask.persist(what, attempt)


def _at(ask: Asker, node: int, left: float) -> list[Group]:
    reply = ask.call(node, "ListGroups", {}, left)
    refuse(f"ListGroups at node {node}", reply.error_code)
    kinds = {str(g.group_id): str(getattr(g, "group_type", "")).lower() for g in reply.groups}
    told = {
        **_classic(ask, node, [g for g, kind in kinds.items() if kind in ("", "classic")], left),
        **_consumer(ask, node, [g for g, kind in kinds.items() if kind == "consumer"], left),
    }
    found = []
    for each in reply.groups:
        name = str(each.group_id)
        state, members = told.get(name, (str(getattr(each, "group_state", "")), None))
        found.append(
            Group(name=name, state=state, type=kinds[name], coordinator=node, members=members)
        )
    return found


_Told = dict[str, tuple[str, tuple[Member, ...] | None]]


def _classic(ask: Asker, node: int, names: list[str], left: float) -> _Told:
    if not names:
        return {}
    values = {"groups": names, "include_authorized_operations": False}
    reply = ask.call(node, "DescribeGroups", values, left)
    return _told(reply.groups, "group_instance_id")


def _consumer(ask: Asker, node: int, names: list[str], left: float) -> _Told:
    if not names or _CONSUMER_GROUP_DESCRIBE not in ask.node(node, left).served(left):
        return {}
    values = {"group_ids": names, "include_authorized_operations": False}
    reply = ask.call(node, "ConsumerGroupDescribe", values, left)
    return _told(reply.groups, "instance_id")


def _told(described: Any, instance: str) -> _Told:
    found: _Told = {}
    for group in described:
        if group.error_code == _GROUP_NOT_FOUND:  # ended between the two questions
            continue
        refuse(f"describing group {group.group_id!r}", group.error_code)
        members = tuple(
            Member(m.member_id, m.client_id, m.client_host, getattr(m, instance, None))
            for m in group.members
        )
        found[str(group.group_id)] = (str(group.group_state), members)
    return found
