"""The runs without faults that `assert_same_outcome()` compares with: made when they are wanted.

    run --asks--> run without faults --> run --differs--> run without faults once more --> run

The second one has another seed and begins at another hour: what an effect owes to chance or to the
clock is not what a fault did to it, and where runs repeat themselves nothing else would show that.

It knows that a run can be made again; it must never know how.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Protocol, TypeVar

import pytest

from pytest_mqchaos.chaos.comparing import FaultFreeRuns
from pytest_mqchaos.checkers.evidence.fault_free import Baseline
from pytest_mqchaos.history.history import History
from pytest_mqchaos.plan.rules import Plan

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
_ENDS = (KeyboardInterrupt, SystemExit, GeneratorExit)
_NOTE = "mqchaos: this was the run without faults, which assert_same_outcome() compares with"
_OTHER = " (the second one: it has another seed, and its clock begins at another hour)"


class Go(Protocol[T_co]):
    """Make one run. `other`: with other random numbers and another time of day, where these are
    not others in each run anyway."""

    def __call__(self, plan: Plan, asked: FaultFreeRuns, /, *, other: bool = False) -> T_co: ...


class RunAgain(BaseException):
    """Another run must come before this one, which is given up. No `except Exception` of a service
    may take it for an error of its own."""


class WithoutFaults:
    """One scenario's runs without faults; keep it as long as the scenario is run with the same
    data, and each is made only once."""

    def __init__(self) -> None:
        self._made: list[list[History]] = []

    def beside(self, go: Go[T], plan: Plan) -> T:
        """`go(plan, asked)`, where `asked` answers what its Chaos wants to know. Raises what the
        run raises, also that of a run without faults."""
        while True:
            asked = _Asked(self._made, alone=not plan.rules)
            try:
                result = go(plan, asked)
            except _ENDS:
                raise
            except BaseException:
                if not asked.wants:
                    raise
            else:
                if not asked.wants:
                    return result
            self._made.append(self._without(go))

    def _without(self, go: Go[T]) -> list[History]:
        recorded, other = _Recorded(), bool(self._made)
        try:
            go(Plan(), recorded, other=other)
        except pytest.skip.Exception:
            pass  # whether the test is skipped is for the run with faults to say
        except BaseException as error:
            error.add_note(_NOTE + (_OTHER if other else ""))
            raise
        return recorded.histories


class _Recorded:
    """A run without faults: it is its own measure."""

    wants = False

    def __init__(self) -> None:
        self.histories: list[History] = []

    def asked(self, history: History) -> Baseline:
        self.histories.append(_kept(history))
        return Baseline(history=history)

    def doubted(self) -> None:
        """Compared with itself it differs in nothing; what is unknown stays so."""


def _kept(history: History) -> History:
    """With values of its own: an object that outlives the run is written to by the next one."""
    if history.effects is None:
        return history
    effects = (effect._replace(value=_copied(effect.value)) for effect in history.effects)
    return replace(history, effects=tuple(effects))


def _copied(value: object) -> object:
    if type(value).__eq__ is object.__eq__:
        return value  # equal to itself alone
    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001 - a class may refuse; it is then compared as it is by then
        return value


class _Asked:
    """A run that may have faults. `wants`: it is of no use until there is one more without."""

    def __init__(self, made: list[list[History]], *, alone: bool) -> None:
        self._made = made
        self._alone = alone
        self._number = 0
        self.wants = False

    def asked(self, history: History) -> Baseline:
        if self._alone:
            return Baseline(history=history)
        if not self._made:
            self._again()
        at, self._number = self._number, self._number + 1
        if any(len(histories) <= at for histories in self._made):
            return Baseline(history=None)
        return Baseline(
            history=self._made[0][at], again=self._made[1][at] if len(self._made) > 1 else None
        )

    def doubted(self) -> None:
        if not self._alone and len(self._made) < 2:  # noqa: PLR2004 - one and another
            self._again()

    def _again(self) -> None:
        self.wants = True
        raise RunAgain
