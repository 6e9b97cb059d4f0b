"""What may befall messages on their way to a Kafka broker, their confirms, and their deliveries:
data only, a part of the table in legality_kafka.py."""

from __future__ import annotations

from functools import partial
from typing import Final

from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.legality_kafka_sources import EOS, GROUP, ORDER
from pytest_mqchaos.plan.table import Row

_row = partial(Row, protocol="kafka")

MESSAGE_ROWS: Final = (
    _row(
        point=Point.PUBLISH,
        fault="drop",
        what="Waits until earlier requests are answered, swallows the Produce request and cuts the "
        "connection. The broker never sees it.",
        cause="The connection broke before the request reached the broker.",
        fair_to="producer",
        survives="Nothing was confirmed, so nothing confirmed is lost.",
        reference=f"{ORDER}; KIP-91 (delivery.timeout.ms)",
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
        reference=EOS,
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
        reference=f"{EOS}; producer configuration max.in.flight.requests.per.connection",
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
        reference=f"{ORDER}; {EOS}",
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
        reference=ORDER,
        consequence="before: the message never existed outside the process. after: it is stored "
        "and the restarted process does not know.",
    ),
    _row(
        point=Point.CONFIRM,
        fault="drop",
        what="Lets nothing pass behind the Produce request, swallows the broker's answer and cuts "
        "the connection.",
        cause="The connection broke after the broker had stored the batch.",
        fair_to="both",
        survives="At least once; exactly once in the log with an idempotent producer.",
        reference=f"{ORDER}; {EOS}",
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
        reference=ORDER,
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
        reference=ORDER,
        consequence="The message is stored; what the process wanted to note about it is not. A "
        "restart that publishes again makes a copy.",
    ),
    _row(
        point=Point.DELIVER,
        fault="delay",
        what="Keeps a Fetch answer with records back, and all later answers of that connection.",
        cause="A slow broker or network.",
        fair_to="consumer",
        survives="Everything.",
        reference=ORDER,
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
        reference=f"{ORDER}; Kafka protocol guide, Fetch",
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
        reference=GROUP,
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
