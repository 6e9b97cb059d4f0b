"""Making, growing and deleting topics, and what is told of them."""

from __future__ import annotations

from hypothesis import strategies as st

from differential.conversation import Conversation, Step, Topic
from differential.families import steps

_NAMES = st.sampled_from(["~a", "~c", "~c", "~d", "~missing"])


@st.composite
def _create(draw: st.DrawFn) -> Step:
    config = draw(st.sampled_from([None, None, ("retention.ms", "1000"), ("retention.ms", "x"),
                                   ("cleanup.policy", "delete"), ("no.such", "1"),
                                   ("min.insync.replicas", "1")]))  # fmt: skip
    one = {
        "name": draw(st.sampled_from(["~a", "~c", "~d", "~c", "", "no/name"])),
        "num_partitions": draw(st.sampled_from([1, 1, 3, -1, 0])),
        "replication_factor": draw(st.sampled_from([1, 1, 1, -1, 0, 9])), "assignments": [],
        "configs": [{"name": config[0], "value": config[1]}] if config else [],
    }  # fmt: skip
    values = {"topics": [one], "timeout": 5000, "validate_only": draw(st.booleans())}
    return draw(steps.asked("CreateTopics", values))


@st.composite
def _grow(draw: st.DrawFn) -> Step:
    one = {"name": draw(_NAMES), "count": draw(st.sampled_from([0, 1, 2, 3, 5])),
           "assignments": None}  # fmt: skip
    values = {"topics": [one], "timeout": 5000, "validate_only": draw(st.booleans())}
    return draw(steps.asked("CreatePartitions", values))


@st.composite
def _delete(draw: st.DrawFn) -> Step:
    name = draw(_NAMES)
    values = {"topics": [{"name": name, "topic_id": None}], "topic_names": [name], "timeout": 5000}
    return draw(steps.asked("DeleteTopics", values))


@st.composite
def _configs(draw: st.DrawFn) -> Step:
    keys = draw(st.sampled_from([["cleanup.policy"], ["max.message.bytes"], ["no.such"]]))
    one = {"resource_type": 2, "resource_name": draw(_NAMES), "configuration_keys": keys}
    values = {"resources": [one], "include_synonyms": False, "include_documentation": False}
    return draw(steps.asked("DescribeConfigs", values))


@st.composite
def _cluster(draw: st.DrawFn) -> Step:
    values = {"include_cluster_authorized_operations": False, "endpoint_type": 1,
              "include_fenced_brokers": False}  # fmt: skip
    return draw(steps.asked("DescribeCluster", values))


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Administration, each step followed by a look where it matters."""
    names = ("~a", "~c", "~d", "~missing")
    said = draw(st.lists(
        st.one_of(_create(), _create(), _grow(), _delete(), steps.metadata(names), _configs(),
                  steps.coordinator(), _cluster()),
        min_size=3, max_size=10,
    ))  # fmt: skip
    return Conversation(family="topics", topics=[Topic(name="~a", partitions=2)], steps=said)
