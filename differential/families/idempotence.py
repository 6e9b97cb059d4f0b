"""Producer ids, epochs and sequences: in order, twice, with gaps, of the past and of nobody."""

from __future__ import annotations

from hypothesis import strategies as st

from differential.conversation import Conversation, Step, Topic
from differential.families import steps


@st.composite
def _next(draw: st.DrawFn, state: dict[tuple[int, int, tuple[str, int]], int]) -> Step:
    """A batch of a producer: most often the next one, else one that should not be."""
    producer, place = draw(st.sampled_from([0, 0, 0, 1])), draw(steps.KNOWN)
    epoch = draw(st.sampled_from([0, 0, 0, 0, 1, 2]))
    due = state.get((producer, epoch, place), 0)
    count = draw(st.integers(1, 3))
    kind = draw(st.sampled_from(["next", "next", "next", "again", "gap", "zero", "back"]))
    sequence = {"next": due, "again": max(0, due - count), "gap": due + 2, "zero": 0,
                "back": max(0, due - 1)}[kind]  # fmt: skip
    if kind == "next":
        state[producer, epoch, place] = due + count
    batch = {"count": count, "producer": {"$producer": producer}, "epoch": epoch,
             "sequence": sequence}  # fmt: skip
    return draw(steps.produce(place, batch))


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """A producer or two, and what they send."""
    state: dict[tuple[int, int, tuple[str, int]], int] = {}
    said = [draw(steps.init_producer())]
    for _ in range(draw(st.integers(2, 14))):
        producer = {"$producer": draw(st.integers(0, 1))}
        said.append(draw(st.one_of(
            _next(state), _next(state), _next(state),
            st.one_of(
                steps.init_producer(),
                steps.init_producer(producer=producer, epoch=draw(st.integers(0, 2))),
                steps.list_offsets(("~a", 0)), steps.fetch(("~a", 0), draw(st.integers(0, 4))),
                steps.delete_records(("~a", 0)), steps.producers(("~a", 0)),
            ),
        )))  # fmt: skip
    topics = [Topic(name="~a", partitions=2), Topic(name="~b")]
    return Conversation(family="idempotence", topics=topics, steps=said)
