"""Correct services in the shapes that teams run, under faults: no false alarm. And their broken
twins, which differ in one step, are caught."""

import pytest

from pytest_mqchaos.checkers import checker
from tests.checkers.timeline import run

ALL = ("lossless", "idempotent", "ordered", "exactly_once", "acked_after_effect")


def statuses(line, names=ALL):
    history = line.history()
    return {name: checker(name)(history).status for name in names}


def passed(names=ALL):
    return dict.fromkeys(names, "passed")


def batch():
    line = run()
    for name in "abcd":
        line.publish(name, key=b"k")
    return line


def test_a_batch_with_cumulative_commit_survives_a_crash_before_the_commit():
    line = batch().deliver("a", "b").effect("a").effect("b").ack(2)
    line.deliver("c", "d").effect("c")
    # crash; the second worker gets c again and knows that it is done
    line.deliver("c", "d", owner="worker-1#2").effect("d").ack(4, owner="worker-1#2")
    assert statuses(line) == passed()


def test_a_batch_committed_before_the_work_loses_it_in_the_crash():
    line = batch().deliver("a", "b", "c", "d").ack(4).effect("a").effect("b")
    found = statuses(line)
    assert found["lossless"] == found["acked_after_effect"] == "failed"
    assert found["idempotent"] == found["ordered"] == "passed"


def test_a_lost_commit_is_made_good_by_the_next_one():
    line = batch().deliver("a", "b").effect("a").effect("b").ack(2, reached=False)
    line.deliver("c", "d").effect("c").effect("d").ack(4)
    assert statuses(line) == passed()


def test_a_retry_topic_takes_a_message_aside_and_finishes_it():
    line = run().publish("a", key=b"k").publish("b", key=b"l").publish("c", key=b"l")
    line.deliver("a", "b", "c").publish("a", topic="retry", key=b"k").effect("b").effect("c").ack()
    line.deliver("a", topic="retry").effect("a").ack(topic="retry")
    assert statuses(line) == passed()


def test_a_retry_topic_acked_before_the_hop_is_caught():
    line = run().publish("a", key=b"k").deliver("a").ack().publish("a", topic="retry", key=b"k")
    line.deliver("a", topic="retry").effect("a").ack(topic="retry")
    assert statuses(line, ["acked_after_effect"]) == {"acked_after_effect": "failed"}


def test_consume_transform_produce_is_judged_by_its_output():
    line = batch()
    for name in "abcd":
        line.deliver(name).publish(name, topic="out", value=b"changed", owner="worker-1#1")
        line.effect(name).ack()
    assert statuses(line) == passed()


def test_consume_transform_produce_sent_twice_is_a_repeat():
    line = batch().deliver("a", "b", "c", "d")
    for name in "abbcd":
        line.publish(name, topic="out", value=b"changed", owner="worker-1#1").effect(name)
    found = statuses(line.ack())
    assert found["idempotent"] == found["exactly_once"] == "failed"
    assert found["lossless"] == "passed"


@pytest.mark.parametrize(("skips", "status"), [("", "passed"), ("d", "failed")])
def test_two_groups_each_have_their_copy(skips, status):
    line = batch()
    for group in ("g", "h"):
        for at, name in enumerate("abcd"):
            line.deliver(name, group=group, owner=group)
            if group == "g" or name not in skips:
                line.effect(name, by=group)
            line.ack(at + 1, group=group, owner=group)
    found = statuses(line)
    assert found["lossless"] == found["acked_after_effect"] == status
    assert found["idempotent"] == "passed"


def test_a_filter_passes_when_what_it_ignores_is_declared():
    line = batch().work("a", "b").deliver("c").ack(3).work("d")
    assert statuses(line, ["lossless"]) == {"lossless": "failed"}
    assert statuses(line.expect(ignored=["c"])) == passed()


def test_a_filter_passes_when_the_id_says_not_mine():
    line = batch().work("a", "b").deliver("c").ack(3).work("d").history()
    mine = {name: tuple(r for r in getattr(line, name) if r.id != "c")
            for name in ("attempts", "stored", "deliveries")}  # fmt: skip
    rest = {n: getattr(line, n) for n in ("acks", "places", "effects", "flow", "rules")}
    history = type(line)(**mine, **rest)
    assert {name: checker(name)(history).status for name in ALL} == passed()


def test_a_worker_that_starts_after_publishing_at_the_end_skips_unless_declared():
    line = batch().work("c", "d")
    found = statuses(line)
    assert found["lossless"] == "failed"
    assert found["ordered"] == found["acked_after_effect"] == "passed"
    assert statuses(line.expect(ignored=["a", "b"])) == passed()


def test_a_worker_that_starts_after_publishing_at_the_beginning_passes():
    assert statuses(batch().work("a", "b", "c", "d")) == passed()


def test_offsets_in_the_database_pass_and_ask_nothing_about_acks():
    line = batch().deliver("a", "b", "c", "d", group=None)
    for name in "abcd":
        line.effect(name)
    asked = ("lossless", "idempotent", "ordered", "exactly_once")
    assert statuses(line, asked) == passed(asked)
    assert statuses(line, ["acked_after_effect"]) == {"acked_after_effect": "unknown"}


def test_a_worker_killed_with_its_messages_in_hand_leaves_them_waiting():
    line = batch().work("a").deliver("b", "c", "d")
    found = statuses(line)
    assert found["lossless"] == "unknown"
    assert found["idempotent"] == found["acked_after_effect"] == "passed"
