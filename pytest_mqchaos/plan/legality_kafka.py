"""What Kafka allows: data only. Sources: the Kafka protocol guide and the KIPs named in the rows;
what clients do was measured with aiokafka 0.14, confluent-kafka 2.16 and kafka-python 3.

Two facts stand behind most rows. A connection is an ordered stream whose requests are answered in
order (protocol guide, "Network"): a lost frame takes its connection with it. And committed offsets
are cumulative: a lost commit alone shows nothing, because the next one covers it.

The rows are in legality_kafka_messages.py (publish, confirm, deliver), _requests.py (ack,
ack_confirm, control) and _brokers.py; the errors of refusals in _errors.py.
"""

from __future__ import annotations

from typing import Final

from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.legality_kafka_brokers import BROKER_ROWS, BROKER_VERBS
from pytest_mqchaos.plan.legality_kafka_errors import CAUSED, REFUSALS
from pytest_mqchaos.plan.legality_kafka_messages import MESSAGE_ROWS
from pytest_mqchaos.plan.legality_kafka_requests import REQUEST_ROWS
from pytest_mqchaos.plan.table import Table

_COMMITS = ("OffsetCommit", "TxnOffsetCommit")
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
    rows=(*MESSAGE_ROWS, *REQUEST_ROWS, *BROKER_ROWS),
    refusals=REFUSALS,
    caused=CAUSED,
    instead=_INSTEAD,
)  # fmt: skip
