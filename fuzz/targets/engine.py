"""The relay engine with a plan armed, fed garbage: four links, events, the data plane's own lanes.

Held: no exception; where nothing fired, what leaves is what came (but for the versions that an
ApiVersions reply may name); after healing nobody waits for anything; the history can be read.
"""

from __future__ import annotations

from random import Random

from fuzz import mutator, tape
from fuzz import seeds as recorded
from fuzz.play import Play
from fuzz.tape import Event
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.rules import Rule

WHAT = "the relay engine with rules armed"
NEVER: tuple[Rule, ...] = (
    on.publish(topic="no-such-topic", nth=1).drop(),
    on.deliver(topic="no-such-topic", nth=1).sever(),
    on.ack(topic="no-such-topic", nth=1).redeliver(),
    on.control(api="DeleteGroups", nth=99).refuse(),
)
RULES: tuple[Rule, ...] = (
    on.publish(nth=1).drop(),
    on.publish(nth=None).duplicate(),
    on.publish(nth=1).reorder(2),
    on.publish(nth=None).refuse(),
    on.publish(nth=2).sever(),
    on.publish(nth=None).hang(0.01),
    on.confirm(nth=1).drop(),
    on.confirm(nth=None).delay(0.005),
    on.confirm(nth=2).hang(),
    on.deliver(nth=None).delay(0.005),
    on.deliver(nth=1).sever(reset=True),
    on.deliver(nth=2).crash_worker(),
    on.ack(nth=1).drop(),
    on.ack(nth=None).refuse(),
    on.ack(nth=1).redeliver(),
    on.ack(nth=1).hang(0.01),
    on.ack_confirm(nth=1).drop(),
    on.control(api="Metadata", nth=1).refuse(),
    on.control(api="JoinGroup", nth=1).refuse(),
    on.control(api="Heartbeat", nth=1).rebalance(),
    on.publish(nth=1).kill_broker(),
    on.publish(nth=1).crash_worker(),
)


def seeds() -> list[bytes]:
    """Recordings, each under a plan of its own, every fourth under one that means nobody; time
    passes at their end."""
    after = tape.write(b"", [Event(0, 200), Event(1, 0)])[tape.OPTIONS :]
    return [
        bytes((at % 22, at * 5 % 22, at % 4 == 0, 0)) + data[tape.OPTIONS :] + after
        for at, data in enumerate(recorded.tapes(b""))
    ]


def mutate(data: bytes, size: int, dice: Random) -> bytes:
    """See `mutator`."""
    return mutator.mutate(data, size, dice)


def one(data: bytes) -> None:
    """Play one tape and look at what is left."""
    played = play(data)
    played.end()
    played.check()


def play(data: bytes) -> Play:
    """An engine after one tape."""
    (first, second, flags, _), entries = tape.read(data)
    quiet = bool(flags & 1)  # only rules that never fire
    rules = NEVER if quiet else (RULES[first % len(RULES)], RULES[second % len(RULES)])
    played = Play(() if flags & 4 else rules, quiet=quiet, record=not flags & 2)
    for entry in entries:
        if isinstance(entry, Event):
            played.event(entry)
        else:
            played.say(entry)
    return played
