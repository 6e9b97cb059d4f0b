"""What Kafka allows: data only. Sources: the Kafka protocol guide and the KIPs named in the rows;
what clients do was measured with aiokafka 0.14, confluent-kafka 2.16 and kafka-python 3.

Two facts stand behind most rows. A connection is an ordered stream whose requests are answered in
order (protocol guide, "Network"): a lost frame takes its connection with it. And committed offsets
are cumulative: a lost commit alone shows nothing, because the next one covers it.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.legality_kafka_brokers import BROKER_ROWS, BROKER_VERBS
from pytest_mqchaos.plan.table import Refusal, Row, Table

_row = partial(Row, protocol="kafka")
_ORDER = "Kafka protocol guide, Network: one connection, answers in request order"
_EOS = "KIP-98 (idempotent producer)"
_GROUP = "Kafka protocol guide, group membership; KIP-62 (session and heartbeats)"

_PUBLISH = (
    _row(
        point=Point.PUBLISH,
        fault="drop",
        what="Waits until earlier requests are answered, swallows the Produce request and cuts the "
        "connection. The broker never sees it.",
        cause="The connection broke before the request reached the broker.",
        fair_to="producer",
        survives="Nothing was confirmed, so nothing confirmed is lost.",
        reference=f"{_ORDER}; KIP-91 (delivery.timeout.ms)",
        consequence="The client reconnects and sends the batch again; a producer that does not "
        "retry (acks=0, retries off, swallowed error) has lost it. A client that retries with "
        "several batches in flight may also swap them.",
    ),
    _row(
        point=Point.PUBLISH,
        fault="duplicate",
        what="The Produce request reaches the broker once more, on a connection of our own, right "
        "behind the first; the producer gets the first answer.",
        cause="A producer without idempotence sent the batch again after it had been stored.",
        fair_to="consumer",
        survives="At least once. An idempotent producer's copy is recognised by the broker.",
        reference=_EOS,
        consequence="Two copies, one behind the other, in the partition.",
    ),
    _row(
        point=Point.PUBLISH,
        fault="reorder",
        what="Refuses the request with a retriable error, and keeps that answer back until the "
        "next request of the same producer has arrived: the retry lands behind it.",
        cause="A leader refused one batch while the next was already on its way.",
        fair_to="both",
        survives="Order, only with an idempotent producer or a client with one batch in flight.",
        reference=f"{_EOS}; producer configuration max.in.flight.requests.per.connection",
        consequence="The message stands behind its successor in the partition. Clients that keep "
        "one batch in flight (aiokafka; kafka-python by default) never send the successor: then "
        "the rule did not fire and says so.",
    ),
    _row(
        point=Point.PUBLISH,
        fault="refuse",
        what="Answers the Produce request with an error that the client may retry.",
        cause="The partition's leader moved, or its in-sync replicas were too few.",
        fair_to="producer",
        survives="Nothing was confirmed, so nothing confirmed is lost.",
        reference="Kafka protocol guide, error codes (retriable)",
        consequence="The client asks for metadata and sends the batch again, some 100 ms later. A "
        "producer that swallows the error has lost it; with several batches in flight the retry "
        "may land behind its successors.",
    ),
    _row(
        point=Point.PUBLISH,
        fault="sever",
        what="Cuts the connection at the Produce request, together with every answer still open.",
        cause="The connection broke with several requests on their way.",
        fair_to="both",
        survives="At least once; exactly once in the log with an idempotent producer.",
        reference=f"{_ORDER}; {_EOS}",
        consequence="The client sends all that was unanswered again: copies of what had been "
        "stored, and in some clients another order.",
    ),
    _row(
        point=Point.PUBLISH,
        fault="hang",
        what="The connection stays open and nothing passes any more, from this request on.",
        cause="A network that swallows packets, or a broker that stands still.",
        fair_to="producer",
        survives="Nothing was confirmed, so nothing confirmed is lost.",
        reference="KIP-91 (request.timeout.ms, delivery.timeout.ms)",
        consequence="The request times out after tens of seconds. Some clients then send again; "
        "aiokafka without idempotence gives up and tells the application that the end is unknown.",
    ),
    _row(
        point=Point.PUBLISH,
        fault="crash_worker",
        what="Holds the Produce request while its sender dies; before: it is dropped, after: it is "
        "forwarded and answered by the broker first.",
        cause="The producing process was killed while it published.",
        fair_to="producer",
        survives="What was confirmed to it before.",
        reference=_ORDER,
        consequence="before: the message never existed outside the process. after: it is stored "
        "and the restarted process does not know.",
    ),
)
_CONFIRM = (
    _row(
        point=Point.CONFIRM,
        fault="drop",
        what="Lets nothing pass behind the Produce request, swallows the broker's answer and cuts "
        "the connection.",
        cause="The connection broke after the broker had stored the batch.",
        fair_to="both",
        survives="At least once; exactly once in the log with an idempotent producer.",
        reference=f"{_ORDER}; {_EOS}",
        consequence="The producer sends the batch again: a copy in the log. An idempotent "
        "producer's copy is recognised by the broker and there is none.",
    ),
    _row(
        point=Point.CONFIRM,
        fault="delay",
        what="Keeps the broker's answer back, and all later answers of that connection with it.",
        cause="A slow disk, a slow follower (acks=all) or a slow network.",
        fair_to="producer",
        survives="Everything.",
        reference=_ORDER,
        consequence="The producer waits. Beyond its time-out it counts the request as failed, "
        "although the message is stored.",
    ),
    _row(
        point=Point.CONFIRM,
        fault="hang",
        what="Swallows the broker's answer and lets nothing pass any more, the connection open.",
        cause="A network that swallows packets, just after the batch was stored.",
        fair_to="both",
        survives="At least once, if the application sends again what has an unknown end.",
        reference="KIP-91 (request.timeout.ms, delivery.timeout.ms)",
        consequence="The client's time-out decides: a copy (confluent-kafka, kafka-python) or an "
        "error although it is stored (aiokafka without idempotence).",
    ),
    _row(
        point=Point.CONFIRM,
        fault="crash_worker",
        what="Holds the broker's answer while the producer dies; before: it never arrives, after: "
        "it arrives first.",
        cause="The producing process was killed between the store and its own next step.",
        fair_to="producer",
        survives="The stored message.",
        reference=_ORDER,
        consequence="The message is stored; what the process wanted to note about it is not. A "
        "restart that publishes again makes a copy.",
    ),
)
_DELIVER = (
    _row(
        point=Point.DELIVER,
        fault="delay",
        what="Keeps a Fetch answer with records back, and all later answers of that connection.",
        cause="A slow broker or network.",
        fair_to="consumer",
        survives="Everything.",
        reference=_ORDER,
        consequence="Messages arrive late; against another partition's they arrive in another "
        "order.",
    ),
    _row(
        point=Point.DELIVER,
        fault="sever",
        what="Swallows a Fetch answer with records and cuts the connection.",
        cause="The connection broke while records were on their way.",
        fair_to="consumer",
        survives="Everything: a fetch changes nothing in the broker.",
        reference=f"{_ORDER}; Kafka protocol guide, Fetch",
        consequence="The client reconnects and fetches from the same position; the application "
        "sees nothing.",
    ),
    _row(
        point=Point.DELIVER,
        fault="crash_worker",
        what="Holds a Fetch answer with records while the consumer dies; before: it never "
        "arrives, after: it arrives first.",
        cause="The consuming process was killed as it received the message.",
        fair_to="consumer",
        survives="At least once: the position was not committed.",
        reference=_GROUP,
        consequence="The message is delivered again to whoever takes the partition over, once the "
        "dead member has left the group.",
    ),
    _row(
        point=Point.DELIVER,
        fault="expire",
        what="Holds the Fetch answer while the broker deletes every record of the partitions that "
        "it carries (a real DeleteRecords up to the high watermark on a connection of our own), "
        "then swallows it and cuts the connection.",
        cause="Retention by time or size, or an operator, deleted what the consumer had not read "
        "yet, while its connection was broken.",
        fair_to="both",
        survives="What the consumer had read before, and what is published after.",
        reference="Broker configuration retention.ms and retention.bytes; KIP-107 (DeleteRecords); "
        "consumer configuration auto.offset.reset",
        consequence="The consumer's position lies before the log's start (OFFSET_OUT_OF_RANGE): it "
        "goes on where its reset policy says, without the messages of that answer and without an "
        "exception, or fails with one if the policy is none.",
    ),
)
_ACK = (
    _row(
        point=Point.ACK,
        fault="drop",
        what="Swallows the commit and cuts the connection.",
        cause="The connection broke before the commit reached the coordinator.",
        fair_to="consumer",
        survives="At least once.",
        reference=f"{_ORDER}; Kafka protocol guide, OffsetCommit",
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
        reference=f"{_GROUP}; Kafka protocol guide, LeaveGroup, UNKNOWN_MEMBER_ID",
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
        reference=_GROUP,
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
        reference=_GROUP,
        consequence="The commit times out after tens of seconds; heartbeats time out too, so the "
        "member may lose its session meanwhile and read messages again.",
    ),
)
_ACK_CONFIRM = (
    _row(
        point=Point.ACK_CONFIRM,
        fault="drop",
        what="The commit reaches the broker, its answer is swallowed and the connection cut.",
        cause="The connection broke after the coordinator had kept the position.",
        fair_to="consumer",
        survives="Everything: the position is kept, a second commit of it changes nothing.",
        reference=f"{_ORDER}; Kafka protocol guide, OffsetCommit",
        consequence="The client commits the same position again. A consumer that takes the "
        "failed commit for lost work and does it again has doubled it.",
    ),
)

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
_CONTROL = (
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
        apis=tuple(api for api, _ in _CONTROL_REFUSALS),
    ),
    _row(
        point=Point.CONTROL,
        fault="sever",
        what="Cuts the connection at the named request, which is lost.",
        cause="The connection broke.",
        fair_to="both",
        survives="Everything: the client reconnects and asks again.",
        reference=_ORDER,
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
        reference=f"{_ORDER}; KIP-98 (transactions: a producer that comes back under its "
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
        reference=_GROUP,
        consequence="The member joins again; what it had not committed is delivered again, in "
        "aiokafka without any exception.",
        apis=("Heartbeat",),
    ),
)

_COMMITS = ("OffsetCommit", "TxnOffsetCommit")
_REFUSALS = (
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
_CAUSED = {
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
_INSTEAD = {
    (Point.DELIVER, "drop"): "A lost Fetch answer takes its connection with it: use .sever().",
    (Point.DELIVER, "duplicate"): "Brokers do not repeat an answer; they hand a message out again "
    "when its commit fails: use on.ack(...).redeliver().",
    (Point.DELIVER, "reorder"): "A partition is read in order; to swap messages in it use "
    "on.publish(...).reorder(), against another partition use .delay(seconds).",
    (Point.DELIVER, "redeliver"): "The message comes again when its commit fails: use "
    "on.ack(...).redeliver().",
    (Point.DELIVER, "rebalance"): "Use on.control(api='Heartbeat').rebalance().",
    (Point.CONFIRM, "sever"): "Use .drop(): it loses the answer and cuts the connection.",
    (Point.CONFIRM, "duplicate"): "An answer without its request ends the connection. For a copy "
    "in the log use .drop().",
    **{
        (Point.CONFIRM, verb): "Use it at on.publish(...): the broker then goes before it answers."
        for verb in BROKER_VERBS
    },
    (Point.CONTROL, "move_leader"): "A control request names no partition whose leader could move: "
    "use it at on.publish(...), on.deliver(...) or on.ack(...).",
    (Point.CONFIRM, "refuse"): "The request is what gets refused: use on.publish(...).refuse(error)"
    "; errors that mean 'stored all the same' are 7 and 20.",
    (Point.PUBLISH, "delay"): "Use on.confirm(...).delay(seconds): the producer cannot tell the "
    "difference.",
    (Point.ACK, "sever"): "Use .drop(): it loses the commit and cuts the connection.",
    (Point.ACK, "duplicate"): "A second commit of a position changes nothing in the broker.",
    (Point.ACK, "rebalance"): "Use .redeliver() here, or on.control(api='Heartbeat').rebalance().",
    (Point.ACK_CONFIRM, "sever"): "Use .drop(): it loses the answer and cuts the connection.",
    (Point.CONTROL, "drop"): "A lost request takes its connection with it: use .sever().",
}

KAFKA: Final = Table(
    protocol="kafka",
    title="Kafka",
    word="topic",
    apis={
        Point.PUBLISH: ("Produce",),
        Point.CONFIRM: ("Produce",),
        Point.DELIVER: ("Fetch",),
        Point.ACK: _COMMITS,
        Point.ACK_CONFIRM: _COMMITS,
        Point.CONTROL: (
            "ApiVersions", "Metadata", "FindCoordinator", "JoinGroup", "SyncGroup", "Heartbeat",
            "LeaveGroup", "OffsetFetch", "ListOffsets", "OffsetForLeaderEpoch", "OffsetDelete",
            "ConsumerGroupHeartbeat", "ConsumerGroupDescribe", "DescribeGroups", "ListGroups",
            "DeleteGroups", "InitProducerId", "AddPartitionsToTxn", "AddOffsetsToTxn", "EndTxn",
            "DescribeProducers", "DescribeTransactions", "ListTransactions", "CreateTopics",
            "DeleteTopics", "CreatePartitions", "DeleteRecords", "DescribeConfigs", "AlterConfigs",
            "IncrementalAlterConfigs", "DescribeCluster", "DescribeTopicPartitions",
            "ElectLeaders", "SaslHandshake", "SaslAuthenticate", "GetTelemetrySubscriptions",
            "PushTelemetry",
        ),
    },
    group_apis=frozenset({
        *_COMMITS, "JoinGroup", "SyncGroup", "Heartbeat", "LeaveGroup", "OffsetFetch",
        "OffsetDelete", "ConsumerGroupHeartbeat", "AddOffsetsToTxn",
    }),
    rows=(*_PUBLISH, *_CONFIRM, *_DELIVER, *_ACK, *_ACK_CONFIRM, *_CONTROL, *BROKER_ROWS),
    refusals=_REFUSALS,
    caused=_CAUSED,
    instead=_INSTEAD,
)  # fmt: skip
