"""Trouble at commits, at requests by name, and processes that end at an exact frame."""

from __future__ import annotations

import pytest

from pytest_mqchaos.frames import Direction, Frame, Point
from pytest_mqchaos.plan import legality
from pytest_mqchaos.recipes import base as act
from pytest_mqchaos.wire.kafka.replies import reply_error_code
from pytest_mqchaos.wire.kafka.requests import leave_group
from tests.recipes.steps import Steps, T, reply_to, request, said

COMMIT = request("OffsetCommit", 8)
MEMBER = said(Point.ACK, group="g", member="m")
BEAT = request("Heartbeat", 3)


def test_a_lost_commit_takes_its_connection_with_it():
    steps = Steps("ack", "drop", COMMIT, MEMBER)
    assert steps.first() == ["hold P"]
    assert steps.drained() == ["wake +30"]
    end = ["swallow P", "sever", "effect: request lost, connection closed", "done"]
    assert steps.timer(30) == end


@pytest.mark.parametrize(("reset", "how"), [(False, "sever"), (True, "reset")])
def test_a_request_is_cut(reset, how):
    end = ["swallow P", how, "effect: connection cut", "done"]
    assert Steps("control", "sever", BEAT, reset=reset).first() == end


@pytest.mark.parametrize(
    ("point", "name", "version", "error", "code"),
    [
        ("ack", "OffsetCommit", 8, None, 14),
        ("ack", "OffsetCommit", 8, 27, 27),
        ("control", "Heartbeat", 3, None, 27),
        ("control", "FindCoordinator", 3, None, 15),
        ("control", "JoinGroup", 5, 16, 16),
        ("control", "EndTxn", 2, None, 51),
    ],
)
def test_a_request_is_refused(point, name, version, error, code):
    steps = Steps(point, "refuse", request(name, version), error=error)
    end = ["swallow P", f"reply {code} to P", f"effect: {name} answered {code}", "done"]
    assert steps.first() == end


@pytest.mark.parametrize(
    "refusal",
    [r for r in legality.table("kafka").refusals if r.point is Point.CONTROL and r.apis],
    ids=lambda r: f"{r.apis[0]}-{r.code}",
)
def test_every_legal_refusal_can_be_said(refusal):
    (name,) = refusal.apis
    frame = request(name, 3 if name in ("Metadata", "AddPartitionsToTxn") else 1)
    sighting = said(Point.CONTROL, transactional_id="tx")
    steps = Steps("control", "refuse", frame, sighting, error=refusal.code)
    if name == "Metadata":
        assert steps.first() == ["forward P"]
        return
    assert steps.first()[:2] == ["swallow P", f"reply {refusal.code} to P"]


def test_only_loading_is_ever_said_to_a_producer_without_a_transaction():
    frame = request("InitProducerId", 3)
    assert Steps("control", "refuse", frame, error=14).first()[1] == "reply 14 to P"
    forward, told, _ = Steps("control", "refuse", frame, error=15).first()
    assert forward == "forward P"
    assert told.startswith("unharmed: a producer without a transactional id")


# ---------------------------------------------------------------- metadata


def metadata(*topics):
    frame = request("Metadata", 9)
    brokers = [{"node_id": 1, "host": "mine", "port": 9001}]
    parts = [{"partition_index": 0, "leader_id": 1}]
    found = [{"name": topic, "partitions": parts} for topic in topics]
    return frame, reply_to(frame, brokers=brokers, topics=found, controller_id=1)


@pytest.mark.parametrize(("error", "code"), [(None, 5), (3, 3)])
def test_refused_metadata_keeps_the_brokers_and_loses_the_leaders(error, code):
    from pytest_mqchaos.recipes import base as act
    from pytest_mqchaos.wire.kafka.entities import read

    frame, reply = metadata("t", "u")
    steps = Steps("control", "refuse", frame, error=error)
    assert steps.first() == ["forward P"]
    said_ = said(Point.CONTROL)
    answer, swallow, effect, _ = steps.recipe.on(act.ReplySeen(frame=reply, sighting=said_, t=0))
    assert (answer.request, answer.code, swallow) == (frame, code, act.Swallow(reply))
    assert effect == act.TookEffect(f"Metadata answered {code}")
    body = read(Frame(
        direction=Direction.TO_CLIENT, kind=3, version=9, correlation=7, name="Metadata",
        raw=answer.data,
    ))  # fmt: skip
    assert [(b.node_id, b.host, b.port) for b in body.brokers] == [(1, "mine", 9001)]
    assert [(t.name, int(t.error_code), t.partitions) for t in body.topics] == [
        ("t", code, ()), ("u", code, ()),
    ]  # fmt: skip
    assert reply_error_code(frame, answer.data) == code


def test_metadata_of_no_topic_has_nothing_to_refuse():
    frame, reply = metadata()
    steps = Steps("control", "refuse", frame)
    steps.first()
    forward, told, _ = steps.replied(reply=reply)
    assert (forward, told.split(":")[0]) == ("forward R", "unharmed")


# ---------------------------------------------------------------- eviction


@pytest.mark.parametrize(("point", "verb"), [("ack", "redeliver"), ("control", "rebalance")])
def test_a_member_really_leaves_before_its_request_goes_on(point, verb):
    steps = Steps(point, verb, COMMIT, MEMBER)
    assert steps.first() == ["hold P", "side LeaveGroup"]
    assert steps.drained() == []
    assert steps.answered(left(0)) == ["forward P", "effect: m left g", "done"]


def left(code):
    from pytest_mqchaos.wire.kafka.entities import write_reply

    asked = leave_group("g", "m")
    version = int.from_bytes(asked[6:8], "big")
    return write_reply(13, version, 0, {"error_code": code})


@pytest.mark.parametrize(("value", "code"), [(left(25), 25), (None, None), (b"\0\0\0\1x", None)])
def test_a_member_that_could_not_leave_is_unharmed(value, code):
    steps = Steps("ack", "redeliver", COMMIT, MEMBER)
    steps.first()
    reason = f"unharmed: the broker did not let m leave g (answer {code})"
    assert steps.answered(value) == ["forward P", reason, "done"]


JOIN = request("ConsumerGroupHeartbeat", 1)


def joining(member="m"):
    """A client of KIP-848 has sent its first heartbeat."""
    sighting = said(Point.CONTROL, group="g", member=member, details={"stays": False})
    return Steps("control", "rebalance", JOIN, sighting)


@pytest.mark.parametrize("member", ["m", None])  # an older client is told its id by the broker
def test_who_joins_by_its_heartbeat_is_evicted_when_it_has_something(member):
    steps = joining(member)
    assert steps.first() == ["forward P"]
    told = said(Point.CONTROL, group="g", member="m")
    steps.reply = reply_to(JOIN)
    assert steps.at(act.ReplySeen(frame=steps.reply, sighting=told, t=T)) == [
        "forward R", "wake +3000",
    ]  # fmt: skip
    assert steps.timer(3000) == ["side LeaveGroup"]
    assert steps.answered(left(0)) == ["effect: m left g", "done"]


def test_who_is_gone_before_it_has_joined_is_unharmed():
    steps = joining()
    steps.first()
    told = "unharmed: a member had not joined g when its connection ended"
    assert steps.closed() == [told, "done"]
    steps = joining()
    steps.first()
    steps.replied()
    assert steps.closed() == [told, "done"]


@pytest.mark.parametrize(("group", "member"), [("g", None), ("g", ""), (None, "m")])
def test_who_is_no_member_cannot_be_evicted(group, member):
    steps = Steps("ack", "redeliver", COMMIT, said(Point.ACK, group=group, member=member))
    forward, told, _ = steps.first()
    assert (forward, told.split(":")[0]) == ("forward P", "unharmed")
    assert "no member of a group" in told


def test_a_commit_that_its_producer_sends_names_nobody_to_evict():
    """aiokafka's and Faust's, in a transaction: their consumer is a member all the same."""
    frame = request("TxnOffsetCommit", 2)
    forward, told, _ = Steps("ack", "redeliver", frame, said(Point.ACK, group="g")).first()
    assert forward == "forward P"
    assert "in its transaction" in told
    assert "no member of a group" not in told


# ---------------------------------------------------------------- crashes

DONE = {"done": True}
MAY = "ask may_crash scope=None"
CRASH = ["cutowner", "ask crash_worker scope=None"]


@pytest.mark.parametrize("point", ["publish", "ack"])
def test_a_crash_before_the_request_arrives(point):
    steps = Steps(point, "crash_worker")
    assert steps.first() == ["hold P", MAY]
    assert steps.drained() == []
    assert steps.answered(DONE) == ["swallow P", *CRASH]
    assert steps.closed() == []
    assert steps.answered(DONE) == ["effect: crashed before the frame", "done"]


@pytest.mark.parametrize("point", ["publish", "ack"])
def test_a_crash_after_the_request_was_answered(point):
    steps = Steps(point, "crash_worker", when="after")
    assert steps.first() == ["forward P"]
    assert steps.replied() == ["hold R", MAY]
    assert steps.answered(DONE) == ["swallow R", *CRASH]
    assert steps.answered(DONE) == ["effect: crashed after the frame", "done"]


def test_a_crash_after_a_request_that_gets_no_answer():
    steps = Steps("publish", "crash_worker", request(acks=0), when="after")
    assert steps.first() == ["hold P", MAY]
    assert steps.answered(DONE) == ["forward P", *CRASH]
    assert steps.answered(DONE) == ["effect: crashed after the frame", "done"]


@pytest.mark.parametrize(("when", "does"), [("before", "swallow"), ("after", "forward")])
def test_a_crash_at_a_confirm(when, does):
    steps = Steps("confirm", "crash_worker", when=when)
    assert steps.first() == ["forward P"]
    assert steps.replied() == ["hold R", MAY]
    assert steps.answered(DONE) == [f"{does} R", *CRASH]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("when", "does"), [("before", "swallow"), ("after", "forward")])
def test_a_crash_at_a_delivery(when, does, known):
    asked = request("Fetch", 11)
    reply = reply_to(asked)
    reply.request = asked if known else None
    steps = Steps("deliver", "crash_worker", reply, when=when)
    assert steps.first() == ["hold P", MAY]
    assert steps.answered(DONE) == [f"{does} P", *CRASH]


def test_without_acks_there_is_no_confirm_to_crash_at():
    steps = Steps("confirm", "crash_worker", request(acks=0))
    assert steps.first() == ["forward P", "unharmed: acks=0 has no confirm", "done"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [({"refused": "it is a thread"}, "it is a thread"), (None, "the controller is gone")],
)
def test_a_crash_that_is_refused_harms_nobody(value, reason):
    steps = Steps("ack", "crash_worker")
    steps.first()
    assert steps.answered(value) == ["forward P", f"unharmed: {reason}", "done"]


def test_a_crash_that_fails_is_no_effect():
    steps = Steps("ack", "crash_worker", scope="child")
    assert steps.first() == ["hold P", "ask may_crash scope=child"]
    # Its service and its brothers live on: only this connection ends.
    assert steps.answered(DONE) == ["swallow P", "sever", "ask crash_worker scope=child"]
    assert steps.answered({"refused": "gone"}) == ["unharmed: gone", "done"]
