"""A child with plain processes: start, signals, ends, last words."""

import signal
import sys

import psutil
import pytest

from pytest_mqchaos.brokers.child import Child
from pytest_mqchaos.errors import BrokerError, WaitTimeout
from tests.dataplane.peers import until

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


@pytest.fixture
def child(tmp_path):
    directory = tmp_path / "broker"
    directory.mkdir()
    child = Child("the sleeper", directory)
    yield child
    child.close()


def ended(pid: int, timeout: float = 10.0) -> bool:
    """Waits for the end of a process that is not ours; a zombie has ended."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        process.wait(timeout)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def test_a_signal_ends_it_and_its_status_is_known(child):
    child.start(SLEEPER)
    assert child.alive()
    child.signal(signal.SIGKILL)
    assert child.wait(10) == -signal.SIGKILL
    assert not child.alive()


def test_it_can_be_started_again_in_the_same_directory(child):
    child.start(SLEEPER)
    first = child.pid
    child.signal(signal.SIGTERM)
    child.wait(10)
    child.start(SLEEPER)
    assert child.alive()
    assert child.pid != first


def test_two_at_once_are_refused(child):
    child.start(SLEEPER)
    with pytest.raises(BrokerError, match="the sleeper runs already"):
        child.start(SLEEPER)


def test_after_the_end_nothing_can_be_asked_of_it(child):
    child.start(SLEEPER)
    child.close()
    child.signal(signal.SIGCONT)
    assert not child.alive()
    assert child.returncode == -signal.SIGKILL
    with pytest.raises(BrokerError, match="the sleeper was closed"):
        child.start(SLEEPER)


def test_it_may_have_said_nothing(child):
    assert child.last_lines() == "  (no output)"
    child.start([sys.executable, "-c", ""])
    child.wait(10)
    assert child.last_lines() == "  (no output)"


def test_a_pause_stops_it_and_resuming_goes_on(child):
    child.start(SLEEPER)
    process = psutil.Process(child.pid)
    child.signal(signal.SIGSTOP)
    stopped = [psutil.STATUS_STOPPED]
    until(lambda: process.status() in stopped, "it to stand still")
    child.signal(signal.SIGCONT)
    until(lambda: process.status() not in stopped, "it to go on")
    assert child.alive()


def test_an_early_end_is_told_with_the_last_lines(child):
    child.start([sys.executable, "-c", "print('one'); print('no such disk'); raise SystemExit(3)"])
    child.wait(10)
    with pytest.raises(
        BrokerError, match=r"the sleeper ended early with status 3(?s:.*)no such disk"
    ):
        child.check()


def test_the_last_lines_are_those_since_the_last_start(child):
    for text in ("first life", "second life"):
        child.start([sys.executable, "-c", f"print({text!r})"])
        child.wait(10)
    assert "second life" in child.last_lines()
    assert "first life" not in child.last_lines()


def test_what_cannot_be_run_is_told(child):
    with pytest.raises(BrokerError, match=r"could not be started.*no-such-program"):
        child.start(["no-such-program"])
    assert not child.alive()


def test_a_wait_has_a_limit_and_says_for_what(child):
    child.start(SLEEPER)
    with pytest.raises(WaitTimeout, match=r"the sleeper .* did not end within 0.01 s"):
        child.wait(0.01)


def test_closing_ends_the_process_and_removes_the_directory(child):
    child.start(SLEEPER)
    pid = child.pid
    child.close()
    child.close()
    assert ended(pid)
    assert not child.directory.exists()


def test_what_the_process_started_ends_with_it(child):
    code = (
        "import subprocess, sys\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(p.pid, flush=True)\n"
    )
    child.start([sys.executable, "-c", code])
    child.wait(10)
    grandchild = int(child.log.read_text().split()[0])
    assert ended(grandchild)


def test_a_killed_leash_is_told_and_its_process_is_ended(child):
    child.start(SLEEPER)
    pid = child.pid
    psutil.Process(pid).parent().kill()
    with pytest.raises(BrokerError, match="was killed from outside"):
        child.wait(10)
    assert ended(pid)
