"""What may befall Kafka's brokers at a frame: data only, a part of the table in legality_kafka.py.

The faults differ little from point to point: what sets them off is a frame, what they hit is a
broker. Sources: the KIPs named in the rows, and the broker configuration.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.table import CLUSTERED, Row

_row = partial(Row, protocol="kafka", fair_to="both")
_REPLICAS = "KIP-101 and KIP-279 (leader epochs), KIP-966; broker configuration min.insync.replicas"
_FLUSH = "Broker configuration log.flush.interval.messages, topic configuration flush.messages"
_QUORUM = "KIP-631 (fencing of brokers), broker configuration broker.session.timeout.ms; KIP-966"
_ONLY_PUBLISH = "what no follower has is what a producer has just sent: use it at on.publish(...)"


def _process_rows(point: Point, frame: str) -> tuple[Row, ...]:
    """A broker's process or machine at one point."""
    one = partial(_row, point=point)
    unreplicated = {"unreplicated": ("ReplicationHoldable", CLUSTERED)}
    more = (
        " With unreplicated=True the leader takes the frame first and answers it, as far as it "
        "does that alone (acks=1), while no follower copies; then it dies."
        if point is Point.PUBLISH
        else ""
    )
    return (
        one(
            fault="kill_broker",
            what=f"The broker is killed while {frame} is held; then the frame goes on.{more}",
            cause="The broker's process or machine died.",
            survives="What enough in-sync replicas had; with one replica, what its log kept.",
            reference=_REPLICAS,
            consequence="Clients reconnect, to a new leader if there is a replica, else when the "
            "broker is back. Requests without an answer are sent again.",
            needs=("Killable",),
            option_needs=unreplicated if point is Point.PUBLISH else {},
            refused_options={} if point is Point.PUBLISH else {"unreplicated": _ONLY_PUBLISH},
        ),
        one(
            fault="pause_broker",
            what=f"The broker stands still while {frame} is held; then the frame goes on.",
            cause="A long garbage collection, a stalled disk, a suspended virtual machine.",
            survives="Everything that was confirmed.",
            reference=_REPLICAS,
            consequence="Requests wait or time out; sessions may end; with replicas another node "
            "takes over.",
            needs=("Pausable",),
        ),
        one(
            fault="restart_broker",
            what=f"The broker is stopped while {frame} is held and started again with "
            "the same identity, port and data; then the frame goes on.",
            cause="A rolling upgrade or a change of configuration.",
            survives="Everything that was confirmed.",
            reference=_REPLICAS,
            consequence="Clients reconnect; groups join again; requests without an answer are "
            "sent again.",
            needs=("Killable",),
        ),
        one(
            fault="power_loss",
            what=f"The broker is killed while {frame} is held, and what its log had not flushed "
            "is gone; then the frame goes on.",
            cause="The machine lost its power: what stood in its page cache alone never reached "
            "the disk. Kafka leaves flushing to the operating system unless told otherwise.",
            survives="What another in-sync replica had, on a machine that kept its power; with one "
            "replica, what had been flushed.",
            reference=_FLUSH,
            consequence="With replicas another node takes over and nothing confirmed to acks=all "
            "is gone. Without, the log comes back shorter: confirmed messages are gone, and their "
            "offsets are given to others.",
            needs=("PowerLosable",),
        ),
    )


def _leader_row(point: Point, frame: str) -> Row:
    return _row(
        point=point,
        fault="move_leader",
        what=f"Another in-sync replica takes the lead of the partition while {frame} is held; then "
        "the frame goes on to the old leader, which refuses it if it is for leaders only.",
        cause="A controlled shutdown, the return of the preferred leader, or an operator who "
        "moves partitions.",
        survives="Everything that was confirmed.",
        reference="Kafka protocol guide, NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH; KIP-320",
        consequence="Clients ask for metadata and go on with the new leader. A plain producer with "
        "several batches in flight may swap messages.",
        needs=("LeaderMovable", CLUSTERED),
    )


def _network_row(point: Point, frame: str) -> Row:
    return _row(
        point=point,
        fault="partition",
        what=f"While {frame} is held the network between the broker and all others is cut; "
        "then the frame goes on. Clients still reach every broker.",
        cause="A switch or a firewall between the brokers failed.",
        survives="What was confirmed with acks=all and min.insync.replicas of 2 or more.",
        reference=_QUORUM,
        consequence="The broker that is cut off can no longer change its in-sync set: what asks "
        "for acks=all waits there. Its session at the controllers ends, the others elect a new "
        "leader. What it confirmed meanwhile to acks=1 is cut off its log when the network is "
        "back.",
        needs=("Partitionable", CLUSTERED),
    )


_FRAMES = {
    Point.PUBLISH: "a Produce request",
    Point.DELIVER: "a Fetch answer with records",
    Point.ACK: "a commit",
    Point.CONTROL: "the named request",
}
BROKER_ROWS: Final = (
    *(row for point, frame in _FRAMES.items() for row in _process_rows(point, frame)),
    *(_leader_row(point, frame) for point, frame in _FRAMES.items() if point != Point.CONTROL),
    *(_network_row(point, frame) for point, frame in _FRAMES.items()),
)
BROKER_VERBS: Final = tuple(dict.fromkeys(row.fault for row in BROKER_ROWS))
