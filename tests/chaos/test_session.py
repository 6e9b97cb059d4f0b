"""One Chaos after the other: rules, waits, the end, and what is left for the next."""

import asyncio
import os
import signal
import socket
import threading

import pytest

from pytest_mqchaos.chaos.host import ChaosBroker
from pytest_mqchaos.chaos.telling import Telling
from pytest_mqchaos.checkers.registry import CHECKERS, QUESTIONS
from pytest_mqchaos.errors import (
    DataPlaneDied,
    MqchaosError,
    NotApplicable,
    UsageError,
    VerdictFailed,
    WaitTimeout,
)
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.plan.rules import Plan
from tests.chaos.services import consume, idle


def test_every_checker_has_its_assertion_and_no_assertion_is_without(chaos):
    asked = {name.removeprefix("assert_") for name in dir(chaos) if name.startswith("assert_")}
    assert asked == set(QUESTIONS) == set(CHECKERS)


def test_each_assertion_asks_its_own_checker(chaos, monkeypatch):
    asked = []
    monkeypatch.setattr(type(chaos), "_ask", lambda _self, name, words: asked.append((name, words)))
    for name in QUESTIONS:
        getattr(chaos, f"assert_{name}")(option=1)
    assert asked == [(name, {"option": 1}) for name in QUESTIONS]


@pytest.mark.parametrize(
    ("question", "options", "words"),
    [
        ("losless", {}, "unknown question 'losless'. Did you mean 'lossless'"),
        ("lossless", {"kep": "all"}, "lossless: .*kep"),
        ("idempotent", {}, "effect"),
    ],
)
def test_a_question_that_cannot_be_is_an_error_of_use(chaos, question, options, words):
    chaos.topic("t")
    chaos.publish("t", ["a"])
    with pytest.raises(UsageError, match=words):
        chaos.check(question, **options)


def test_a_verdict_can_be_had_without_raising_and_a_checker_may_be_the_users(chaos):
    chaos.topic("t")
    chaos.publish("t", ["a"])
    assert chaos.check("no_copies").status == "passed"
    mine = CHECKERS["no_copies"]()
    assert chaos.check(mine).status == "passed"
    assert [verdict.question for verdict in chaos.verdicts] == ["no_copies", "no_copies"]


# ------------------------------------------------------------------------------------- rules


def test_a_rule_armed_in_the_middle_counts_from_there(chaos):
    chaos.topic("t")
    chaos.publish("t", ["a", "b"])
    rule = chaos.arm(on.confirm(nth=2).delay(0.001))
    chaos.publish("t", ["c"])
    assert (rule.matched, rule.fired) == (1, 0)
    assert repr(rule) == "<on.confirm(nth=2).delay(0.001) fired 0>"
    chaos.publish("t", ["d"])
    rule.wait()
    assert (rule.matched, rule.fired) == (2, 1)


def test_several_rules_are_armed_at_once(chaos):
    first, second = chaos.arm(on.confirm(nth=1).delay(0.001), on.confirm(nth=2).delay(0.001))
    chaos.topic("t")
    chaos.publish("t", ["a", "b"])
    assert [first.fired, second.fired] == [1, 1]
    assert [armed.index for armed in chaos.armed] == [0, 1]
    assert chaos.arm() == ()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda: on.confirm(nth=1), "has no fault yet"),
        (lambda: on.confrim(nth=1), "confirm"),
        (lambda: on.confirm(nth=0).drop(), "nth"),
        (lambda: on.confirm(topik="t").drop(), "topic"),
        (lambda: on.confirm(queue="t").drop(), "Kafka has topics: write topic='t'"),
        (lambda: on.confirm().dorp(), "drop"),
        (lambda: on.publish().refuse("NO_SUCH_ERROR"), "NO_SUCH_ERROR"),
        (lambda: on.control(api="Hartbeat").sever(), "'Hartbeat'. Did you mean 'Heartbeat'"),
        (lambda: on.control(api="Heartbeat").drop(), "cannot drop at control.*use .sever"),
        (lambda: on.control(key="k", api="Heartbeat").sever(), "can never match"),
        (lambda: on.publish().move_leader(), "a cluster of several nodes.*--mqchaos-nodes=3"),
        (lambda: on.deliver().drop(), "deliver"),
        (lambda: "on.confirm().drop()", "a plan is made of rules"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_where_it_is_armed(chaos, rule, words):
    with pytest.raises((UsageError, AttributeError), match=words):
        chaos.arm(rule())
    assert chaos.armed == ()


def test_a_plan_that_cannot_be_is_refused_before_it_starts(host):
    with pytest.raises(UsageError, match="what no follower has"):
        host.chaos(Plan(on.ack().kill_broker(unreplicated=True)))
    with host.chaos(own_assertions=True, drawn=True):
        pass  # and nothing is left of it


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"idd": "key"}, "unknown setting of a Chaos 'idd'. Did you mean 'id'"),
        ({"id": "jsn:/x"}, "unknown id 'jsn:/x'"),
        ({"key": "jsn:/x"}, "unknown id 'jsn:/x'"),
    ],
)
def test_a_setting_that_cannot_be(host, settings, words):
    with pytest.raises(UsageError, match=words):
        host.chaos(**settings)
    with host.chaos(own_assertions=True, drawn=True):
        pass


# ------------------------------------------------------------------------------------- waits


def test_wait_for_says_what_it_waited_for(chaos):
    def paid():
        return False

    with pytest.raises(WaitTimeout, match=r"waited 0.05 s for .*paid"):
        chaos.wait_for(paid, timeout=0.05)
    with pytest.raises(WaitTimeout, match=r"waited 0.05 s for the bill"):
        chaos.wait_for(paid, timeout=0.05, what="the bill")


def test_a_rule_that_does_not_fire_is_named_when_it_is_waited_for(chaos):
    rule = chaos.arm(on.confirm(nth=5).drop())
    with pytest.raises(WaitTimeout, match=r"on.confirm\(nth=5\).drop\(\) to take effect"):
        rule.wait(0.05)


def test_every_waiting_method_has_its_twin(chaos):
    async def body():
        chaos.topic("t")
        rule = chaos.arm(on.confirm(nth=1).delay(0.001))
        with pytest.raises(UsageError, match=r"await rule.wait_async\(\)"):
            rule.wait()
        receipts = await chaos.publish_async("t", ["a"])
        await rule.wait_async()
        await chaos.wait_for_async(lambda: rule.fired)
        settled = await chaos.settle_async(0.5)
        return receipts, settled

    receipts, settled = asyncio.run(body())
    assert [receipt.outcome for receipt in receipts] == ["confirmed"]
    assert settled.waiting == ()


# ------------------------------------------------------------------------------------ publish


def test_receipts_say_what_became_of_each_message(chaos, monkeypatch):
    monkeypatch.setattr("pytest_mqchaos.chaos.kafka_post.REQUEST_TIMEOUT_MS", 400)
    monkeypatch.setattr("pytest_mqchaos.chaos.kafka_post.AWAY", 0.01)
    chaos.topic("t", partitions=2)
    confirmed, other = chaos.publish("t", [{"value": "a", "key": "k"}, "b"])
    assert confirmed.outcome == other.outcome == "confirmed"
    assert (confirmed.offset, confirmed.error, other.partition) == (0, None, 1)
    (refused,) = chaos.publish("t", [b"c" * 2_000_000], attempts=2)
    assert (refused.outcome, refused.attempts) == ("refused", 2)
    assert "MessageSizeTooLarge" in refused.error
    chaos.arm(on.confirm(nth=1).hang())
    (unknown,) = chaos.publish("t", ["d"], attempts=1)
    assert unknown.outcome == "unknown"


def test_it_is_sent_again_until_it_is_confirmed(chaos, monkeypatch):
    monkeypatch.setattr("pytest_mqchaos.chaos.kafka_post.REQUEST_TIMEOUT_MS", 400)
    chaos.topic("t")
    chaos.arm(on.publish(nth=1).hang())
    (receipt,) = chaos.publish("t", ["a"])
    assert (receipt.outcome, receipt.attempts) == ("confirmed", 2)


def test_an_idempotent_publisher_makes_no_copy(chaos):
    chaos.topic("t")
    rule = chaos.arm(on.confirm(nth=1).drop())
    chaos.publish("t", ["a"], idempotent=True)
    assert rule.fired == 1
    chaos.assert_no_copies()


def test_nothing_to_publish_is_nothing(chaos):
    assert chaos.publish("t", []) == []


def test_an_id_whose_effect_was_there_before_is_refused(chaos):
    chaos.topic("t")
    chaos.effects.from_call(lambda: [{"id": "a"}])
    with pytest.raises(UsageError, match=r"'a'.*before this test began"):
        chaos.publish("t", ["a"])


# ------------------------------------------------------------------------------- end of a run


def ended(host, body, plan=None, **settings):
    """What the end of a run says of `body`."""
    failing = pytest.raises((MqchaosError, AssertionError))
    with failing as raised, host.chaos(plan, id="value", **settings) as chaos:
        body(chaos)
    return raised.value


def publish(chaos):
    chaos.topic("t")
    chaos.publish("t", ["a"])


def test_an_unfired_rule_fails_unless_it_is_optional(host, tmp_path):
    told = ended(
        host, publish, Plan(on.confirm(nth=3).drop()), own_assertions=True,
        telling=Telling(nodeid="t.py::test", directory=tmp_path / "kept"),
    )  # fmt: skip
    assert isinstance(told, VerdictFailed)
    assert "1 of 1 rule never took effect" in str(told)
    assert 'pytest "t.py::test" --mqchaos-plan=mq1.' in str(told)
    assert (tmp_path / "kept" / "history.jsonl").stat().st_size > 0
    with host.chaos(
        Plan(on.confirm(nth=3).drop(optional=True)), id="value", own_assertions=True
    ) as chaos:
        publish(chaos)


def test_no_question_fails(host):
    assert "no verdict was asked" in str(ended(host, publish))


def test_nothing_observed_fails_unless_the_batch_was_drawn(host):
    said = ended(host, lambda chaos: None, own_assertions=True)
    assert "nothing was observed: no client ever connected" in str(said)
    with host.chaos(own_assertions=True, drawn=True):
        pass


def test_a_profile_that_observed_why_it_cannot_act_is_not_applicable(host):
    told = ended(
        host, publish, Plan(on.publish(nth=1).reorder()), own_assertions=True,
        telling=Telling(profile="reordered-publish"),
    )  # fmt: skip
    assert isinstance(told, NotApplicable)
    assert str(told).startswith("NOT APPLICABLE: reordered-publish: ")


def test_trouble_of_the_data_plane_fails_its_run_and_not_the_next(host):
    def body(chaos):
        publish(chaos)
        chaos.host.troubles.append("a listener was lost")

    told = ended(host, body, own_assertions=True)
    assert "nothing is certain: a listener was lost" in str(told)
    host.troubles.append("left over")
    with host.chaos(own_assertions=True) as chaos:
        publish(chaos)


def test_the_bodys_own_error_is_not_replaced(host):
    def body(chaos):
        chaos.topic("t")
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"), host.chaos(Plan(on.ack().drop())) as chaos:
        body(chaos)


def test_what_was_seen_can_be_told_after_a_failure(chaos):
    chaos.telling = Telling(nodeid="t.py::test")
    publish(chaos)
    told = chaos.telling.summary(chaos)
    assert "published 1 · confirmed 1 · stored 1" in told
    assert "broker   kafka embedded" in told
    assert 'replay   pytest "t.py::test"' in told


# ------------------------------------------------------------------------------ one after the other


def test_one_at_a_time(host):
    once = host.chaos(own_assertions=True, drawn=True)
    with once, pytest.raises(UsageError, match="leave its `with` block first"):
        host.chaos()


def test_two_runs_know_nothing_of_each_other(host):
    with host.chaos(id="value", own_assertions=True) as chaos:
        publish(chaos)
        first = chaos.history
    with host.chaos(id="value", own_assertions=True) as chaos:
        assert chaos.history.attempts == ()
        assert chaos.armed == ()
        chaos.topic("t")
        chaos.publish("t", ["b"])
        assert [row.id for row in chaos.history.stored] == ["b"]
    assert [row.id for row in first.stored] == ["a"]


def test_late_clients_of_a_run_that_is_over_are_refused(host):
    seen = []

    async def service(servers):
        seen.append(servers)
        await idle()

    with (
        host.chaos(own_assertions=True, drawn=True) as chaos,
        chaos.worker(service, chaos.bootstrap_servers),
    ):
        chaos.wait_for(lambda: seen)
        common = chaos.bootstrap_servers
    with host.chaos(own_assertions=True, drawn=True) as chaos:
        assert chaos.bootstrap_servers == common  # this one is the session's
        own, _, port = seen[0].rpartition(":")
        with pytest.raises(OSError), socket.create_connection((own, int(port)), 5):  # noqa: PT011
            pass


def test_a_chaos_works_under_async_with(host):
    async def body():
        async with host.chaos(id="value") as chaos:
            chaos.topic("t")
            async with chaos.worker(consume, chaos.bootstrap_servers, chaos.effects):
                await chaos.publish_async("t", ["a", "b"])
                await chaos.settle_async()
            chaos.assert_exactly_once()
        with pytest.raises(UsageError, match="async with"):
            host.chaos().__enter__()

    try:
        asyncio.run(body())
    finally:
        host._current = None


def test_a_broker_that_cannot_be_started_leaves_no_data_plane(monkeypatch):
    def fail(*_, **__):
        raise UsageError("no such broker today")

    monkeypatch.setattr("pytest_mqchaos.chaos.host.provide", fail)
    host = ChaosBroker()
    with pytest.raises(UsageError, match="today"):
        host.start()
    assert not host.directory.exists()
    with pytest.raises(MqchaosError):
        host.plane.request("status")


def test_a_session_that_ends_under_a_chaos_ends_it_too():
    with ChaosBroker() as host:
        chaos = host.chaos(id="value")
        chaos.start()
        publish(chaos)
        assert chaos.url == chaos.bootstrap_servers
    with pytest.raises(MqchaosError):
        host.plane.request("status")


def test_declarations_reach_the_judgement(chaos):
    chaos.topic("t")
    chaos.publish("t", ["a", "b"])
    chaos.flow(inputs=["t"], dead_letters=["d"])
    chaos.accepted("a")
    chaos.expect(dropped=["b"])
    history = chaos.history
    assert history.flow.dead_letters == {"d"}
    assert [row.id for row in history.accepted] == ["a"]
    assert history.expected.dropped == {"b"}


# ----------------------------------------------------------------------------- a dead data plane


@pytest.mark.parametrize("call", ["settle", "wait_for", "publish", "rule", "assert"])
def test_when_the_data_plane_is_killed_every_wait_ends_at_once(call, monkeypatch):
    with ChaosBroker() as host:
        chaos = host.chaos(id="value", own_assertions=True)
        chaos.start()
        chaos.topic("t")
        rule = chaos.arm(on.confirm(nth=9).drop(optional=True))
        chaos.publish("t", ["a"])
        killer = threading.Timer(0.1, os.kill, (host.plane.pid, signal.SIGKILL))
        killer.start()
        calls = {
            "settle": lambda: [chaos.settle() for _ in range(10_000)],
            "wait_for": lambda: chaos.wait_for(lambda: False, timeout=600),
            "publish": lambda: [chaos.publish("t", ["b"]) for _ in range(10_000)],
            "rule": lambda: rule.wait(600),
            "assert": lambda: [chaos.assert_no_copies() for _ in range(10_000)],
        }
        with pytest.raises(DataPlaneDied, match=r"\(pid \d+\) is gone.*can be trusted"):
            calls[call]()
        killer.join()
        with pytest.raises(DataPlaneDied):
            chaos.finish(body_failed=False)
        chaos.close()
        assert "cannot be told: DataPlaneDied" in chaos.telling.summary(chaos)
