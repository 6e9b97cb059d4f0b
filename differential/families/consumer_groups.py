"""Groups of the newer protocol (KIP-848): two members that beat, commit, leave and come back.

No more than two: of three it is chance, in Kafka, who has the partition that is left over.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from differential.conversation import Conversation, Step, Topic
from differential.families import groups, steps
from differential.families.groups import AT, G

_NUMBERS = st.sampled_from([0, 0, 1])
_SOME = st.sampled_from([["~a"], ["~a"], ["~a", "~b"], ["~b"], ["~missing"]])
_NAMES = st.one_of(_SOME, _SOME, st.just([]))
_ASSIGNORS = st.sampled_from([None] * 6 + ["uniform", "range", "nothing"])
_ODD: list[dict[str, Any]] = [
    {"member_id": "nobody"}, {"member_epoch": 9}, {"member_epoch": -3}, {"group_id": "~other"},
    {"group_id": ""}, {"instance_id": "~i"}, {"instance_id": ""}, {"member_id": ""},
    {"rebalance_timeout": -1}, {"subscribed_topic_regex": "("}, {"rack_id": ""},
    {"member_epoch": 0}, {"topic_partitions": []}, {"subscribed_topic_names": ["~b"]},
]  # fmt: skip


def _me(number: int, version: int) -> Any:
    """From version 1 on a client makes up its own id."""
    return f"~m{number}" if version else {"$member": number}


def _beat(version: int, **values: Any) -> Step:
    every = {
        "group_id": G, "instance_id": None, "rack_id": None, "rebalance_timeout": -1,
        "subscribed_topic_names": None, "subscribed_topic_regex": None, "server_assignor": None,
        "topic_partitions": None, **values,
    }  # fmt: skip
    return Step(api="ConsumerGroupHeartbeat", version=version, values=every, at=AT)


@st.composite
def _join(draw: st.DrawFn, number: int, version: int) -> Step:
    """It reads something: one that joins for nothing is given, in Kafka, what it does not read."""
    return _beat(
        version,
        member_id=_me(number, version) if version or draw(st.booleans()) else "",
        member_epoch=0,
        instance_id=draw(st.sampled_from([None, None, None, f"~i{number}"])),
        rebalance_timeout=30000,
        subscribed_topic_names=draw(_SOME),
        topic_partitions=[],
        server_assignor=draw(_ASSIGNORS),
    )


@st.composite
def _stay(draw: st.DrawFn, number: int, version: int) -> Step:
    """A beat: nothing new, or what it owns now, perhaps other topics, at times something odd."""
    values: dict[str, Any] = {
        "member_id": _me(number, version), "member_epoch": {"$epoch": number},
        "instance_id": draw(st.sampled_from([None, None, None, f"~i{number}"])),
    }  # fmt: skip
    if draw(st.booleans()):
        values["topic_partitions"] = {"$owned": number}
    if draw(st.integers(0, 5)) == 0:
        values["subscribed_topic_names"] = draw(_NAMES)
    if draw(st.integers(0, 5)) == 0:
        values |= draw(st.sampled_from(_ODD))
    return _beat(version, **values)


@st.composite
def _leave(draw: st.DrawFn, number: int, version: int) -> Step:
    instance = draw(st.sampled_from([None, None, f"~i{number}"]))
    return _beat(
        version,
        member_id=_me(number, version),
        member_epoch=draw(st.sampled_from([-1, -1, -2])),
        instance_id=instance,
    )


@st.composite
def _commit(draw: st.DrawFn, number: int, version: int) -> Step:
    epoch = draw(st.sampled_from([{"$epoch": number}] * 4 + [0, 1, 9, -1]))
    step = draw(groups.commit(number, epoch))
    values = {**step.values, "member_id": _me(number, version)}
    asked = steps.asked("OffsetCommit", values, at=AT, low=draw(st.sampled_from([2, 9, 9, 9])))
    return draw(asked)


@st.composite
def _committed(draw: st.DrawFn, number: int, version: int) -> Step:
    """Positions, as a member asks for them."""
    one = {
        "group_id": G, "topics": draw(st.sampled_from([None, [{"name": "~a",
                                                              "partition_indexes": [0, 1]}]])),
        "member_id": draw(st.sampled_from([_me(number, version), None, "nobody"])),
        "member_epoch": draw(st.sampled_from([{"$epoch": number}, {"$epoch": number}, -1, 9])),
    }  # fmt: skip
    values = {"groups": [one], "require_stable": False}
    return draw(steps.asked("OffsetFetch", values, at=AT, low=9))


@st.composite
def _look(draw: st.DrawFn) -> Step:
    group = draw(st.sampled_from([G, G, G, "~nobody"]))
    values = {"group_ids": [group], "include_authorized_operations": False}
    types = draw(st.sampled_from([[], ["consumer"], ["classic"]]))
    states = draw(st.sampled_from([[], ["Stable"], ["Empty"]]))
    return draw(st.one_of(
        steps.asked("ConsumerGroupDescribe", values, at=f"group:{group}"),
        steps.asked("ConsumerGroupDescribe", values, at=f"group:{group}"),
        steps.asked("ListGroups", {"states_filter": states, "types_filter": types}, at=AT, low=5),
        groups.described(),
    ))  # fmt: skip


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """A member comes, most often a second one too; then anything."""
    version = draw(st.integers(0, 1))
    said = [draw(_join(0, version)), draw(_stay(0, version))]
    if draw(st.booleans()):
        said += [draw(_join(1, version)), draw(_stay(0, version)), draw(_stay(1, version))]
    for _ in range(draw(st.integers(2, 12))):
        number = draw(_NUMBERS)
        said.append(draw(st.one_of(
            _stay(number, version), _stay(number, version), _join(number, version),
            _leave(number, version), _commit(number, version), _committed(number, version),
            _look(), _look(), groups.beat(number), groups.leave(number),
        )))  # fmt: skip
    topics = [Topic(name="~a", partitions=4), Topic(name="~b", partitions=2)]
    return Conversation(family="consumer groups", topics=topics, steps=said)
