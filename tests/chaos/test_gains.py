"""What counts as getting on: new messages, positions nearer to the end."""

from types import SimpleNamespace

from pytest_mqchaos.chaos.gains import Gains
from tests.checkers.timeline import run


def grows(line, more):
    """Whether `more(line)` brings it forward."""
    gains = Gains(lambda: SimpleNamespace(
        deliveries=line.deliveries, attempts=line.attempts, acks=line.acks))  # fmt: skip
    before = gains()
    more(line)
    return gains() > before


def read(line):
    return line.publish("a").publish("b").deliver("a")


def test_what_is_handed_out_again_is_no_gain():
    assert not grows(read(run()), lambda line: line.deliver("a").deliver("a", owner="worker-1#2"))
    assert not grows(read(run()), lambda line: line.deliver("b", reached=False))
    assert grows(read(run()), lambda line: line.deliver("b"))


def test_a_position_that_goes_forward_is_one():
    assert grows(read(run()), lambda line: line.ack(1))
    assert not grows(read(run()), lambda line: line.ack(1, reached=False))
    assert not grows(read(run()), lambda line: line.ack(1, outcome="refused"))
    assert not grows(read(run()).ack(2), lambda line: line.ack(1).ack(2))


def test_what_is_put_at_the_end_of_its_own_topic_again_is_none():
    again = {"owner": "worker-1#1", "link": 3}
    assert not grows(read(run()), lambda line: line.publish("a", **again).ack(1))
    assert grows(read(run()), lambda line: line.publish("c", **again).ack(1))


def test_what_was_gained_stays():
    line = read(run()).ack(2)
    assert not grows(line, lambda line: line.publish("a").publish("a"))
