"""Bugs that people have reported in public: a new user's test of each, in virtual time.

The broken service is failed in the words that its reporter needed; the mended one passes the same
test, and survives faults at its acks.
"""

import pytest
from aiokafka import AIOKafkaProducer

from pytest_mqchaos import Plan, VerdictFailed, on, simulate
from tests.search import public_bugs as bugs

# Crashed clients close nothing.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

CRASH = Plan(on.ack(nth=1).crash_worker("after"))
CRASH_AT_POISON = Plan(on.ack(id="poison").crash_worker("after"))
ORDERS = ["o1", "o2", "o3"]


async def published(chaos):
    await chaos.publish_async("orders", ORDERS)


async def in_transactions(chaos):
    producer = AIOKafkaProducer(bootstrap_servers=chaos.bootstrap_servers, transactional_id="t")
    async with producer:
        for order in ORDERS:
            async with producer.transaction():
                await producer.send_and_wait("orders", order.encode())


async def with_poison(chaos):
    chaos.topic("dead")
    chaos.flow(dead_letters=["dead"])
    chaos.expect(dead_lettered=["poison"])
    await chaos.publish_async("orders", [*ORDERS, "poison"])


def scenario_of(
    service, *, mended, before=published, asks=("lossless", "idempotent"), partitions=1, starts=1,
    joins=False, once=False,
):  # fmt: skip
    """`once`: the work is recorded with its id, whatever is handed out again."""

    async def scenario(chaos):
        done = set()

        def work(message):
            name = message.value.decode()
            if not (once and name in done):
                done.add(name)
                chaos.effects.record(name)

        chaos.topic("orders", partitions=partitions)
        await before(chaos)
        how = {"mended": mended}
        for _ in range(starts):
            async with chaos.worker(service, chaos.bootstrap_servers, work, **how):
                if joins:
                    await chaos.wait_for_async(lambda: chaos.history.deliveries)
                    async with chaos.worker(service, chaos.bootstrap_servers, work, **how):
                        await chaos.settle_async()
                await chaos.settle_async()
        for question in asks:
            getattr(chaos, f"assert_{question}")()

    return scenario


DEAD = {"before": with_poison, "asks": ("dead_lettered", "lossless")}
ACKED = {"asks": ("acked_after_effect",)}
BUGS = [
    # confluent-kafka-python 817, LangStream 343, faust-streaming 33
    (bugs.own_offset, {"starts": 2}, None, "commit the offset of the next message, offset + 1"),
    # faust-streaming 312 and 606
    (bugs.unordered_commits, {}, CRASH, "1 of 3 confirmed messages was lost: delivered, no effect"),
    (bugs.unordered_commits, ACKED, None, "1 of 3 messages acked before the effect: 'o1'"),
    # spring-kafka 3186, franz-go 689
    (bugs.each_commits_its_own, {"starts": 2}, None, "went back from 3 to 1 of orders-0"),
    # storm 2104 (STORM-2505), druid 5404
    (bugs.no_gaps_expected, {"before": in_transactions, "starts": 2}, None, "redelivered"),
    # kafka-python 722: whoever swallows what a handler raised
    (bugs.gathered, {}, None, "1 of 3 confirmed messages was lost: delivered, no effect, acked"),
    # aiokafka 900
    (bugs.stop_commits, {}, None, "1 of 3 confirmed messages was lost: delivered, no effect"),
    # django-kafka 88
    (bugs.resumes_behind, {}, None, "1 of 3 confirmed messages was lost: delivered, no effect"),
    # librdkafka 1802, spring-kafka 283
    (bugs.keeps_what_was_revoked, {"joins": True, "partitions": 2}, None, "took effect more than"),
    # agent-kernel 630
    (bugs.dead_letter_unconfirmed, DEAD, CRASH_AT_POISON, "'poison' is not in the dead letters"),
    # kstream 22
    (bugs.dead_letter_uncommitted, {**DEAD, "starts": 2}, None, "'poison' is there 4x"),
]  # fmt: skip
NAMES = [service.__name__ for service, *_ in BUGS]


@pytest.mark.wide
@pytest.mark.parametrize(("service", "how", "plan", "words"), BUGS, ids=NAMES)
def test_the_broken_one_fails_in_the_words_that_help(service, how, plan, words):
    with pytest.raises(VerdictFailed) as told:
        simulate(scenario_of(service, mended=False, **how), plan=plan, id="value")
    assert words in " ".join(str(told.value).split())


@pytest.mark.wide
@pytest.mark.parametrize(("service", "how", "plan", "words"), BUGS, ids=NAMES)
def test_the_mended_one_passes(service, how, plan, words):
    simulate(scenario_of(service, mended=True, once=plan is not None, **how), plan=plan, id="value")


@pytest.mark.wide
@pytest.mark.parametrize("service", sorted({bug[0] for bug in BUGS}, key=lambda s: s.__name__))
def test_and_survives_single_faults_at_its_acks(service, mqchaos_sweep):
    how = next(how for each, how, *_ in BUGS if each is service)
    how = {**how, "asks": ("lossless",) if "dead" in service.__name__ else ("exactly_once",)}
    found = mqchaos_sweep(
        scenario_of(service, mended=True, once=True, **how), id="value", points=["ack"], budget=12
    )
    assert found.done
    assert not found.failed
