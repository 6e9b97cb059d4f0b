"""`mqchaos_search` where nothing is deterministic: it finds a planted bug, makes it small, and says
how often the result fails, over sockets to the embedded cluster and to Apache Kafka."""

import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.live

# Their clients would wait for up to 40 s for what is dropped or hangs: not among these faults.
SHOP = """
from aiokafka import AIOKafkaConsumer


async def ship(servers, effects):
    consumer = AIOKafkaConsumer(
        "orders", bootstrap_servers=servers, group_id="shipping",
        enable_auto_commit=False, auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async for message in consumer:
            await consumer.commit()  # too early
            effects.record(message.value.decode())
    finally:
        await consumer.stop()


def scenario(chaos):
    chaos.topic("orders")
    with chaos.worker(ship, chaos.bootstrap_servers, chaos.effects):
        chaos.publish("orders", ["order-1", "order-2"])
        chaos.settle()
    chaos.assert_lossless()


def test_shop(mqchaos_search):
    mqchaos_search(
        scenario, id="value", points=["publish", "confirm", "deliver", "ack"],
        faults=["delay", "duplicate", "sever", "reorder", "redeliver", "crash_worker"],
    )
"""
RATE = re.compile(r"reproduced (\d+)/(\d+) by the search; without any fault (\d+)/\d+")


@pytest.mark.parametrize("kind", ["embedded", "process"])
def test_a_planted_bug_is_found_and_told_with_its_rate(kind, tmp_path, request):
    if kind == "process":
        request.getfixturevalue("kafka_installed")
    (tmp_path / "test_shop.py").write_text(SHOP)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider",
         f"--mqchaos-broker={kind}", "test_shop.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    told = run.stdout
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, told[-8000:] + run.stderr[-2000:]
    failed, of, without = map(int, RATE.search(told).groups())
    print(f"{kind}: {told[told.rindex('mqchaos search') :]}")
    assert "lossless failed: 1 of 2 confirmed messages was lost" in told
    assert "on.ack(nth=1).crash_worker('after', optional=True)" in told
    assert "rule 2" not in told
    assert (of, without) == (10, 0)
    assert failed >= 8
