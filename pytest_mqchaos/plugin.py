"""The pytest plugin: options, mark, fixtures and hooks. It holds no logic and imports nothing
heavy: everything else is loaded by the first test that needs it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_mqchaos.errors import MqchaosError, VerdictFailed
from pytest_mqchaos.guest import simulated, stash

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.host import ChaosBroker
    from pytest_mqchaos.chaos.session import Chaos
    from pytest_mqchaos.guest.hunting import Search
    from pytest_mqchaos.guest.sweeping import Sweep

BROKERS = ("embedded", "wheel", "process", "docker", "external")
MARK = (
    "mqchaos(*profiles, id=None, key=None, nodes=None, own_assertions=False, may_skip=False): run "
    "the test once under each of these fault profiles"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Our options, all named --mqchaos-*."""
    group = parser.getgroup("mqchaos", "messaging chaos")
    group.addoption(
        "--mqchaos-broker", metavar="KIND", choices=BROKERS,
        help="where the broker comes from: embedded (default), process (a real one on this "
        "machine); wheel, docker and external are not there yet",
    )  # fmt: skip
    group.addoption(
        "--mqchaos-nodes", metavar="N", default=None,
        help="nodes of the broker's cluster, 1 to 9 (default 1; profiles that need several bring "
        "3)",
    )  # fmt: skip
    group.addoption(
        "--mqchaos-profile", action="append", metavar="NAME", default=[],
        help="run marked tests under this profile (or bundle) instead of those of their marks; "
        "may be given several times, or with commas",
    )  # fmt: skip
    group.addoption(
        "--mqchaos-plan", metavar="TOKEN|FILE",
        help="run marked and unmarked chaos tests, and simulations, under exactly this plan (a "
        "failure prints it)",
    )  # fmt: skip
    group.addoption(
        "--mqchaos-seed", metavar="N|random", default=None,
        help="seed of every plan; default: derived from the test's node id",
    )  # fmt: skip
    group.addoption(
        "--mqchaos-replay", action="store_true",
        help="run the stored failures (.mqchaos/failures) first, under their plans; those that "
        "pass now are reported FIXED and dropped",
    )  # fmt: skip
    group.addoption(
        "--mqchaos-replay-only", action="append", metavar="NAME|all", default=[],
        help="run nothing but this stored failure (its name, how it begins, or its file), or all "
        "of them; may be given several times",
    )  # fmt: skip
    group.addoption(
        "--mqchaos-report", metavar="DIR",
        help="write the history of every chaos test to DIR, not only of the last failure",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark; refuse wrong options and settings before anything is collected."""
    config.addinivalue_line("markers", MARK)
    from pytest_mqchaos.guest import settings

    settings.check(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One run for each profile; a mark that can do nothing is refused."""
    marked = metafunc.definition.get_closest_marker("mqchaos") is not None
    if marked or "mqchaos_plan" in metafunc.fixturenames:
        from pytest_mqchaos.guest import marks

        marks.parametrize(metafunc)


def _replaying(config: pytest.Config) -> bool:
    return bool(config.getoption("mqchaos_replay") or config.getoption("mqchaos_replay_only"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Stored failures first."""
    if _replaying(config):
        from pytest_mqchaos.guest import replay

        replay.first(config, items)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Stored failures that have no test any more."""
    if not _replaying(config):
        return []
    from pytest_mqchaos.guest import replay

    return replay.without_test(config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Judge inside the call phase; a simulation in it finds out in which test it is."""
    with simulated.standing(item):
        try:
            result = yield
        except BaseException as error:
            if stash.RUNNING in item.stash:  # looked at only now: a test may ask for it in its body
                from pytest_mqchaos.guest import ending

                ending.given_up(item.stash[stash.RUNNING], error)
            raise
        if stash.RUNNING in item.stash:
            from pytest_mqchaos.guest import ending

            ending.judge(item, item.stash[stash.RUNNING])
        return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Our failures tell themselves."""
    error = None if call.excinfo is None else call.excinfo.value
    concerned = stash.RUNNING in item.stash or stash.SIMULATED in item.stash
    concerned = concerned or stash.REPLAYED in item.stash
    ours = isinstance(error, (MqchaosError, VerdictFailed, BaseExceptionGroup))
    if not concerned and not ours and stash.SWEEPING not in item.stash:
        return (yield)
    from pytest_mqchaos.guest import ending, failing

    # Before pytest makes its text of the error: its replay line is completed.
    parts = failing.parts(item, call)
    report = yield
    failing.settle(item, call, report)
    parts = parts or failing.parts(item, call)  # of a unittest.TestCase the error comes only now
    if stash.SWEEPING in item.stash or stash.EXAMPLES in item.stash:  # what is told, tells its own
        report.sections = [one for one in report.sections if one[0] != "Captured log call"]
    ending.tell(item, call, report, parts)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each chaos test that passed."""
    from pytest_mqchaos.guest import summary

    summary.write(terminalreporter)


# ---------------------------------------------------------------------------------- fixtures


@pytest.fixture
def mqchaos_plan(request: pytest.FixtureRequest) -> Any:
    """The profile of this run of the test, chosen by the mark or the command line."""
    return getattr(request, "param", None)


@pytest.fixture(scope="session")
def mqchaos_broker() -> Any:
    """Override this to bring a broker of your own; None: as `--mqchaos-broker` says."""
    return None


@pytest.fixture(scope="session")
def kafka_chaos_broker(
    request: pytest.FixtureRequest, mqchaos_broker: Any
) -> Iterator[ChaosBroker]:
    """The session's Kafka behind links; `kafka_chaos_broker.chaos(plan)` gives one Chaos."""
    from pytest_mqchaos.guest import fixtures

    yield from fixtures.broker(request, "kafka", mqchaos_broker)


@pytest.fixture
def kafka_chaos(request: pytest.FixtureRequest, mqchaos_plan: Any) -> Iterator[Chaos]:
    """One Chaos on Kafka for this test."""
    from pytest_mqchaos.guest import fixtures

    yield from fixtures.chaos(request, "kafka_chaos_broker", mqchaos_plan)


@pytest.fixture
def mqchaos_sweep(request: pytest.FixtureRequest) -> Sweep:
    """`mqchaos_sweep(scenario)`: every single fault at every point that the scenario touches."""
    from pytest_mqchaos.guest.sweeping import Sweep

    return Sweep(request)


@pytest.fixture
def mqchaos_search(request: pytest.FixtureRequest) -> Search:
    """`mqchaos_search(scenario)`: drawn plans on any broker, the failure shrunk, with its rate."""
    from pytest_mqchaos.guest.hunting import Search

    return Search(request)
