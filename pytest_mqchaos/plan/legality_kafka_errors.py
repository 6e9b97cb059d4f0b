"""With which errors a Kafka broker may refuse what, and what causes those that nobody may invent:
data only, a part of the table in legality_kafka.py."""

from __future__ import annotations

from typing import Final

from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.table import Refusal

_CONTROL_REFUSALS: tuple[tuple[str, tuple[tuple[int, str], ...]], ...] = (
    ("Heartbeat", ((27, "another member joined"), (15, ""), (16, ""))),
    ("SyncGroup", ((27, "another member joined meanwhile"), (15, ""), (16, ""))),
    ("JoinGroup", ((15, ""), (14, ""), (16, ""))),
    ("LeaveGroup", ((15, ""), (16, ""))),
    ("ConsumerGroupHeartbeat", ((15, ""), (14, ""), (16, ""))),
    ("OffsetFetch", ((14, ""), (15, ""), (16, ""))),
    ("FindCoordinator", ((15, ""), (14, ""))),
    ("Metadata", ((5, "an election is under way"), (3, "the topic is not known here yet"))),
    ("ListOffsets", ((6, ""), (5, "an election is under way"))),
    ("InitProducerId", ((14, ""), (15, ""), (16, ""), (51, "the old transaction is ending"))),
    ("AddPartitionsToTxn", ((51, "the last transaction is ending"), (14, ""), (15, ""), (16, ""))),
    ("AddOffsetsToTxn", ((51, "the last transaction is ending"), (14, ""), (15, ""), (16, ""))),
    ("EndTxn", ((51, "the last transaction is ending"), (14, ""), (15, ""), (16, ""))),
)
_NAMES: dict[int, tuple[str, str]] = {
    3: ("UNKNOWN_TOPIC_OR_PARTITION", ""),
    5: ("LEADER_NOT_AVAILABLE", ""),
    6: ("NOT_LEADER_OR_FOLLOWER", "the partition's leader moved"),
    14: ("COORDINATOR_LOAD_IN_PROGRESS", "a new coordinator reads its state"),
    15: ("COORDINATOR_NOT_AVAILABLE", "the coordinator is being elected"),
    16: ("NOT_COORDINATOR", "the coordinator moved"),
    27: ("REBALANCE_IN_PROGRESS", ""),
    51: ("CONCURRENT_TRANSACTIONS", ""),
}
REFUSED: Final = tuple(api for api, _ in _CONTROL_REFUSALS)

REFUSALS: Final = (
    Refusal(
        point=Point.PUBLISH,
        code=6,
        name="NOT_LEADER_OR_FOLLOWER",
        cause="the partition's leader moved",
        default=True,
    ),
    Refusal(
        point=Point.PUBLISH,
        code=7,
        name="REQUEST_TIMED_OUT",
        cause="followers were too slow; the leader keeps the batch",
        stored=True,
    ),
    Refusal(
        point=Point.PUBLISH,
        code=19,
        name="NOT_ENOUGH_REPLICAS",
        cause="too few replicas were in sync, nothing was appended",
    ),
    Refusal(
        point=Point.PUBLISH,
        code=20,
        name="NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        cause="too few replicas were in sync after the append",
        stored=True,
    ),
    *(
        Refusal(
            point=Point.ACK,
            code=code,
            name=_NAMES[code][0],
            cause=_NAMES[code][1],
            default=code == 14,  # noqa: PLR2004 - COORDINATOR_LOAD_IN_PROGRESS
        )
        for code in (14, 15, 16)
    ),
    Refusal(
        point=Point.ACK,
        code=27,
        name="REBALANCE_IN_PROGRESS",
        cause="the group was dividing its partitions",
        apis=("OffsetCommit",),
    ),
    *(
        Refusal(
            point=Point.CONTROL,
            code=code,
            name=_NAMES[code][0],
            cause=cause or _NAMES[code][1],
            apis=(api,),
            default=place == 0,
        )
        for api, errors in _CONTROL_REFUSALS
        for place, (code, cause) in enumerate(errors)
    ),
)
_EVICT = "on.ack(...).redeliver() or on.control(api='Heartbeat').rebalance()"
_LATER = "a second producer with the same transactional.id in your test"
_SEQUENCE = "on.confirm(...).drop() with an idempotent producer: the broker checks the sequence"
CAUSED: Final = {
    1: ("OFFSET_OUT_OF_RANGE", "delete records of the topic below the position"),
    22: ("ILLEGAL_GENERATION", _EVICT),
    25: ("UNKNOWN_MEMBER_ID", _EVICT),
    45: ("OUT_OF_ORDER_SEQUENCE_NUMBER", _SEQUENCE),
    46: ("DUPLICATE_SEQUENCE_NUMBER", _SEQUENCE),
    47: ("INVALID_PRODUCER_EPOCH", _LATER),
    48: ("INVALID_TXN_STATE", _LATER),
    59: ("UNKNOWN_PRODUCER_ID", _SEQUENCE),
    82: ("FENCED_INSTANCE_ID", "a second member with the same group.instance.id in your test"),
    90: ("PRODUCER_FENCED", _LATER),
    110: ("FENCED_MEMBER_EPOCH", _EVICT),
    113: ("STALE_MEMBER_EPOCH", _EVICT),
}
