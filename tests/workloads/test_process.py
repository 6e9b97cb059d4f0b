import os
import signal
import sys
import time

import psutil
import pytest

from pytest_mqchaos.errors import UsageError, WorkerFailed
from pytest_mqchaos.workloads import effects_file, output
from pytest_mqchaos.workloads.incarnation import Incarnation, Launch
from pytest_mqchaos.workloads.process import ProcessWorker
from pytest_mqchaos.workloads.target import understand
from tests.workloads import targets


def text_of(path):
    return path.read_text() if path.exists() else ""


def test_kill_reaches_the_whole_tree_before_crash_returns(world, tools, tmp_path):
    path = tmp_path / "pids"
    supervisor = world.supervise(targets.family, path, process=True, restart=False)
    supervisor.start()
    tools.eventually(path.exists, "the family")
    family = [int(pid) for pid in path.read_text().split()]
    assert family[0] == supervisor.pid_of("worker-1#1")
    assert len({os.getpgid(pid) for pid in family}) == 1
    assert os.getpgid(family[0]) != os.getpgid(0)
    assert supervisor.crash("worker-1#1") is True
    assert [tools.gone(pid) for pid in family] == [True, True, True]


def test_a_child_left_behind_by_a_service_that_exits_is_killed(world, tools, tmp_path):
    path = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {path}"
    supervisor = world.supervise(["/bin/sh", "-c", script])
    supervisor.start()
    tools.eventually(lambda: ("worker-1#1", "ended") in world.told())
    left = int(path.read_text())
    tools.eventually(lambda: tools.gone(left))
    supervisor.stop()
    assert supervisor.failure is None


def test_after_a_crash_the_next_incarnation_is_another_process(world, tools, tmp_path):
    supervisor = world.supervise(
        targets.with_finally, lambda inc: tmp_path / f"{inc.number}", process=True
    )
    supervisor.start()
    tools.eventually(lambda: text_of(tmp_path / "1") == "ready")
    first = supervisor.pid_of("worker-1#1")
    supervisor.crash("worker-1#1", cause="rule 1")
    assert text_of(tmp_path / "1") == "ready"
    assert tools.gone(first)
    tools.eventually(lambda: text_of(tmp_path / "2") == "ready")
    assert supervisor.pid_of("worker-1#2") not in (None, first)
    supervisor.stop()
    assert world.events[-1].cause == "stopped"
    assert text_of(tmp_path / "2") == "finally"
    assert world.told() == [
        ("worker-1#1", "started"),
        ("worker-1#1", "crashed"),
        ("worker-1#2", "restarted"),
        ("worker-1#2", "stopped"),
    ]


def test_stop_of_a_function_that_asks_for_it(world, tools, tmp_path):
    path = tmp_path / "said"
    supervisor = world.supervise(targets.until_stop, path, process=True)
    supervisor.start()
    tools.eventually(lambda: text_of(path) == "ready")
    supervisor.stop()
    assert text_of(path) == "stopped"
    assert world.events[-1][2:] == ("stopped", "stopped")


@pytest.mark.parametrize(("end", "told"), [("crash", "crashed"), ("stop", "stopped")])
def test_who_was_told_to_end_before_it_was_there_is_not_started(end, told, tmp_path):
    job, ends = understand([sys.executable, "-c", "pass"]), []
    launch = Launch(args=(sys.executable, "-c", "pass"))
    worker = ProcessWorker(Incarnation(worker="w", number=1), job, launch, tmp_path)
    getattr(worker, end)(1.0)
    worker.start(ends.append)
    assert (worker.pid, ends) == (None, [(None, told)])


def test_a_stop_finds_the_event_in_use(world, tools, tmp_path):
    """A signal handler that took the event's lock would wait for the very thread it interrupted."""
    path = tmp_path / "said"
    supervisor = world.supervise(targets.stopped_while_it_looks, path, process=True, restart=False)
    supervisor.start()
    tools.eventually(lambda: text_of(path) == "stopped")


@pytest.mark.parametrize(
    ("target", "said"),
    [(targets.told_elsewhere, "finally"), (targets.stopped_elsewhere, "stopped")],
)
def test_a_stop_reaches_who_waits_through_it(target, said, world, tools, tmp_path):
    path = tmp_path / "said"
    supervisor = world.supervise(target, path, process=True)
    supervisor.start()
    tools.eventually(lambda: text_of(path) == "ready")
    supervisor.stop()
    assert (text_of(path), *world.events[-1][2:]) == (said, "stopped", "stopped")


def test_stop_of_a_coroutine_cancels_it(world, tools, tmp_path):
    path = tmp_path / "said"
    supervisor = world.supervise(
        targets.coroutine_until_cancelled, path, process=True, setup=targets.make_pool
    )
    supervisor.start()
    tools.eventually(lambda: text_of(path) == "ready")
    supervisor.stop()
    assert text_of(path) == "finally pool"
    assert supervisor.failure is None


def test_a_stop_that_hits_a_finalizer_is_not_lost(world, tools, tmp_path):
    path = tmp_path / "said"
    supervisor = world.supervise(targets.stopped_in_a_finalizer, path, process=True)
    supervisor.start()
    tools.eventually(lambda: ("worker-1#1", "ended") in world.told(), "the end of its own stop")
    assert text_of(path) == "finally"
    assert supervisor.failure is None


def test_who_ignores_the_stop_is_killed_at_its_limit(world, tools, tmp_path):
    path = tmp_path / "said"
    supervisor = world.supervise(targets.deaf, path, process=True)
    supervisor.start()
    tools.eventually(lambda: text_of(path).endswith("ready"))
    supervisor.stop(limit=0.1)
    assert tools.gone(int(text_of(path).split()[0]))
    assert world.events[-1].cause == "killed: it did not end within 0.1 s of SIGTERM"


def test_a_stopped_process_can_be_crashed(world, tools, tmp_path):
    path = tmp_path / "said"
    supervisor = world.supervise(targets.with_finally, path, process=True, restart=False)
    supervisor.start()
    tools.eventually(lambda: text_of(path) == "ready")
    pid = supervisor.pid_of("worker-1#1")
    os.kill(pid, signal.SIGSTOP)
    tools.eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    assert supervisor.crash("worker-1#1")
    assert tools.gone(pid)


def test_an_exception_comes_with_the_last_lines(world, tools):
    supervisor = world.supervise(targets.fail, "no such table", process=True)
    supervisor.start()
    tools.eventually(lambda: supervisor.failure)
    assert isinstance(supervisor.failure, WorkerFailed)
    told = str(supervisor.failure)
    assert "worker-1#1 exited with status 1" in told
    assert "about to fail" in told
    assert "ValueError: no such table" in told


def test_a_signal_from_elsewhere_is_a_failure_too(world, tools, tmp_path):
    path = tmp_path / "said"
    supervisor = world.supervise(targets.with_finally, path, process=True)
    supervisor.start()
    tools.eventually(lambda: text_of(path) == "ready")
    os.kill(supervisor.pid_of("worker-1#1"), signal.SIGKILL)
    tools.eventually(lambda: supervisor.failure)
    assert "worker-1#1 was killed by signal 9" in str(supervisor.failure)


def test_lines_keep_their_times(world, tools):
    before = time.monotonic_ns()
    script = "import sys; print('one'); print('two', file=sys.stderr); print('thr\\xe9e', end='')"
    supervisor = world.supervise([sys.executable, "-c", script])
    supervisor.start()
    tools.eventually(lambda: ("worker-1#1", "ended") in world.told())
    after = time.monotonic_ns()
    lines = list(output.lines(world.directory / "worker-1#1.log"))
    assert [line.text for line in lines] == ["one", "two", "thrée"]
    times = [before, *(line.t for line in lines), after]
    assert times == sorted(times)


def test_a_command_gets_its_whole_argv_and_environment(world, tools, tmp_path):
    path = tmp_path / "said"
    supervisor = world.supervise(
        ["/bin/sh", "-c", f'echo "$0 $MQCHAOS_INCARNATION $MQCHAOS_URL $HOME" > {path}', "given"],
        env={"MQCHAOS_URL": "127.0.0.1:7"},
    )
    supervisor.start()
    tools.eventually(lambda: ("worker-1#1", "ended") in world.told())
    assert text_of(path).split() == ["given", "worker-1#1", "127.0.0.1:7", os.environ["HOME"]]


def test_a_child_tells_its_effects_in_its_own_name(world, tools, tmp_path):
    path = tmp_path / "effects.jsonl"
    supervisor = world.supervise(
        targets.record_and_return, "p-1", process=True, env={"MQCHAOS_EFFECTS": str(path)}
    )
    supervisor.start()
    tools.eventually(lambda: ("worker-1#1", "ended") in world.told())
    lines = [{k: v for k, v in line.items() if k != "t"} for line in effects_file.read(path)]
    assert lines[0] == {"id": "p-1", "attempt": True, "owner": "worker-1#1"}
    assert lines[1]["part"] == "debit"
    assert lines[1]["value"] == {"amount": 5}


def test_a_child_knows_its_addresses(world, tools, tmp_path):
    path = tmp_path / "said"
    supervisor = world.supervise(
        targets.say_context,
        path,
        process=True,
        env={"MQCHAOS_BOOTSTRAP_SERVERS": "127.0.0.1:9"},
    )
    supervisor.start()
    tools.eventually(lambda: ("worker-1#1", "ended") in world.told())
    assert text_of(path) == "worker-1#1 127.0.0.1:9"


def test_a_command_that_is_not_there(world):
    supervisor = world.supervise(["/no/such/service", "--flag"])
    with pytest.raises(UsageError, match="/no/such/service"):
        supervisor.start()
    assert supervisor.running == ()


def test_arguments_that_cannot_travel(world):
    supervisor = world.supervise(targets.say, world, process=True, kwargs={"lock": sys.stdout})
    with pytest.raises(UsageError, match=r"must be picklable.*record_effect\(id\)"):
        supervisor.start()


def test_a_stopped_worker_leaves_no_process(world, tools, tmp_path):
    path = tmp_path / "said"
    supervisor = world.supervise(targets.with_finally, path, process=True)
    supervisor.start()
    tools.eventually(lambda: text_of(path) == "ready")
    process = psutil.Process(supervisor.pid_of("worker-1#1"))
    supervisor.stop()
    assert not process.is_running()
