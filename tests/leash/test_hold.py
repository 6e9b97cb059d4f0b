"""Whatever happens to the test process, and to the leash itself, nothing is left behind."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from pytest_mqchaos.leash import hold

LIMIT = 20.0
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def nowhere():
    with Path(os.devnull).open("wb") as file:
        yield file.fileno()


@pytest.fixture
def sleeper(nowhere):
    held = hold.start(SLEEP, env=os.environ, output=nowhere)
    yield held
    held.signal(signal.SIGKILL, group=True)
    assert held.wait(LIMIT) is not None


def eventually(condition, what):
    pause, until = threading.Event(), time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < until, f"waited {LIMIT} s in vain for {what}"
        pause.wait(0.005)


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_signal_ends_it_and_its_status_is_known(sleeper):
    assert sleeper.status is None
    assert sleeper.wait(0.01) is None
    sleeper.signal(signal.SIGTERM)
    assert sleeper.wait(LIMIT) == -signal.SIGTERM == sleeper.status
    sleeper.signal(signal.SIGKILL)  # of nobody: nothing happens


def test_it_runs_where_and_as_it_was_told(tmp_path):
    code = "import os, sys; print(os.getcwd(), os.environ['A'], os.getsid(0) == os.getpid())"
    with (tmp_path / "out").open("wb") as file:
        held = hold.start(
            [sys.executable, "-c", code], env={"A": "\udcff\n"}, cwd=tmp_path, output=file.fileno()
        )
    assert held.wait(LIMIT) in (0, 1)  # printing such a byte may be refused, passing it may not
    assert (tmp_path / "out").stat().st_size or held.status == 1


@pytest.mark.parametrize(
    ("argv", "error"),
    [(["no-such-program"], FileNotFoundError), ([os.devnull], PermissionError),
     (["a\0b"], ValueError)],
)  # fmt: skip
def test_what_cannot_be_started_raises_as_it_always_does(argv, error, nowhere):
    with pytest.raises(error):
        hold.start(argv, env=os.environ, output=nowhere)


def test_a_directory_is_ours_alone_until_it_is_discarded():
    path = hold.directory("mqchaos-test-")
    assert path.stat().st_mode & 0o777 == 0o700
    (path / "file").write_text("x")
    hold.discard(path)
    hold.discard(path)
    assert not path.exists()


PARENT = """
import os, sys
from pytest_mqchaos.leash import hold
out = os.open(os.devnull, os.O_WRONLY)
path = hold.directory("mqchaos-test-")
write = "import sys, time, pathlib; p = pathlib.Path(sys.argv[1])\\n" \\
    "while True: (p / str(time.time_ns())).touch()"
argv = [sys.executable, "-c", write, str(path)]
held = [hold.start(argv, env=os.environ, output=out) for _ in range(2)]
held[1].signal(19)  # paused, as by a rule
print(path, *(one.pid for one in held), hold._ours.leash.process.pid, flush=True)
{then}
"""
WAIT = "import time\nwhile True: time.sleep(0.1)"  # a Ctrl-C just before a wait does not end it
FORK = f"if os.fork() == 0:\n    import time; time.sleep(600)\n{WAIT}"


@pytest.mark.parametrize(
    ("then", "how"),
    [(WAIT, signal.SIGKILL), (WAIT, signal.SIGINT), (FORK, signal.SIGKILL), ("os._exit(0)", None),
     ("", None)],
    ids=["killed", "Ctrl-C", "killed, a forked child has its sockets", "os._exit", "ended"],
)  # fmt: skip
def test_nothing_outlives_the_test_process(then, how):
    """Neither the two that write into the directory as fast as they can, one of them stopped."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(then=then)], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        path, *pids = parent.stdout.readline().decode().split()
        assert len(pids) == 3
        if how is not None:
            parent.send_signal(how)
        for pid in pids:
            eventually(lambda pid=pid: gone(int(pid)), f"the end of {pid}")
        assert not Path(path).exists()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)
        parent.communicate()


def test_after_an_ordinary_end_nothing_is_left_at_once():
    """The leash is waited for: whoever runs pytest in a loop meets nothing of the run before."""
    done = subprocess.run(
        [sys.executable, "-c", PARENT.format(then="")], capture_output=True, check=True, text=True
    )
    path, *pids = done.stdout.split()
    assert all(gone(int(pid)) for pid in pids)
    assert not Path(path).exists()


def test_ctrl_c_while_it_is_waited_for_at_the_end_is_not_heard(tmp_path):
    """Nor is it swallowed for good: what else is at the end may be interrupted as before."""
    struck = (
        "import atexit, signal; atexit.register(lambda: print(signal.getsignal(signal.SIGINT)))\n"
        + PARENT.format(then="close = hold.Leash.close")
        + "def interrupted(leash): signal.raise_signal(signal.SIGINT); close(leash)\n"
        "hold.Leash.close = interrupted\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", struck], capture_output=True, check=True, text=True
    )
    ids, handler = done.stdout.splitlines()
    path, *pids = ids.split()
    assert not done.stderr
    assert all(gone(int(pid)) for pid in pids)
    assert not Path(path).exists()
    assert "default_int_handler" in handler


def test_a_forked_copy_has_a_leash_of_its_own(nowhere):
    path = hold.directory("mqchaos-test-")
    code = """
import os, sys
from pytest_mqchaos.leash import hold
path = hold.directory("mqchaos-test-")
child = os.fork()
if child == 0:
    out = os.open(os.devnull, os.O_WRONLY)
    ended = hold.start([sys.executable, "-c", ""], env=os.environ, output=out).wait(20)
    os._exit(ended)
_, status = os.waitpid(child, 0)
assert path.exists()
sys.exit(os.waitstatus_to_exitcode(status))
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0
    hold.discard(path)


@pytest.fixture
def leash(monkeypatch):
    """One of this test alone, which it may kill."""
    monkeypatch.setattr(hold, "_ours", hold._Ours())
    yield lambda: hold._ours.get().process
    hold._ours.close()


def test_a_killed_leash_takes_what_it_held_with_it_and_is_replaced(leash, nowhere):
    path = hold.directory("mqchaos-test-")
    first = hold.start(SLEEP, env=os.environ, output=nowhere)
    killed = leash()
    killed.kill()
    assert first.wait(LIMIT) == -signal.SIGKILL
    assert first.lost
    eventually(lambda: gone(first.pid), "the end of what it held")
    killed.wait()
    second = hold.start(SLEEP, env=os.environ, output=nowhere)
    assert leash().pid != killed.pid
    assert not second.lost
    hold._ours.close()
    assert gone(second.pid)
    assert not path.exists()  # the new one was told of it


def test_what_a_test_process_said_before_it_died_is_heard_by_a_leash_that_starts_late(tmp_path):
    held, ran = tmp_path / "held", tmp_path / "ran"
    held.mkdir()
    ours, theirs = socket.socketpair()
    with ours, theirs, Path(os.devnull).open("wb") as output:
        start = {"do": "start", "key": 1, "argv": ["touch", str(ran)], "cwd": None, "env": {}}
        keep = {"do": "hold", "path": str(held)}
        socket.send_fds(ours, [json.dumps(start).encode() + b"\n"], [output.fileno()])
        ours.sendall(json.dumps(keep).encode() + b"\n")
        nobody = 0  # the parent that it was told of is gone
        script = Path(hold.__file__).with_name("__main__.py")
        command = [sys.executable, "-I", "-S", str(script), str(theirs.fileno()), str(nobody)]
        done = subprocess.run(command, pass_fds=[theirs.fileno()], timeout=LIMIT, check=False)
    assert done.returncode == 0
    assert not held.exists()
    assert not ran.exists()
