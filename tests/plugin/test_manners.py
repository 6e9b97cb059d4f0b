"""A guest's manners: beside xdist, asyncio and anyio, under strict warnings, and when not asked."""

import subprocess
import sys

import pytest

TEST = """
    import pytest

    @pytest.mark.mqchaos("slow-confirm")
    class TestPay:
        def test_it(self, kafka_chaos):
            PUBLISH

        def test_other(self, kafka_chaos):
            PUBLISH
"""
ASYNC = """
    import pytest

    async def consume(servers, effects):
        from aiokafka import AIOKafkaConsumer
        consumer = AIOKafkaConsumer("t", bootstrap_servers=servers, group_id="g",
                                    enable_auto_commit=False, auto_offset_reset="earliest")
        await consumer.start()
        try:
            async for message in consumer:
                effects.record(message.value.decode())
                await consumer.commit()
        finally:
            await consumer.stop()

    @pytest.mark.{mark}
    @pytest.mark.mqchaos("slow-confirm", id="value")
    async def test_it(kafka_chaos):
        chaos = kafka_chaos
        chaos.topic("t")
        async with chaos.worker(consume, chaos.bootstrap_servers, chaos.effects):
            await chaos.publish_async("t", ["a", "b"])
            await chaos.settle_async()
        chaos.assert_exactly_once()

    @pytest.mark.{mark}
    async def test_own_chaos(kafka_chaos_broker):
        async with kafka_chaos_broker.chaos(id="value") as chaos:
            chaos.topic("t")
            await chaos.publish_async("t", ["a"])
            chaos.assert_no_copies()

    @pytest.mark.{mark}
    @pytest.mark.parametrize("line", [
        'chaos.publish("t", ["a"])', "chaos.settle()", "chaos.wait_for(list)",
        "chaos.worker(consume).__enter__()", "kafka_chaos_broker.chaos().__enter__()",
    ])
    async def test_sync(kafka_chaos_broker, line):
        async with kafka_chaos_broker.chaos(own_assertions=True) as chaos:
            if "broker" in line:
                kafka_chaos_broker._current = None
            eval(line)
"""


@pytest.mark.parametrize(
    ("mark", "without"), [("asyncio", ("anyio",)), ("anyio", ("asyncio",)), ("anyio", ())]
)
def test_async_tests_need_no_opinion_on_who_runs_them(project, mark, without):
    project.test(ASYNC.replace("{mark}", mark))
    project.pytester.makeconftest("""
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"
    """)
    plugins = [f"-pno:{name}" for name in ("randomly", "cacheprovider", "xdist", *without)]
    result = project.pytester.runpytest_inprocess(
        *plugins,
        "-Werror",
        "-Wignore:The configuration option:DeprecationWarning",  # pytest-asyncio's own
        "test_it.py::test_it",
        "test_it.py::test_own_chaos",
    )
    result.assert_outcomes(passed=2)


def test_a_sync_method_on_a_running_loop_names_its_twin_at_once(project):
    project.test(ASYNC.replace("{mark}", "anyio"))
    project.pytester.makeconftest("""
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"
    """)
    result = project.run("test_it.py::test_sync")
    result.assert_outcomes(failed=5)
    text = result.stdout.str()
    for twin in (
        "`await chaos.publish_async(...)`",
        "`await chaos.settle_async(...)`",
        "`await chaos.wait_for_async(...)`",
        "`async with chaos.worker(...)`",
        "`async with ...chaos(...)`",
    ):
        assert f"write {twin}" in text


def test_with_neither_a_test_may_run_a_loop_of_its_own(project):
    project.test("""
        import asyncio

        def test_it(kafka_chaos):
            async def body():
                kafka_chaos.topic("t")
                await kafka_chaos.publish_async("t", ["a"])
            asyncio.run(body())
            kafka_chaos.assert_no_copies()
    """)
    project.run("-p", "no:anyio").assert_outcomes(passed=1)


def test_xdist_workers_have_a_broker_each(project):
    project.test(TEST)
    # Processes: they must not be counted as replays of ours, and load what they need themselves.
    result = project.pytester.runpytest_subprocess(
        "-n2", "-p", "no:randomly", "-p", "no:cacheprovider"
    )
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*test_it?slow-confirm?: slow-confirm: no_copies passed*"])
    result.stdout.fnmatch_lines(["*stands for Kafka*(2 tests)"])


@pytest.mark.wide
def test_a_failure_travels_from_an_xdist_worker_as_it_is(project):
    project.test(TEST.replace("slow-confirm", "lost-confirm"))
    result = project.pytester.runpytest_subprocess(
        "-n1", "-p", "no:randomly", "-p", "no:cacheprovider", "test_it.py::TestPay::test_it"
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["no_copies failed: *", '  replay   pytest "test_it.py::*'])


def test_strict_warnings_find_none_of_ours(project):
    project.test(TEST + "\n    def test_not_asked(tmp_path):\n        pass\n")
    result = project.run("-W", "error")
    result.assert_outcomes(passed=3)
    result.stdout.no_fnmatch_line("*warnings summary*")


def test_without_the_plugin_nothing_of_it_is_left(project):
    project.test("def test_it():\n    pass\n")
    result = project.run("-p", "no:mqchaos", "--strict-markers")
    result.assert_outcomes(passed=1)
    project.test("def test_it(kafka_chaos):\n    pass\n")
    result = project.run("-p", "no:mqchaos")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'kafka_chaos' not found"])
    assert "--mqchaos" not in project.run("-p", "no:mqchaos", "--help").stdout.str()


def test_a_session_that_does_not_use_it_loads_nothing_heavy(project):
    project.test("""
        import sys

        def test_it(tmp_path):
            ours = sorted(name for name in sys.modules if name.startswith("pytest_mqchaos."))
            rooms = {name.split(".")[1] for name in ours}
            assert rooms == {"plugin", "errors", "guest", "chaos", "search"}, ours
            assert [name for name in ours if name.startswith("pytest_mqchaos.search.")] == [
                "pytest_mqchaos.search.place"
            ]
            assert "pytest_mqchaos.guest.fixtures" not in ours
            assert "pytest_mqchaos.chaos.session" not in ours
            assert not {"kio", "aiokafka", "cramjam"} & set(sys.modules)
    """)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-pno:randomly", "-pno:asyncio", "-pno:anyio"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_broker_of_the_users_own_is_for_later_and_says_so(project):
    project.pytester.makeconftest("""
        import pytest

        @pytest.fixture(scope="session")
        def mqchaos_broker():
            return "kafka.example:9092"
    """)
    project.test(TEST)
    result = project.run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        ["UsageError: the fixture mqchaos_broker gave 'kafka.example:9092': *embedded or process"]
    )
