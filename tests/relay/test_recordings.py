"""Bytes that no rule touched are the same on both sides of the relay: whole conversations of real
clients with real Kafka, recorded or not, with rules that mean others, in several chunkings."""

from __future__ import annotations

import pytest

from fixtures.recording.reading import load, names, streams
from fuzz.play import Play
from fuzz.tape import Chunk
from fuzz.targets.engine import NEVER
from pytest_mqchaos.plan.on import on

PLANS = {
    "nothing": {"record": False},
    "recording": {},
    "unrelated rules": {"rules": NEVER, "quiet": True},
    "unrelated rules, no recording": {"rules": NEVER, "quiet": True, "record": False},
}


def through(name, step, **plan):
    """A conversation in its own order, `step` bytes at a time; links are numbered from 0 here."""
    played = Play(**plan)
    for line in load(name):
        size = step or len(line.frame)
        for at in range(0, len(line.frame), size):
            played.say(Chunk(line.link, line.back, line.frame[at : at + size]))
    played.end()
    played.check()
    return played


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("name", names())
def test_both_sides_say_the_same(name, plan):
    for step in (0, 61):
        played = through(name, step, **plan)
        said = streams(load(name))
        assert len(played.all) == len(said)
        for connection in played.all:
            asked, told = said[connection.number]
            assert connection.link.scanner.blind is None
            assert bytes(connection.heard[0]) == asked
            changed = played.codec.changed.get(connection.link.number, [])
            assert len(bytes(connection.heard[1])) == len(told)
            if not changed:
                assert bytes(connection.heard[1]) == told
            for raw, new in changed:  # only what ApiVersions offers may become less
                differ = [at for at, (a, b) in enumerate(zip(raw, new, strict=True)) if a != b]
                assert 0 < len(differ) <= 40
                assert all(new[at] < raw[at] for at in differ)


def test_a_rule_that_means_them_does_change_them():
    name = "aiokafka-produce"
    played = through(name, 0, rules=[on.publish(nth=1).sever()])
    heard = sum(len(connection.heard[0]) for connection in played.all)
    assert heard < sum(len(asked) for asked, _ in streams(load(name)).values())
