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
        copied = copies(seen, client)
        history = chaos.history  # while both members are there, as in flow.py
    assert {row.id for row in history.attempts if row.outcome == "confirmed"} == set(LOAD)
    assert sorted(seen.stored) == sorted([*LOAD, *copied])
    told_at = {(one.id, one.offset) for one in told}
    assert told_at <= {(row.id, row.offset) for row in history.stored}
    assert {name for name, _ in told_at} == set(LOAD)
    assert {effect.id for effect in history.effects} == set(LOAD)
    assert sum(place.committed for place in history.places) == COUNT + len(copied)


def copies(seen, client):
    """The second copies in the log, by id: none, but of what librdkafka was refused in the moment
    of a real leader change, which the old leader had stored and the new one stores again
    (confluentinc/librdkafka#4953)."""
    if client.name != "confluent" or seen.chaos.host.kind == "embedded":
        seen.chaos.assert_no_copies()
        return []
    twice = [row.id for row in seen.chaos.check("no_copies").findings]
    refused = {row.id for row in seen.chaos.history.attempts if row.outcome == "refused"}
    assert set(twice) <= refused
    return twice


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
