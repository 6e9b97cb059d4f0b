"""Who leads a partition next: the controller's rules, as a function.

It knows replicas, who is in sync and who may be elected (fenced brokers may not); it must never
know logs: a clean election asks nobody how much they have.
"""

from __future__ import annotations

from collections.abc import Collection

from pytest_mqchaos.kafka_cluster.replicas.partition import Decision, Partition


def settle(
    partition: Partition,
    in_sync: tuple[int, ...],
    unfenced: Collection[int],
    crashed: Collection[int] = (),
) -> Decision:
    """Decide with another in-sync set. Who leaves it when fewer than `least` are left stays
    eligible, because nothing could become readable without it (KIP-966); not after it `crashed`:
    its log may have lost its end. A new leader, or none any more, begins a new epoch."""
    before = partition.decision
    eligible: tuple[int, ...] = ()
    if len(in_sync) < partition.least:
        kept = {*before.eligible, *before.in_sync} - set(in_sync) - set(crashed)
        eligible = tuple(node for node in partition.replicas if node in kept)
    last = before.last if before.leader is None else before.leader
    able = [node for node in partition.replicas if node in unfenced]
    if before.leader in able and before.leader in in_sync:
        return before._replace(in_sync=in_sync, eligible=eligible)
    leader = _elect(able, in_sync, eligible, last, unclean=partition.unclean)
    if leader is None:
        epoch = before.epoch + (before.leader is not None)
        return Decision(None, epoch, in_sync, eligible, last)
    if leader not in in_sync:  # then nobody is: it is alone
        in_sync = (leader,)
        eligible = tuple(node for node in eligible if node != leader)
    return Decision(leader, before.epoch + 1, in_sync, eligible)


def _elect(
    able: list[int],
    in_sync: tuple[int, ...],
    eligible: tuple[int, ...],
    last: int | None,
    *,
    unclean: bool,
) -> int | None:
    """Give the first that is in sync; if none is, the first that is eligible; if there is none
    either, who led last; then, if unclean elections are allowed, anybody."""
    for some in (in_sync, () if in_sync else eligible):
        found = [node for node in able if node in some]
        if found:
            return found[0]
    if last in able and not in_sync and not eligible:
        return last
    return able[0] if able and unclean else None
