"""The history in hostile weather: a full disk, a file that is deleted or cut. The verdict is
unknown and says so, the traffic goes on, and the next run is as good as new."""

import contextlib
import resource

import pytest

from pytest_mqchaos.chaos.host import ChaosBroker
from pytest_mqchaos.chaos.telling import Telling
from pytest_mqchaos.errors import VerdictFailed

QUESTIONS = ["no_copies", "lossless", "idempotent", "ordered", "exactly_once", "acked_after_effect"]


@pytest.fixture(scope="module")
def host():
    with ChaosBroker("kafka", "embedded") as made:
        yield made


@contextlib.contextmanager
def running(host):
    """A Chaos whose end asks nothing more than the test itself does."""
    with contextlib.ExitStack() as stack:
        chaos = host.chaos(id="value", own_assertions=True, drawn=True, telling=Telling())
        stack.callback(chaos.close)
        stack.callback(chaos.finish, body_failed=True)
        chaos.start()
        chaos.topic("t")
        yield chaos


@contextlib.contextmanager
def file_limit(pid, size):
    """No file of that process may grow beyond `size`: a disk that is full there."""
    usual = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)


def outcomes(receipts):
    return {receipt.outcome for receipt in receipts}


def judged(chaos, effects=("a", "b", "c")):
    """Every question's verdict, with one effect for each message: all would pass."""
    for name in effects:
        chaos.effects.record(name)
    return {question: chaos.check(question) for question in QUESTIONS}


def all_unknown(verdicts, words):
    for question, verdict in verdicts.items():
        assert verdict.status == "unknown", (question, verdict)
        assert words in verdict.sentence, (question, verdict)


@pytest.mark.parametrize(
    "room",
    [0, 60, *(pytest.param(room, marks=pytest.mark.wide) for room in (1, 40, 300))],
)
def test_a_disk_that_is_full_makes_every_verdict_unknown_and_says_so(host, room):
    with running(host) as chaos:
        assert outcomes(chaos.publish("t", ["a"])) == {"confirmed"}
        with file_limit(host.plane.pid, host.plane.flush() + room):
            assert outcomes(chaos.publish("t", ["b", "c"])) == {"confirmed"}, "the traffic goes on"
            all_unknown(judged(chaos), "File too large")
        with pytest.raises(
            VerdictFailed, match=r"nothing is certain: the history .* File too large"
        ):
            chaos.finish(body_failed=False)
    with running(host) as chaos:
        assert outcomes(chaos.publish("t", ["a", "b", "c"])) == {"confirmed"}
        assert {verdict.status for verdict in judged(chaos).values()} <= {"passed", "unknown"}
        assert chaos.check("lossless").status == "passed"
        chaos.finish(body_failed=False)


def test_a_history_that_was_deleted_is_said_to_be_gone(host):
    with running(host) as chaos:
        chaos.publish("t", ["a", "b"])
        host.plane.flush()
        for file in host.directory.glob("*.history"):
            file.unlink()
        assert outcomes(chaos.publish("t", ["c"])) == {"confirmed"}
        all_unknown(judged(chaos), "something deleted or cut it while the test ran")


def test_a_history_that_was_cut_is_not_taken_for_all_that_happened(host):
    with running(host) as chaos:
        chaos.publish("t", ["a", "b", "c"])
        whole = host.plane.flush()
        for file in host.directory.glob("*.history"):
            with file.open("r+b") as opened:
                opened.truncate(whole // 2)
        all_unknown(judged(chaos), "something deleted or cut it while the test ran")


def test_what_was_written_behind_the_cut_makes_no_error_of_it(host):
    with running(host) as chaos:
        chaos.publish("t", ["a", "b", "c"])
        whole = host.plane.flush()
        for file in host.directory.glob("*.history"):
            with file.open("r+b") as opened:
                opened.truncate(whole // 2)
        assert outcomes(chaos.publish("t", ["d"])) == {"confirmed"}
        all_unknown(judged(chaos), "something deleted or cut it while the test ran")


def test_a_history_that_was_written_into_is_not_known_from_there_on(host):
    with running(host) as chaos:
        chaos.publish("t", ["a", "b", "c"])
        whole = host.plane.flush()
        for file in host.directory.glob("*.history"):
            with file.open("r+b") as opened:
                opened.write(bytes(whole))
        all_unknown(judged(chaos), "the history is corrupt at byte 0: entry type 0, size 0")


def test_a_trouble_is_told_in_every_run_that_has_it(host):
    for _ in range(2):
        with running(host) as chaos:
            host.plane._child.control.send(b"nonsense\n")
            host.plane.flush()
            assert chaos.check("no_copies").status == "unknown"
            with pytest.raises(VerdictFailed, match="the data plane had trouble"):
                chaos.finish(body_failed=False)
