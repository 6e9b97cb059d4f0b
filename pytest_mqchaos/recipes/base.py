"""The small state machine behind one legality row: `Recipe.on(event) -> actions`.

Events and actions are closed sets. A recipe holds the state of *one firing on one link*; the frozen
fault that it serves knows no protocol. It never does I/O and never looks at a clock: time arrives
in events, waiting is `WakeAt`.

    relay --FrameSeen(first)--> recipe --[Hold, WakeAt, ...]--> relay
          --ReplySeen / FrameSeen / Timer / Answer / Drained / Closed-->
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar, overload

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Direction, Frame, Sighting

# ---------------------------------------------------------------- events


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSeen:
    """A frame that a rule may act on. `first`: the one that triggered this firing; later frames of
    the same link that the relay decides follow with `first=False` (their fate is not ours)."""

    frame: Frame
    sighting: Sighting
    first: bool
    t: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplySeen:
    """The broker's reply to the triggering request is here and waits for our decision."""

    frame: Frame
    sighting: Sighting
    t: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """Every request sent before the triggering one has been answered and the answers have left."""

    t: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """The instant asked for with `WakeAt` has come."""

    t: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The controller answered an `Ask` (value) or the broker a `SideRequest` (raw reply bytes)."""

    value: object
    t: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The link is gone; a held frame may still be forwarded or swallowed."""

    by_client: bool
    t: int


Event: TypeAlias = FrameSeen | ReplySeen | Drained | Timer | Answer | Closed
E = TypeVar("E", bound=Event)

# ---------------------------------------------------------------- actions


@dataclass(frozen=True, slots=True)
class Forward:
    """Let the frame go on, or `data` in its place."""

    frame: Frame
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Swallow:
    """The frame never arrives."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the frame and everything behind it in its direction until Forward or Swallow."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Gate:
    """Keep everything that comes behind in this direction from now on; `Sever` discards it."""

    direction: Direction


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer the request ourselves (it was swallowed): leaves after all earlier replies. `code` is
    the error that `data` says, for the history."""

    request: Frame
    data: bytes
    code: int


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send a `Timer` at this instant (ns, the clock of events)."""

    t: int


@dataclass(frozen=True, slots=True)
class Sever:
    """Close the link, both sides. What was already let through is flushed first, unless `reset`."""

    reset: bool = False


@dataclass(frozen=True, slots=True)
class Dark:
    """Nothing passes either way any more, the connection stays open until the client gives up."""


@dataclass(frozen=True, slots=True)
class SideRequest:
    """Send one whole frame to the link's broker on a connection of our own; `Answer` has the
    reply."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CutOwner:
    """Close every link of this link's owner and refuse its connections for ever."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Have the controller do something to a process or a cluster: "crash_worker", "kill_broker",
    "move_leader"... `Answer` says whether it was done, see `refusal`."""

    what: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TookEffect:
    """The fault has really happened: this is what `rule.fired` counts."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Unharmed:
    """The firing ended without effect; `reason` is shown if the rule never fires."""

    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """The firing is over; later frames of the link are no longer ours to see."""


Action: TypeAlias = (
    Forward | Swallow | Hold | Gate | Reply | WakeAt | Sever | Dark | SideRequest
    | CutOwner | Ask | TookEffect | Unharmed | Done
)  # fmt: skip


class Recipe(Protocol):
    """One firing of one rule on one link."""

    def on(self, event: Event) -> list[Action]: ...


Script: TypeAlias = Generator[list[Action], Event, None]


class Scripted:
    """A recipe written as a generator: `event = yield [actions]`; its end is `Done`. The step that
    tells the outcome (`TookEffect`, `Unharmed`) is the last one, unless it leaves the link `Dark`:
    that lasts until the link is gone."""

    __slots__ = ("_started", "_steps", "_write")

    def __init__(self, write: Callable[[FrameSeen], Script]) -> None:
        self._write = write
        self._steps: Script | None = None
        self._started = False

    def on(self, event: Event) -> list[Action]:
        if self._started and self._steps is None:
            return []
        try:
            if self._steps is None:
                if not isinstance(event, FrameSeen):
                    return []
                self._started = True
                self._steps = self._write(event)
                return self._told(next(self._steps), event)
            return self._told(self._steps.send(event), event)
        except StopIteration:
            self._steps = None
            return [Done()]

    def _told(self, actions: list[Action], event: Event) -> list[Action]:
        """A generator that waits at its last `yield` cannot be told from one that goes on: without
        this its gates would stay closed until something else happens on the link."""
        kinds = {type(action) for action in actions}
        if Dark in kinds or not kinds & {TookEffect, Unharmed}:
            return actions
        steps, self._steps = self._steps, None
        assert steps is not None
        try:
            steps.send(event)
        except StopIteration:
            return [*actions, Done()]
        raise UsageError(
            "a recipe goes on after it has told its outcome: TookEffect or Unharmed belong into "
            "its last step, unless the link is left Dark"
        )


def refusal(event: Answer) -> str | None:
    """Why the controller did not do what it was asked, if it did not."""
    value = event.value
    if isinstance(value, Mapping) and value.get("done"):
        return None
    return str(value.get("refused") if isinstance(value, Mapping) else "the controller is gone")


# Time that a client gets to read what was answered before, so that a cut takes only what it should
# (clients.md: earlier confirms that a client has not read yet are lost with the connection).
READ_NS = 30_000_000


@overload
def until(
    kind: type[E], /, *, do: list[Action] | None = None
) -> Generator[list[Action], Event, E]: ...


@overload
def until(
    *kinds: type[Event], do: list[Action] | None = None
) -> Generator[list[Action], Event, Event]: ...


def until(*kinds: type[Any], do: list[Action] | None = None) -> Generator[list[Action], Event, Any]:
    """Inside a script: do these actions, then wait for the first event of one of these kinds."""
    event = yield do or []
    while not isinstance(event, kinds):
        event = yield []
    return event
