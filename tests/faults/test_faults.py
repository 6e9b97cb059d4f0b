"""What each fault accepts, and what it says about the rest."""

from dataclasses import FrozenInstanceError

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.faults.crash_worker import CrashWorker
from pytest_mqchaos.faults.delay import Delay
from pytest_mqchaos.faults.drop import Drop
from pytest_mqchaos.faults.hang import Hang
from pytest_mqchaos.faults.kill_broker import KillBroker
from pytest_mqchaos.faults.move_leader import MoveLeader
from pytest_mqchaos.faults.partition import Partition
from pytest_mqchaos.faults.pause_broker import PauseBroker
from pytest_mqchaos.faults.power_loss import PowerLoss
from pytest_mqchaos.faults.refuse import Refuse
from pytest_mqchaos.faults.registry import FAULTS
from pytest_mqchaos.faults.reorder import Reorder
from pytest_mqchaos.faults.restart_broker import RestartBroker
from pytest_mqchaos.faults.sever import Sever


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        (Delay, {"seconds": -1}, r"\.delay\(seconds=-1\).*finite number, more than 0"),
        (Delay, {"seconds": 0}, "more than 0"),
        (Delay, {"seconds": float("nan")}, "finite"),
        (Delay, {"seconds": float("inf")}, "finite"),
        (Delay, {"seconds": "1"}, r"seconds='1'"),
        (Delay, {"seconds": True}, r"seconds=True"),
        (Hang, {"for_": 0}, r"\.hang\(for_=0\)"),
        (PauseBroker, {"for_": -2}, r"\.pause_broker\(for_=-2\)"),
        (KillBroker, {"restart_after": -0.1}, r"restart_after=-0\.1\).*0 or more"),
        (Reorder, {"window": 0}, r"\.reorder\(window=0\).*1 or more"),
        (Reorder, {"window": 1.5}, r"whole number"),
        (Reorder, {"window": True}, r"window=True"),
        (Refuse, {"error": 0}, "0, which means success"),
        (Refuse, {"error": ""}, "its name"),
        (Refuse, {"error": True}, "its name"),
        (Refuse, {"error": 1.5}, "its number"),
        (Sever, {"reset": 1}, r"\.sever\(reset=1\): must be True or False"),
        (CrashWorker, {"when": "befor"}, "Did you mean 'before'"),
        (CrashWorker, {"when": None}, "Allowed: after, before"),
        (CrashWorker, {"scope": "all"}, "Allowed: child"),
        (KillBroker, {"target": "leeder"}, "Did you mean 'leader'.*node's index"),
        (PauseBroker, {"target": -1}, "target=-1"),
        (RestartBroker, {"target": True}, "target=True"),
        (RestartBroker, {"target": None}, "target=None"),
        (KillBroker, {"unreplicated": 1}, r"unreplicated=1\): must be True or False"),
        (
            KillBroker,
            {"target": "follower", "unreplicated": True},
            r"only a leader has what its followers lack. Write \.kill_broker\(\"leader\"",
        ),
        (PowerLoss, {"target": "leeder"}, "Did you mean 'leader'"),
        (PowerLoss, {"restart_after": -1}, r"restart_after=-1\).*0 or more"),
        (MoveLeader, {"to": -1}, r"\.move_leader\(to=-1\): must be a node's index"),
        (MoveLeader, {"to": "leader"}, "to='leader'"),
        (MoveLeader, {"to": True}, "to=True"),
        (Partition, {"for_": 0}, r"\.partition\(for_=0\)"),
        (Partition, {"target": "some"}, "unknown target"),
    ],
)
def test_a_value_that_cannot_be_is_refused_where_it_is_written(kind, given, says):
    with pytest.raises(UsageError, match=says):
        kind(**given)


@pytest.mark.parametrize(
    "fault",
    [
        KillBroker(restart_after=0),
        KillBroker(target=0),
        KillBroker(target="coordinator"),
        KillBroker(unreplicated=True),
        PowerLoss(target="all", restart_after=0),
        MoveLeader(to=0),
        Partition(target=2, for_=0.5),
        Hang(for_=0.001),
        Refuse(error=-1),
        Refuse(error="ANY"),
        CrashWorker(when="after", scope="child"),
    ],
)
def test_the_edges_of_what_can_be_are_accepted(fault):
    assert fault == type(fault)(**{n: getattr(fault, n) for n in fault.__dataclass_fields__
                                   if n not in ("verb", "positional")})  # fmt: skip


def test_faults_are_frozen_values():
    fault = Delay(seconds=1.0)
    with pytest.raises(FrozenInstanceError):
        fault.seconds = 2.0
    assert {fault, Delay(seconds=1.0)} == {fault}
    assert Delay(seconds=2.0) != fault
    assert Drop() != Sever()


@pytest.mark.parametrize("kind", FAULTS.values(), ids=FAULTS)
def test_every_fault_is_slotted_and_keyword_only(kind):
    assert not hasattr(kind, "__dict__") or "__slots__" in vars(kind)
    assert all(kind.__dataclass_fields__[name].kw_only for name in kind.__slots__)
    assert set(kind.positional) <= set(kind.__slots__)
    assert kind.__doc__
