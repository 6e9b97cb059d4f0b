"""Whole rows, every column of them: a column that nobody looks at is one that may be wrong."""

import pytest

from pytest_mqchaos.errors import PeerError
from pytest_mqchaos.frames import Direction, Outcome, Point, Position, Record, Sighting
from pytest_mqchaos.history.identity import content
from pytest_mqchaos.history.rows import Ack, Attempt, Delivery, ProcessEvent, RuleEvent
from pytest_mqchaos.history.spool import HELD
from pytest_mqchaos.relay.transcript_ends import TransactionEnd
from tests.relay.tape import new_tape, only

HEADERS = (("h", b"1"),)


@pytest.fixture
def tape():
    return new_tape()


def publish(tape, *records, acks=None, link=1):
    said = Sighting(
        point=Point.PUBLISH, name="P", client="c", records=records, acks=acks,
        transactional_id="tx",
    )  # fmt: skip
    return tape.frame(Direction.TO_BROKER, said, link=link)


def confirm(tape, of, *outcomes, flags=0):
    said = Sighting(point=Point.CONFIRM, name="P", outcomes=outcomes)
    return tape.frame(Direction.TO_CLIENT, said, of=of, flags=flags)


def message(value, *, topic="t", partition=0, offset=-1):
    return Record(topic, partition, offset, b"k", value, HEADERS, 99, 7, 3)


def test_every_column_of_an_attempt(tape):
    request = publish(tape, message(b"a", partition=2))
    reply = confirm(tape, request, Outcome("t", 2, 0, 40))
    assert tape.read().attempts == (
        Attempt(
            request, 1000 * request, 1, "worker-1#1", "c", "t", 2, "a", b"k", b"a",
            content(b"k", b"a"), -1, True, "confirmed", reply, 1000 * reply, 40, 0, 7, 3, "tx",
            HEADERS,
        ),
    )  # fmt: skip


def test_every_column_of_a_delivery(tape):
    said = Sighting(point=Point.DELIVER, name="F", records=(message(b"a", partition=2, offset=5),))
    seq = tape.frame(Direction.TO_CLIENT, said)
    assert tape.read().deliveries == (
        Delivery(
            seq, 1000 * seq, 1, "worker-1#1", None, "t", 2, 5, "a", b"k", b"a",
            content(b"k", b"a"), True, HEADERS,
        ),
    )  # fmt: skip


def test_every_column_of_an_ack(tape):
    said = Sighting(
        point=Point.ACK, name="A", member="m", positions=(Position("t", 2, 5), Position("u", 0, 1))
    )
    seq = tape.frame(Direction.TO_BROKER, said)
    done = Sighting(point=Point.ACK_CONFIRM, name="A", outcomes=(Outcome("u", 0, 0),))
    reply = tape.frame(Direction.TO_CLIENT, done, of=seq)
    row = Ack(
        seq, 1000 * seq, 1, "worker-1#1", "", "m", "t", 2, 5, True, "unknown", 0, 0, 0
    )  # fmt: skip
    told = row._replace(
        topic="u", partition=0, offset=1, outcome="confirmed", end_seq=reply, end_t=1000 * reply
    )
    assert tape.read().acks == (row, told)


def test_every_column_of_a_transactions_end(tape):
    asked = Sighting(
        point=Point.CONTROL, name="E", transactional_id="tx", details={"committed": True}
    )
    seq = tape.frame(Direction.TO_BROKER, asked)
    said = Sighting(point=Point.CONTROL, name="E", error=0)
    first = tape.frame(Direction.TO_CLIENT, said, of=seq)
    tape.frame(Direction.TO_CLIENT, Sighting(point=Point.CONTROL, name="E", error=9), of=seq)
    assert tape.read().ends == (
        TransactionEnd(
            seq, 1000 * seq, 1, "worker-1#1", "tx", True, True, "confirmed", first, 1000 * first, 0
        ),
    )


def test_every_column_of_a_transaction_without_an_end(tape):
    asked = Sighting(
        point=Point.CONTROL, name="E", transactional_id="tx", details={"committed": False}
    )
    seq = tape.frame(Direction.TO_BROKER, asked)
    assert tape.read().ends == (
        TransactionEnd(
            seq, 1000 * seq, 1, "worker-1#1", "tx", False, True, "unknown", 0, 0, 0
        ),
    )  # fmt: skip


def test_who_begins_anew_under_an_id_ends_what_is_open_there(tape):
    asked = Sighting(
        point=Point.CONTROL, name="I", transactional_id="tx", details={"anew": True}
    )  # fmt: skip
    seq = tape.frame(Direction.TO_BROKER, asked)
    said = Sighting(point=Point.CONTROL, name="I", error=0)
    first = tape.frame(Direction.TO_CLIENT, said, of=seq)
    assert tape.read().ends == (
        TransactionEnd(
            seq, 1000 * seq, 1, "worker-1#1", "tx", False, True, "confirmed", first, 1000 * first,
            0, anew=True,
        ),
    )  # fmt: skip


def test_every_column_of_a_rules_step(tape):
    seq = tape.note("rule", rule=3, what="healed")
    assert tape.read().rule_events == (RuleEvent(seq, 1000 * seq, 3, "healed", ""),)


def test_each_partition_of_a_frame_has_its_own_end_and_its_own_offsets(tape):
    one, two, three = message(b"a"), message(b"b", topic="u"), message(b"c", partition=1)
    request = publish(tape, one, two, one, three, two)
    confirm(tape, request, Outcome("t", 0, 0, 0), Outcome("u", 0, 6, 8), Outcome("t", 1, 0))
    assert [(a.id, a.outcome, a.offset, a.error) for a in tape.read().attempts] == [
        ("a", "confirmed", 0, 0),
        ("b", "refused", -1, 6),
        ("a", "confirmed", 1, 0),
        ("c", "confirmed", -1, 0),
        ("b", "refused", -1, 6),
    ]


def test_the_first_place_that_a_success_tells_is_the_place(tape):
    request = publish(tape, message(b"a"))
    confirm(tape, request, Outcome("other", 0, 0, 4))
    confirm(tape, request, Outcome("t", 0, 0, 0), flags=HELD)
    confirm(tape, request, Outcome("t", 0, 0, 9), flags=HELD)
    assert [(a.outcome, a.offset, a.error) for a in tape.read().attempts] == [("unknown", 0, 0)]


def test_a_held_delivery_that_went_on_did_reach_the_consumer(tape):
    reply = tape.deliver(message(b"a", offset=3), flags=HELD)
    tape.note("fate", frame=reply, fate="forwarded", by=0)
    assert only(tape.read().deliveries).reached is True


def test_who_takes_part_in_what(tape):
    tape.note("link", link=2, owner="worker-2#1", node=0, peer="")
    tape.control(group="g", member="m1", client="c", details={"subscribed": ("t", "u")})
    tape.control(group="g", member="m2", client="d", details={"subscribed": ("v",)}, link=2)
    tape.control(member="m3", client="d", details={"subscribed": ("w",)}, link=2)
    tape.control(group="h", client="d", link=2)
    tape.deliver(link=2)
    read = tape.read()
    assert read.members == {"worker-1#1": {("g", "m1")}, "worker-2#1": {("g", "m2")}}
    assert read.subscribed == {"g": {"t", "u", "v"}}
    assert (read.groups, read.clients) == ({"g"}, {1: "c", 2: "d"})
    assert (read.consumers, read.listening) == ({"worker-2#1"}, {"worker-2#1"})
    assert (read.deliveries, read.frames) == ((), 5)


def test_what_befell_brokers_is_kept_with_its_time():
    tape = new_tape()
    seq = tape.note("broker", who="broker-1", what="killed", why="rule 0")
    tape.note("broker", who="orders-0")
    found = tape.read().brokers
    assert found == (
        ProcessEvent(1000 * seq, "broker-1", "killed", "rule 0"),
        ProcessEvent(1000 * (seq + 1), "orders-0", "", ""),
    )


def test_a_note_that_cannot_be_read_is_named():
    tape = new_tape()
    seq = tape.note("blind", link="x")
    with pytest.raises(
        PeerError, match=rf"history note {seq} \('blind'\) needs .*'link', found 'x'"
    ):
        tape.read()
