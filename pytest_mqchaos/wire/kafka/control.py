"""What acks and control frames say: positions, groups, members, transactions, error codes.

Fields are taken by name wherever an API has them; the few that only one API has go to `details`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from pytest_mqchaos.frames import Direction, Frame, Outcome, Point, Position, Sighting
from pytest_mqchaos.wire.kafka.entities import first_error

NameOf = Callable[[Any], str]


def acked(frame: Frame, body: Any, name_of: NameOf, client: str | None) -> Sighting:
    """The sighting of an OffsetCommit or TxnOffsetCommit request."""
    positions = tuple(
        Position(name_of(topic), part.partition_index, part.committed_offset)
        for topic in body.topics
        for part in topic.partitions
    )
    producer = getattr(body, "producer_id", None)
    return Sighting(
        point=Point.ACK,
        name=frame.name,
        client=client,
        positions=positions,
        group=str(body.group_id),
        member=getattr(body, "member_id", None) or None,
        generation=_generation(body),
        transactional_id=getattr(body, "transactional_id", None),
        details={} if producer is None else {"producer_id": int(producer)},
    )


def ack_confirmed(
    frame: Frame, body: Any, request: Any, name_of: NameOf, client: str | None
) -> Sighting:
    """The sighting of the reply to an ack; `request` gives it its group."""
    outcomes = tuple(
        Outcome(name_of(topic), part.partition_index, int(part.error_code))
        for topic in body.topics
        for part in topic.partitions
    )
    return Sighting(
        point=Point.ACK_CONFIRM,
        name=frame.name,
        client=client,
        outcomes=outcomes,
        group=str(request.group_id) if request else None,
        member=getattr(request, "member_id", None) or None,
        generation=_generation(request),
        transactional_id=getattr(request, "transactional_id", None),
    )


def controlled(frame: Frame, body: Any, request: Any, client: str | None) -> Sighting:
    """The sighting of any other request or reply."""
    reply = frame.direction is Direction.TO_CLIENT
    asked = request if reply else body
    member = getattr(body, "member_id", None) or getattr(asked, "member_id", None)
    generation = _generation(body)
    return Sighting(
        point=Point.CONTROL,
        name=frame.name,
        client=client,
        group=_text(getattr(asked, "group_id", None)),
        member=member or None,
        generation=_generation(asked) if generation is None else generation,
        transactional_id=_text(
            getattr(asked, "transactional_id", None)
            or getattr(asked, "v3_and_below_transactional_id", None)
        ),
        error=first_error(body) if reply else None,
        details=_details(frame.name, body, reply=reply),
    )


def _generation(body: Any) -> int | None:
    for name in ("generation_id", "generation_id_or_member_epoch", "member_epoch"):
        value = getattr(body, name, None)
        if value is not None:
            return int(value)
    return None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _details(name: str, body: Any, *, reply: bool) -> Mapping[str, object]:
    read = (_REPLIES if reply else _REQUESTS).get(name)
    return {} if read is None else read(body)


def _subscribed(metadata: bytes) -> tuple[str, ...]:
    """The topics of a consumer's subscription (ConsumerProtocolSubscription: version, then an array
    of names); none where the bytes are not that."""
    try:
        (count,) = struct.unpack_from(">i", metadata, 2)
        at, names = 6, []
        for _ in range(count):
            (size,) = struct.unpack_from(">h", metadata, at)
            if size < 0:  # hostile: the position would stand still
                return ()
            names.append(metadata[at + 2 : at + 2 + size].decode())
            at += 2 + size
    except (struct.error, UnicodeDecodeError):
        return ()
    return tuple(names)


def _join_request(body: Any) -> Mapping[str, object]:
    consumer = body.protocol_type == "consumer"
    return {
        "subscribed": tuple(
            dict.fromkeys(
                name
                for item in (body.protocols if consumer else ())
                for name in _subscribed(bytes(item.metadata))
            )
        ),
        "protocol_type": body.protocol_type,
        "protocols": tuple((item.name, bytes(item.metadata)) for item in body.protocols),
        "instance": getattr(body, "group_instance_id", None),
        "session_timeout_ms": _ms(body.session_timeout),
    }


def _ms(span: Any) -> int:
    return int(span.total_seconds() * 1000 + 0.5)


def _join_reply(body: Any) -> Mapping[str, object]:
    return {
        "member_id": body.member_id,
        "generation": int(body.generation_id),
        "leader": body.leader,
        "protocol": body.protocol_name,
        "members": tuple(item.member_id for item in body.members),
    }


def _leavers(body: Any) -> Mapping[str, object]:
    members = getattr(body, "members", None)
    if members is None:
        return {"members": (body.member_id,) if hasattr(body, "member_id") else ()}
    return {
        "members": tuple(item.member_id for item in members),
        "instances": tuple(item.group_instance_id for item in members),
    }


def _producer(body: Any) -> Mapping[str, object]:
    return {
        "producer_id": int(getattr(body, "producer_id", -1)),
        "epoch": int(getattr(body, "producer_epoch", -1)),
    }


def _begin(body: Any) -> Mapping[str, object]:
    """Under a transactional id: what was open there is aborted."""
    return {"anew": True, **_producer(body)} if body.transactional_id else _producer(body)


def _end(body: Any) -> Mapping[str, object]:
    return {"committed": bool(body.committed), **_producer(body)}


def _metadata(body: Any) -> Mapping[str, object]:
    return {
        "brokers": tuple((int(item.node_id), item.host, item.port) for item in body.brokers),
        "topics": {
            str(topic.name): tuple(
                (part.partition_index, int(part.leader_id)) for part in topic.partitions
            )
            for topic in body.topics
            if topic.name is not None
        },
    }


def _created(body: Any) -> Mapping[str, object]:
    return {"topics": tuple((str(item.name), int(item.error_code)) for item in body.topics)}


def _assigned(body: Any) -> Mapping[str, object]:
    assignment = getattr(body, "assignment", None)
    return {"assignment": bytes(assignment) if isinstance(assignment, bytes) else None}


def _heartbeat(body: Any) -> Mapping[str, object]:
    """KIP-848: a member says what it subscribes to in its heartbeats, and what it has taken over;
    one that only stays says neither."""
    return {
        "subscribed": tuple(map(str, body.subscribed_topic_names or ())),
        "stays": int(body.member_epoch) > 0 and body.topic_partitions is None,
    }


_REQUESTS: dict[str, Callable[[Any], Mapping[str, object]]] = {
    "ConsumerGroupHeartbeat": _heartbeat,
    "JoinGroup": _join_request,
    "LeaveGroup": _leavers,
    "InitProducerId": _begin,
    "AddOffsetsToTxn": _producer,
    "EndTxn": _end,
}
_REPLIES: dict[str, Callable[[Any], Mapping[str, object]]] = {
    "JoinGroup": _join_reply,
    "SyncGroup": _assigned,
    "LeaveGroup": _leavers,
    "InitProducerId": _producer,
    "EndTxn": _producer,
    "Metadata": _metadata,
    "CreateTopics": _created,
}
