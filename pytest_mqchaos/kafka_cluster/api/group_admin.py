"""ListGroups, DescribeGroups, DeleteGroups: groups from outside."""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.api.groups import check_coordinator
from pytest_mqchaos.kafka_cluster.coordinators import GROUP
from pytest_mqchaos.kafka_cluster.groups.group import Group
from pytest_mqchaos.kafka_cluster.groups.members import Member, Phase
from pytest_mqchaos.kafka_cluster.registry import Call
from pytest_mqchaos.kafka_cluster.schema import Values

_MISSING_IS_ERROR_FROM = 6  # KIP-1043
_HOST = "/127.0.0.1"  # clients of an embedded cluster are on loopback


def list_groups(call: Call) -> Values:
    """ListGroups: those that this node coordinates, filtered by state and type."""
    states = {one.lower() for one in getattr(call.body, "states_filter", ())}
    types = {one.lower() for one in getattr(call.body, "types_filter", ())}
    return {
        "error_code": ErrorCode.none,
        "groups": [
            {
                "group_id": group.name,
                "protocol_type": group.protocol_type,
                "group_state": group.state,
                "group_type": group.kind,
            }
            for group in call.state.groups.all()
            if call.state.coordinators.check(GROUP, group.name, call.node) is ErrorCode.none
            and (not states or group.state.lower() in states)
            and (not types or group.kind in types)
        ],
    }


def describe_groups(call: Call) -> Values:
    """DescribeGroups: state and members; a group nobody used is Dead."""
    return {"groups": [_described(call, name) for name in call.body.groups]}


def delete_groups(call: Call) -> Values:
    """DeleteGroups: empty ones, with their offsets."""
    return {
        "results": [
            {"group_id": name, "error_code": _delete(call, name)} for name in call.body.groups_names
        ]
    }


def _delete(call: Call, name: str) -> ErrorCode:
    code = check_coordinator(call, name)
    if code is ErrorCode.none:
        code = call.state.groups.delete(name)
    if code is ErrorCode.none:
        call.state.offsets.forget_group(name)
    return code


def _described(call: Call, name: str) -> dict[str, Any]:
    code = check_coordinator(call, name)
    group = call.state.groups.classic(name)
    if code is not ErrorCode.none or group is None:
        missing = code is ErrorCode.none and call.version >= _MISSING_IS_ERROR_FROM
        other = call.state.groups.get(name) is not None
        text = f"Group {name} is not a classic group." if other else f"Group {name} not found."
        return {
            "error_code": ErrorCode.group_id_not_found if missing else code,
            "error_message": text if missing else None,
            "group_id": name,
            "group_state": "" if code is not ErrorCode.none else Phase.DEAD.value,
            "protocol_type": "",
            "protocol_data": "",
            "members": (),
        }
    stable = group.phase is Phase.STABLE
    return {
        "error_code": ErrorCode.none,
        "group_id": name,
        "group_state": group.state,
        "protocol_type": group.protocol_type,
        "protocol_data": (group.protocol or "") if stable else "",
        "members": [_member(group, one, stable=stable) for one in group.roster.all()],
    }


def _member(group: Group, member: Member, *, stable: bool) -> dict[str, Any]:
    return {
        "member_id": member.id,
        "group_instance_id": member.instance,
        "client_id": member.client,
        "client_host": _HOST,
        "member_metadata": member.metadata(group.protocol) if stable else b"",
        "member_assignment": member.assignment,  # the one before, while a round is not over
    }
