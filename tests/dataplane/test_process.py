"""The data plane as a process: how it starts, how it dies, that it never outlives its parent."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from pytest_mqchaos.dataplane import spawn
from pytest_mqchaos.dataplane.controller import DataPlane
from pytest_mqchaos.errors import DataPlaneDied, MqchaosError, UsageError, WaitTimeout
from tests.dataplane.peers import FAKES, LIMIT, frame, read, until

PARENT = """
import sys
sys.path.insert(0, {root!r})
from pytest_mqchaos.dataplane import spawn
from pytest_mqchaos.dataplane.controller import DataPlane
plane = DataPlane(parts={parts!r}).start()
print(plane.pid, plane.address("w", 1)[1], flush=True)
{then}
"""


def parent(then, stderr=None):
    code = PARENT.format(root=str(Path.cwd()), parts=FAKES, then=then)
    return subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=stderr, text=True,
    )  # fmt: skip


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_it_starts_with_the_standard_library_and_its_own_room():
    code = (
        f"import sys; sys.path.append({str(Path.cwd())!r})\n"
        "import pytest_mqchaos.dataplane.__main__, pytest_mqchaos.dataplane.shell\n"
        "print(*sorted(sys.modules))"
    )
    out = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    rooms = {m.split(".")[1] for m in out if m.startswith("pytest_mqchaos.")}
    assert rooms == {"dataplane", "errors", "frames"}
    foreign = {"asyncio", "kio", "hypothesis", "pytest", "aiokafka", "subprocess", "threading"}
    assert not foreign & set(out)


def test_it_is_of_the_same_package_as_the_test_process(tmp_path):
    """Where two versions are at hand (a checkout and an installed one) they are never mixed."""
    copy = tmp_path / "pytest_mqchaos"
    shutil.copytree("pytest_mqchaos", copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "dataplane" / "commands.py").open("a") as commands:
        commands.write('\n_HANDLERS["where"] = lambda shell, body: {"file": __file__}\n')
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from pytest_mqchaos.dataplane.controller import DataPlane\n"
        "with DataPlane() as plane: print(plane.request('where')['file'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.startswith(str(copy))


def test_stop_closes_everything_and_later_requests_say_so(plane):
    pid = plane.pid
    address = plane.address("w", 1)
    plane.stop()
    plane.stop()
    assert gone(pid)
    assert plane.died is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, LIMIT)
    with pytest.raises(DataPlaneDied, match="was stopped"):
        plane.request("flush")


def test_kill_9_of_the_data_plane_fails_pending_and_later_requests(plane):
    os.kill(plane.pid, signal.SIGSTOP)  # so that the request is surely pending
    failures = []

    def ask():
        try:
            plane.request("flush")
        except DataPlaneDied as error:
            failures.append(str(error))

    asker = threading.Thread(target=ask)
    asker.start()
    until(lambda: plane._pending, "the request to be out")
    os.kill(plane.pid, signal.SIGKILL)
    asker.join(LIMIT)
    assert len(failures) == 1
    assert "exit code -9" in failures[0]
    assert plane.died is not None
    with pytest.raises(DataPlaneDied, match="can be trusted"):
        plane.request("flush")


def test_its_last_words_are_part_of_the_error():
    plane = DataPlane(parts={**FAKES, "engine": "tests.dataplane.fakes:FakeEngine"})
    plane.start()
    os.kill(plane.pid, signal.SIGABRT)
    until(lambda: plane.died, "its death to be noticed")
    with pytest.raises(DataPlaneDied, match="exit code -6"):
        plane.request("flush")
    plane.stop()


def test_sigterm_ends_it_cleanly_with_the_history_written(plane, through, tmp_path):
    path = tmp_path / "history"
    plane.request("begin", history=str(path))
    with through() as client:
        client.sendall(frame(b"x"))
        assert read(client, 5) == frame(b"x")
        os.kill(plane.pid, signal.SIGTERM)
        until(lambda: plane.died, "its end")
    assert "exit code 0" in plane.died
    assert path.read_bytes() == b"0:5;1:5;"


def test_ctrl_c_is_not_its_business(plane):
    os.kill(plane.pid, signal.SIGINT)
    assert plane.request("flush") == {}


def test_no_orphan_after_kill_9_of_its_parent():
    with parent("sys.stdin.read()") as process:
        pid, port = map(int, process.stdout.readline().split())
        process.kill()
        process.wait(LIMIT)
        until(lambda: gone(pid), "the data plane to end with its parent")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), LIMIT)


def test_no_orphan_after_its_parent_just_ends():
    with parent("") as process:
        pid = int(process.stdout.readline().split()[0])
        assert process.wait(LIMIT) == 0
        until(lambda: gone(pid), "the data plane to end with its parent")


def test_ctrl_c_while_its_parent_ends_it_is_not_heard():
    """As in the leash: what is interrupted half-way would be told as an exception of ours."""
    then = (
        "import signal; stop = DataPlane.stop\n"
        "def interrupted(plane, **how): signal.raise_signal(signal.SIGINT); stop(plane, **how)\n"
        "DataPlane.stop = interrupted\n"
    )
    with parent(then, stderr=subprocess.PIPE) as process:
        pid = int(process.stdout.readline().split()[0])
        assert process.wait(LIMIT) == 0
        assert gone(pid)
        assert not process.stderr.read()


def test_no_orphan_while_a_forked_child_of_its_parent_lives_on():
    then = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    sys.stdin.read()\n"
        "    os._exit(0)\n"
        "sys.stdin.read()\n"
    )
    with parent(then) as process:
        pid = int(process.stdout.readline().split()[0])
        process.kill()
        process.wait(LIMIT)
        until(lambda: gone(pid), "the data plane to end with its parent")


def test_a_stranger_with_another_token_is_turned_away():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest_mqchaos.dataplane", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            env={**os.environ, "MQCHAOS_CONTROL_TOKEN": "right"},
            stderr=subprocess.PIPE,
            text=True,
        )
        ours.sendall(b'{"token": "wrong"}\n')
        _, said = process.communicate(timeout=LIMIT)
    assert process.returncode == 1
    assert "wrong token" in said


def test_a_process_that_cannot_start_says_why(tmp_path, monkeypatch):
    main = tmp_path / "main.py"
    main.write_text("raise SystemExit('no, thank you')")
    monkeypatch.setattr(spawn, "MAIN", main)
    plane = DataPlane()
    with pytest.raises(DataPlaneDied, match=r"exit code 1.*no, thank you"):
        plane.start()
    with pytest.raises(DataPlaneDied):
        plane.request("flush")
    plane.stop()


def test_a_host_that_is_not_ours_is_an_error_of_the_command():
    with (
        DataPlane(host="no host.invalid", parts=FAKES) as plane,
        pytest.raises(MqchaosError, match="gaierror"),
    ):
        plane.address("w", 1)


def test_many_threads_may_ask_at_once(plane):
    answers = []

    def ask(n):
        answers.append(plane.address(f"owner-{n % 7}", n % 3))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(42)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert len(answers) == 42
    assert len(set(answers)) == 21


def test_its_questions_are_answered_while_a_request_is_out(plane):
    heard = []

    def answer(what, arguments):
        heard.append((what, arguments))
        return plane.request("flush") == {}  # it may ask back

    plane.on_ask(answer)
    plane.request("ask", number=5, what="crash_worker")
    answers = until(lambda: plane.request("see")["answers"], "the answer")
    assert heard == [("crash_worker", {"a": 1})]
    assert answers == [[5, True]]


@pytest.mark.parametrize("callback", [None, lambda what, arguments: 1 / 0])
def test_a_question_without_a_good_answer_is_answered_with_none_and_told(plane, callback):
    if callback is not None:
        plane.on_ask(callback)
    plane.request("ask", number=9, what="kill_broker")
    answers = until(lambda: plane.request("see")["answers"], "the answer")
    assert answers == [[9, None]]
    (trouble,) = plane.troubles
    assert "kill_broker" in trouble


def test_trouble_is_told_to_who_listens(plane, through):
    heard = []
    plane.on_trouble(heard.append)
    plane.request("set", mode="raise")
    with through() as client:
        client.sendall(frame(b"x"))
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    until(lambda: heard, "the trouble")
    assert "stumbled" in heard[0]


def test_a_request_has_a_limit_that_names_itself(plane):
    os.kill(plane.pid, signal.SIGSTOP)
    with pytest.raises(WaitTimeout, match="'flush'"):
        plane.request("flush", timeout=0.05)
    os.kill(plane.pid, signal.SIGCONT)
    assert plane.request("flush") == {}


def test_a_handle_that_was_not_started_or_twice_says_so(plane):
    with pytest.raises(UsageError, match="not started"):
        DataPlane().request("flush")
    with pytest.raises(UsageError, match="not started"):
        _ = DataPlane().pid
    with pytest.raises(UsageError, match="already"):
        plane.start()


def test_an_engine_that_is_not_there_is_an_error_of_the_command():
    with DataPlane(parts={"engine": "no.such:Engine"}) as plane:
        with pytest.raises(MqchaosError, match=r"no\.such:Engine"):
            plane.request("begin")
        assert plane.request("flush") == {}
