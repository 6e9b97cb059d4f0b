"""`on`: where rules come from, and what it says about a slip of the pen."""

import inspect

import pytest

from pytest_mqchaos.errors import UnknownName, UsageError
from pytest_mqchaos.faults.registry import FAULTS
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan.nth import every
from pytest_mqchaos.plan.on import At, on
from pytest_mqchaos.plan.when import where
from pytest_mqchaos.plan.where import Where, selectors


@pytest.mark.parametrize("point", [p for p in Point if p is not Point.CONTROL])
def test_every_point_makes_a_place(point):
    assert getattr(on, point)(topic="orders", nth=2).where == Where(
        point=point, destination="orders", word="topic", nth=2
    )


def test_control_needs_the_request_it_means():
    assert on.control(api="Heartbeat").where.api == "Heartbeat"
    with pytest.raises(UsageError, match=r"write on\.control\(api='Heartbeat'\)"):
        on.control()


@pytest.mark.parametrize("word", ["topic", "queue", "stream", "subject"])
def test_the_word_that_the_user_wrote_is_kept(word):
    at = on.ack(**{word: "orders"})
    assert at.where.destination == "orders"
    assert repr(at) == f"on.ack({word}='orders')"


def test_two_words_for_the_destination_are_one_too_many():
    with pytest.raises(UsageError, match=r"on\.ack\(topic=\.\.\., queue=\.\.\.\).*give one"):
        on.ack(topic="a", queue="b")


def test_selectors_keep_their_order():
    at = on.ack(nth=every(2), when=where.key("k"), group="g", key=b"x", topic="t", attempt=2)
    assert list(selectors(at.where)) == ["topic", "key", "group", "attempt", "nth", "when"]


def test_every_fault_is_a_method_and_the_other_way_round():
    verbs = {name for name, _ in inspect.getmembers(At, inspect.isfunction) if name[0] != "_"}
    assert verbs == set(FAULTS)


@pytest.mark.parametrize("verb", [verb for verb in FAULTS if verb != "delay"])
def test_every_verb_makes_its_fault_with_its_defaults(verb):
    rule = getattr(on.publish(), verb)(optional=True)
    assert rule.fault == FAULTS[verb]()
    assert rule.optional
    assert not rule.forge


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (lambda: on.ack().delay(0.5), "on.ack().delay(0.5)"),
        (lambda: on.ack().refuse(25, forge=True), "on.ack().refuse(25, forge=True)"),
        (lambda: on.ack().hang(for_=2), "on.ack().hang(2)"),
        (
            lambda: on.publish(nth=10).kill_broker(restart_after=1.0),
            "on.publish(nth=10).kill_broker(restart_after=1.0)",
        ),
        (
            lambda: on.publish().kill_broker(unreplicated=True),
            "on.publish().kill_broker(unreplicated=True)",
        ),
        (lambda: on.ack().move_leader(to=2), "on.ack().move_leader(2)"),
        (lambda: on.ack().partition("all", for_=1), "on.ack().partition('all', for_=1)"),
        (lambda: on.ack().power_loss(restart_after=2), "on.ack().power_loss(restart_after=2)"),
        (lambda: on.ack().crash_worker(when="after"), "on.ack().crash_worker('after')"),
        (lambda: on.ack().sever(reset=True), "on.ack().sever(reset=True)"),
        (lambda: on.ack().pause_broker("all", for_=1), "on.ack().pause_broker('all', for_=1)"),
    ],
)
def test_a_rule_reads_as_it_was_written(write, text):
    assert repr(write()) == text


def test_an_unknown_point_names_the_nearest():
    with pytest.raises(UnknownName, match=r"unknown point 'confrim'. Did you mean 'confirm'"):
        on.confrim(nth=2)
    assert not hasattr(on, "confrim")
    assert not hasattr(on, "__wrapped__")
    assert repr(on) == "on"


def test_an_unknown_fault_names_the_nearest():
    with pytest.raises(UsageError, match=r"unknown fault 'dorp'. Did you mean 'drop'"):
        on.confirm().dorp()
    assert not hasattr(on.confirm(), "__wrapped__")


def test_an_unknown_selector_names_the_nearest():
    with pytest.raises(UsageError, match=r"selector of on\.ack\(\) 'tpoic'. Did you mean 'topic'"):
        on.ack(tpoic="x")


def test_an_unknown_flag_names_the_nearest():
    with pytest.raises(UsageError, match=r"of \.drop\(\) 'optinal'. Did you mean 'optional'"):
        on.ack().drop(optinal=True)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"topic": ""}, "topic='': must be a str that is not empty"),
        ({"queue": 3}, "queue=3"),
        ({"id": 7}, "id=7: must be a str"),
        ({"client": b"x"}, "client=b'x'"),
        ({"key": 3}, "key=3: must be str or bytes"),
        ({"partition": -1}, "partition=-1"),
        ({"partition": True}, "partition=True"),
        ({"nth": 0}, "nth=0"),
        ({"attempt": 0}, "attempt=0"),
        ({"when": lambda record: True}, "A function cannot be replayed from a token"),
    ],
)
def test_a_selector_that_cannot_be_is_refused_where_it_is_written(given, says):
    with pytest.raises(UsageError, match=says):
        on.ack(**given)
