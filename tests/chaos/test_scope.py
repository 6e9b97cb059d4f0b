"""Roles, baseline, declarations."""

import pytest

from pytest_mqchaos.chaos.scope import Scope
from pytest_mqchaos.errors import UsageError


class Ends:
    """A broker in which `old` stood before the test."""

    def ends(self, names):
        return {(name, 0): (0, 5) for name in names if name == "old"}


@pytest.fixture
def scope():
    return Scope(Ends())


def roles(flow):
    return [sorted(names) for names in (flow.inputs, flow.retries, flow.outputs, flow.dead_letters)]


def test_what_topic_and_publish_name_is_an_input(scope):
    scope.made("new")
    scope.named("old")
    scope.named("new")
    assert roles(scope.flow) == [["new", "old"], [], [], []]


def test_what_stood_there_before_is_the_baseline_unless_it_was_made_empty(scope):
    scope.named("old")
    assert scope.baseline == {("old", 0): 5}
    fresh = Scope(Ends())
    fresh.made("old")
    fresh.named("old")
    assert fresh.baseline == {}


def test_declared_inputs_are_the_only_ones(scope):
    scope.made("a")
    scope.declare(inputs=["old"], retries=["r"], outputs=["o"], dead_letters=["d"])
    assert roles(scope.flow) == [["old"], ["r"], ["o"], ["d"]]
    assert scope.baseline == {("old", 0): 5}


def test_without_declared_inputs_the_others_are_taken_out(scope):
    scope.made("a")
    scope.made("d")
    scope.declare(inputs=(), retries=(), outputs=(), dead_letters=["d"])
    assert roles(scope.flow) == [["a"], [], [], ["d"]]


def test_one_destination_has_one_role(scope):
    with pytest.raises(UsageError, match="a, b cannot have two roles"):
        scope.declare(inputs=["a", "b"], retries=["b", "a"], outputs=(), dead_letters=())


def test_a_name_is_not_a_list_of_names(scope):
    with pytest.raises(UsageError, match=r"chaos.flow\(retries='orders'\): must be a list"):
        scope.declare(inputs=(), retries="orders", outputs=(), dead_letters=())


def test_expectations_add_up_and_a_single_id_is_one(scope):
    scope.expect(dead_lettered=["1"], expired=[], dropped="22", ignored=[3])
    scope.expect(dead_lettered=["4"], expired=[], dropped=[], ignored=[])
    assert scope.expected.dead_lettered == {"1", "4"}
    assert scope.expected.all() == {"1", "22", "3", "4"}


def test_acceptances_keep_their_order(scope):
    scope.accepted("a")
    scope.accepted("b")
    first, second = scope.acceptances
    assert (first.id, second.id) == ("a", "b")
    assert first.t <= second.t
