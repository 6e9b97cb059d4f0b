"""What every test of this project shares: in CI a live test that was skipped has not been run."""

import gc
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

from tests import kafka_python

pytest_plugins = ["pytester"]

# Failures inside these tests are wanted and many: they are not run a second time to prove their
# replay line (tests/plugin/test_proof.py asks for it).
os.environ.setdefault("MQCHAOS_REPLAYING", "1")

# PYTHONDONTWRITEBYTECODE, which is common in containers, would have every worker compile all tests,
# and every process that a test starts all of us: half of what a run costs.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# kio loads Hypothesis where it is installed, which then reckons with all of Unicode: a second in
# every process that starts in an empty directory and finds nothing kept there.
STORAGE = Path(__file__).parents[1] / ".hypothesis"
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(STORAGE))

# A shell's background job, as some CI runs us, ignores SIGINT, and every child would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No absolute time in a test: a starved machine draws slowly, and that is no finding. Half of
# Hypothesis's examples: the run is repeated often, each time with others. Where CI is set it
# prints its blob; what our reports say beside that is asked here and there alike.
settings.register_profile(
    "house", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow],
    print_blob=False,
)  # fmt: skip
settings.load_profile("house")


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def asks_a_real_broker(item):
    """Live tests, and those of `make conformance`, none of which wants more than one node of it."""
    on_process = item.config.getoption("mqchaos_broker") == "process"
    return item.get_closest_marker("live") or (on_process and "conformance" in item.path.parts)


@pytest.fixture
def same_examples(monkeypatch):
    """`derandomize=True` as users have it. Hypothesis also draws the constants of what is loaded
    and not in site-packages: in this tree our own modules, so the examples would hang on which
    tests came before and on every line we change."""
    monkeypatch.setattr(providers, "_get_local_constants", providers.Constants)
    monkeypatch.setattr(providers, "CONSTANTS_CACHE", type(providers.CONSTANTS_CACHE)(1024))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """Thousands of collected tests live as long as the process: no collection looks at them again,
    those that some tests ask for least of all."""
    if "kafka" in sys.modules:
        kafka_python.make_all_versions()
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and in_ci() and asks_a_real_broker(item):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"in CI a live test may not be skipped: {item.nodeid}: {reason}"
    return report
