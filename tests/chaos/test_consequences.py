"""A fault without its consequence has tested less than its name says: a pass must tell."""

import pytest

from pytest_mqchaos import on
from pytest_mqchaos.chaos import consequences
from pytest_mqchaos.history.history import Flow, History
from pytest_mqchaos.history.rows import Attempt, Delivery, Effect, ProcessEvent, RuleState, Stored


def state(fired=1):
    return RuleState(source="", cause="", fired=fired, matched=1, optional=False)


def attempt(seq, producer_id=-1):
    return Attempt(seq, seq, 1, "worker-1#1", None, "t", 0, "a", None, b"a", b"a", -1, True,
                   "confirmed", seq + 1, seq + 1, 0, 0, producer_id, -1, None)  # fmt: skip


def stored(offset):
    return Stored("t", 0, offset, "a", None, b"a", b"a")


def delivery(seq):
    return Delivery(seq, seq, 1, "worker-1#1", "g", "t", 0, 0, "a", None, b"a", b"a", True)


@pytest.mark.parametrize(
    ("rule", "came", "missed", "why"),
    [
        (
            on.confirm(nth=1).drop(),
            {"stored": (stored(0), stored(1))},
            {"stored": (stored(0),), "attempts": (attempt(1), attempt(3))},
            "it is not known why",
        ),
        (
            on.confirm(nth=1).drop(),
            {"stored": (stored(0), stored(1))},
            {"stored": (stored(0),), "attempts": (attempt(1, producer_id=7),)},
            "idempotent producer",
        ),
        (
            on.publish(nth=1).drop(),
            {"attempts": (attempt(1), attempt(3))},
            {"attempts": (attempt(1),)},
            "did not send it again",
        ),
        (
            on.ack(nth=1).redeliver(),
            {"deliveries": (delivery(1), delivery(2))},
            {"deliveries": (delivery(1),)},
            "second time",
        ),
        (
            on.ack(nth=1).crash_worker(),
            {"processes": (ProcessEvent(1, "worker-1#2", "restarted", ""),)},
            {"processes": (ProcessEvent(1, "worker-1#1", "crashed", ""),)},
            "not started again",
        ),
    ],
)
def test_each_fault_is_asked_for_what_it_leads_to(rule, came, missed, why):
    assert consequences.missing([rule], History(rules=(state(),), **came)) == {}
    told = consequences.missing([rule], History(rules=(state(),), **missed))
    assert why in told[0]
    assert consequences.sentences(told) == (f"rule 1 led to {told[0]}",)


def effect(t_to, name="a"):
    return Effect(0, t_to, t_to, name, None, None, None, None, "worker-1#1", False, True)


CRASH_LOOP = (
    ProcessEvent(5, "worker-1#1", "crashed", ""), ProcessEvent(6, "worker-1#2", "restarted", ""),
)  # fmt: skip


@pytest.mark.parametrize(
    ("more", "idle"),
    [
        ({"deliveries": (delivery(1),), "effects": (effect(3),)}, True),
        ({"deliveries": (delivery(1),), "effects": (effect(7),)}, False),  # in work
        ({"deliveries": (delivery(1),), "effects": (effect(0),)}, False),  # nobody knows when
        ({"deliveries": (delivery(1),), "effects": None}, False),
        ({"deliveries": (delivery(1), delivery(7)), "effects": (effect(3),)}, False),  # again
        ({"deliveries": (delivery(1),), "effects": (effect(3, "b"),)}, False),
        ({"effects": ()}, False),
    ],
)
def test_a_worker_that_dies_when_all_is_done_has_shown_little(more, idle):
    history = History(rules=(state(),), processes=CRASH_LOOP, **more)
    found = consequences.missing([on.ack(nth=1).crash_worker("after")], history)
    assert (0 in found) is idle
    if idle:
        assert "all that was published had been done" in found[0]


def test_what_has_no_effect_may_be_what_the_death_cost():
    """A group that begins at the end: what its dead member had not committed is never read."""
    lost = attempt(2)._replace(id="b")
    for more in ({"attempts": (lost,)}, {"stored": (stored(1)._replace(id="b"),)}):
        rows = {"deliveries": (delivery(1),), "effects": (effect(3),), **more}
        history = History(
            rules=(state(),), processes=CRASH_LOOP, flow=Flow(inputs=frozenset({"t"})), **rows
        )
        assert consequences.missing([on.ack(nth=1).crash_worker()], history) == {}


def test_no_fault_is_called_harmless():
    """A publish that was dropped and not sent again may be the whole loss."""
    history = History(rules=(state(),), attempts=(attempt(1),))
    told = consequences.sentences(consequences.missing([on.publish(nth=1).drop()], history))
    assert told == ("rule 1 led to no second try: the producer did not send it again",)


def test_a_rule_that_did_not_fire_or_leads_to_nothing_is_not_asked():
    rules = [on.confirm(nth=1).drop(), on.confirm(nth=1).delay(0.1)]
    assert consequences.missing(rules, History(rules=(state(fired=0), state()))) == {}


PLACE = frozenset({("t", 0)})


@pytest.mark.parametrize(
    "rule",
    [
        on.publish(nth=1).kill_broker(),
        on.publish(nth=1).partition(),
        on.publish(nth=1).power_loss(),
        on.publish(nth=1).move_leader(),
    ],
    ids=repr,
)
def test_a_leader_that_is_harmed_is_to_be_replaced(rule):
    def told(**more):
        rows = {"attempts": (attempt(1),), "rules": (state(),)}
        return consequences.missing([rule], History(**rows, **more)).get(0, "")

    assert told(led_anew=PLACE) == ""
    assert told() == "no election: it was over before another leader was elected"
    assert told(lone=PLACE) == "no election: t-0 has one replica, nobody could take over"


@pytest.mark.parametrize(
    "rule",
    [
        on.publish(nth=1).kill_broker(restart_after=1.0),  # it comes back: that is what was meant
        on.publish(nth=1).kill_broker("follower"),
        on.ack(nth=1).kill_broker("coordinator"),
    ],
    ids=repr,
)
def test_with_one_replica_or_another_target_no_election_is_missed(rule):
    history = History(attempts=(attempt(1),), rules=(state(),), lone=PLACE)
    assert consequences.missing([rule], history) == {}
