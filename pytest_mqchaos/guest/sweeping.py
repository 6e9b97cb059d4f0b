"""`mqchaos_sweep` inside of a pytest test: a subtest for each case, a progress line, the table.

It knows pytest's subtests, terminal and options; it must never know how cases are chosen or run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.guest.progress import Progress
from pytest_mqchaos.guest.running import as_failure, host_for, replayed, virtual
from pytest_mqchaos.guest.stash import SIMULATED, SWEEPING, SWEPT
from pytest_mqchaos.search.fault_free import WithoutFaults
from pytest_mqchaos.search.place import here
from pytest_mqchaos.search.runner import Outcome, run
from pytest_mqchaos.search.sweep import Attempt, Extent, Swept, sweep

if TYPE_CHECKING:
    from pytest_mqchaos.plan.rules import Plan
    from pytest_mqchaos.search.cases import Case


class Sweep:
    """Call it once or more in a test: `mqchaos_sweep(scenario)`."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self._item: pytest.Item = request.node

    def __call__(  # noqa: PLR0913 - the public face
        self, scenario: Callable[..., object], *, broker: str = "kafka",
        points: str | Collection[str] | None = None, faults: str | Collection[str] | None = None,
        pairs: bool = False, budget: int | None = None, stop_after: int | None = None,
        seed: int | None = None, nodes: int | None = None, id: Any = None, key: Any = None,
        own_assertions: bool = False, settings: Mapping[str, object] | None = None,
        real: Iterable[str] = (),
    ) -> Swept | None:  # fmt: skip
        """Run `scenario(chaos)` once without any fault to see which points it touches, then once
        for every legal fault at each of them, each a subtest named by its rule.

        A coroutine function runs in virtual time (and over sockets on a real broker), a plain one
        over sockets. `points`, `faults`: names to narrow the sweep; expire and power_loss are only
        swept when named. `pairs`: two faults at a time too. `budget`: at most so many cases, the
        others left out evenly, chosen by `seed`. `stop_after`: failures. The other words are those
        of `simulate`. Gives what was found (`table`, `done`, `points`); None under
        `--mqchaos-plan`, which runs just that case. Raises what the clean run raised, if it does
        not pass, and `UsageError` for what cannot be swept.
        """
        at = here()
        own = at.seed if at is not None else 0
        extent = Extent(
            points=points, faults=faults, pairs=pairs, budget=budget, stop_after=stop_after,
            seed=own if seed is None else seed,
        )  # fmt: skip
        words: dict[str, Any] = {
            "id": id, "key": key, "own_assertions": own_assertions, "nodes": nodes,
        }  # fmt: skip
        host = host_for(self._request, scenario, broker)
        words |= virtual("sweep", host, {"settings": settings, "real": tuple(real), "seed": seed})
        without = WithoutFaults()
        once = partial(run, scenario, broker=broker, host=host, without=without, **words)
        if at is not None and at.plan is not None:
            replayed(self._item, once, at.plan)
            return None
        return self._swept(once, extent, broker, virtual=host is None)

    def _swept(
        self, once: Callable[[Plan], Outcome], extent: Extent, broker: str, *, virtual: bool
    ) -> Swept:
        self._item.stash[SWEEPING] = True
        progress = Progress(self._request.config)
        begun: list[Swept] = []

        def begin(swept: Swept) -> Attempt:
            begun.append(swept)
            return partial(self._case, progress, swept)

        start = time.monotonic()
        try:
            return sweep(once, extent, begin, protocol=broker, virtual=virtual)
        finally:
            progress.end()
            for swept in begun:
                lines = swept.told()
                lines[0] = f"{self._item.name}: {lines[0]} in {time.monotonic() - start:.1f} s"
                self._item.user_properties.append((SWEPT, "\n".join(lines)))

    def _case(
        self, progress: Progress, swept: Swept, case: Case, go: Callable[[], Outcome]
    ) -> Outcome:
        progress.tell(lambda: swept.so_far)
        outcomes: list[Outcome] = []
        with self._subtests().test(msg=case.name):
            outcomes.append(go())
            self._raised(outcomes[0])
        if SIMULATED in self._item.stash:  # its failure is told; the next case has its own
            del self._item.stash[SIMULATED]
        return outcomes[0]

    def _raised(self, outcome: Outcome) -> None:
        if outcome.error is None:
            return
        if outcome.chaos is not None:
            self._item.stash[SIMULATED] = outcome.chaos
        raise as_failure(outcome)

    def _subtests(self) -> pytest.Subtests:
        try:
            found: pytest.Subtests = self._request.getfixturevalue("subtests")
        except pytest.FixtureLookupError:
            raise UsageError(
                f"mqchaos_sweep needs pytest 9 or newer (its own subtests); this is pytest "
                f"{pytest.__version__}"
            ) from None
        return found
