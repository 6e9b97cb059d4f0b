"""Trouble at Produce, step by step: what each recipe does when, and when it must do nothing."""

from __future__ import annotations

import pytest

from pytest_mqchaos.frames import Record
from tests.recipes.steps import Steps, reply_to, request, said

IDEMPOTENT = said(acks=-1, records=(Record("t", 0, -1, None, b"", producer_id=5, sequence=0),))
PLAIN = said(acks=-1, records=(Record("t", 0, -1, None, b""),))
KEEPS_ORDER = "unharmed: an idempotent producer keeps its order (sequence numbers, KIP-98)"
NO_CONFIRM = "unharmed: acks=0 has no confirm"


def publish(verb, **fault):
    return Steps("publish", verb, sighting=PLAIN, **fault)


def acks_0(point, verb, **fault):
    return Steps(point, verb, request(acks=0), said(acks=0), **fault)


def test_drop_waits_until_earlier_answers_were_read():
    steps = publish("drop")
    assert steps.first() == ["hold P"]
    assert steps.drained() == ["wake +30"]
    end = ["swallow P", "sever", "effect: request lost, connection closed", "done"]
    assert steps.timer(30) == end
    assert steps.timer(31) == []


def test_drop_without_acks_does_not_wait():
    steps = acks_0("publish", "drop")
    assert steps.first() == ["swallow P", "sever", "effect: request lost (acks=0)", "done"]


@pytest.mark.parametrize("step", ["first", "drained"])
def test_drop_of_a_link_that_ends_says_nothing(step):
    steps = publish("drop")
    steps.first()
    if step == "drained":
        steps.drained()
    assert steps.closed() == []


@pytest.mark.parametrize(("reset", "how"), [(False, "sever"), (True, "reset")])
def test_sever(reset, how):
    assert publish("sever", reset=reset).first() == [
        "swallow P", how, "effect: connection cut", "done",
    ]  # fmt: skip


@pytest.mark.parametrize(("error", "code"), [(None, 6), (6, 6), (19, 19)])
def test_refuse_answers_in_the_brokers_place(error, code):
    assert publish("refuse", error=error).first() == [
        "swallow P", f"reply {code} to P", f"effect: answered {code}, not stored", "done",
    ]  # fmt: skip


@pytest.mark.parametrize("error", [7, 20])
def test_refuse_with_an_error_that_means_stored_lets_it_be_stored(error):
    steps = publish("refuse", error=error)
    assert steps.first() == ["forward P"]
    assert steps.drained() == []
    end = [f"reply {error} to P", "swallow R", f"effect: answered {error}, stored", "done"]
    assert steps.replied() == end


def test_refuse_does_not_speak_over_a_broker_that_refuses_by_itself():
    steps = publish("refuse", error=7)
    steps.first()
    end = ["forward R", "unharmed: the broker refused it by itself", "done"]
    assert steps.replied(code=19) == end


@pytest.mark.parametrize("verb", ["refuse", "reorder"])
def test_who_asks_for_no_answer_cannot_be_refused(verb):
    assert acks_0("publish", verb).first() == [
        "forward P", "unharmed: acks=0 asks for no answer to refuse with", "done",
    ]  # fmt: skip


def test_reorder_waits_for_later_requests_of_the_same_partition():
    steps = publish("reorder", window=2)
    assert steps.first() == ["hold P", "wake +1000"]
    assert steps.drained() == []
    assert steps.later(partition=1) == []
    assert steps.later() == []
    assert steps.later() == [
        "swallow P", "reply 6 to P", "effect: refused after 2 later request(s) had arrived", "done",
    ]  # fmt: skip


def test_reorder_gives_up_when_nothing_follows():
    steps = publish("reorder")
    steps.first()
    end = ["forward P", "unharmed: this client never had two requests in flight", "done"]
    assert steps.timer(1000) == end


def test_reorder_of_a_link_that_ends_says_nothing():
    steps = publish("reorder")
    steps.first()
    assert steps.closed() == []


def test_reorder_is_impossible_with_sequence_numbers():
    steps = Steps("publish", "reorder", sighting=IDEMPOTENT)
    assert steps.first() == ["forward P", KEEPS_ORDER, "done"]


def duplicated():
    steps = publish("duplicate")
    assert steps.first() == ["forward P", "gate TO_BROKER"]
    assert steps.drained() == []
    return steps


def test_duplicate_stores_the_same_request_once_more():
    steps = duplicated()
    assert steps.replied() == ["hold R", "side Produce"]
    assert steps.answered(reply_to(steps.frame).raw) == [
        "forward R", "effect: stored once more", "done",
    ]  # fmt: skip


def test_duplicate_of_what_the_broker_refused_is_none():
    end = ["forward R", "unharmed: the broker refused the first copy", "done"]
    assert duplicated().replied(code=19) == end


def refused_copy(frame):
    parts = [{"index": 0, "error_code": 6}]
    return reply_to(frame, responses=[{"name": "t", "partition_responses": parts}]).raw


@pytest.mark.parametrize("answer", [None, refused_copy])
def test_a_copy_that_was_not_stored_is_no_effect(answer):
    steps = duplicated()
    steps.replied()
    value = answer and answer(steps.frame)
    end = ["forward R", "unharmed: the broker refused the copy", "done"]
    assert steps.answered(value) == end


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        (lambda: Steps("publish", "duplicate", sighting=IDEMPOTENT), "an idempotent producer's"),
        (lambda: acks_0("publish", "duplicate"), "acks=0: whether the first copy was stored"),
    ],
)
def test_duplicate_leaves_alone_what_it_cannot_copy(steps, reason):
    forward, told, done = steps().first()
    assert (forward, done) == ("forward P", "done")
    assert told.startswith(f"unharmed: {reason}")


# ---------------------------------------------------------------- replies


@pytest.mark.parametrize("point", ["confirm", "ack_confirm"])
def test_a_lost_confirm_takes_its_connection_with_it(point):
    steps = Steps(point, "drop")
    assert steps.first() == ["forward P", "gate TO_BROKER"]
    assert steps.drained() == []
    assert steps.replied() == ["hold R", "wake +30"]
    assert steps.timer(30) == ["swallow R", "sever", "effect: reply lost", "done"]


def test_a_refusal_is_no_confirm_to_lose():
    steps = Steps("confirm", "drop")
    steps.first()
    end = ["forward R", "unharmed: the broker refused it: there was no success to lose", "done"]
    assert steps.replied(code=19) == end


@pytest.mark.parametrize(("verb", "fault"), [("drop", {}), ("delay", {"seconds": 1}), ("hang", {})])
def test_without_acks_there_is_no_confirm(verb, fault):
    assert acks_0("confirm", verb, **fault).first() == ["forward P", NO_CONFIRM, "done"]


def test_a_confirm_is_late():
    steps = Steps("confirm", "delay", seconds=0.5)
    assert steps.first() == ["forward P"]
    assert steps.replied() == ["hold R", "wake +500"]
    assert steps.timer(500) == ["forward R", "effect: 0.5 s late", "done"]


def test_a_delivery_is_late():
    steps = Steps("deliver", "delay", seconds=0.5)
    assert steps.first() == ["hold P", "wake +500"]
    assert steps.timer(500) == ["forward P", "effect: 0.5 s late", "done"]


@pytest.mark.parametrize(("point", "frame"), [("confirm", "R"), ("deliver", "P")])
@pytest.mark.parametrize("by_client", [True, False])
def test_who_gives_up_what_is_late_has_felt_it(point, frame, by_client):
    steps = Steps(point, "delay", seconds=60)
    steps.first()
    if frame == "R":
        steps.replied()
    felt = [f"swallow {frame}", "effect: late until the connection was given up", "done"]
    assert steps.closed(by_client=by_client) == (felt if by_client else [])


@pytest.mark.parametrize(("reset", "how"), [(False, "sever"), (True, "reset")])
def test_a_delivery_is_lost(reset, how):
    end = ["swallow P", how, "effect: delivery lost", "done"]
    assert Steps("deliver", "sever", reset=reset).first() == end


@pytest.mark.parametrize("point", ["publish", "ack"])
def test_a_request_in_the_dark(point):
    steps = Steps(point, "hang")
    assert steps.first() == ["swallow P", "dark", "effect: connection dark"]
    assert steps.drained() == []
    assert steps.closed() == ["done"]


def test_an_answer_in_the_dark():
    steps = Steps("confirm", "hang")
    assert steps.first() == ["forward P"]
    assert steps.replied() == ["swallow R", "dark", "effect: connection dark"]
    assert steps.closed() == ["done"]


def dark_for_a_while():
    steps = Steps("publish", "hang", for_=0.2)
    assert steps.first() == ["hold P", "gate TO_BROKER", "gate TO_CLIENT", "wake +200"]
    assert steps.drained() == []
    return steps


def test_a_network_that_comes_back():
    assert dark_for_a_while().timer(200) == ["forward P", "effect: dark for 0.2 s", "done"]


def test_who_gives_up_in_the_dark_has_felt_it():
    end = ["swallow P", "effect: dark until the connection was given up", "done"]
    assert dark_for_a_while().closed() == end
