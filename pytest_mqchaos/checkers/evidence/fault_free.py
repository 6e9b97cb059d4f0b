"""What a run without any fault came to, and whether another run can be held against it.

It knows two runs and what they have in common; what the difference means is who asks' to say
(same_outcome.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pytest_mqchaos.checkers.evidence.values import alike
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.index import Index, index_of
from pytest_mqchaos.history.rows import PUBLISHER, TEST, Effect

OWN = (PUBLISHER, TEST)  # owners of what the test itself publishes


class Shown(NamedTuple):
    """What is compared of one effect, and the effect (None: of a mapping)."""

    what: object
    effect: Effect | None


Shows = Callable[[Effect], object]


def everything(effect: Effect) -> object:
    """All that an effect is but when and by whom it was done."""
    return effect.part, effect.by, effect.key, effect.value


def value_alone(effect: Effect) -> object:
    """What a mapping from id to value knows."""
    return effect.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The history of a run without faults, and of a second one if there was one: two that ended
    differently are nothing to compare with. `history` None: that run never came to the question."""

    history: History | None
    again: History | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFree:
    """A baseline as it is compared: the effects of each id, and, if its history is known, more."""

    rows: Mapping[str, list[Shown]]
    known: frozenset[str]
    index: Index | None = None
    shows: Shows = everything
    again: History | None = None

    @property
    def has_source(self) -> bool:
        """Whether that run had a source of effects: then the same scenario has it with faults, too,
        even where no handler came so far as to record one."""
        return self.index is not None and self.index.history.effects is not None


def by_id(effects: Iterable[Effect], shows: Shows) -> dict[str, list[Shown]]:
    """What the effects of each id show that are there at the end."""
    found: dict[str, list[Shown]] = defaultdict(list)
    for effect in effects:
        if not effect.gone:
            found[effect.id].append(Shown(_shown(effect, shows), effect))
    return found


def _shown(effect: Effect, shows: Shows) -> object:
    try:
        return shows(effect)
    except Exception as error:
        raise UsageError(
            f"same_outcome(of=...) raised {type(error).__name__}: {error}, for the effect of "
            f"{effect.id!r} with value {effect.value!r}: it must take any Effect (id, part, by, "
            "key, value) and give what of it is compared"
        ) from error


def fault_free(given: object, of: Shows | None) -> FaultFree | None:
    """Understand `baseline=`; None: there is none, because its run never came to the question.
    Raises UsageError."""
    if not (of is None or callable(of)):
        raise UsageError(
            f"same_outcome(of={of!r}): must be a function that takes an Effect (id, part, by, key, "
            "value) and gives what of it is compared, such as lambda effect: effect.value['total']"
        )
    if isinstance(given, History):
        given = Baseline(history=given)
    if isinstance(given, Baseline):
        if given.history is None:
            return None
        index, shows = index_of(given.history), of or everything
        return FaultFree(
            rows=by_id(index.effects, shows), known=known(index), index=index, shows=shows,
            again=given.again,
        )  # fmt: skip
    if not isinstance(given, Mapping):
        raise UsageError(
            f"same_outcome(baseline={given!r}): must be a mapping from id to the value that the "
            "effect of this id has without faults, or the History of such a run. Only "
            "chaos.assert_same_outcome() and chaos.check('same_outcome') may leave it out, in a "
            "scenario of simulate(), mqchaos_sweep or mqchaos_search: the run without faults is "
            "made there"
        )
    if of is not None:
        raise UsageError(
            "same_outcome(of=...) says what of an effect is compared; a mapping as baseline= has "
            "values only: give one of the two"
        )
    rows = {str(name): [Shown(value, None)] for name, value in given.items()}
    if len(rows) < len(given):
        raise UsageError(
            f"same_outcome(baseline={given!r}): ids are text, and two of these are the same text; "
            "give each id once"
        )
    return FaultFree(rows=rows, known=frozenset(rows), shows=value_alone)


def known(index: Index) -> frozenset[str]:
    """Ids of which a run shows anything at all."""
    stories = index.stories
    return frozenset().union(
        stories.attempts, stories.stored, stories.deliveries, stories.effects, index.accepted
    )


def message(index: Index, name: str) -> bool:
    """Whether a run shows a message with this id, other than one that is itself the effect."""
    stories = index.stories
    topics = {row.topic for row in stories.attempts.get(name, ())}
    topics |= {row.topic for row in stories.stored.get(name, ())}
    topics |= {row.topic for row in stories.deliveries.get(name, ())}
    return bool(topics - index.history.effect_topics)


def unlike(index: Index, other: Index) -> list[str]:
    """Ids that the test itself published in one of two runs only, or with another content."""
    mine, theirs = _published(index), _published(other)
    return sorted(i for i in mine.keys() | theirs.keys() if mine.get(i) != theirs.get(i))


def _published(index: Index) -> dict[str, set[bytes]]:
    found: dict[str, set[bytes]] = defaultdict(set)
    for attempt in index.attempts:
        if attempt.owner in OWN and attempt.id is not None:
            found[attempt.id].add(attempt.content)
    return found


def differing(mine: Iterable[Shown], theirs: Iterable[Shown]) -> tuple[list[Shown], list[Shown]]:
    """What only the first shows, and what only the second; each row counts."""
    more, lacking = [], list(theirs)
    for one in mine:
        at = next((n for n, other in enumerate(lacking) if alike(other.what, one.what)), None)
        if at is None:
            more.append(one)
        else:
            del lacking[at]
    return more, lacking
