"""One topic from a producer to a group: what must hold of it, whoever the clients are."""

from __future__ import annotations

import threading

from tests.conformance.conversing import LIMIT
from tests.conformance.producing import SENDERS, errors

MANY = [f"m{number:03}" for number in range(40)]
PARTITIONS = 2


class Roll:
    """How many partitions each member holds."""

    def __init__(self):
        self._lock = threading.Lock()
        self._shares = {}

    def __call__(self, member, share):
        with self._lock:
            self._shares[member] = share

    def even(self, members):
        with self._lock:
            return list(self._shares.values()) == [PARTITIONS // members] * members


def through(seen, producer, consumer, ids=MANY, *, members=1, **settings):
    """Publishes `ids` once the group is complete; the history is exact about all of it."""
    chaos, roll = seen.chaos, Roll()
    worker = chaos.worker(
        consumer.member, chaos.bootstrap_servers, seen.topic, seen.group, chaos.effects, roll,
        count=members,
    )  # fmt: skip
    with worker:
        chaos.wait_for(lambda: roll.even(members), LIMIT, "the group to form")
        told = SENDERS[producer.name](seen.servers, seen.topic, ids, together=True, **settings)
        assert errors(told) == {}
        settled = chaos.settle()
        assert settled.waiting == ()
        # While all members are there: librdkafka may hand whoever is left alone what it had fetched
        # before the partition was taken from it, from the first message on.
        chaos.assert_lossless()
        chaos.assert_idempotent()
        chaos.assert_ordered()
        chaos.assert_no_copies()
        history = chaos.history
    assert {one.id: one.offset for one in told} == {row.id: row.offset for row in history.stored}
    assert sorted(seen.stored) == sorted(seen.tries) == ids
    assert {(reached, outcome) for _, reached, outcome in seen.attempts} == {(True, "confirmed")}
    # A client may fetch again what it had; once it is in a new generation, or has lost its way.
    assert sorted(set(seen.delivered)) == ids
    assert sorted(effect.id for effect in history.effects) == ids
    assert {ack.outcome for ack in history.acks} == {"confirmed"}
    # -1: a producer that sticks to one partition for a while may have left the other one empty.
    assert sum(max(place.committed, 0) for place in history.places) == len(ids)
    return history
