"""Who leads a partition next: the controller's rules, as a function.

It knows replicas, who is in sync and who may be elected (fenced brokers may not); it must never
know logs: a clean election asks nobody how much they have.
"""

from __future__ import annotations

from collections.abc import Collection

from pytest_mqchaos.kafka_cluster.partition import Decision, Partition


def elect(partition: Partition, in_sync: tuple[int, ...], unfenced: Collection[int]) -> Decision:
    """Keep the leader if it may lead, else take the first replica that is in sync; failing that,
    if unclean elections are allowed, any replica, then alone in sync; failing that, nobody.
    A new leader, or none any more, begins a new epoch. The last in-sync replica stays in sync, so
    that it is waited for (KIP-966's further eligible replicas are not kept)."""
    before = partition.decision
    kept = in_sync or before.in_sync
    able = [node for node in partition.replicas if node in unfenced]
    clean = [node for node in able if node in kept]
    if before.leader in clean:
        return before._replace(in_sync=kept)
    if clean:
        return Decision(clean[0], before.epoch + 1, kept)
    if able and partition.unclean:
        return Decision(able[0], before.epoch + 1, (able[0],))
    epoch = before.epoch if before.leader is None else before.epoch + 1
    return Decision(None, epoch, kept)
