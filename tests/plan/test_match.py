"""Whether a message is where a rule means."""

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Outcome, Point, Position, Record, Sighting
from pytest_mqchaos.plan.match import matches, names, needs_record
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.when import where
from pytest_mqchaos.plan.where import Where, selectors

RECORD = Record(
    "orders", 1, 7, b"k", b'{"id": 1}', (("kind", b"paid"), ("kind", b"x"), ("e", None))
)
SEEN = Sighting(point=Point.PUBLISH, name="Produce", client="app", group="g")


def asked(at, record=RECORD, ids=("p-1", "p-2"), sighting=SEEN, owner="worker-1#2"):
    return matches(at.where, record=record, ids=ids, sighting=sighting, owner=owner)


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ({}, True),
        ({"topic": "orders"}, True),
        ({"topic": "order"}, False),
        ({"queue": "orders"}, True),  # which word a protocol has is asked when the rule is armed
        ({"partition": 1}, True),
        ({"partition": 0}, False),
        ({"key": "k"}, True),
        ({"key": b"k"}, True),
        ({"key": "kk"}, False),
        ({"id": "p-2"}, True),
        ({"id": "p-3"}, False),
        ({"client": "app"}, True),
        ({"client": "worker-1"}, True),
        ({"client": "worker-1#2"}, True),
        ({"client": "worker-1#1"}, False),
        ({"client": "worker"}, False),
        ({"group": "g"}, True),
        ({"group": "h"}, False),
        ({"api": "Produce"}, True),
        ({"api": "Fetch"}, False),
        ({"topic": "orders", "key": "k", "id": "p-1", "client": "app"}, True),
        ({"topic": "orders", "key": "k", "id": "p-1", "client": "other"}, False),
        ({"when": where.header("kind")}, True),
        ({"when": where.header("kind", "paid")}, True),
        ({"when": where.header("kind", b"x")}, True),
        ({"when": where.header("kind", "y")}, False),
        ({"when": where.header("e")}, True),
        ({"when": where.header("e", "")}, False),
        ({"when": where.header("other")}, False),
        ({"when": where.value_contains('"id"')}, True),
        ({"when": where.value_contains(b"nothing")}, False),
        ({"when": where.topic("orders") & where.partition(1)}, True),
        ({"when": where.topic("orders") & where.partition(2)}, False),
        ({"when": where.subject("x") | where.id("p-1")}, True),
        ({"when": ~where.group("g")}, False),
        ({"when": ~(where.client("a") | where.client("b"))}, True),
        ({"topic": "orders", "when": ~where.key("k")}, False),
    ],
)
def test_all_that_is_asked_must_hold(selectors, expected):
    assert asked(on.publish(**selectors)) is expected


def test_a_record_without_key_or_value():
    bare = Record("orders", 0, -1, None, None)
    assert not asked(on.publish(key=""), record=bare)
    assert not asked(on.publish(when=where.value_contains("X")), record=bare)
    assert asked(on.publish(when=where.value_contains("")), record=bare)
    assert asked(on.publish(topic="orders"), record=bare, ids=())
    assert not asked(on.publish(id="p-1"), record=bare, ids=())


@pytest.mark.parametrize("place", [{"positions": (Position("orders", 1, 8),)},
                                   {"outcomes": (Outcome("orders", 1, 0),)}])  # fmt: skip
def test_a_frame_without_messages_is_known_by_its_places(place):
    seen = Sighting(point=Point.ACK, name="OffsetCommit", **place)
    assert asked(on.ack(topic="orders", partition=1), record=None, sighting=seen)
    assert not asked(on.ack(topic="orders", partition=0), record=None, sighting=seen)
    assert not asked(on.ack(topic="other"), record=None, sighting=seen)
    assert not asked(on.ack(topic="orders", client="other"), record=None, sighting=seen)
    assert not asked(on.ack(topic="orders", group="other"), record=None, sighting=seen)


def test_one_of_several_places_is_enough():
    places = (Position("orders", 1, 8), Position("bills", 0, 3))
    seen = Sighting(point=Point.ACK, name="OffsetCommit", positions=places)
    for topic, partition in (("orders", 1), ("bills", 0)):
        assert asked(on.ack(topic=topic, partition=partition), record=None, sighting=seen)
    assert not asked(on.ack(topic="payments"), record=None, sighting=seen)
    assert not asked(on.ack(partition=2), record=None, sighting=seen)


@pytest.mark.parametrize(
    "given",
    [{"key": "k"}, {"id": "p-1"}, {"when": where.header("a")}, {"when": ~where.header("a")},
     {"when": where.topic("orders") | ~where.value_contains("x")}],
)  # fmt: skip
def test_what_cannot_be_seen_does_not_match(given):
    at = on.ack(**given)
    assert needs_record(at.where)
    assert not asked(at, record=None)


def test_a_destination_without_a_word_is_a_topic():
    """As made by hand; users have written a word."""
    bare = Where(point=Point.PUBLISH, destination="orders")
    assert selectors(bare) == {"topic": "orders"}
    with pytest.raises(UsageError, match=r"^topic=3: must be a str"):
        Where(point=Point.PUBLISH, destination=3)


def test_places_and_links_need_no_record():
    at = on.ack(topic="a", client="c", when=where.group("g") & ~where.partition(1))
    assert not needs_record(at.where)
    assert names(at.where.when) == {"group", "partition"}
