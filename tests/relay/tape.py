"""A tape is written by hand, frame by frame, and a codec that only remembers what each frame says
stands in for a real one: what is tested here is who was told what, not how bytes are read."""

from pytest_mqchaos.frames import Direction, Outcome, Point, Position, Record, Sighting
from pytest_mqchaos.history.identity import Identity
from pytest_mqchaos.history.spool import FrameEntry, NoteEntry
from pytest_mqchaos.relay.transcript import transcribe


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
        entry = next(each for each in self.entries if each.seq == frame.seq)
        assert (frame.name, frame.direction, frame.kind) == ("kind 0", entry.direction, 0)
        assert frame.correlation == 0  # none is kept
        assert (frame.t, frame.link, frame.version, frame.raw) == (*entry[1:3], 9, entry.raw)
        assert (frame.request.seq if frame.request else 0) == entry.request_seq
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


def new_tape():
    """A tape with one link of worker-1#1."""
    tape = Tape()
    tape.note("link", link=1, owner="worker-1#1", node=0, peer="")
    return tape


def only(rows):
    """The one row."""
    assert len(rows) == 1
    return rows[0]
