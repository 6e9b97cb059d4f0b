"""Everything that is known about one run, frozen: what checkers are functions of.

It knows no protocol and no fault. Rows are in order of `seq` (or `order`, or offset).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_mqchaos.history.digest import digest
from pytest_mqchaos.history.rows import (
    Accepted,
    Ack,
    Attempt,
    Delivery,
    Effect,
    Handled,
    Place,
    ProcessEvent,
    RuleEvent,
    RuleState,
    Stored,
    Unconfirmed,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What is judged as what: names of destinations by role."""

    inputs: frozenset[str] = frozenset()
    retries: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    dead_letters: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Ids that the test declared accounted for, by reason (`chaos.expect`)."""

    dead_lettered: frozenset[str] = frozenset()
    expired: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()

    def all(self) -> frozenset[str]:
        """Every declared id, whatever the reason."""
        return self.dead_lettered | self.expired | self.dropped | self.ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One run. `effects` is None when no effect source was declared (a question about effects is
    then a usage error); `tables`: some source may hold one row for each key, of which looks need
    not have seen every one. `gaps` are sentences
    about what was not seen (blind links, undecoded frames, bypass): they turn the verdicts that
    they touch into `unknown`; `gap_topics` names the destinations touched (empty = all).
    `limits` are sentences about what a pass does not cover. `readers` are the owners that were
    answered when they asked for messages, even if there were none; `asked` maps (owner, group,
    destination, partition) to the lowest offset that was asked for, in the order of their last.
    `effect_topics` are destinations whose records are the effects; `nameless_effects`: some have no
    id, and may be any message's; `absent` are sentences about sources of effects that were declared
    and are not there.
    `strangers` are groups whose positions on judged destinations moved though no link saw them.
    `led_anew` are (destination, partition) that had more than one leadership while the test ran:
    there an offset may have been given to two messages, one after the other. `lone` are those with
    one copy, `starts` says from which offset on each log is kept, `compacted` are destinations
    that keep the last message of a key. `committed` maps the `seq` of each attempt whose
    transaction the broker said is committed to the instant of that, `blocked` are the ids of
    messages behind the begin of a transaction that is still open: nobody who reads committed
    messages is handed them; `pending` the ids of records of effect topics that stand there. `spans`
    maps a link to the seqs of its opening and its end (0 while open). `unconfirmed`: what the test
    itself published to inputs and was not told is safe; `disowned`: its `id=` calls everything that
    it published somebody else's.
    """

    attempts: tuple[Attempt, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    acks: tuple[Ack, ...] = ()
    stored: tuple[Stored, ...] = ()
    places: tuple[Place, ...] = ()
    effects: tuple[Effect, ...] | None = None
    tables: bool = False
    handled: tuple[Handled, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    processes: tuple[ProcessEvent, ...] = ()
    rules: tuple[RuleState, ...] = ()
    rule_events: tuple[RuleEvent, ...] = ()
    flow: Flow = field(default_factory=Flow)
    expected: Expected = field(default_factory=Expected)
    gaps: tuple[str, ...] = ()
    gap_topics: frozenset[str] = frozenset()
    unidentified: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    read_back: bool = True
    links: Mapping[int, str] = field(default_factory=dict)
    spans: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    readers: frozenset[str] = frozenset()
    asked: Mapping[tuple[str, str | None, str, int], int] = field(default_factory=dict)
    effect_topics: frozenset[str] = frozenset()
    nameless_effects: bool = False
    absent: tuple[str, ...] = ()
    strangers: frozenset[str] = frozenset()
    led_anew: frozenset[tuple[str, int]] = frozenset()
    committed: Mapping[int, int] = field(default_factory=dict)
    blocked: frozenset[str] = frozenset()
    pending: frozenset[str] = frozenset()
    lone: frozenset[tuple[str, int]] = frozenset()
    starts: Mapping[tuple[str, int], int] = field(default_factory=dict)
    compacted: frozenset[str] = frozenset()
    unconfirmed: tuple[Unconfirmed, ...] = ()
    disowned: bool = False
    started: int = 0
    # What was derived from the rows (history/index.py), kept as long as they are.
    derived: dict[str, object] = field(default_factory=dict, init=False, repr=False, compare=False)

    def digest(self) -> str:
        """One word for everything that this run showed: two runs with the same one cannot be told
        apart by their messages, acks, effects, log, workers and rules. Instants, ports, and names
        that a client library counts up have no part in it (see `history.digest`)."""
        return digest(self)
