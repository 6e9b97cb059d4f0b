"""A group is waited for, killed and named as a whole."""

import os
import signal
import sys

import psutil
import pytest

from pytest_mqchaos.errors import WaitTimeout
from pytest_mqchaos.workloads.group import Group, members

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_a_group_that_lives_on_is_named():
    group = Group(SLEEP, os.environ)
    try:
        with pytest.raises(WaitTimeout, match=f"these of it still live: \\[{group.pid}\\]"):
            group.wait_empty(0.01)
    finally:
        group.kill()
        assert group.wait() == -signal.SIGKILL
        group.output.close()
    group.wait_empty(5)
    group.kill()  # of nobody: nothing happens
    group.signal(signal.SIGTERM)


def test_what_the_leader_leaves_behind_ends_with_it():
    code = f"import subprocess; print(subprocess.Popen({SLEEP!r}).pid, flush=True)"
    group = Group([sys.executable, "-c", code], os.environ)
    with group.output:
        assert int(group.output.readline())
        assert group.wait() == 0
        group.wait_empty(5)


def test_a_command_that_is_not_there_is_an_error_of_the_system():
    with pytest.raises(FileNotFoundError):
        Group(["no-such-program"], os.environ)


def test_a_frozen_group_does_nothing_until_it_is_thawed():
    forever = "import itertools\nfor n in itertools.count(): print(n, flush=True)"
    group = Group([sys.executable, "-c", forever], os.environ)
    with group.output:
        assert group.output.readline() == b"0\n"
        group.freeze(20)
        states = {psutil.Process(pid).status() for pid in members(group.pid)}
        assert states == {psutil.STATUS_STOPPED}
        group.thaw()
        assert all(group.output.readline() for _ in range(20_000))  # more than a pipe holds
        group.freeze(20)
        group.kill()
        assert group.wait() == -signal.SIGKILL
    group.freeze(20)  # of nobody: nothing happens
    group.thaw()
