"""What every test of this project shares: in CI a live test that was skipped has not been run."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

# Failures inside these tests are wanted and many: they are not run a second time to prove their
# replay line (tests/plugin/test_proof.py asks for it).
os.environ.setdefault("MQCHAOS_REPLAYING", "1")

# A shell's background job, as some CI runs us, ignores SIGINT, and every child would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No absolute time in a test: a starved machine draws slowly, and that is no finding.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def asks_a_real_broker(item):
    return item.get_closest_marker("live") or item.config.getoption("mqchaos_broker") == "process"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and in_ci() and asks_a_real_broker(item):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"in CI a live test may not be skipped: {item.nodeid}: {reason}"
    return report
