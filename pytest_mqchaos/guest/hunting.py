"""`mqchaos_search` inside of a pytest test: a progress line, the failure with its rate, Ctrl-C.

It knows pytest's items, terminal and options; it must never know how plans are drawn or shrunk.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import pytest

from pytest_mqchaos.errors import VerdictFailed
from pytest_mqchaos.guest import proof, replay
from pytest_mqchaos.guest.progress import Progress
from pytest_mqchaos.guest.running import as_failure, host_for, replayed, virtual
from pytest_mqchaos.guest.stash import HUNTED, INTERRUPTED, RATE, SIMULATED, SWEEPING
from pytest_mqchaos.search.bounds import Bounds
from pytest_mqchaos.search.fault_free import WithoutFaults
from pytest_mqchaos.search.hunt import hunt
from pytest_mqchaos.search.hunted import Hunted
from pytest_mqchaos.search.narrowing import Words, wanted
from pytest_mqchaos.search.place import here
from pytest_mqchaos.search.runner import Outcome, run

FAR = 10**6  # positions: as far as the clean run went
LONGEST = 60.0, 1.0  # seconds of a fault where time costs nothing, and where it is real


class Search:
    """Call it in a test: `mqchaos_search(scenario)`."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self._item: pytest.Item = request.node

    def __call__(  # noqa: PLR0913 - the public face
        self, scenario: Callable[..., object], *, broker: str = "kafka", budget: int = 200,
        seconds: float | None = None, times: int = 10, least: int = 2, max_faults: int = 5,
        points: Words = None, faults: Words = None, apis: Words = None, topics: Words = None,
        nth: int | None = None, longest: float | None = None, process_faults: bool = True,
        seed: int | None = None, nodes: int | None = None, id: Any = None, key: Any = None,
        own_assertions: bool = False, settings: Mapping[str, object] | None = None,
        real: Iterable[str] = (),
    ) -> Hunted | None:  # fmt: skip
        """Run `scenario(chaos)` once without any fault to see which points it touches, then under
        plans of up to `max_faults` faults drawn for these points. One that fails is run again, up
        to `times`; if it fails `least` times it is shrunk and told, with the rate at which fresh
        runs of the result fail.

        A coroutine function runs in virtual time (and over sockets on a real broker), a plain one
        over sockets. `budget`: runs at most, all of them; `seconds`: none begins later. `points`,
        `faults`, `apis`, `topics`, `process_faults`: as for `plans`; `nth`: the last position
        (default: as far as the clean run went); `longest`: seconds of the longest fault that has
        an end (default 1, in virtual time 60). `seed`: of the dice and, in virtual time, of the
        runs. The other words are those of `simulate`. Gives what was seen if nothing failed; None
        under `--mqchaos-plan`, which runs just that plan, once. Raises what the best failing run
        raised, and what the clean run raised if it did not pass; `UsageError` for what cannot be.
        """
        at = here()
        bounds = Bounds(
            budget=budget, seconds=seconds, times=times, least=least, max_faults=max_faults,
            seed=seed if seed is not None else at.seed if at is not None else 0,
        )  # fmt: skip
        host = host_for(self._request, scenario, broker)
        given = wanted(
            "mqchaos_search", broker=broker, points=points, faults=faults, apis=apis, nodes=nodes,
            topics=topics, nth=FAR if nth is None else nth, process_faults=process_faults,
            longest=LONGEST[host is not None] if longest is None else longest,
        )  # fmt: skip
        words: dict[str, Any] = {
            "id": id, "key": key, "own_assertions": own_assertions, "nodes": nodes,
            **virtual("search", host, {"settings": settings, "real": tuple(real), "seed": seed}),
        }  # fmt: skip
        without = WithoutFaults()
        once = partial(run, scenario, broker=broker, host=host, without=without, **words)
        if at is not None and at.plan is not None:
            replayed(self._item, once, at.plan)
            return None
        hunted = self._hunted(partial(hunt, once, bounds, given, same=host is None))
        self._judge(hunted)
        return hunted

    def _hunted(self, go: Callable[..., Hunted]) -> Hunted:
        """Search, and say at the end of the session what was seen: also after a Ctrl-C."""
        self._item.stash[SWEEPING] = True
        progress = Progress(self._request.config)
        begun: list[Hunted] = []

        def begin(hunted: Hunted) -> Callable[[], None]:
            begun.append(hunted)
            return lambda: progress.tell(lambda: hunted.so_far)

        start = time.monotonic()
        try:
            return go(clock=time.monotonic, begin=begin)
        except KeyboardInterrupt as stop:
            stop.__notes__ = []  # what it says of the run that it has met is no failure
            for hunted in begun:
                hunted.ended = "Ctrl-C"
                self._interrupted(hunted, self._told(hunted, time.monotonic() - start))
            raise
        finally:
            progress.end()
            for hunted in begun:
                told = self._told(hunted, time.monotonic() - start)
                self._item.user_properties.append((HUNTED, told))

    def _told(self, hunted: Hunted, seconds: float) -> str:
        lines = hunted.told()
        lines[0] = f"{self._item.name}: {lines[0]} in {seconds:.1f} s"
        return "\n".join(lines)

    def _interrupted(self, hunted: Hunted, text: str) -> None:
        """There will be no report of this test: the best so far waits for the summary."""
        told = [text]
        if hunted.best is not None:
            error, chaos = _told_last(hunted.best.outcome), hunted.best.outcome.chaos
            if chaos is not None:
                sentence, rate = hunted.best.outcome.sentence, hunted.best.share
                made = replay.failure(self._item, chaos, sentence=sentence, rate=rate)
                replay.keep(self._item, made)
            told += [str(error), *getattr(error, "__notes__", ())]
        self._request.config.stash.setdefault(INTERRUPTED, []).append("\n\n".join(told))

    def _judge(self, hunted: Hunted) -> None:
        if hunted.found is not None:
            self._item.stash[RATE] = hunted.found.share
            self._raise(hunted.found.outcome, hunted.rate(hunted.found))
        if hunted.unsure:
            self._raise(hunted.undecided[0], "")

    def _raise(self, outcome: Outcome, rate: str) -> None:
        error, chaos = _told_last(outcome), outcome.chaos
        if chaos is not None:
            self._item.stash[SIMULATED] = chaos
            _rated(error, chaos.telling.replay(chaos), rate)
        raise error


def _told_last(outcome: Outcome) -> BaseException:
    """Its failure; the file that this names has its history again, whatever ran after it."""
    chaos = outcome.chaos
    if chaos is not None:
        chaos.telling.keep(chaos.last_history, chaos.telling.payloads(chaos))
    return as_failure(outcome)


def _rated(error: BaseException, line: str, rate: str) -> None:
    """Put the rate below the replay line, wherever that is told."""
    if not rate:
        return
    if isinstance(error, VerdictFailed):
        error.args = (proof.added(str(error), line, rate),)
    notes = getattr(error, "__notes__", ())
    if notes:
        error.__notes__ = [proof.added(one, line, rate) for one in notes]
