"""The arguments of the strategies, checked where they are written: what may be drawn at all.

It knows tables, abilities and words; it must never know how something is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pytest_mqchaos.brokers import base
from pytest_mqchaos.brokers.providers import factory
from pytest_mqchaos.chaos.config import size
from pytest_mqchaos.chaos.host import ABILITIES
from pytest_mqchaos.errors import UsageError, unknown
from pytest_mqchaos.frames import Point
from pytest_mqchaos.plan import legality
from pytest_mqchaos.plan.nth import whole
from pytest_mqchaos.plan.table import CLUSTERED
from pytest_mqchaos.search.choices import LOSSY, ORDER, PROCESS, Choices, Narrowed, choices
from pytest_mqchaos.search.place import here

Words = str | Iterable[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the user asked for. `nodes` None: as many as the session's broker has."""

    broker: str
    points: tuple[Point, ...]
    faults: tuple[str, ...]
    apis: tuple[str, ...]
    topics: tuple[str, ...]
    nth: int
    longest: float
    nodes: int | None

    def choices(self) -> Choices:
        """What can be drawn on the broker of this session. Raises UsageError if nothing can."""
        place = here()
        count = self.nodes or (place.config.nodes if place else 1)
        able = abilities(self.broker, place.kind if place else "embedded", count)
        found = choices(self._narrowed(able))
        if not found:
            named = ", ".join(able) or "none of what they need"
            raise UsageError(
                f"nothing can be drawn: none of {', '.join(self.faults)} can be at "
                f"{', '.join(self.points)} on a broker that is {named}." + _several(count)
            )
        return found

    def check(self) -> None:
        """Raise UsageError for a combination that no broker of this protocol could carry out."""
        if not choices(self._narrowed((*ABILITIES, CLUSTERED))):
            raise UsageError(
                f"nothing can be drawn: {self.broker} has none of {', '.join(self.faults)} at "
                f"{', '.join(self.points)}"
                + (f" for {', '.join(self.apis)}" if self.apis else "")
                + "; docs/reference/legality-kafka.md has what it has where."
            )

    def _narrowed(self, able: tuple[str, ...]) -> Narrowed:
        return Narrowed(
            protocol=self.broker, abilities=able, points=self.points, faults=self.faults,
            apis=self.apis, longest=self.longest,
        )  # fmt: skip


def _several(count: int) -> str:
    return " Some need a cluster of several nodes: say nodes=3." if count == 1 else ""


@lru_cache
def abilities(protocol: str, kind: str, nodes: int) -> tuple[str, ...]:
    """What may be done to a broker of that kind, without one having been started."""
    made = factory(protocol, kind)
    able = [n for n in ABILITIES if isinstance(made, type) and issubclass(made, getattr(base, n))]
    return (*able, *([CLUSTERED] if nodes > 1 else []))


def wanted(  # noqa: PLR0913 - one for each argument of the strategies
    name: str, *, broker: str, points: Words, faults: Words, apis: Words, topics: Words, nth: int,
    longest: float, process_faults: bool, nodes: int | None,
) -> Wanted:  # fmt: skip
    """Check the arguments of the strategy `name`. Raises UsageError with the nearest names."""
    table = legality.table(broker)
    if not isinstance(process_faults, bool):
        raise UsageError(f"{name}(process_faults={process_faults!r}): must be True or False.")
    if not whole(nth):
        raise UsageError(
            f"{name}(nth={nth!r}): the last position that is drawn, a whole number of 1 or more."
        )
    number = isinstance(longest, int | float) and not isinstance(longest, bool)
    if not (number and 0 < longest < float("inf")):
        raise UsageError(f"{name}(longest={longest!r}): must be seconds, more than 0.")
    verbs = _known(name, "faults", faults, ORDER)
    if faults is None:
        verbs = tuple(verb for verb in verbs if verb not in LOSSY)
    found = Wanted(
        broker=broker,
        points=tuple(Point(p) for p in _known(name, "points", points, [str(p) for p in Point])),
        faults=tuple(v for v in verbs if process_faults or v not in PROCESS),
        apis=_known(name, "apis", apis, table.apis[Point.CONTROL]) if apis is not None else (),
        topics=_topics(name, topics),
        nth=nth,
        longest=float(longest),
        nodes=None if nodes is None else size(nodes, f"{name}(nodes={nodes!r})"),
    )
    if not found.faults:
        raise UsageError(
            f"{name}(faults={faults!r}, process_faults=False): each of these is a process fault, "
            "so nothing can be drawn."
        )
    found.check()
    return found


def _words(name: str, argument: str, given: Words) -> tuple[str, ...]:
    words = (given,) if isinstance(given, str) else tuple(given or ())
    if not words or not all(isinstance(word, str) and word for word in words):
        raise UsageError(f"{name}({argument}={given!r}): must be a name or several names.")
    return words


def _known(name: str, argument: str, given: Words, allowed: Iterable[str]) -> tuple[str, ...]:
    """The words in the order in which they shrink, which is that of `allowed`."""
    allowed = tuple(allowed)
    if given is None:
        return allowed
    words = _words(name, argument, given)
    for word in words:
        if word not in allowed:
            raise unknown(f"name in {name}({argument}=...)", word, allowed)
    return tuple(word for word in allowed if word in words)


def _topics(name: str, given: Words) -> tuple[str, ...]:
    return () if given is None else _words(name, "topics", given)


def count(name: str, argument: str, given: object, at_least: int = 0) -> int:
    """A number of things. Raises UsageError for what is none."""
    if whole(given, at_least):
        assert isinstance(given, int)
        return given
    raise UsageError(f"{name}({argument}={given!r}): must be a whole number of {at_least} or more.")
