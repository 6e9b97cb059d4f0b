"""A tape is written by hand, frame by frame, and a codec that only remembers what each frame says
stands in for a real one: what is tested here is who was told what, not how bytes are read."""

import pytest

from pytest_mqchaos.errors import PeerError
from pytest_mqchaos.frames import Direction, Outcome, Point, Position, Record, Sighting
from pytest_mqchaos.history.identity import Identity, content
from pytest_mqchaos.history.spool import (
    CLOSING,
    HELD,
    FrameEntry,
    NoteEntry,
    pack_frame,
    pack_note,
    read,
)
from pytest_mqchaos.relay.transcript import preview, transcribe


def parts(record):
    """The ids of a test message: "a+b" has two, "-" is none of ours."""
    if record.value is None:
        return []
    return None if record.value == b"-" else record.value.decode().split("+")


NAMES = Identity.parse(parts)


class Tape:
    """Entries with rising seq (t = 1000 * seq) and what the frames among them say."""

    def __init__(self):
        self.entries, self.said, self.topic_names, self.seq = [], {}, {}, 0

    def name_of(self, kind):
        return f"kind {kind}"

    def decode(self, frame):
        assert frame.name == "kind 0"
        return self.said[frame.seq]

    def note(self, kind, **body):
        self.seq += 1
        self.entries.append(NoteEntry(self.seq, 1000 * self.seq, {"note": kind, **body}))
        return self.seq

    def frame(self, direction, said, *, link=1, of=0, flags=0):
        self.seq += 1
        raw = b"%d" % self.seq
        entry = FrameEntry(self.seq, 1000 * self.seq, link, direction, 0, 9, of, flags, raw)
        self.entries.append(entry)
        self.said[self.seq] = said
        return self.seq

    def publish(self, *values, topic="t", acks=-1, link=1, flags=0, client="c", tid=None):
        records = tuple(Record(topic, 0, -1, b"k", value) for value in values)
        said = Sighting(
            point=Point.PUBLISH,
            name="Produce",
            client=client,
            records=records,
            acks=acks,
            transactional_id=tid,
        )
        return self.frame(Direction.TO_BROKER, said, link=link, flags=flags)

    def confirm(self, of, code=0, offset=-1, *, topic="t", link=1, flags=0):
        outcomes = (Outcome(topic, 0, code, offset),)
        said = Sighting(point=Point.CONFIRM, name="Produce", outcomes=outcomes)
        return self.frame(Direction.TO_CLIENT, said, link=link, of=of, flags=flags)

    def deliver(self, *records, link=1, flags=0):
        said = Sighting(point=Point.DELIVER, name="Fetch", records=records)
        return self.frame(Direction.TO_CLIENT, said, link=link, flags=flags)

    def ack(self, offset, *, group="g", link=1, flags=0, client="c", tid=None):
        said = Sighting(
            point=Point.ACK,
            name="OffsetCommit",
            client=client,
            group=group,
            member="m",
            positions=(Position("t", 0, offset),),
            transactional_id=tid,
        )
        return self.frame(Direction.TO_BROKER, said, link=link, flags=flags)

    def taken(self, of, code=0, *, link=1, flags=0):
        outcomes = (Outcome("t", 0, code),)
        said = Sighting(point=Point.ACK_CONFIRM, name="OffsetCommit", outcomes=outcomes)
        return self.frame(Direction.TO_CLIENT, said, link=link, of=of, flags=flags)

    def control(self, *, link=1, **fields):
        said = Sighting(point=Point.CONTROL, name="Control", **fields)
        return self.frame(Direction.TO_BROKER, said, link=link)

    def read(self, **options):
        return transcribe(self.entries, codec=self, identity=NAMES, **options)


@pytest.fixture
def tape():
    tape = Tape()
    tape.note("link", link=1, owner="worker-1#1", node=0, peer="")
    return tape


def only(rows):
    assert len(rows) == 1
    return rows[0]


# ------------------------------------------------------------------------------- publish


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


# ------------------------------------------------------------------------------- deliver


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


# ------------------------------------------------------------------------------- ack


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


# ------------------------------------------------------------------------------- transactions


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


# ------------------------------------------------------------------------------- notes and gaps


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
    assert [note.body["note"] for note in read_.notes] == ["closed"]
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
    [("link", {"owner": "w"}, "'link'"), ("topics", {"names": 3}, "names by id")],
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
