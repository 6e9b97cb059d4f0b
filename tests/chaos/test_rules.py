"""Rules of a Chaos: armed in the middle, waited for, refused where they cannot be."""

import pytest

from pytest_mqchaos.errors import UsageError, WaitTimeout
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.rules import Plan


def test_a_rule_armed_in_the_middle_counts_from_there(chaos):
    chaos.topic("t")
    chaos.publish("t", ["a", "b"])
    rule = chaos.arm(on.confirm(nth=2).delay(0.001))
    chaos.publish("t", ["c"])
    assert (rule.matched, rule.fired) == (1, 0)
    assert repr(rule) == "<on.confirm(nth=2).delay(0.001) fired 0>"
    chaos.publish("t", ["d"])
    rule.wait()
    assert (rule.matched, rule.fired) == (2, 1)


def test_several_rules_are_armed_at_once(chaos):
    first, second = chaos.arm(on.confirm(nth=1).delay(0.001), on.confirm(nth=2).delay(0.001))
    chaos.topic("t")
    chaos.publish("t", ["a", "b"])
    assert [first.fired, second.fired] == [1, 1]
    assert [armed.index for armed in chaos.armed] == [0, 1]
    assert chaos.arm() == ()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda: on.confirm(nth=1), "has no fault yet"),
        (lambda: on.confrim(nth=1), "confirm"),
        (lambda: on.confirm(nth=0).drop(), "nth"),
        (lambda: on.confirm(topik="t").drop(), "topic"),
        (lambda: on.confirm(queue="t").drop(), "Kafka has topics: write topic='t'"),
        (lambda: on.confirm().dorp(), "drop"),
        (lambda: on.publish().refuse("NO_SUCH_ERROR"), "NO_SUCH_ERROR"),
        (lambda: on.control(api="Hartbeat").sever(), "'Hartbeat'. Did you mean 'Heartbeat'"),
        (lambda: on.control(api="Heartbeat").drop(), "cannot drop at control.*use .sever"),
        (lambda: on.control(key="k", api="Heartbeat").sever(), "can never match"),
        (lambda: on.publish().move_leader(), "a cluster of several nodes.*--mqchaos-nodes=3"),
        (lambda: on.deliver().drop(), "deliver"),
        (lambda: "on.confirm().drop()", "a plan is made of rules"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_where_it_is_armed(chaos, rule, words):
    with pytest.raises((UsageError, AttributeError), match=words):
        chaos.arm(rule())
    assert chaos.armed == ()


def test_a_plan_that_cannot_be_is_refused_before_it_starts(host):
    with pytest.raises(UsageError, match="what no follower has"):
        host.chaos(Plan(on.ack().kill_broker(unreplicated=True)))
    with host.chaos(own_assertions=True, drawn=True):
        pass  # and nothing is left of it


def test_a_rule_that_does_not_fire_is_named_when_it_is_waited_for(chaos):
    rule = chaos.arm(on.confirm(nth=5).drop())
    with pytest.raises(WaitTimeout, match=r"on.confirm\(nth=5\).drop\(\) to take effect"):
        rule.wait(0.05)
