"""Deliveries, acks, transactions, notes and gaps, from a tape written by hand."""

import pytest

from pytest_mqchaos.errors import PeerError
from pytest_mqchaos.frames import Direction, Outcome, Point, Position, Record, Sighting
from pytest_mqchaos.history.spool import CLOSING, HELD, FrameEntry, pack_frame, pack_note, read
from pytest_mqchaos.relay.transcript import transcribe
from tests.relay.tape import NAMES, new_tape, only


@pytest.fixture
def tape():
    return new_tape()


def test_a_delivery_belongs_to_the_one_group_of_its_client(tape):
    tape.ack(3)
    tape.deliver(Record("t", 0, 3, b"k", b"a"))
    row = only(tape.read().deliveries)
    assert (row.group, row.offset, row.id, row.reached) == ("g", 3, "a", True)


def test_a_member_counts_before_its_first_ack(tape):
    tape.deliver(Record("t", 0, 3, b"k", b"a"))
    tape.control(group="g", member="", client="c")
    assert only(tape.read().deliveries).group == "g"


def test_looking_at_a_group_from_outside_is_not_membership(tape):
    tape.control(group="g", client="c")
    tape.deliver(Record("t", 0, 3, b"k", b"a"))
    read_ = tape.read()
    assert only(read_.deliveries).group is None
    assert read_.groups == frozenset()


def test_two_groups_of_one_client_leave_the_group_open(tape):
    tape.ack(3, group="g")
    tape.ack(3, group="h")
    tape.deliver(Record("t", 0, 3, b"k", b"a"))
    read_ = tape.read()
    assert only(read_.deliveries).group is None
    assert read_.groups == {"g", "h"}


def test_of_several_groups_of_one_client_the_one_that_reads_the_topic_has_it(tape):
    """One process with several subscribers, as frameworks make them."""
    tape.control(group="g", member="m1", client="c", details={"subscribed": ("t",)})
    tape.control(group="h", member="m2", client="c", details={"subscribed": ("u", "both")})
    tape.control(group="i", member="m3", client="c", details={"subscribed": ("both",)})
    for topic in ("t", "u", "both", "other"):
        tape.deliver(Record(topic, 0, 3, b"k", b"a"))
    found = [(row.topic, row.group) for row in tape.read().deliveries]
    assert found == [("t", "g"), ("u", "h"), ("both", None), ("other", None)]


def test_a_group_that_acks_a_topic_reads_it_whatever_it_said_before(tape):
    tape.control(group="g", member="m1", client="c", details={"subscribed": ("u",)})
    tape.control(group="h", member="m2", client="c", details={"subscribed": ("v",)})
    tape.ack(3, group="g")
    tape.deliver(Record("t", 0, 2, b"k", b"a"))
    assert only(tape.read().deliveries).group == "g"


def test_a_group_whose_topics_nobody_told_may_read_any(tape):
    """A pattern that the broker resolves, an assignment by hand."""
    tape.control(group="g", member="m1", client="c", details={"subscribed": ("t",)})
    tape.control(group="h", member="m2", client="c", details={"subscribed": ()})
    for topic in ("t", "u"):
        tape.deliver(Record(topic, 0, 3, b"k", b"a"))
    found = [(row.topic, row.group) for row in tape.read().deliveries]
    assert found == [("t", None), ("u", "h")]


def test_two_clients_of_one_owner_are_kept_apart(tape):
    for link, client, group in ((1, "c", "g"), (2, "d", "h")):
        tape.note("link", link=link, owner="worker-1#1", node=0, peer="")
        tape.ack(0, group=group, link=link, client=client)
        tape.deliver(Record("t", 0, 0, b"k", b"a"), link=link)
    assert [row.group for row in tape.read().deliveries] == ["g", "h"]


def test_a_delivery_without_a_known_client_takes_its_owners_group(tape):
    tape.note("link", link=2, owner="worker-1#1", node=1, peer="")
    tape.ack(0)
    tape.deliver(Record("t", 0, 0, b"k", b"a"), link=2)
    assert only(tape.read().deliveries).group == "g"


@pytest.mark.parametrize("fate", ["swallowed", "replaced", None])
def test_messages_that_were_held_back_did_not_reach_the_consumer(tape, fate):
    reply = tape.deliver(Record("t", 0, 3, b"k", b"a"), flags=HELD)
    if fate:
        tape.note("fate", frame=reply, fate=fate, by=0)
    assert only(tape.read().deliveries).reached is False


def test_an_ack_is_confirmed_by_the_broker_even_if_nobody_heard_it(tape):
    request = tape.ack(4)
    reply = tape.taken(request, flags=HELD)
    tape.note("fate", frame=reply, fate="swallowed", by=0)
    row = only(tape.read().acks)
    assert (row.outcome, row.end_seq, row.end_t) == ("confirmed", reply, 1000 * reply)
    assert (row.group, row.member, row.offset, row.reached) == ("g", "m", 4, True)


def test_an_ack_that_the_broker_refused(tape):
    tape.taken(tape.ack(4), code=22)
    row = only(tape.read().acks)
    assert (row.outcome, row.error) == ("refused", 22)


def test_an_ack_that_never_arrived_is_unknown_whatever_we_answered(tape):
    request = tape.ack(4, flags=HELD)
    tape.note("fate", frame=request, fate="swallowed", by=0)
    tape.note("answered", frame=request, code=16, rule=0)
    row = only(tape.read().acks)
    assert (row.outcome, row.reached, row.end_seq, row.error) == ("unknown", False, 0, 16)


def test_transactions_keep_their_parts_and_their_end(tape):
    tape.publish(b"a", tid="tx")
    ack = tape.ack(4, tid="tx")
    end = tape.control(transactional_id="tx", details={"committed": False})
    said = Sighting(point=Point.CONTROL, name="EndTxn", error=0)
    reply = tape.frame(Direction.TO_CLIENT, said, of=end)
    open_ = tape.control(transactional_id="tx", details={"committed": True})
    fenced = tape.control(transactional_id="tx", details={"committed": True})
    tape.frame(Direction.TO_CLIENT, Sighting(point=Point.CONTROL, name="", error=90), of=fenced)
    read_ = tape.read()
    assert only(read_.attempts).transactional_id == "tx"
    assert read_.transactional == {ack: "tx"}
    first, second, third = read_.ends
    assert (first.transactional_id, first.committed, first.outcome) == ("tx", False, "confirmed")
    assert (first.end_seq, first.reached) == (reply, True)
    assert (second.seq, second.committed, second.outcome) == (open_, True, "unknown")
    assert (third.outcome, third.error) == ("refused", 90)


def test_rules_topics_closing_and_links_are_read_from_notes(tape):
    tape.note("rule", rule=0, what="took effect", text="reply swallowed")
    tape.note("topics", names={"ab": "orders"})
    closing = tape.note("closing", owner="worker-1#1")
    tape.note("closing", owner="worker-1#1")
    tape.note("closed", link=1, by="client")
    tape.publish(b"a", link=9)
    read_ = tape.read(owners={8: "publisher"})
    event = only(read_.rule_events)
    assert (event.rule, event.what, event.note) == (0, "took effect", "reply swallowed")
    assert tape.topic_names == {b"\xab": "orders"}
    assert read_.closing == {"worker-1#1": closing}
    assert read_.links == {8: "publisher", 1: "worker-1#1"}
    assert read_.notes == ()
    assert {n: bool(end) for n, (_, end) in read_.spans.items()} == {1: True}
    assert read_.spans[1][0] < read_.spans[1][1]
    assert only(read_.attempts).owner == "link 9"
    assert (read_.topics, read_.frames) == ({"t"}, 1)


def test_a_frame_marked_as_closing_tells_it_too(tape):
    first = tape.publish(b"a", flags=CLOSING)
    tape.publish(b"b", flags=CLOSING)
    assert tape.read().closing == {"worker-1#1": first}


def test_an_unreadable_frame_is_a_gap_of_its_topic(tape):
    for _ in range(2):
        said = Sighting(
            point=Point.CONFIRM, name="Produce", undecoded="odd", outcomes=(Outcome("t", 0, 0),)
        )
        tape.frame(Direction.TO_CLIENT, said)
    read_ = tape.read()
    assert read_.gaps == ("2 times: Produce frame of t could not be decoded: odd",)
    assert read_.gap_topics == {"t"}


def test_a_gap_touches_every_topic_that_its_frame_names(tape):
    for topics in (("t", "u", "v"), ("w", "x", "y")):
        said = Sighting(
            point=Point.DELIVER, name="F", undecoded="odd",
            records=(Record(topics[0], 0, 0, None, None),), outcomes=(Outcome(topics[1], 0, 0),),
            positions=(Position(topics[2], 0, 0),),
        )  # fmt: skip
        tape.frame(Direction.TO_CLIENT, said)
    assert tape.read().gap_topics == set("tuvwxy")


def test_a_gap_without_a_topic_touches_all(tape):
    tape.ack(1)
    said = Sighting(point=Point.DELIVER, name="Fetch", undecoded="odd")
    tape.frame(Direction.TO_CLIENT, said)
    named = Sighting(point=Point.ACK, name="A", undecoded="x", positions=(Position("t", 0, 1),))
    tape.frame(Direction.TO_BROKER, named)
    read_ = tape.read()
    assert len(read_.gaps) == 2
    assert read_.gap_topics == frozenset()


def test_blind_links_and_lost_frames_are_gaps_and_control_is_not(tape):
    tape.note("blind", link=1, why="a TLS hello")
    kept = tape.control(undecoded="new API")
    tape.note("undecoded", frame=kept, why="new API")
    tape.note("undecoded", frame=999, why="codec failed")
    assert tape.read().gaps == (
        "link 1 (worker-1#1) could not be followed: a TLS hello",
        "a frame could not be decoded and was not kept: codec failed",
    )


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("link", {"owner": "w"}, "'link'"),
        ("topics", {"names": 3}, "names by id"),
        ("topics", {"names": {"not hex": "t"}}, "names by id"),
    ],
)
def test_a_note_that_lacks_what_it_needs_is_an_error(tape, kind, body, says):
    tape.note(kind, **body)
    with pytest.raises(PeerError, match=says):
        tape.read()


def test_packed_entries_read_the_same(tape):
    request = tape.publish(b"a", flags=HELD)
    tape.note("fate", frame=request, fate="forwarded", by=None)
    tape.confirm(request, offset=2)
    packed = b"".join(
        pack_frame(entry) if isinstance(entry, FrameEntry) else pack_note(entry)
        for entry in tape.entries
    )
    again = transcribe(read(packed), codec=tape, identity=NAMES)
    assert again == tape.read()
