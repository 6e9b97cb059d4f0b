"""What we started we stop, even when we are killed."""

import io
import os
import signal
import subprocess
import sys

import pytest

from pytest_mqchaos.errors import WaitTimeout
from pytest_mqchaos.workloads import reaper
from pytest_mqchaos.workloads.group import Group
from pytest_mqchaos.workloads.reaper import survivors


def test_survivors_are_the_announced_and_not_withdrawn():
    assert survivors(["+1\n", "+2\n", "-1\n", "+3\n", "-9\n"]) == {2, 3}
    assert survivors([]) == set()


def test_the_reaper_kills_what_is_left_and_does_not_mind_what_is_gone(tools, monkeypatch):
    group = Group([sys.executable, "-c", "import time; time.sleep(60)"], os.environ)
    gone = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    gone.wait()
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"+{gone.pid}\n+{group.pid}\n"))
    reaper.main()
    assert group.wait() == -signal.SIGKILL
    group.output.close()


def test_a_reaper_that_died_is_replaced_and_told_again(tools):
    """Whoever kills the reaper does not take the promise with it."""
    code = (
        "import os, sys, time\n"
        "from pytest_mqchaos.workloads import group\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "first = group.Group(sleep, os.environ)\n"
        "group._reapers._process.kill()\n"
        "group._reapers._process.wait()\n"
        "second = group.Group(sleep, os.environ)\n"
        "print(first.pid, second.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with parent:
        orphans = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
    assert len(orphans) == 2
    for pid in orphans:
        tools.eventually(lambda pid=pid: tools.gone(pid), f"the end of {pid}")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, None], ids=str)
def test_no_process_outlives_the_test_process(tools, how):
    """`how` None: the test process just ends, without stopping what it started."""
    code = (
        "import os, sys, time\n"
        "from pytest_mqchaos.workloads.group import Group\n"
        "started = [Group([sys.executable, '-c', 'import time; time.sleep(60)'], os.environ)\n"
        "           for _ in range(2)]\n"
        "print(*(group.pid for group in started), flush=True)\n"
        f"time.sleep({0 if how is None else 60})\n"
        "os._exit(0)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with parent:
        orphans = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(orphans) == 2
        if how is not None:
            parent.send_signal(how)
    for pid in orphans:
        tools.eventually(lambda pid=pid: tools.gone(pid), f"the end of {pid}")


def test_a_group_that_lives_on_is_named():
    group = Group([sys.executable, "-c", "import time; time.sleep(60)"], os.environ)
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
