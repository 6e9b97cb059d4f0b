"""What is judged: destinations with their roles, what stood there before, what was declared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from pytest_mqchaos.chaos.side import Side
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.history import Expected, Flow
from pytest_mqchaos.history.identity import as_id
from pytest_mqchaos.history.rows import Accepted


class Scope:
    """Roles, baseline and declarations of one Chaos."""

    def __init__(self, side: Side, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._side = side
        self._clock = clock
        self._declared: Flow | None = None
        self._inputs: set[str] = set()
        self._outputs: set[str] = set()
        self.created: list[str] = []
        self.compacted: set[str] = set()
        self.baseline: dict[tuple[str, int], int] = {}
        self.positions: dict[tuple[str, str, int], int] = {}
        self.epochs: dict[tuple[str, int], int] = {}
        self.expected = Expected()
        self.acceptances: list[Accepted] = []

    def took_over(self) -> None:
        """The broker was there before this test: where its groups stand is not our doing, nor who
        led until now."""
        self.positions = self._side.positions()
        self.epochs = self._side.epochs()

    def made(self, name: str, *, compacted: bool = False) -> None:
        """A destination was created empty for this test; `compacted`: it keeps the last message of
        a key."""
        self.created.append(name)
        if compacted:
            self.compacted.add(name)
        self.epochs = {place: told for place, told in self.epochs.items() if place[0] != name}
        self._inputs.add(name)

    def named(self, name: str) -> None:
        """A destination was published to; if it is not ours, what it holds is the baseline."""
        if name not in self._inputs:
            self._baseline([name])
            self._inputs.add(name)

    def output(self, name: str) -> dict[tuple[str, int], int]:
        """A destination is read as effects: what it holds now is the baseline, which is given."""
        if name not in self._inputs:
            self._baseline([name])
        self._outputs.add(name)
        return {place: end for place, end in self.baseline.items() if place[0] == name}

    def _baseline(self, names: Iterable[str]) -> None:
        fresh = [name for name in names if name not in self.created]
        for place, (_, end) in self._side.ends(fresh).items():
            self.baseline.setdefault(place, end)

    def declare(
        self, *, inputs: Iterable[str], retries: Iterable[str], outputs: Iterable[str],
        dead_letters: Iterable[str],
    ) -> None:  # fmt: skip
        """Roles, said by the user."""
        roles = {
            "inputs": inputs, "retries": retries, "outputs": outputs, "dead_letters": dead_letters,
        }  # fmt: skip
        for role, names in roles.items():
            if isinstance(names, str):
                raise UsageError(f"chaos.flow({role}={names!r}): must be a list of names")
        flow = Flow(**{role: frozenset(names) for role, names in roles.items()})
        sets = [flow.inputs, flow.retries, flow.outputs, flow.dead_letters]
        for number, one in enumerate(sets):
            for other in sets[number + 1 :]:
                if one & other:
                    raise UsageError(
                        f"chaos.flow: {', '.join(sorted(one & other))} cannot have two roles"
                    )
        self._baseline(frozenset().union(*sets) - self._inputs)
        self._declared = flow

    @property
    def flow(self) -> Flow:
        """Roles as they are now."""
        declared = self._declared or Flow()
        declared = replace(declared, outputs=declared.outputs | self._outputs)
        if declared.inputs:
            return declared
        others = declared.retries | declared.outputs | declared.dead_letters
        return replace(declared, inputs=frozenset(self._inputs - others))

    def accepted(self, id: str) -> None:
        """The service told its caller that this message is safe."""
        self.acceptances.append(Accepted(self._clock(), id))

    def expect(self, **words: Iterable[str]) -> None:
        """Declare ids accounted for, by reason."""
        for reason, ids in words.items():
            known = getattr(self.expected, reason)
            more = frozenset(map(as_id, [ids] if isinstance(ids, str | bytes) else ids))
            self.expected = replace(self.expected, **{reason: known | more})
