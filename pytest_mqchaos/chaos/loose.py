"""Effects that a thread recorded which does not say whose it is: an executor's, or one that the
code under test started. It goes on after the "crash" of a coroutine worker, whose process would be
dead.

    handed to the dead alone           its effect after that is posthumous
    handed on to somebody who lives    as many as were handed on are theirs, the earlier ones not

It knows who was handed what and who died when; it must never know a verdict.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from pytest_mqchaos.history.rows import Delivery, Effect, ProcessEvent, worker_of

LOOSE = "a thread"


def settled(
    effects: tuple[Effect, ...] | None, processes: Sequence[ProcessEvent],
    deliveries: Iterable[Delivery],
) -> tuple[Effect, ...] | None:  # fmt: skip
    """The same effects, those of such threads marked posthumous where they must be, and nobody's.
    Not where a worker took part that was never handed a message: it works from a store."""
    loose: dict[str, list[int]] = defaultdict(list)
    for number, effect in enumerate(effects or ()):
        if effect.owner == LOOSE:
            loose[effect.id].append(number)
    if effects is None or not loose:
        return effects
    found = list(effects)
    died = {event.who: event.t for event in reversed(processes) if event.what == "crashed"}
    handed: dict[str, list[str]] = defaultdict(list)
    fed = set()
    for row in deliveries:
        fed.add(worker_of(row.owner))
        if row.reached and row.id is not None:
            handed[row.id].append(row.owner)
    if any(worker_of(event.who) not in fed for event in processes if event.what == "started"):
        died = {}
    for name, numbers in loose.items():
        after = _after_a_death(found, numbers, handed[name], died)
        living = [owner for owner in handed[name] if owner not in died]
        theirs = len(after) - len(living)
        for number in numbers:
            late = number in after[: max(theirs, 0)]
            found[number] = found[number]._replace(owner=None, posthumous=late)
    return tuple(found)


def _after_a_death(
    effects: Sequence[Effect], numbers: Sequence[int], handed: Iterable[str], died: dict[str, int]
) -> list[int]:
    """Those that came after somebody had died who was handed the message."""
    first = min((died[owner] for owner in handed if owner in died), default=None)
    return [n for n in numbers if first is not None and effects[n].t_from > first]
