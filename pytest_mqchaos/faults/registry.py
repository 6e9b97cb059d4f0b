"""Every fault by its verb, as source text and as plain data. A new fault is one line here.

It never knows what a fault does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Final

from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.faults.base import Fault
from pytest_mqchaos.faults.crash_worker import CrashWorker
from pytest_mqchaos.faults.delay import Delay
from pytest_mqchaos.faults.drop import Drop
from pytest_mqchaos.faults.duplicate import Duplicate
from pytest_mqchaos.faults.expire import Expire
from pytest_mqchaos.faults.hang import Hang
from pytest_mqchaos.faults.kill_broker import KillBroker
from pytest_mqchaos.faults.move_leader import MoveLeader
from pytest_mqchaos.faults.partition import Partition
from pytest_mqchaos.faults.pause_broker import PauseBroker
from pytest_mqchaos.faults.power_loss import PowerLoss
from pytest_mqchaos.faults.rebalance import Rebalance
from pytest_mqchaos.faults.redeliver import Redeliver
from pytest_mqchaos.faults.refuse import Refuse
from pytest_mqchaos.faults.reorder import Reorder
from pytest_mqchaos.faults.restart_broker import RestartBroker
from pytest_mqchaos.faults.sever import Sever

_ALL: tuple[type[Fault], ...] = (
    Drop, Duplicate, Delay, Reorder, Refuse, Sever, Hang, CrashWorker, Redeliver, Rebalance,
    KillBroker, PauseBroker, RestartBroker, PowerLoss, MoveLeader, Partition,
    Expire,
)  # fmt: skip
FAULTS: Final[Mapping[str, type[Fault]]] = {fault.verb: fault for fault in _ALL}


def arguments(fault: Fault) -> dict[str, object]:
    """What differs from the defaults, in the order of the fields."""
    return {
        item.name: getattr(fault, item.name)
        for item in fields(fault)
        if item.default is MISSING or getattr(fault, item.name) != item.default
    }


def source(fault: Fault, **more: object) -> str:
    """The piece of Python that makes this fault: `.delay(0.5)`. `more` are further keywords."""
    given = arguments(fault)
    parts: list[str] = []
    for name in fault.positional:
        if name not in given:
            break
        parts.append(repr(given.pop(name)))
    parts += [f"{name}={value!r}" for name, value in (given | more).items()]
    return f".{fault.verb}({', '.join(parts)})"


def build(verb: str, given: Mapping[str, object]) -> Fault:
    """Make the fault named `verb`. Raises UsageError for an unknown verb or argument, a missing
    one, or a value that the fault refuses."""
    if not isinstance(verb, str) or verb not in FAULTS:
        raise unknown("fault", verb, FAULTS)
    kind = FAULTS[verb]
    known = {item.name: item.default is MISSING for item in fields(kind)}
    for name in given:
        if name not in known:
            raise unknown(f"argument of .{verb}()", name, known)
    missing = [name for name, needed in known.items() if needed and name not in given]
    if missing:
        raise UsageError(f".{verb}() needs {', '.join(missing)}: write .{verb}({missing[0]}=...).")
    return kind(**given)
