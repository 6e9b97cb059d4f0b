"""Questions that are asked before the run has settled, effects that are declared after the work."""

import pickle
import sqlite3
from contextlib import closing
from copy import copy
from dataclasses import fields, replace

import pytest

from pytest_mqchaos import simulate
from pytest_mqchaos.chaos.asked import Asked
from pytest_mqchaos.checkers.idempotent import idempotent
from pytest_mqchaos.checkers.lossless import lossless
from pytest_mqchaos.checkers.verdict import Verdict
from pytest_mqchaos.errors import UsageError, VerdictFailed
from tests.checkers.timeline import MS, run
from tests.search.planted.clients import reading, sending

NAMES = [each.name for each in fields(Verdict)]
ONCE = run().publish("a").work("a")
TWICE = run().publish("a").work("a").deliver("a").effect("a")


def test_a_pass_of_an_unsettled_run_is_asked_again():
    asked = Asked()
    assert asked.ask(idempotent(), ONCE.history()).status == "passed"
    assert not list(asked.failed_since(ONCE.history()))
    (verdict,) = asked.failed_since(TWICE.history())
    assert verdict.question == "idempotent"
    assert verdict.sentence.endswith("(it had passed, asked before the run had settled)")
    assert verdict.advice.endswith("; ask after chaos.settle()")
    assert [each.status for each in asked.verdicts] == ["passed"]


def test_one_of_a_settled_run_is_not():
    asked = Asked()
    asked.settled(10 * MS)
    asked.ask(idempotent(), ONCE.history())
    assert not list(asked.failed_since(TWICE.history()))


def test_whatever_was_published_or_handed_out_since_unsettles_it():
    for line in (run().publish("a").work("a").publish("b"), run().publish("a").deliver("a")):
        asked = Asked()
        asked.settled((line.now - 1) * MS)
        asked.ask(idempotent(), line.effect("a").history())
        assert bool(list(asked.failed_since(TWICE.history()))) is (len(line.effects) == 1)


def test_the_last_answer_of_a_question_counts():
    asked = Asked()
    asked.ask(idempotent(), ONCE.history())
    asked.ask(idempotent(), TWICE.history())
    asked.ask(lossless(), ONCE.history())
    assert not list(asked.failed_since(TWICE.history()))


async def consume(servers, work, to=None):
    async with reading(servers, "orders") as consumer, sending(servers) as producer:
        async for message in consumer:
            work(message)
            if to is not None:
                await producer.send_and_wait(to, message.value)
            await consumer.commit()


def test_a_test_that_asks_too_early_fails_for_what_comes_after():
    async def scenario(chaos):
        chaos.topic("orders")

        def work(message):
            chaos.effects.record(message.value.decode())
            if message.value == b"b":
                chaos.effects.record("b")

        async with chaos.worker(consume, chaos.bootstrap_servers, work):
            await chaos.publish_async("orders", ["a"])
            await chaos.wait_for_async(lambda: chaos.history.effects)
            chaos.assert_idempotent()
            await chaos.publish_async("orders", ["b"])
            await chaos.settle_async()

    with pytest.raises(VerdictFailed, match=r"passed, asked before the run had settled\)"):
        simulate(scenario, id="value")


def test_effects_that_are_declared_after_the_work_are_refused(tmp_path):
    path = str(tmp_path / "db")

    async def scenario(chaos):
        chaos.topic("orders")
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("create table ledger (id)")

            def work(message):
                db.execute("insert into ledger values (?)", (message.value.decode(),))

            async with chaos.worker(consume, chaos.bootstrap_servers, work):
                await chaos.publish_async("orders", ["a", "b"])
                await chaos.settle_async()
            chaos.effects.from_sql(path, "select id from ledger")
            chaos.assert_lossless()

    with pytest.raises(UsageError, match=r"the effects of a, b stood there when their source was"):
        simulate(scenario, id="value")


def test_and_so_is_an_output_topic():
    async def scenario(chaos):
        chaos.topic("orders")
        async with chaos.worker(consume, chaos.bootstrap_servers, repr, to="out"):
            await chaos.publish_async("orders", ["a"])
            await chaos.settle_async()
        chaos.effects.from_topic("out")

    with pytest.raises(UsageError, match=r"from_topic\('out'\): what a worker has published there"):
        simulate(scenario, id="value")


# ------------------------------------------------------------ answers that nobody looked at


def told(history, look):
    asked = Asked()
    look(asked.give(asked.ask(idempotent(), history)))
    return list(asked.unread())


@pytest.mark.parametrize(
    "look",
    [
        lambda verdict: verdict.status == "passed", print, lambda verdict: verdict == copy(verdict),
        lambda verdict: verdict.findings, replace,
    ],
    ids=["status", "print", "compare", "findings", "replace"],
)  # fmt: skip
def test_an_answer_that_somebody_looked_at_is_the_tests_own_business(look):
    assert not told(TWICE.history(), look)


def test_one_that_did_not_pass_and_that_nobody_looked_at_is_told():
    (verdict,) = told(TWICE.history(), lambda _: None)
    assert verdict.sentence.endswith("(chaos.check gave this answer, and nobody looked at it)")
    assert "chaos.check(...).status == 'passed'" in verdict.advice
    assert not told(ONCE.history(), lambda _: None)


def test_one_that_somebody_keeps_may_be_looked_at_later():
    kept = []
    assert not told(TWICE.history(), kept.append)
    assert kept[0].status == "failed"


def test_what_is_given_is_the_verdict():
    asked = Asked()
    given, verdict = asked.give(asked.ask(idempotent(), TWICE.history())), asked.verdicts[0]
    assert isinstance(given, Verdict)
    assert given == pickle.loads(pickle.dumps(given)) == copy(given)
    assert replace(verdict) == verdict == Verdict(**{n: getattr(given, n) for n in NAMES})
    assert repr(given).partition("(")[2] == repr(verdict).partition("(")[2]
    with pytest.raises(UsageError, match="asked for its truth"):
        bool(given)


def test_a_test_that_only_checks_and_never_looks_fails():
    async def scenario(chaos):
        chaos.topic("orders")

        def twice(message):
            chaos.effects.record(message.value.decode())
            chaos.effects.record(message.value.decode())

        async with chaos.worker(consume, chaos.bootstrap_servers, twice):
            await chaos.publish_async("orders", ["a"])
            await chaos.settle_async()
        chaos.check("idempotent")
        chaos.assert_lossless()

    with pytest.raises(VerdictFailed, match=r"nobody looked at it\)"):
        simulate(scenario, id="value")


# ------------------------------------------------------------ waits that cannot wait, no beginning


def test_a_condition_is_a_plain_function(chaos):
    async def ready():
        return False

    with pytest.raises(UsageError, match=r"waiting for True: give a function"):
        chaos.wait_for(True)
    with pytest.raises(UsageError, match=r"must be a plain function, and it gave a coroutine"):
        chaos.wait_for(ready)


def test_a_chaos_that_has_not_begun_says_so(host):
    made = host.chaos(id="value")
    try:
        for use in (
            lambda: made.topic("t"), lambda: made.bootstrap_servers, lambda: made.effects,
            lambda: made.check("no_copies"), lambda: made.publish("t", ["a"]),
            made.settle, lambda: made.nodes,
        ):  # fmt: skip
            with pytest.raises(UsageError, match="has not begun: use it in a `with` block"):
                use()
        assert not hasattr(made, "topics")
    finally:
        made.close()
