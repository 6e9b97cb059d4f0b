"""Transactions: two transactional ids, in order, fenced, out of order, with groups' positions."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from differential.conversation import Conversation, Step, Topic
from differential.families import groups, steps

_IDS = ("~x", "~y")
EPOCHS = st.sampled_from([0, 0, 0, 1, 1, 2])


def _producer(number: int) -> Any:
    return {"$producer": number}


@st.composite
def _add(draw: st.DrawFn, who: int, epoch: int) -> Step:
    """From version 4 on for brokers: several transactions, perhaps only to verify."""
    topic, partition = draw(steps.KNOWN)
    name = _IDS[who]
    parts = {"name": topic, "partitions": [partition]}
    one = {"transactional_id": name, "producer_id": _producer(who), "producer_epoch": epoch,
           "verify_only": draw(st.integers(0, 3)) == 0, "topics": [parts]}  # fmt: skip
    values = {
        "v3_and_below_transactional_id": name, "v3_and_below_producer_id": _producer(who),
        "v3_and_below_producer_epoch": epoch, "v3_and_below_topics": [parts],
        "transactional_id": name, "producer_id": _producer(who), "producer_epoch": epoch,
        "topics": [parts], "transactions": [one],
    }  # fmt: skip
    return draw(
        steps.asked(
            "AddPartitionsToTxn",
            values,
            at=f"transaction:{name}",
            high=draw(st.sampled_from([3, 3, 5])),
        )
    )


@st.composite
def _write(draw: st.DrawFn, who: int, epoch: int, due: dict[Any, int]) -> Step:
    place = draw(steps.KNOWN)
    count, key = draw(st.integers(1, 2)), (who, epoch, place)
    sequence = due.get(key, 0) + draw(st.sampled_from([0, 0, 0, 0, 0, 1]))
    if sequence == due.get(key, 0):
        due[key] = sequence + count
    batch = {"count": count, "producer": _producer(who), "epoch": epoch, "sequence": sequence,
             "transactional": True}  # fmt: skip
    return draw(steps.produce(place, batch, -1, draw(st.sampled_from([_IDS[who]] * 5 + [None]))))


@st.composite
def _end(draw: st.DrawFn, who: int, epoch: int) -> Step:
    values = {"transactional_id": _IDS[who], "producer_id": _producer(who),
              "producer_epoch": epoch, "committed": draw(st.booleans())}  # fmt: skip
    return draw(steps.asked("EndTxn", values, at=f"transaction:{_IDS[who]}"))


@st.composite
def _add_offsets(draw: st.DrawFn, who: int, epoch: int) -> Step:
    values = {"transactional_id": _IDS[who], "producer_id": _producer(who),
              "producer_epoch": epoch, "group_id": groups.G}  # fmt: skip
    return draw(steps.asked("AddOffsetsToTxn", values, at=f"transaction:{_IDS[who]}"))


@st.composite
def _positions(draw: st.DrawFn, who: int, epoch: int) -> Step:
    topic, partition = draw(steps.PLACES)
    one = {"partition_index": partition, "committed_offset": draw(st.integers(0, 5)),
           "committed_leader_epoch": -1, "committed_metadata": "m"}  # fmt: skip
    values = {
        "transactional_id": _IDS[who], "group_id": groups.G, "producer_id": _producer(who),
        "producer_epoch": epoch, "generation_id": draw(st.sampled_from([-1, -1, -1, 0])),
        "member_id": "", "group_instance_id": None,
        "topics": [{"name": topic, "partitions": [one]}],
    }  # fmt: skip
    return draw(steps.asked("TxnOffsetCommit", values, at=groups.AT))


@st.composite
def _look(draw: st.DrawFn) -> Step:
    place = draw(steps.KNOWN)
    values = {"state_filters": draw(st.sampled_from([[], ["Ongoing"], ["Empty"]])),
              "producer_id_filters": [], "duration_filter": -1,
              "transactional_id_pattern": None}  # fmt: skip
    return draw(st.one_of(
        steps.fetch(place, draw(st.integers(0, 4))), steps.list_offsets(place),
        groups.committed(), steps.producers(place),
        steps.asked("ListTransactions", values, at="transaction:~x"),
    ))  # fmt: skip


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Both ids begin; then whole transactions, and requests out of place."""
    said = [draw(steps.init_producer(name)) for name in _IDS]
    due: dict[Any, int] = {}
    for _ in range(draw(st.integers(1, 4))):
        who, epoch = draw(st.sampled_from([0, 0, 1])), draw(EPOCHS)
        said += [draw(_add(who, epoch)) for _ in range(draw(st.integers(0, 2)))]
        said += [draw(_write(who, epoch, due)) for _ in range(draw(st.integers(0, 3)))]
        if draw(st.booleans()):
            said += [draw(_add_offsets(who, epoch)), draw(_positions(who, epoch))]
        said += draw(st.lists(_look(), max_size=2))
        said += draw(st.lists(st.one_of(
            _end(who, epoch), _end(who, epoch), steps.init_producer(_IDS[who]),
            steps.init_producer(_IDS[who], _producer(who), epoch),
        ), min_size=0, max_size=2))  # fmt: skip
        said += draw(st.lists(_look(), max_size=2))
    topics = [Topic(name="~a", partitions=2), Topic(name="~b")]
    return Conversation(family="transactions", topics=topics, steps=said)
