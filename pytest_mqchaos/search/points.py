"""The points that a scenario touches, counted by the engine itself: `observed`.

One clean run carries a probe for each point: a rule that matches all there is and whose turn never
comes. What it has counted at the end is how far `nth` goes, by the one counting that rules have.
It must never know what is done with the points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_mqchaos.errors import UsageError, VerdictFailed
from pytest_mqchaos.faults.base import Fault
from pytest_mqchaos.faults.delay import Delay
from pytest_mqchaos.faults.drop import Drop
from pytest_mqchaos.faults.sever import Sever
from pytest_mqchaos.frames import Point
from pytest_mqchaos.history.rows import Attempt, Delivery
from pytest_mqchaos.plan import legality
from pytest_mqchaos.plan.rules import Plan, Rule
from pytest_mqchaos.plan.where import Where

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.session import Chaos
    from pytest_mqchaos.search.runner import Outcome

NEVER = 10**9  # a position that no run reaches
_PROBES: tuple[Fault, ...] = (Sever(), Drop(), Delay(seconds=1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One point, at `control` one request of it, or of one `topic`: `count` positions were seen
    there. `crashable`: some of them on a link of a worker that can be killed."""

    point: Point
    api: str | None = None
    topic: str | None = None
    count: int = 0
    crashable: bool = True

    @property
    def name(self) -> str:
        """`confirm`, `control JoinGroup`, `ack in retries`."""
        where = f" in {self.topic}" if self.topic else ""
        return f"{self.point} {self.api}" if self.api else f"{self.point}{where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the clean run touched, in the order of the points; `abilities` are its broker's. `hops`:
    positions in topics to which messages went on under their ids. A rule counts a message once, and
    that was in another topic; only one that names the topic meets it there."""

    spots: tuple[Spot, ...]
    abilities: tuple[str, ...]
    hops: tuple[Spot, ...] = ()

    @property
    def count(self) -> int:
        """How many positions there are to put a fault at."""
        return sum(spot.count for spot in (*self.spots, *self.hops))


def observed(
    run: Callable[[Plan], Outcome], protocol: str, points: Iterable[Point] = Point
) -> Observed:
    """Run once without any fault and count. Raises what the run raised, marked as such, if it did
    not pass: faults in a failing test would say nothing."""
    probes = Plan(*_probes(protocol, tuple(points)))
    outcome = run(probes)
    if outcome.status != "passed":
        _refuse(run(Plan()), outcome)
    assert outcome.chaos is not None
    spots = tuple(_spots(probes, outcome, outcome.chaos))
    if not spots:
        raise UsageError(
            f"the clean run touched none of {', '.join(points)}: there is nothing to break"
        )
    hops = tuple(hop for spot in spots for hop in _hops(spot, outcome.chaos))
    return Observed(spots=spots, abilities=outcome.chaos.host.abilities, hops=hops)


def _probes(protocol: str, points: tuple[Point, ...]) -> Iterator[Rule]:
    table = legality.table(protocol)
    legal = {(row.point, row.fault) for row in table.rows if not (row.forged or row.apis)}
    for point in (point for point in Point if point in points):
        fault = next(fault for fault in _PROBES if (point, fault.verb) in legal)
        for api in table.apis[point] if point is Point.CONTROL else (None,):
            yield Rule(where=Where(point=point, api=api, nth=NEVER), fault=fault, optional=True)


def _spots(probes: Plan, outcome: Outcome, chaos: Chaos) -> Iterator[Spot]:
    owners = _owners(chaos)
    for rule, count in zip(probes.rules, outcome.matched, strict=True):
        where = rule.where
        if count:
            yield Spot(
                point=where.point, api=where.api, count=count,
                crashable=_crashable(chaos, owners.get(where.point)),
            )  # fmt: skip


def _hops(spot: Spot, chaos: Chaos) -> Iterator[Spot]:
    if spot.point is Point.CONTROL:
        return
    history = chaos.last_history
    sent = spot.point in (Point.PUBLISH, Point.CONFIRM)
    rows: tuple[Attempt | Delivery, ...] = history.attempts if sent else history.deliveries
    first: dict[str, str] = {}
    messages: dict[str, set[str]] = {}
    owners: dict[str, set[str]] = {}
    for row in sorted(rows, key=lambda row: row.seq):
        if row.id is not None:
            first.setdefault(row.id, row.topic)
            messages.setdefault(row.topic, set()).add(row.id)
            owners.setdefault(row.topic, set()).add(row.owner)
    for topic, ids in messages.items():
        if any(first[name] != topic for name in ids):
            crashable = spot.crashable and _crashable(chaos, frozenset(owners[topic]))
            yield Spot(point=spot.point, topic=topic, count=len(ids), crashable=crashable)


def _owners(chaos: Chaos) -> dict[Point, frozenset[str]]:
    history = chaos.last_history
    producers = frozenset(row.owner for row in history.attempts)
    ackers = frozenset(row.owner for row in history.acks)
    return {
        Point.PUBLISH: producers, Point.CONFIRM: producers,
        Point.DELIVER: frozenset(row.owner for row in history.deliveries),
        Point.ACK: ackers, Point.ACK_CONFIRM: ackers,
    }  # fmt: skip


def _crashable(chaos: Chaos, owners: frozenset[str] | None) -> bool:
    """`owners` None: not known, any worker."""
    if owners is not None and owners.isdisjoint(chaos.crew.owners):
        return False
    for supervisor in chaos.crew.supervisors:
        try:
            supervisor.require_crashable()
        except UsageError:
            continue  # threads: the rule would only be refused
        return True
    return False


def _refuse(clean: Outcome, probed: Outcome) -> None:
    """Say at once that nothing is swept, in the words of a run without our probes."""
    error = clean.error
    if clean.status == "skipped" and error is not None:
        raise error
    if error is None:
        raise VerdictFailed(
            "without any fault it fails now and then, so nothing was tried: of two clean runs one "
            f"passed, the other not: {probed.sentence}"
        ) from probed.error
    if isinstance(error, VerdictFailed):
        raise VerdictFailed(f"without any fault it fails already, nothing was tried: {error}")
    error.add_note("This was the clean run, without any fault: nothing was tried.")
    raise error
