"""What is asked under load on three nodes: a leader that dies or moves in the middle costs nobody a
message that was confirmed."""

from __future__ import annotations

import functools

from pytest_mqchaos import on
from tests.conformance.conversing import LIMIT
from tests.conformance.matrix.flow import Roll
from tests.conformance.producing import SENDERS, errors

COUNT = 200
MIDDLE = 100  # the message at which it happens
PACE = 0.005  # seconds from one message to the next: the load goes on while it happens
LONG = 60  # seconds that the producer may wait for its last answers
LOAD = [f"m{number:03}" for number in range(COUNT)]
PARTITIONS = 2
NODES = 3
SHAPE = {"replication": 3, "min_insync": 2}


def through_it(seen, client, *, rule, happened):
    """acks=all and idempotent: each message is confirmed, stored once in order and consumed."""
    chaos, roll = seen.chaos, Roll()
    worker = chaos.worker(
        client.member, chaos.bootstrap_servers, seen.topic, seen.group, chaos.effects, roll,
        count=2,
    )  # fmt: skip
    with worker:
        chaos.wait_for(lambda: roll.even(2), LIMIT, "the group to form")
        before = leaders(seen)
        armed = chaos.arm(rule)
        told = SENDERS[client.name](
            seen.servers, seen.topic, LOAD, together=True, idempotent=True, keys=True, pace=PACE,
            limit=LONG,
        )  # fmt: skip
        armed.wait()
        settled = chaos.settle()
    assert errors(told) == {}
    assert settled.waiting == ()
    assert seen.fired == [1]
    assert happened(seen, before, leaders(seen))
    chaos.assert_lossless()
    chaos.assert_ordered(by="partition")
    chaos.assert_no_copies()
    history = chaos.history
    assert {row.id for row in history.attempts if row.outcome == "confirmed"} == set(LOAD)
    assert sorted(seen.stored) == LOAD
    assert {one.id: one.offset for one in told} == {row.id: row.offset for row in history.stored}
    assert {effect.id for effect in history.effects} == set(LOAD)
    assert sum(place.committed for place in history.places) == COUNT


def leaders(seen):
    found = seen.chaos.host.side.direct.metadata([seen.topic]).topics[seen.topic].leaders
    return dict(found)


def died(seen, before, after):
    """One node, which led and leads nothing any more."""
    (who,) = {e.who for e in seen.chaos.history.processes if e.what == "killed"}
    gone = int(who.removeprefix("node "))
    return gone in before.values() and gone not in after.values()


def moved(seen, before, after):
    """One partition has another leader, and nobody died."""
    told = [event.what for event in seen.chaos.history.processes]
    changed = [number for number in before if before[number] != after[number]]
    return "killed" not in told and len(changed) == 1


broker_kill = functools.partial(
    through_it, rule=on.publish(nth=MIDDLE).kill_broker("leader"), happened=died
)
leader_move = functools.partial(
    through_it, rule=on.publish(nth=MIDDLE).move_leader(), happened=moved
)
