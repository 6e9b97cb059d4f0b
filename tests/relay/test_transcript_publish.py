"""What a producer was told, from a tape written by hand."""

import pytest

from pytest_mqchaos.frames import Record
from pytest_mqchaos.history.identity import Identity, content
from pytest_mqchaos.history.spool import HELD
from pytest_mqchaos.relay.transcript import preview, transcribe
from tests.relay.tape import new_tape, only


@pytest.fixture
def tape():
    return new_tape()


def test_a_publish_whose_confirm_passed_is_confirmed(tape):
    request = tape.publish(b"a", b"b")
    reply = tape.confirm(request, offset=40)
    first, second = tape.read().attempts
    assert (first.id, first.offset, second.id, second.offset) == ("a", 40, "b", 41)
    assert (first.outcome, first.end_seq, first.end_t) == ("confirmed", reply, 1000 * reply)
    assert (first.seq, first.t, first.reached) == (request, 1000 * request, True)
    assert (first.owner, first.client, first.link) == ("worker-1#1", "c", 1)
    assert first.content == content(b"k", b"a") != second.content


def test_an_error_that_reached_the_producer_is_refused(tape):
    tape.confirm(tape.publish(b"a"), code=6)
    row = only(tape.read().attempts)
    assert (row.outcome, row.error, row.offset) == ("refused", 6, -1)


def test_a_publish_without_a_reply_is_unknown(tape):
    tape.publish(b"a")
    row = only(tape.read().attempts)
    assert (row.outcome, row.end_seq, row.end_t, row.reached) == ("unknown", 0, 0, True)


def test_a_swallowed_confirm_leaves_unknown_but_shows_where_it_is_stored(tape):
    reply = tape.confirm(tape.publish(b"a"), offset=7, flags=HELD)
    tape.note("fate", frame=reply, fate="swallowed", by=0)
    row = only(tape.read().attempts)
    assert (row.outcome, row.end_seq, row.offset, row.reached) == ("unknown", 0, 7, True)


def test_a_delayed_confirm_counts_from_when_it_left(tape):
    reply = tape.confirm(tape.publish(b"a"), offset=7, flags=HELD)
    fate = tape.note("fate", frame=reply, fate="forwarded", by=0)
    row = only(tape.read().attempts)
    assert (row.outcome, row.end_seq, row.end_t) == ("confirmed", fate, 1000 * fate)


@pytest.mark.parametrize("fate", ["swallowed", None])
def test_a_publish_that_was_never_let_go_did_not_reach_the_broker(tape, fate):
    request = tape.publish(b"a", flags=HELD)
    if fate:
        tape.note("fate", frame=request, fate=fate, by=0)
    assert only(tape.read().attempts).reached is False


@pytest.mark.parametrize("fate", ["forwarded", "replaced"])
def test_a_held_publish_that_went_on_did_reach_the_broker(tape, fate):
    request = tape.publish(b"a", flags=HELD)
    tape.note("fate", frame=request, fate=fate, by=0)
    assert only(tape.read().attempts).reached is True


def test_our_own_refusal_is_what_the_producer_was_told(tape):
    request = tape.publish(b"a", flags=HELD)
    tape.note("fate", frame=request, fate="swallowed", by=2)
    answered = tape.note("answered", frame=request, code=19, rule=2)
    row = only(tape.read().attempts)
    assert (row.reached, row.outcome, row.error, row.end_seq) == (False, "refused", 19, answered)
    assert row.end_t == 1000 * answered


def test_a_success_replaced_by_an_error_is_refused_although_stored(tape):
    request = tape.publish(b"a")
    reply = tape.confirm(request, offset=3, flags=HELD)
    tape.note("fate", frame=reply, fate="replaced", by=1)
    tape.note("answered", frame=request, code=7, rule=1)
    row = only(tape.read().attempts)
    assert (row.outcome, row.error, row.offset, row.reached) == ("refused", 7, 3, True)


def test_a_reply_rewritten_by_no_rule_keeps_its_meaning(tape):
    reply = tape.confirm(tape.publish(b"a"), offset=3, flags=HELD)
    tape.note("fate", frame=reply, fate="replaced", by=None)
    assert only(tape.read().attempts).outcome == "confirmed"


def test_of_two_replies_the_success_that_left_wins(tape):
    request = tape.publish(b"a")
    tape.confirm(request, code=7)
    tape.confirm(request, offset=3)
    assert only(tape.read().attempts).outcome == "confirmed"


def test_a_reply_about_another_partition_says_nothing(tape):
    tape.confirm(tape.publish(b"a"), topic="other")
    assert only(tape.read().attempts).outcome == "unknown"


def test_a_publish_without_confirms_is_unknown_and_sent(tape):
    tape.publish(b"a", acks=0)
    row = only(tape.read().attempts)
    assert (row.acks, row.outcome, row.reached) == (0, "unknown", True)


def test_the_retry_is_an_attempt_of_its_own(tape):
    tape.note("link", link=2, owner="worker-1#1", node=0, peer="")
    tape.publish(b"a")
    tape.confirm(tape.publish(b"a", link=2), offset=1, link=2)
    assert [row.outcome for row in tape.read().attempts] == ["unknown", "confirmed"]


def test_one_message_may_have_several_ids_and_offsets_count_messages(tape):
    tape.confirm(tape.publish(b"a+b", b"c"), offset=5)
    assert [(row.id, row.offset) for row in tape.read().attempts] == [("a", 5), ("b", 5), ("c", 6)]


def test_identity_sees_the_offset_that_the_broker_gave(tape):
    tape.confirm(tape.publish(b"a", b"b"), offset=5)
    read_ = transcribe(tape.entries, codec=tape, identity=Identity.parse("offset"))
    assert [row.id for row in read_.attempts] == ["t-0@5", "t-0@6"]


def test_messages_without_an_id_are_rows_and_are_shown_once(tape):
    tape.publish(None, None)
    read_ = tape.read()
    assert [row.id for row in read_.attempts] == [None, None]
    why = "the id callable returned [], not str or list of str"
    assert read_.unidentified == (f"t-0 (null): {why}",)


def test_a_message_that_is_not_mine_makes_no_row_yet_counts_in_offsets(tape):
    tape.confirm(tape.publish(b"-", b"a"), offset=5)
    tape.deliver(Record("t", 0, 5, b"k", b"-"))
    read_ = tape.read()
    assert [(row.id, row.offset) for row in read_.attempts] == [("a", 6)]
    assert (read_.deliveries, read_.unidentified) == ((), ())


def test_a_preview_is_cut():
    record = Record("t", 0, 4, None, b"x" * 61)
    assert preview(record) == "t-0@4 " + "x" * 60 + "..."
    assert preview(record._replace(offset=0, value=b"\xff" * 60)) == "t-0@0 " + "\\xff" * 60
    assert preview(record._replace(offset=-1, value=None)) == "t-0 (null)"
