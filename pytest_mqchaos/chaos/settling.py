"""Waiting until nothing can still happen, without sleeping for luck.

It asks the data plane, the broker and the effects, and counts its limit from the last progress. It
must never decide a verdict: what still waits at the limit is the checkers' to name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Protocol

from pytest_mqchaos.chaos.config import Config
from pytest_mqchaos.chaos.pace import Pace
from pytest_mqchaos.chaos.waiting import SECOND
from pytest_mqchaos.errors import WaitTimeout

Until = Literal["positions", "effects"]
PAUSE = 0.01  # seconds between two looks
WINDOW = 0.25  # seconds without a moving frame that count as quiet
STARVED = 0.05  # seconds by which a pause may be longer than asked for
SELDOM = 1.0  # seconds between two looks at what comes behind the commit, where nobody waits
RETRY = 5.0  # seconds for a producer to find the next leader (1.3 s on three real brokers)
NOBODY = 1.0  # seconds to wait for positions when nobody is left to move them
LONGEST = 75.0  # a client's time-out on a dark link (61 s), a transaction's, and its broker's look
ROUND = 10_000  # frames and notes
IN_A_CIRCLE = "messages are handed out again and again, and nothing comes of it"


class Watched(Protocol):
    """What settling looks at."""

    def status(self) -> dict[str, Any]: ...

    def behind(self) -> list[str]:
        """Groups that are not at the end of a partition, as sentences."""

    def beginning(self) -> list[str]:
        """Groups of a next stage, perhaps at their first message there, as sentences: no more is
        known of whoever has never acked, and he may never do so."""

    def unheard(self) -> list[str]:
        """Workers that run but have not yet been seen to consume or publish."""

    def past(self) -> list[str]:
        """Signs of clients that are at work past every link, as sentences."""

    def unanswered(self) -> list[str]:
        """Publishes that a broken broker left without an answer, as sentences."""

    def gained(self) -> int:
        """A number that grows as long as anything comes of what moves."""

    def look(self) -> bool:
        """Look at the effects; whether anything was new."""

    def missing(self) -> int:
        """Confirmed messages without an effect (0 when no effects are declared)."""

    def foreign(self) -> bool:
        """Whether effects were seen and none has the id of a message (totals by account): then it
        says little that some have none."""

    def left_open(self) -> list[str]:
        """Transactions that the dead have left open and that hold records back, as sentences."""

    def failed(self) -> BaseException | None:
        """The error of a worker that is the test's failure."""

    def unfired(self, *, control: bool) -> list[str]:
        """Rules that must fire and have not: on control requests, which come without any message,
        or all others."""

    def idle(self) -> bool:
        """No worker runs that could still take anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds. `progress`: without any progress while something is still behind; `effects`: with
    every position at its end but an effect missing; `patient`: effects are waited for as long as
    progress, since work may go on behind the commit (an outbox that is relayed every few seconds)
    and waiting costs nothing, or is asked for. `longest`: what has a time of its own to end in."""

    progress: float = 15.0
    effects: float = 2.0
    start: float = 20.0
    longest: float = LONGEST
    patient: bool = False

    @classmethod
    def of(cls, config: Config) -> Limits:
        """Those of `[tool.mqchaos]`."""
        return cls(
            progress=config.settle_timeout,
            effects=config.effect_timeout,
            start=config.start_timeout,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How it ended: `waiting` names what had not come when the limit came; `behind`: among it
    positions, which workers that start anew might still bring forward; `drained`: the workers were
    restarted once for that."""

    seconds: float
    waiting: tuple[str, ...] = ()
    behind: bool = False
    drained: bool = False

    def after_drain(self) -> Settled:
        """The same, of a second look."""
        return replace(self, drained=True)


def busy(status: dict[str, Any]) -> list[str]:
    """What is still under way on the links, in words."""
    words = {
        "open_publishes": "publishes without an answer",
        "held": "frames held by a rule",
        "asked": "processes being killed, paused or restarted by a rule",
        "dark": "dark connections",
    }
    return [f"{status[key]} {text}" for key, text in words.items() if status.get(key)]


async def settle(
    watched: Watched, *, until: Until, limits: Limits, pace: Pace, timeout: float | None = None,
) -> Settled:  # fmt: skip
    """Return when nothing moves any more. `timeout` (seconds) replaces the limit of progress, and
    that of effects."""
    began = pace.clock() / SECOND
    progress = began
    if timeout is not None:
        limits = replace(limits, progress=timeout, longest=timeout)
    limits = replace(limits, patient=pace.free or timeout is not None)
    circle = _Circle(watched, began, limits.longest)
    last_moved = 0
    still: list[str] = []
    while True:
        now = pace.clock() / SECOND
        if watched.failed() is not None:
            return Settled(seconds=now - began)
        status = watched.status()
        was_busy, still = bool(still), busy(status)
        # Whoever waited for what has just ended (a dark link, a late reply) may now go on: send
        # again, commit. That moves nothing yet, so the quiet window begins anew.
        over = was_busy and not still
        came, away = _looked(watched)
        if status["moved"] != last_moved or came or over:
            last_moved, progress = status["moved"], now
        if now - progress < WINDOW:
            if circle.closed(now, status["entries"], came=came):
                return Settled(seconds=now - began, waiting=(IN_A_CIRCLE,))
            progress += await _rest(pace, PAUSE)
            continue
        # What a rule holds it lets go in its own time, `hang(for_=60)` as well.
        ours = status["dark"] or status["held"]
        limit = max(limits.progress, limits.longest) if ours else limits.progress
        quiet = now - progress
        under_way = [*still, *away]
        waits = _Waits(under_way, limit) if under_way else _asked(watched, until, limits, quiet)
        if not waits.what:
            if watched.status()["moved"] != last_moved:
                continue  # while we asked
            return Settled(seconds=now - began)
        if quiet >= waits.limit:
            return Settled(seconds=now - began, waiting=tuple(waits.what), behind=waits.behind)
        progress += await _rest(
            pace, _next(quiet, waits.limit, pace) if waits.seldom else PAUSE * 3
        )


async def _rest(pace: Pace, seconds: float) -> float:
    """Pause; seconds that it took longer. This process had no turn then, nor had perhaps its
    workers: it was no time in which anything could have moved."""
    before = pace.clock()
    await pace.pause(seconds)
    late = (pace.clock() - before) / SECOND - seconds
    return late if late > STARVED else 0.0


class _Circle:
    """Whether what moves goes round in a circle: for so long, or so many frames, nothing came of
    it. What is quiet has limits of its own."""

    def __init__(self, watched: Watched, now: float, longest: float) -> None:
        self._watched = watched
        self._longest = longest
        self._since = now
        self._entries: int | None = None
        self._gained: int | None = None

    def closed(self, now: float, entries: int, *, came: bool) -> bool:
        """Asked while something moves; `came`: an effect came, or went."""
        if came:
            self._since, self._entries = now, entries
        elif self._entries is None:
            self._entries = entries
        if now - self._since < self._longest and entries - self._entries < ROUND:
            return False
        before, self._gained = self._gained, self._watched.gained()
        self._since, self._entries = now, entries
        return before == self._gained


def _next(quiet: float, limit: float, pace: Pace) -> float:
    """Seconds to the next look: the longer nothing came, the rarer (each look asks the broker)."""
    return max(PAUSE * 3, min(quiet / 10, SELDOM if pace.free else WINDOW, limit - quiet))


class _Waits(NamedTuple):
    """What is still to come, and after how many seconds without progress we give it up. `seldom`:
    a look now and then is enough."""

    what: list[str]
    limit: float
    behind: bool = False
    seldom: bool = False


def _looked(watched: Watched) -> tuple[bool, list[str]]:
    """Whether the effects show anything new; and, where they stand on a broker that cannot be asked
    now (an output topic, while it is down), that this is waited for."""
    try:
        return watched.look(), []
    except WaitTimeout as error:
        return False, [str(error)]


def _asked(watched: Watched, until: Until, limits: Limits, quiet: float) -> _Waits:
    """What `_quiet` says, if the brokers can be asked: while a partition has no leader they cannot,
    and where time stands still while we ask, only waiting here lets one be elected."""
    try:
        return _quiet(watched, until, limits, quiet)
    except WaitTimeout as error:
        return _Waits([str(error)], limits.progress)


def _quiet(watched: Watched, until: Until, limits: Limits, quiet: float) -> _Waits:
    """Nothing is under way on the links, for `quiet` seconds: what must nevertheless still come?"""
    patience = limits.progress
    unheard = watched.unheard()
    if unheard:
        # Whoever is at work past the links will not be heard of, however long we wait. Asking costs
        # the broker something: not before it would end the wait.
        short = min(patience, limits.effects)
        past = watched.past() if quiet >= short and not watched.missing() else []
        return _Waits([*unheard, *past], short if past else max(patience, limits.start))
    unanswered = watched.unanswered()
    if unanswered:
        return _Waits(unanswered, min(patience, RETRY))
    behind = watched.behind() if until == "positions" else []
    if behind:
        if watched.idle():
            return _Waits(behind, min(patience, NOBODY), behind=True)
        return _held_back(watched, _Waits(behind, patience, behind=True), limits, quiet)
    unfired = [] if watched.idle() else watched.unfired(control=True)
    if unfired:
        return _Waits(unfired, patience)
    missing = watched.missing()
    if missing:
        # Whoever keeps its own positions is drained like a group that is behind: started anew.
        own = until == "effects"
        short = min(patience, limits.effects)
        more = limits.patient and not watched.idle() and not watched.foreign()
        limit = patience if own or more else short
        said = f"{missing} messages without an effect"
        waits = _Waits([said], limit, behind=own, seldom=limits.patient and not own)
        return _held_back(watched, waits, limits, quiet)
    # Whoever sends may have stopped for a moment: a machine is busy, a client tries again.
    late = [] if watched.idle() else watched.unfired(control=False)
    first = watched.beginning() if until == "positions" else []
    # He who has acked nothing yet may never do so, unless a rule waits for what comes of it.
    limit = patience if first and late else min(patience, limits.effects)
    return _held_back(watched, _Waits([*late, *first], limit), limits, quiet)


def _held_back(watched: Watched, waits: _Waits, limits: Limits, quiet: float) -> _Waits:
    """The same, with the transactions that the dead have left open: until they have timed out
    nobody can read what stands behind them, and their successor may not know where to begin.
    Asking costs the broker something: not before it would end the wait."""
    if waits.what and quiet < min(waits.limit, limits.effects):
        return waits
    left = watched.left_open()
    if not left:
        return waits
    limit = max(waits.limit, limits.longest)
    return waits._replace(what=[*waits.what, *left], limit=limit, seldom=True)
