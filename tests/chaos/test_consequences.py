"""A fault without its consequence has tested less than its name says: a pass must tell."""

import pytest

from pytest_mqchaos import on
from pytest_mqchaos.chaos import consequences
from pytest_mqchaos.history.history import History, RuleState
from pytest_mqchaos.history.rows import Attempt, Delivery, ProcessEvent, Stored


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
    assert consequences.sentences(told) == (f"rule 1 was without consequence: {told[0]}",)


def test_a_rule_that_did_not_fire_or_leads_to_nothing_is_not_asked():
    rules = [on.confirm(nth=1).drop(), on.confirm(nth=1).delay(0.1)]
    assert consequences.missing(rules, History(rules=(state(fired=0), state()))) == {}
