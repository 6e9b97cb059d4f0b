"""What may befall commits of positions at a Kafka broker, their answers, and every other request by
its name: data only, a part of the table in legality_kafka.py."""

from __future__ import annotations

from functools import partial
from typing import Final

from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.legality_kafka_errors import REFUSED
from pytest_mqchaos.plan.legality_kafka_sources import GROUP, ORDER
from pytest_mqchaos.plan.table import Row

_row = partial(Row, protocol="kafka")

REQUEST_ROWS: Final = (
    _row(
        point=Point.ACK,
        fault="drop",
        what="Swallows the commit and cuts the connection.",
        cause="The connection broke before the commit reached the coordinator.",
        fair_to="consumer",
        survives="At least once.",
        reference=f"{ORDER}; Kafka protocol guide, OffsetCommit",
        consequence="The client commits again, or its next commit covers this one. Alone it shows "
        "nothing; a consumer that dies before the retry reads the message again.",
    ),
    _row(
        point=Point.ACK,
        fault="refuse",
        what="Answers the commit with an error; the broker does not see it.",
        cause="The group's coordinator moved or was loading; or the group was rebalancing.",
        fair_to="consumer",
        survives="At least once.",
        reference="Kafka protocol guide, OffsetCommit errors",
        consequence="14, 15, 16: the client retries inside its commit. 27: the application gets "
        "an exception, and in some clients the message again.",
    ),
    _row(
        point=Point.ACK,
        fault="redeliver",
        what="Has the broker put the member out of its group (a real LeaveGroup for it on a "
        "connection of our own), then lets the commit go on: the broker refuses it.",
        cause="The member was taken for dead: a long pause, a slow handler, a lost session.",
        fair_to="consumer",
        survives="At least once.",
        reference=f"{GROUP}; Kafka protocol guide, LeaveGroup, UNKNOWN_MEMBER_ID",
        consequence="The commit fails, the member joins again and reads from the last good "
        "commit: this message once more (kafka-python: all that it had fetched).",
    ),
    _row(
        point=Point.ACK,
        fault="crash_worker",
        what="Holds the commit while the consumer dies; before: it is dropped, after: it is "
        "forwarded and answered by the broker first.",
        cause="The consuming process was killed between its work and its commit, or right after.",
        fair_to="consumer",
        survives="before: at least once. after: the commit stands.",
        reference=GROUP,
        consequence="before: the message is delivered again to the restarted worker. after: it is "
        "not; work that came behind the commit is lost.",
    ),
    _row(
        point=Point.ACK,
        fault="hang",
        what="From the commit on nothing passes any more, the connection stays open.",
        cause="A network that swallows packets between the consumer and its coordinator.",
        fair_to="consumer",
        survives="At least once.",
        reference=GROUP,
        consequence="The commit times out after tens of seconds; heartbeats time out too, so the "
        "member may lose its session meanwhile and read messages again.",
    ),
    _row(
        point=Point.ACK_CONFIRM,
        fault="drop",
        what="The commit reaches the broker, its answer is swallowed and the connection cut.",
        cause="The connection broke after the coordinator had kept the position.",
        fair_to="consumer",
        survives="Everything: the position is kept, a second commit of it changes nothing.",
        reference=f"{ORDER}; Kafka protocol guide, OffsetCommit",
        consequence="The client commits the same position again. A consumer that takes the "
        "failed commit for lost work and does it again has doubled it.",
    ),
    _row(
        point=Point.CONTROL,
        fault="refuse",
        what="Answers the named request with an error; the broker does not see it.",
        cause="A coordinator or leader moved, was loading or was busy.",
        fair_to="both",
        survives="Everything: the client asks again.",
        reference="Kafka protocol guide, error codes of each API",
        consequence="The client retries or looks the coordinator up again; a Heartbeat answered "
        "27 makes it join its group again. An OffsetFetch answered 15 reaches the application in "
        "aiokafka (an exception); one answered 15 or 16 does in confluent-kafka (an error from "
        "poll), which then waits until it is started again. An InitProducerId without a "
        "transactional id has no coordinator: brokers answer it 14 only.",
        apis=REFUSED,
    ),
    _row(
        point=Point.CONTROL,
        fault="sever",
        what="Cuts the connection at the named request, which is lost.",
        cause="The connection broke.",
        fair_to="both",
        survives="Everything: the client reconnects and asks again.",
        reference=ORDER,
        consequence="A reconnect; what was unanswered on that connection is sent again.",
    ),
    _row(
        point=Point.CONTROL,
        fault="crash_worker",
        what="Holds the named request while its sender dies; before: it is dropped, after: it is "
        "forwarded and answered by the broker first.",
        cause="The process was killed between two steps of its work.",
        fair_to="both",
        survives="What the broker had answered before.",
        reference=f"{ORDER}; KIP-98 (transactions: a producer that comes back under its "
        "transactional id ends the transaction that it left open)",
        consequence="At EndTxn, before: the transaction stays open until its time-out or until the "
        "producer is back, and is then aborted. after: it is committed and the restarted process "
        "does not know.",
    ),
    _row(
        point=Point.CONTROL,
        fault="rebalance",
        what="Has the broker put the member out of its group (a real LeaveGroup for it on a "
        "connection of our own), then lets the heartbeat go on: the broker itself answers it.",
        cause="A member left, came or was taken for dead.",
        fair_to="consumer",
        survives="At least once.",
        reference=GROUP,
        consequence="The member joins again; what it had not committed is delivered again, in "
        "aiokafka without any exception.",
        apis=("Heartbeat",),
        also=("ConsumerGroupHeartbeat",),
    ),
)
