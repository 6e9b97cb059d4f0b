"""What a partition takes and gives: batches sound and broken, bounds, timestamps, deletion."""

from __future__ import annotations

from hypothesis import strategies as st

from differential.conversation import Conversation, Step, Topic
from differential.families import steps

BATCHES = st.fixed_dictionaries({
    "count": st.integers(1, 4),
    "codec": st.sampled_from(["none", "none", "gzip", "zstd", "lz4", "snappy"]),
    "stamp": st.sampled_from([0, 0, 5, 10]),
    "harm": st.sampled_from(["", "", "", "", "", "crc", "magic", "short", "count", "empty"]),
})  # fmt: skip


@st.composite
def _produce(draw: st.DrawFn) -> Step:
    batch = draw(BATCHES)
    acks = draw(st.sampled_from([-1, -1, 1, 1, 0] if not batch["harm"] else [-1, 1]))
    place = draw(steps.PLACES if acks else steps.KNOWN)
    return draw(steps.produce(place, batch, draw(st.sampled_from([acks] * 9 + [2]))))


@st.composite
def _read(draw: st.DrawFn) -> Step:
    place = draw(steps.PLACES)
    return draw(st.one_of(
        steps.fetch(place, draw(st.sampled_from([0, 0, 1, 2, 3, 5, 99, -1]))),
        steps.list_offsets(place), steps.delete_records(place), steps.metadata(),
        steps.epoch_ends(place),
    ))  # fmt: skip


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Some batches, then all that can be asked about a log, in any order."""
    first = [draw(steps.produce(("~a", 0), {"count": 3, "stamp": 0}))]
    rest = draw(st.lists(st.one_of(_produce(), _read(), _read()), min_size=3, max_size=14))
    compact = draw(st.booleans())
    configs = {"message.timestamp.type": "CreateTime"} if compact else {}
    topics = [Topic(name="~a", partitions=2, configs=configs), Topic(name="~b")]
    return Conversation(family="log", topics=topics, steps=[*first, *rest])
