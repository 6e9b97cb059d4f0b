"""Beside pytest-rerunfailures and pytest-cov; those that our own tests run under need none here."""

import pytest

RERUN = """
    from pytest_mqchaos import on

    runs = []

    def test_at_first(kafka_chaos):
        runs.append(1)
        kafka_chaos.topic("t")
        if len(runs) == 1:
            kafka_chaos.arm(on.confirm(nth=1).drop())
        kafka_chaos.publish("t", ["a"])
        assert len(kafka_chaos.history.attempts) == (2 if len(runs) == 1 else 1)
        kafka_chaos.assert_no_copies()

    def test_always(kafka_chaos):
        kafka_chaos.topic("t")
        kafka_chaos.arm(on.confirm(nth=1).drop())
        kafka_chaos.publish("t", ["a"])
        kafka_chaos.assert_no_copies()
"""

SERVICE = """
    from aiokafka import AIOKafkaConsumer

    async def consume(bootstrap_servers, seen):
        consumer = AIOKafkaConsumer(
            "t", bootstrap_servers=bootstrap_servers, group_id="g",
            auto_offset_reset="earliest", enable_auto_commit=False,
        )
        await consumer.start()
        try:
            async for message in consumer:
                seen(message.value.decode())
                await consumer.commit()
        finally:
            await consumer.stop()
"""

COVERED = """
    import pytest
    import service

    @pytest.mark.mqchaos(id="value")
    def test_it(kafka_chaos):
        kafka_chaos.topic("t")
        with kafka_chaos.worker(
            service.consume, kafka_chaos.bootstrap_servers, kafka_chaos.effects.record
        ):
            kafka_chaos.publish("t", ["a"])
            kafka_chaos.settle()
        kafka_chaos.assert_lossless()
"""


def test_a_test_that_is_run_again_starts_afresh(project):
    project.test(RERUN)
    result = project.run("--reruns=1")
    outcomes = result.parseoutcomes()
    assert outcomes == {"passed": 1, "failed": 1, "rerun": 2}
    text = result.stdout.str()
    assert text.count("── t-0 · copies · resent ──") == 1, (
        "what failed for good is told, and told once"
    )
    assert text.count("test_at_first: mqchaos: no_copies passed") == 1


@pytest.mark.wide
def test_a_worker_is_measured_and_the_plugin_is_not_disturbed(project):
    project.test(COVERED)
    project.pytester.makepyfile(service=SERVICE)
    result = project.pytester.runpytest_subprocess(
        "-p", "no:randomly", "-p", "no:cacheprovider", "--cov=service", "--cov-report=term"
    )
    result.assert_outcomes(passed=1)
    result.stdout.re_match_lines([r"service\.py +\d+ +0 +100%"])
