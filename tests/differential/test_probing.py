"""A coordinator that has not heard of a topic is asked until it has."""

from types import SimpleNamespace

import pytest

from differential import probing
from pytest_mqchaos.wire.kafka.coordinators import partition_of


def heard(*assigned, code=0):
    return SimpleNamespace(
        error_code=code, assignment=SimpleNamespace(topic_partitions=list(assigned))
    )


class Broker:
    """Gives prepared answers to heartbeats; node 3 coordinates."""

    def __init__(self, *answers):
        self.answers, self.beats = list(answers), []

    def ask(self, api, version, values, node):
        if api == "FindCoordinator":
            return SimpleNamespace(coordinators=[SimpleNamespace(node_id=3)])
        self.beats.append((values["group_id"], values["member_epoch"], node))
        return self.answers.pop(0)


def test_it_is_asked_until_the_topic_is_assigned_and_the_probe_leaves():
    broker = Broker(heard(code=16), heard(), heard("t"), heard())
    probing.known(broker.ask, "c1-g", "c1-a")
    assert [epoch for _, epoch, _ in broker.beats] == [0, 0, 0, -1]
    ((group, node),) = {(group, node) for group, _, node in broker.beats}
    assert node == 3
    assert group != "c1-g"
    assert partition_of(group, 50) == partition_of("c1-g", 50)


def test_it_is_told_what_was_answered_last(monkeypatch):
    monkeypatch.setattr(probing, "_LIMIT", -1.0)
    with pytest.raises(TimeoutError, match="does not know c1-a"):
        probing.known(Broker(heard(code=16)).ask, "c1-g", "c1-a")
