"""Groups: several members that join, sync, beat, commit and leave, in order and out of it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from differential.conversation import Conversation, Step, Topic
from differential.families import steps

G = "~g"
AT = f"group:{G}"
_PROTOCOLS: list[list[dict[str, Any]]] = [
    [{"name": "range", "metadata": {"$bytes": "00"}}],
    [{"name": "range", "metadata": {"$bytes": "01"}},
     {"name": "roundrobin", "metadata": {"$bytes": "02"}}],
    [{"name": "roundrobin", "metadata": {"$bytes": "03"}}],
]  # fmt: skip
GENERATIONS = st.sampled_from([1, 1, 1, 2, 2, 3, 0, -1])


def _who(number: int) -> Any:
    return "" if number < 0 else {"$member": number}


@st.composite
def join(draw: st.DrawFn, number: int, link: int, instance: str | None = None) -> Step:
    """A member joins on a link of its own; a number below 0: it has no id yet."""
    values = {
        "group_id": G, "session_timeout": draw(st.sampled_from([30000] * 9 + [1])),
        "rebalance_timeout": 30000, "member_id": _who(number), "group_instance_id": instance,
        "protocol_type": draw(st.sampled_from(["consumer"] * 9 + ["connect"])),
        "protocols": draw(st.sampled_from(_PROTOCOLS[:1] * 4 + _PROTOCOLS)), "reason": None,
    }  # fmt: skip
    step = draw(steps.asked("JoinGroup", values, at=AT, low=5 if instance else 0))
    return Step(**{**step.to_json(), "link": link})


@st.composite
def sync(draw: st.DrawFn, number: int, link: int, members: int = 2) -> Step:
    """A member asks for its assignment; who leads gives all of them."""
    given = draw(st.booleans())
    values = {
        "group_id": G, "generation_id": draw(GENERATIONS), "member_id": _who(number),
        "group_instance_id": None, "protocol_type": "consumer",
        "protocol_name": draw(st.sampled_from(["range"] * 5 + ["roundrobin"])),
        "assignments": [
            {"member_id": _who(each), "assignment": {"$bytes": f"0{each}"}}
            for each in range(members)
        ] if given else [],
    }  # fmt: skip
    step = draw(steps.asked("SyncGroup", values, at=AT))
    return Step(**{**step.to_json(), "link": link})


@st.composite
def beat(draw: st.DrawFn, number: int) -> Step:
    """A heartbeat."""
    values = {"group_id": G, "generation_id": draw(GENERATIONS), "member_id": _who(number),
              "group_instance_id": None}  # fmt: skip
    return draw(steps.asked("Heartbeat", values, at=AT))


@st.composite
def leave(draw: st.DrawFn, number: int, instance: str | None = None) -> Step:
    """A member leaves; from version 3 on by its instance's id, too."""
    one = {"member_id": "" if instance else _who(number), "group_instance_id": instance,
           "reason": None}  # fmt: skip
    values = {"group_id": G, "member_id": _who(number), "members": [one]}
    return draw(steps.asked("LeaveGroup", values, at=AT, low=3 if instance else 0))


@st.composite
def commit(draw: st.DrawFn, number: int, generation: Any = None) -> Step:
    """A position, of a member (below 0: of nobody, without a generation)."""
    topic, partition = draw(steps.PLACES)
    drawn = draw(GENERATIONS) if generation is None else generation
    one = {
        "partition_index": partition, "committed_offset": draw(st.sampled_from([0, 1, 7, -1])),
        "committed_leader_epoch": -1, "commit_timestamp": -1,
        "committed_metadata": draw(st.sampled_from([None, "", "x", "y" * 4097])),
    }  # fmt: skip
    values = {
        "group_id": G, "generation_id": drawn, "generation_id_or_member_epoch": drawn,
        "member_id": _who(number), "group_instance_id": None, "retention_time_ms": -1,
        "topics": [{"name": topic, "partitions": [one]}],
    }  # fmt: skip
    return draw(steps.asked("OffsetCommit", values, at=AT))


@st.composite
def committed(draw: st.DrawFn, group: str = G) -> Step:
    """Positions: of some partitions, of all from version 2 on."""
    every = draw(st.booleans())
    topics = None if every else [{"name": "~a", "partition_indexes": [0, 1, 7]},
                                 {"name": "~missing", "partition_indexes": [0]}]  # fmt: skip
    one = {"group_id": group, "topics": topics, "member_id": None, "member_epoch": -1}
    values = {"group_id": group, "topics": topics, "groups": [one],
              "require_stable": draw(st.booleans())}  # fmt: skip
    return draw(steps.asked("OffsetFetch", values, at=f"group:{group}", low=2 if every else 0))


@st.composite
def described(draw: st.DrawFn) -> Step:
    """What an administrator sees."""
    group = draw(st.sampled_from([G, G, G, "~nobody"]))
    at, states = f"group:{group}", draw(st.sampled_from([[], ["Stable"], ["Empty"]]))
    one = {"groups": [group], "include_authorized_operations": False}
    found: Step = draw(st.one_of(
        steps.asked("DescribeGroups", one, at=at),
        steps.asked("ListGroups", {"states_filter": states, "types_filter": []}, at=at),
        steps.asked("DeleteGroups", {"groups_names": [group]}, at=at),
    ))  # fmt: skip
    return found


@st.composite
def _any(draw: st.DrawFn) -> Any:
    number = draw(st.sampled_from([0, 0, 0, 1, 1, 2, -1]))
    link = draw(st.integers(0, 2))
    return draw(st.one_of(
        join(number, link), join(-1, link), sync(number, link), sync(number, link), beat(number),
        leave(number), commit(number), committed(), described(),
    ))  # fmt: skip


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """One or two members in an orderly way, then anything."""
    said = [draw(join(-1, 0))]
    if said[0].version >= 4:
        said.append(draw(join(0, 0)))
    if draw(st.booleans()):
        said += [draw(sync(0, 0, 1)), draw(join(-1, 1)), draw(join(1, 1)), draw(join(0, 0))]
    said += draw(st.lists(_any(), min_size=2, max_size=12))
    return Conversation(family="groups", topics=[Topic(name="~a", partitions=2)], steps=said)


@st.composite
def static(draw: st.DrawFn) -> Conversation:
    """Members with an instance's id: they come back, are replaced, fence each other."""
    said: list[Step] = []
    for _ in range(draw(st.integers(3, 12))):
        number, link = draw(st.sampled_from([0, 0, 1, 2, -1])), draw(st.integers(0, 1))
        instance = draw(st.sampled_from(["~i", "~i", "~j", None]))
        said.append(draw(st.one_of(
            join(-1, link, instance), join(number, link, instance), sync(number, link, 1),
            beat(number), leave(number, instance), commit(number), described(),
        )))  # fmt: skip
    return Conversation(family="static", topics=[Topic(name="~a", partitions=2)], steps=said)


@st.composite
def offsets(draw: st.DrawFn) -> Conversation:
    """Positions without members."""
    said = draw(st.lists(
        st.one_of(commit(-1, -1), commit(-1, -1), commit(0), committed(), committed("~other"),
                  described()),
        min_size=3, max_size=12,
    ))  # fmt: skip
    topics = [Topic(name="~a", partitions=2), Topic(name="~b")]
    return Conversation(family="offsets", topics=topics, steps=said)
