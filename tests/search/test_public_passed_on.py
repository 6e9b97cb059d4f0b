"""Bugs that people have reported in public, where messages go on under their ids: the broken
service is failed in the words that help, the mended one passes all that its test would ask."""

import pytest

from pytest_mqchaos import Plan, VerdictFailed, on, simulate
from tests.search import public_passed_on as bugs

# Crashed clients close nothing.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.wide,
]

ORDERS = ["o1", "o2", "o3"]
EARLY = ("acked_after_effect",)


def scenario_of(service, *, mended, topics, asks, dead=(), roles=None, once=True):
    """`dead`: what is expected in the dead letters. `once`: the work is recorded with its id."""

    async def scenario(chaos):
        done, fails = set(), {b"o2"}

        def work(message):
            if not (once and message.value in done):
                done.add(message.value)
                chaos.effects.record(message.value.decode())

        for topic in ("orders", *topics):
            chaos.topic(topic)
        chaos.flow(inputs=["orders"], **(roles or {}))
        chaos.expect(dead_lettered=dead)
        await chaos.publish_async("orders", ORDERS)
        async with chaos.worker(service, chaos.bootstrap_servers, work, fails, mended=mended):
            await chaos.settle_async(timeout=60)
        for question in asks:
            getattr(chaos, f"assert_{question}")()

    return scenario


RETRIES = {"retries": ["retry-5s", "retry-30s"], "dead_letters": ["dead"]}
CHAIN = {"topics": [*bugs.NEXT.values()], "roles": RETRIES, "dead": ["o2"]}
DELAY = {"topics": ["delay"], "roles": {"retries": ["delay"]}}
STAGE = {"topics": ["routed"], "roles": {"outputs": ["routed"]}}
REDRIVE = {"topics": ["dead"], "roles": {"dead_letters": ["dead"]}}
AFTER = Plan(on.ack(topic="delay").crash_worker("after"))
ROUTED = Plan(on.ack(topic="orders", nth=2).crash_worker("after"))
BUGS = [
    # reactor-kafka 89, uber's retry topics; agent-kernel 630
    (bugs.retry_chain, {**CHAIN, "asks": ("dead_lettered",)}, None, "ms before its confirm"),
    (bugs.retry_chain, {**CHAIN, "asks": EARLY}, None, "1 of 3 messages acked before the effect"),
    # kafkajs 725, smallrye-reactive-messaging 2095
    (bugs.delayed, {**DELAY, "asks": EARLY}, None, "1 of 3 messages acked before the effect: 'o2'"),
    (bugs.delayed, {**DELAY, "asks": ("lossless",)}, AFTER, "1 of 3 confirmed messages was lost"),
    # hono 2480
    (bugs.staged, {**STAGE, "asks": EARLY}, None, "3 of 3 messages acked before the effect"),
    (bugs.staged, {**STAGE, "asks": ("exactly_once",)}, ROUTED, "1 of 3 confirmed messages"),
    # spring-cloud-stream-binder-kafka 21, ziggurat 265
    (bugs.redriven, {**REDRIVE, "asks": ("exactly_once",)}, None, "o2"),
]  # fmt: skip
NAMES = [f"{service.__name__}-{how['asks'][0]}" for service, how, *_ in BUGS]


@pytest.mark.parametrize(("service", "how", "plan", "words"), BUGS, ids=NAMES)
def test_the_broken_one_fails_in_the_words_that_help(service, how, plan, words):
    with pytest.raises(VerdictFailed) as told:
        simulate(scenario_of(service, mended=False, **how), plan=plan, id="value")
    said = " ".join(str(told.value).split())
    assert " failed: " in said
    assert words in said


@pytest.mark.parametrize(("service", "how", "plan", "words"), BUGS, ids=NAMES)
def test_the_mended_one_passes_all_that_may_be_asked(service, how, plan, words):
    asks = ["lossless", "idempotent", "exactly_once", "acked_after_effect"]
    asks += ["dead_lettered"] * bool(how.get("dead"))
    simulate(scenario_of(service, mended=True, **{**how, "asks": asks}), plan=plan, id="value")


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("service", [bugs.delayed, bugs.redriven, bugs.retry_chain])
def test_and_survives_crashes(service, at):
    how = next(how for each, how, *_ in BUGS if each is service)
    asks = ["lossless", "idempotent", "acked_after_effect"]
    plan = Plan(on.ack(nth=at).crash_worker())
    simulate(scenario_of(service, mended=True, **{**how, "asks": asks}), plan=plan, id="value")


@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize("mended", [False, True])
def test_a_table_forgets_what_was_deleted(mended, looked):
    """KAFKA-5717; `looked`: the row was seen before it was deleted."""

    async def scenario(chaos):
        rows = {}
        chaos.topic("users", cleanup_policy="compact")
        chaos.effects.from_call(
            lambda: [{"id": name, "key": key} for key, name in rows.items()], countable=False
        )
        async with chaos.worker(bugs.table, chaos.bootstrap_servers, rows, mended=mended):
            for name, key, value in (("a1", "a", "1"), ("b1", "b", "1"), ("a2", "a", None)):
                await chaos.publish_async("users", [{"id": name, "key": key, "value": value}])
                if looked:
                    await chaos.settle_async()
            await chaos.settle_async()
        asked = [chaos.check("lossless", keep="latest"), chaos.check("latest")]
        assert [verdict.status for verdict in asked] == ["passed" if mended else "failed"] * 2

    simulate(scenario, own_assertions=True)
