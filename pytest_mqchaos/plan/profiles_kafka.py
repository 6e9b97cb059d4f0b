"""The named Kafka profiles: data only. Positions are the earliest that can serve; 2 where a
predecessor is needed (a group without any commit would start by its reset policy instead)."""

from __future__ import annotations

from functools import partial
from typing import Final

from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.profile import Profile

_profile = partial(Profile, protocol="kafka")

KAFKA_PROFILES: Final = (
    _profile(
        name="lost-publish",
        title="A publish never reaches the broker",
        rules=(on.publish(nth=1).drop(),),
        consequence="The client reconnects and sends the batch again, some 100 ms later.",
        covers=("R10", "R11", "R18", "R19", "R20"),
        passes="Producers that wait for the confirm and let the client retry.",
        fails="Fire and forget (`acks=0`), retries switched off, swallowed send errors, success "
        "reported before the confirm. With several batches in flight and no idempotence, "
        "kafka-python also swaps messages.",
    ),
    _profile(
        name="lost-confirm",
        title="The broker stored it, the producer never heard",
        rules=(on.confirm(nth=1).drop(),),
        consequence="The producer sends again: two copies in the log. With an idempotent producer "
        "the broker recognises the copy and there is one; that is a legitimate pass.",
        covers=("R1", "R3", "R6", "R8", "R18"),
        passes="Idempotent producers; consumers that keep the processed id with their work.",
        fails="A plain producer in front of a consumer that does its work once per delivery.",
    ),
    _profile(
        name="refused-publish",
        title="The leader refuses a publish",
        rules=(on.publish(nth=1).refuse(),),
        consequence="Two tries, one copy. With several batches in flight the retry may land behind "
        "its successors.",
        covers=("R10", "R11", "R22"),
        passes="Producers that wait for the confirm and let the client retry; idempotent ones "
        "keep their order too.",
        fails="Retries switched off or errors swallowed: lost. Plain producers with several "
        "batches in flight: disorder.",
    ),
    _profile(
        name="duplicate-publish",
        title="The log holds a message twice",
        rules=(on.publish(nth=1).duplicate(),),
        consequence="Two copies, one behind the other, from a producer that is not idempotent.",
        covers=("R1", "R3", "R6", "R7", "R8", "R18"),
        passes="Consumers that keep the processed id with their work, or set a final value.",
        fails="Consumers that add, insert or notify once per delivery. Not a test of producers.",
    ),
    _profile(
        name="reordered-publish",
        title="A retry lands behind the next message",
        rules=(on.publish(nth=1).reorder(),),
        consequence="Message 1 stands behind message 2 in its partition.",
        covers=("R18", "R22"),
        passes="Idempotent producers, and clients that keep one batch in flight: there the rule "
        "cannot fire, and says so. Consumers that check a version or sequence.",
        fails="A plain confluent-kafka producer, at any max.in.flight; a plain kafka-python "
        "producer with more than one in flight; consumers that trust the log's order.",
    ),
    _profile(
        name="slow-confirm",
        title="A confirm comes late",
        rules=(on.confirm(nth=1).delay(1.0),),
        consequence="The confirm arrives one second late, and every later one of that connection "
        "behind it.",
        covers=("R12", "R19"),
        passes="Producers that wait for it.",
        fails="Producers that give up after less and count the message as lost, or that send it "
        "again under a new id.",
    ),
    _profile(
        name="delayed-delivery",
        title="Messages reach the consumer late",
        rules=(on.deliver(nth=1).delay(1.0),),
        consequence="The first batch arrives one second late; those of other connections overtake "
        "it.",
        covers=("R19", "R24"),
        passes="Consumers without a deadline of their own and without an order across partitions.",
        fails="Receipts with a timer that takes a backlog for a loss; an order between two topics "
        "that rests on arrival.",
    ),
    _profile(
        name="lost-ack",
        title="A commit never reaches the broker",
        rules=(on.ack(nth=1).drop(),),
        consequence="The client commits again after its reconnect, or the next commit covers it: "
        "positions are cumulative. Alone it leads to no second delivery.",
        covers=("R2",),
        passes="Every consumer that lets its client retry or that survives a failed commit.",
        fails="Consumers that take a failed commit for failed work and do it again.",
    ),
    _profile(
        name="redelivery",
        title="The broker hands a message out again",
        rules=(on.ack(nth=2).redeliver(),),
        consequence="The member is put out of its group before its commit, which fails; the "
        "message is delivered once more.",
        covers=("R2", "R3", "R4", "R6", "R7", "R9"),
        passes="Consumers that keep the processed id in the same transaction as the work.",
        fails="Consumers that do their work once per delivery; checks before the work without a "
        "constraint; marks that are set apart from the work.",
    ),
    _profile(
        name="rebalance",
        title="The group divides its partitions anew",
        # ConsumerGroupHeartbeat: of clients that speak the protocol of KIP-848.
        rules=(on.control(api="Heartbeat|ConsumerGroupHeartbeat", nth=1).rebalance(),),
        consequence="The member joins again; what it had not committed is delivered again, in "
        "aiokafka without any exception.",
        covers=("R2", "R3", "R23"),
        passes="Consumers that keep the processed id with their work and drop what they buffered "
        "when partitions are taken away.",
        fails="Consumers that go on with a buffer from before the rebalance.",
    ),
    _profile(
        name="crash-before-ack",
        title="The worker dies between its work and its commit",
        rules=(on.ack(nth=2).crash_worker("before"),),
        consequence="The restarted worker gets the message again.",
        covers=("R2", "R4", "R6", "R9"),
        passes="Consumers whose work and mark are one transaction.",
        fails="Work without a mark (done twice); a mark set before the work and apart from it "
        "(lost when the crash falls between).",
    ),
    _profile(
        name="crash-after-ack",
        title="The worker dies right after its commit",
        rules=(on.ack(nth=1).crash_worker("after"),),
        consequence="The commit stands: the message is not delivered again.",
        covers=("R16", "R17"),
        passes="Consumers that commit after all of the work.",
        fails="Automatic commits and commits before or beside the work: what was still to do is "
        "lost.",
    ),
    _profile(
        name="broker-restart",
        title="The broker is restarted",
        rules=(on.publish(nth=2).restart_broker(),),
        consequence="Every connection to it ends; clients reconnect, groups join again.",
        covers=("R2", "R10", "R20"),
        passes="Clients that retry for as long as a restart takes; consumers that stand a second "
        "delivery.",
        fails="Producers and consumers that give up on the first connection error.",
    ),
    _profile(
        name="broker-kill",
        title="The broker dies and comes back a second later",
        rules=(on.publish(nth=2).kill_broker(restart_after=1.0),),
        consequence="Open requests have an unknown end; clients send them again.",
        covers=("R1", "R2", "R10", "R20"),
        passes="Idempotent producers that retry for as long as the broker is away; consumers that "
        "stand a second delivery.",
        fails="Producers that take an unknown end for a success or for a loss.",
    ),
    _profile(
        name="broker-pause",
        title="The broker stands still for two seconds",
        rules=(on.publish(nth=2).pause_broker(for_=2.0),),
        consequence="Everything waits; requests with a shorter time-out have an unknown end.",
        covers=("R1", "R19"),
        passes="Clients whose time-outs are longer than a pause, or that send again what has an "
        "unknown end.",
        fails="Short time-outs without a retry; receipts with a timer that cries wolf.",
    ),
    _profile(
        name="leader-kill",
        title="The leader of a partition dies for good",
        rules=(on.publish(nth=2).kill_broker("leader"),),
        clustered=True,
        consequence="An in-sync follower is elected. Clients ask for metadata and send again what "
        "had no answer.",
        covers=("R1", "R2", "R10", "R15", "R20"),
        passes="Topics with replicas, and clients that retry for as long as an election takes.",
        fails="Topics with one replica: nobody takes over, and whoever gives up meanwhile loses "
        "what it sends. Producers and consumers that give up on the first error.",
    ),
    _profile(
        name="unreplicated-leader-kill",
        title="The leader dies with a message that no follower has",
        rules=(on.publish(nth=2).kill_broker("leader", unreplicated=True),),
        consequence="With acks=1 the message was confirmed and is gone: the new leader never had "
        "it, and its offset is given to another. With acks=all it was not confirmed and is sent "
        "again.",
        covers=("R15", "R18", "R20"),
        passes="Producers with acks=all on topics with replicas; a send table with receipts that "
        "finds what is missing and sends it again.",
        fails="Producers with acks=1 (the default of aiokafka) or acks=0.",
    ),
    _profile(
        name="power-loss",
        title="A broker's machine loses its power",
        rules=(on.publish(nth=3).power_loss("leader", restart_after=1.0),),
        clustered=True,
        consequence="What its page cache held alone is gone. With replicas another node takes "
        "over with everything; without, the log comes back shorter, and offsets are given anew.",
        covers=("R14", "R19", "R20"),
        passes="Topics with replicas; topics with one replica that flush each message.",
        fails="Topics with one replica that leave flushing to the operating system.",
    ),
    _profile(
        name="network-partition",
        title="The leader is cut off from the other brokers for two seconds",
        rules=(on.publish(nth=2).partition("leader", for_=2.0),),
        consequence="Its session ends, the others elect a new leader. What it confirmed alone "
        "meanwhile is cut off its log when the network is back.",
        covers=("R15", "R19", "R20"),
        passes="Producers with acks=all on topics with min.insync.replicas of 2: the leader that "
        "is cut off confirms nothing to them.",
        fails="Producers with acks=1: confirmed by the wrong leader and gone.",
    ),
    _profile(
        name="aborted-transaction",
        title="A producer dies before it commits its transaction",
        rules=(on.control(api="EndTxn", nth=1).crash_worker("before"),),
        consequence="The producer that comes back under its transactional id aborts what it left "
        "open and sends it again: the log holds the aborted records and the new ones.",
        covers=("R35", "R36", "R38"),
        passes="Consumers that read committed messages only; producers that keep their "
        "transactional id over a restart and begin again where they stood.",
        fails="Consumers that read uncommitted messages (the default): they see the aborted ones. "
        "Producers with a new transactional id per start: the old transaction blocks readers "
        "until its time-out.",
    ),
    _profile(
        name="lost-transaction-end",
        title="The end of a transaction never reaches its coordinator",
        rules=(on.control(api="EndTxn", nth=1).sever(),),
        consequence="The client reconnects and sends the commit or the abort again.",
        covers=("R35", "R38"),
        passes="Producers that wait for the end of their transaction.",
        fails="Producers that take a late end for a failed one and do it all again under a new "
        "transactional id.",
    ),
    _profile(
        name="retention",
        title="Messages are deleted before they are read",
        rules=(on.deliver(nth=1).expire(),),
        consequence="The log's start moves past the consumer, which goes on where its reset policy "
        "says.",
        covers=("R19", "R20", "R30"),
        passes="Send tables with receipts: what was deleted unread is found and sent again.",
        fails="Services that trust that what the broker stored will be read.",
    ),
)

_QUICK = ("lost-confirm", "refused-publish", "duplicate-publish", "redelivery", "crash-before-ack")
_STANDARD = (
    *_QUICK, "lost-publish", "slow-confirm", "delayed-delivery", "lost-ack", "rebalance",
    "crash-after-ack",
)  # fmt: skip
KAFKA_BUNDLES: Final = {
    "quick": _QUICK,
    "standard": _STANDARD,
    "hostile": (
        *_STANDARD, "reordered-publish", "broker-restart", "broker-kill", "broker-pause",
        "leader-kill", "unreplicated-leader-kill", "network-partition", "power-loss",
    ),
    "transactions": ("aborted-transaction", "lost-transaction-end"),
}  # fmt: skip
