"""Faults by verb: source text, plain data, and the errors on the way back."""

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.faults.crash_worker import CrashWorker
from pytest_mqchaos.faults.delay import Delay
from pytest_mqchaos.faults.drop import Drop
from pytest_mqchaos.faults.hang import Hang
from pytest_mqchaos.faults.kill_broker import KillBroker
from pytest_mqchaos.faults.refuse import Refuse
from pytest_mqchaos.faults.registry import FAULTS, arguments, build, source
from pytest_mqchaos.faults.reorder import Reorder
from pytest_mqchaos.faults.sever import Sever


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Drop(), ".drop()"),
        (Delay(seconds=0.5), ".delay(0.5)"),
        (Reorder(), ".reorder()"),
        (Reorder(window=3), ".reorder(3)"),
        (Refuse(error="NOT_COORDINATOR"), ".refuse('NOT_COORDINATOR')"),
        (Sever(reset=True), ".sever(reset=True)"),
        (Hang(for_=2), ".hang(2)"),
        (CrashWorker(), ".crash_worker()"),
        (CrashWorker(scope="child"), ".crash_worker(scope='child')"),
        (CrashWorker(when="after", scope="child"), ".crash_worker('after', scope='child')"),
        (KillBroker(restart_after=1.0), ".kill_broker(restart_after=1.0)"),
        (KillBroker(target=2), ".kill_broker(2)"),
    ],
)
def test_source_leaves_out_what_is_at_its_default(fault, text):
    assert source(fault) == text
    assert build(fault.verb, arguments(fault)) == fault


def test_further_keywords_come_last():
    assert source(Delay(seconds=1), optional=True) == ".delay(1, optional=True)"


def test_each_verb_is_registered_once_under_its_own_name():
    assert len(FAULTS) == 17
    assert all(kind.verb == verb for verb, kind in FAULTS.items())


@pytest.mark.parametrize(
    ("verb", "given", "says"),
    [
        ("dorp", {}, "unknown fault 'dorp'. Did you mean 'drop'"),
        ("delay", {}, r"\.delay\(\) needs seconds"),
        ("delay", {"second": 1}, "unknown argument of .delay.. 'second'. Did you mean 'seconds'"),
        ("drop", {"seconds": 1}, "Allowed: none"),
        ("reorder", {"window": 0}, "1 or more"),
    ],
)
def test_what_cannot_be_built_says_why(verb, given, says):
    with pytest.raises(UsageError, match=says):
        build(verb, given)
