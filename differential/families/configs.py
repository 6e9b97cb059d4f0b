"""Configs of a topic that change while it is there, and what is told of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from differential.conversation import Conversation, Step, Topic
from differential.families import steps

_NAMES = st.sampled_from(["~a", "~a", "~a", "~missing"])
# Not those for which the campaign's Kafka has another default than the embedded cluster.
_VALUES = (
    ("retention.bytes", "1000"), ("retention.bytes", "-1"), ("retention.bytes", "x"),
    ("retention.bytes", None), ("cleanup.policy", "delete"), ("cleanup.policy", "compact"),
    ("cleanup.policy", "no"), ("cleanup.policy", "compact,delete"), ("max.message.bytes", "2000"),
    ("max.message.bytes", "-5"), ("no.such", "1"), ("segment.bytes", "1"),
    ("unclean.leader.election.enable", "true"), ("min.cleanable.dirty.ratio", "0.1"),
)  # fmt: skip
_SHOWN = ["retention.bytes", "cleanup.policy", "max.message.bytes", "segment.bytes",
          "min.cleanable.dirty.ratio", "no.such"]  # fmt: skip


def _all(rows: list[dict[str, Any]], name: str, *, only_check: bool) -> dict[str, Any]:
    one = {"resource_type": 2, "resource_name": name, "configs": rows}
    return {"resources": [one], "validate_only": only_check}


@st.composite
def _alter(draw: st.DrawFn) -> Step:
    """All configs anew."""
    given = draw(st.lists(st.sampled_from(_VALUES), max_size=2))
    rows = [{"name": name, "value": value} for name, value in given]
    values = _all(rows, draw(_NAMES), only_check=draw(st.integers(0, 3)) == 0)
    return draw(steps.asked("AlterConfigs", values))


@st.composite
def _change(draw: st.DrawFn) -> Step:
    """Set (0), delete (1), append (2), subtract (3)."""
    given = draw(st.lists(st.sampled_from(_VALUES), min_size=1, max_size=2))
    rows = [
        {"name": name, "value": value,
         "config_operation": draw(st.sampled_from([0, 0, 0, 1, 2, 3]))}
        for name, value in given
    ]  # fmt: skip
    values = _all(rows, draw(_NAMES), only_check=draw(st.integers(0, 3)) == 0)
    return draw(steps.asked("IncrementalAlterConfigs", values))


@st.composite
def shown(draw: st.DrawFn) -> Step:
    """What is told of them."""
    keys = draw(st.lists(st.sampled_from(_SHOWN), min_size=1, max_size=3, unique=True))
    one = {"resource_type": 2, "resource_name": draw(_NAMES), "configuration_keys": keys}
    values = {"resources": [one], "include_synonyms": False, "include_documentation": False}
    return draw(steps.asked("DescribeConfigs", values))


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Changes, looks, and batches that may be too large by then."""
    large = steps.produce(("~a", 0), {"count": 1, "size": 3000})
    said = draw(st.lists(
        st.one_of(_alter(), _change(), _change(), shown(), shown(), large), min_size=3, max_size=10,
    ))  # fmt: skip
    configs = draw(
        st.sampled_from([{}, {"retention.bytes": "5000"}, {"cleanup.policy": "compact"}])
    )
    topics = [Topic(name="~a", partitions=1, configs=configs)]
    return Conversation(family="configs", topics=topics, steps=said)
