"""One Chaos after the other: questions, waits, and what is left for the next."""

import asyncio
import os
import signal
import socket
import threading

import pytest

from pytest_mqchaos.chaos.host import ChaosBroker
from pytest_mqchaos.checkers.registry import CHECKERS, QUESTIONS
from pytest_mqchaos.errors import DataPlaneDied, MqchaosError, UsageError, WaitTimeout
from pytest_mqchaos.plan.on import on
from tests.chaos.services import consume, idle, publish


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


# ------------------------------------------------------------------------ one after the other


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
