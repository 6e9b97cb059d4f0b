"""How a follower becomes level with its leader: drop what the leader does not have, take the rest.

It knows two replicas and their epochs (KIP-101, KIP-279); it must never know why they parted.
"""

from __future__ import annotations

from pytest_mqchaos.kafka_cluster.replicas.replica import Replica


def catch_up(follower: Replica, leader: Replica, now: int) -> None:
    """Make the follower's log the leader's. High watermarks are the leader's to tell."""
    follower.truncate_to(parting(follower, leader))
    if follower.log.end < leader.log.start:
        follower.restart_at(leader.log.start)
    for batch in leader.log.batches(follower.log.end):
        if batch.base < follower.log.end:  # the leader's log begins inside this batch
            follower.restart_at(batch.base)
        follower.append(batch, now)
    follower.delete_before(leader.log.start)


def parting(follower: Replica, leader: Replica) -> int:
    """Give the offset up to which both logs hold the same, going back epoch by epoch."""
    end = follower.log.end
    epoch = follower.epochs.latest
    while epoch >= 0:
        theirs = leader.epochs.end_of(epoch, leader.log.end)
        mine = follower.epochs.end_of(theirs.epoch, end)
        end = min(end, theirs.offset, mine.offset if mine.offset >= 0 else end)
        if mine.epoch == theirs.epoch:
            return end
        epoch = mine.epoch
    return min(end, leader.log.end)
