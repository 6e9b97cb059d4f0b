"""JoinGroup, SyncGroup, Heartbeat, LeaveGroup: the classic group protocol on the wire."""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.coordinators import GROUP
from pytest_mqchaos.kafka_cluster.groups.group import Group
from pytest_mqchaos.kafka_cluster.groups.members import Joined, Joining, Synced, Syncing
from pytest_mqchaos.kafka_cluster.registry import Call, Instead
from pytest_mqchaos.kafka_cluster.schema import Values, milliseconds

_KNOWN_MEMBERS_FROM = 4  # KIP-394
_OWN_REBALANCE_TIMEOUT_FROM = 1
_MANY_LEAVE_FROM = 3  # KIP-345
_NULL_PROTOCOL_FROM = 7
_SKIPS_FROM = 9  # KIP-814
_SYNC_NAMES_FROM = 5  # KIP-559
_OTHER_PROTOCOL = ErrorCode.inconsistent_group_protocol
# Libraries whose new members must not have their first generation at once, in ms. kafka-python asks
# for its topics 100 ms after its first Metadata and joins before that; if a poll() of the
# application then ends while it joins once more, it forgets the assignment and reads nothing ever
# after (3.0.12, with Kafka too; Kafka's own delay of 3000 ms hides it).
_DELAYS = {"kafka-python": 150}


def join_group(call: Call) -> Values | Instead:
    """JoinGroup: answered when the group's next generation begins."""
    body = call.body
    code = _check_join(call)
    if code is not ErrorCode.none:
        return _joined(call.version, Joined(code, body.member_id))
    group = call.state.groups.classic(body.group_id, create=not body.member_id)
    if group is None:
        # A group of KIP-848 has members: moving it between the protocols while it runs is refused.
        code = ErrorCode.unknown_member_id if body.member_id else _OTHER_PROTOCOL
        return _joined(call.version, Joined(code, body.member_id))
    session = milliseconds(body.session_timeout)
    own = call.version >= _OWN_REBALANCE_TIMEOUT_FROM
    asked = Joining(
        member_id=body.member_id,
        client=call.client or "",
        protocol_type=body.protocol_type,
        protocols=tuple((one.name, one.metadata) for one in body.protocols),
        session=session,
        rebalance=milliseconds(body.rebalance_timeout) if own else session,
        needs_id=call.version >= _KNOWN_MEMBERS_FROM,
        delay=_DELAYS.get(call.software, 0),
        instance=getattr(body, "group_instance_id", None),
        skips=call.version >= _SKIPS_FROM,
    )
    group.join(asked, lambda joined, now: call.reply(_joined(call.version, joined), now), call.now)
    return Instead.LATER


def sync_group(call: Call) -> Values | Instead:
    """SyncGroup: answered when the leader has brought the assignments."""
    body = call.body
    if call.version >= _SYNC_NAMES_FROM and None in {body.protocol_type, body.protocol_name}:
        return _synced(Synced(ErrorCode.inconsistent_group_protocol))
    group, code = _group(call)
    if group is None or code is not ErrorCode.none:
        return _synced(Synced(code))
    asked = Syncing(
        member_id=body.member_id,
        generation=body.generation_id,
        assignments={one.member_id: one.assignment for one in body.assignments},
        instance=getattr(body, "group_instance_id", None),
        protocol_type=getattr(body, "protocol_type", None),
        protocol=getattr(body, "protocol_name", None),
    )
    group.sync(asked, lambda synced, now: call.reply(_synced(synced), now), call.now)
    return Instead.LATER


def heartbeat(call: Call) -> Values:
    """Heartbeat: 27 tells a member to rejoin."""
    group, code = _group(call)
    if group is not None and code is ErrorCode.none:
        instance = getattr(call.body, "group_instance_id", None)
        code = group.heartbeat(call.body.member_id, instance, call.body.generation_id, call.now)
    return {"error_code": code}


def leave_group(call: Call) -> Values:
    """LeaveGroup: of one member, from v3 on of several."""
    code = _check_named(call)
    group = call.state.groups.get(call.body.group_id)
    if code is not ErrorCode.none:
        return {"error_code": code, "members": ()}
    if call.version < _MANY_LEAVE_FROM:
        leaving = [(call.body.member_id, None)]
    else:
        leaving = [(one.member_id, one.group_instance_id) for one in call.body.members]
    codes = [ErrorCode.unknown_member_id] * len(leaving)
    if group is not None:
        codes = group.leave(leaving, call.now)
    if call.version < _MANY_LEAVE_FROM:
        return {"error_code": codes[0]}
    return {
        "error_code": ErrorCode.none,
        "members": [
            {"member_id": member_id, "group_instance_id": instance, "error_code": code}
            for (member_id, instance), code in zip(leaving, codes, strict=True)
        ],
    }


def check_coordinator(call: Call, group: str) -> ErrorCode:
    """Say whether the node that was asked coordinates this group. The empty name is one too: old
    clients commit under it."""
    return call.state.coordinators.check(GROUP, group, call.node)


def _check_named(call: Call) -> ErrorCode:
    if not call.body.group_id:
        return ErrorCode.invalid_group_id
    return check_coordinator(call, call.body.group_id)


def _check_join(call: Call) -> ErrorCode:
    code = _check_named(call)
    if code is not ErrorCode.none:
        return code
    settings = call.state.settings
    low, high = settings.group_min_session_timeout_ms, settings.group_max_session_timeout_ms
    if not low <= milliseconds(call.body.session_timeout) <= high:
        return ErrorCode.invalid_session_timeout
    return ErrorCode.none


def _group(call: Call) -> tuple[Group | None, ErrorCode]:
    code = _check_named(call)
    group = call.state.groups.classic(call.body.group_id)
    if code is ErrorCode.none and group is None:
        code = ErrorCode.unknown_member_id
    return group, code


def _joined(version: int, joined: Joined) -> dict[str, Any]:
    nothing = None if version >= _NULL_PROTOCOL_FROM else ""
    return {
        "error_code": joined.code,
        "generation_id": joined.generation,
        "protocol_type": joined.protocol_type,
        "protocol_name": nothing if joined.protocol is None else joined.protocol,
        "leader": joined.leader,
        "member_id": joined.member_id,
        "members": [
            {"member_id": member_id, "group_instance_id": instance, "metadata": metadata}
            for member_id, instance, metadata in joined.members
        ],
        "skip_assignment": joined.skip,
    }


def _synced(synced: Synced) -> dict[str, Any]:
    return {
        "error_code": synced.code,
        "protocol_type": synced.protocol_type,
        "protocol_name": synced.protocol,
        "assignment": synced.assignment,
    }
