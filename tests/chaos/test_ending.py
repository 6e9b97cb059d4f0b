"""What the end of a Chaos says of its run, and what can be told of it."""

import pytest

from pytest_mqchaos.chaos.telling import Telling
from pytest_mqchaos.errors import MqchaosError, NotApplicable, VerdictFailed
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.rules import Plan
from tests.chaos.services import publish


def ended(host, body, plan=None, **settings):
    """What the end of a run says of `body`."""
    failing = pytest.raises((MqchaosError, AssertionError))
    with failing as raised, host.chaos(plan, id="value", **settings) as chaos:
        body(chaos)
    return raised.value


def test_an_unfired_rule_fails_unless_it_is_optional(host, tmp_path):
    told = ended(
        host, publish, Plan(on.confirm(nth=3).drop()), own_assertions=True,
        telling=Telling(nodeid="t.py::test", directory=tmp_path / "kept"),
    )  # fmt: skip
    assert isinstance(told, VerdictFailed)
    assert "1 of 1 rule never took effect" in str(told)
    assert 'pytest "t.py::test" --mqchaos-plan=mq1.' in str(told)
    assert (tmp_path / "kept" / "history.jsonl").stat().st_size > 0
    with host.chaos(
        Plan(on.confirm(nth=3).drop(optional=True)), id="value", own_assertions=True
    ) as chaos:
        publish(chaos)


def test_no_question_fails(host):
    assert "no verdict was asked" in str(ended(host, publish))


def test_nothing_observed_fails_unless_the_batch_was_drawn(host):
    said = ended(host, lambda chaos: None, own_assertions=True)
    assert "nothing was observed: no client ever connected" in str(said)
    with host.chaos(own_assertions=True, drawn=True):
        pass


def test_a_profile_that_observed_why_it_cannot_act_is_not_applicable(host):
    told = ended(
        host, publish, Plan(on.publish(nth=1).reorder()), own_assertions=True,
        telling=Telling(profile="reordered-publish"),
    )  # fmt: skip
    assert isinstance(told, NotApplicable)
    assert str(told).startswith("NOT APPLICABLE: reordered-publish: ")


def test_trouble_of_the_data_plane_fails_its_run_and_not_the_next(host):
    def body(chaos):
        publish(chaos)
        chaos.host.troubles.append("a listener was lost")

    told = ended(host, body, own_assertions=True)
    assert "nothing is certain: a listener was lost" in str(told)
    host.troubles.append("left over")
    with host.chaos(own_assertions=True) as chaos:
        publish(chaos)


def test_the_bodys_own_error_is_not_replaced(host):
    def body(chaos):
        chaos.topic("t")
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"), host.chaos(Plan(on.ack().drop())) as chaos:
        body(chaos)


def test_what_was_seen_can_be_told_after_a_failure(chaos):
    chaos.telling = Telling(nodeid="t.py::test")
    publish(chaos)
    told = chaos.telling.summary(chaos)
    assert "published 1 · confirmed 1 · stored 1" in told
    assert "broker   kafka embedded" in told
    assert 'replay   pytest "t.py::test"' in told
