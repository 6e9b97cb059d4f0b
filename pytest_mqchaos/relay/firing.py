"""One firing: a recipe at work on one link. It turns the recipe's actions into changes of the link.

    event --> Recipe.on --> actions --> link queues, gates, timers, asks

A first frame or a reply that the recipe does not mention goes on: a forgotten frame must never be a
lost one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_mqchaos.frames import Direction, Frame, Sighting
from pytest_mqchaos.recipes import base as act

if TYPE_CHECKING:
    from pytest_mqchaos.relay.arming import Armed
    from pytest_mqchaos.relay.link import Link


class Firing:
    """State of one firing, from `triggered` to `took effect` or `unharmed`."""

    __slots__ = ("_told", "armed", "done", "effect", "frame", "held", "label", "link", "recipe",
                 "replied", "sighting")  # fmt: skip

    def __init__(
        self, *, armed: Armed, link: Link, frame: Frame, sighting: Sighting, recipe: act.Recipe,
        label: str,
    ) -> None:  # fmt: skip
        self.armed = armed
        self.link = link
        self.frame = frame
        self.sighting = sighting
        self.recipe = recipe
        self.label = label
        self.held: set[Frame] = set()
        self.done = False
        self.effect = False
        self.replied = False
        self._told = False

    # ------------------------------------------------------------ events

    def start(self, now: int) -> None:
        """The rule was triggered by our frame."""
        engine = self.link.engine
        engine.rule_note(self.armed, "triggered", self.label, now)
        self.link.firings.append(self)
        seen = act.FrameSeen(frame=self.frame, sighting=self.sighting, first=True, t=now)
        self._feed(seen, now, default=self.frame)
        queue = self.link.scanner.outstanding
        if queue and queue[0].frame is self.frame:
            self.drained(now)

    def awaits(self, reply: Frame) -> bool:
        """Whether this reply answers the request that triggered us."""
        return not self.done and not self.replied and reply.request is self.frame

    def reply(self, frame: Frame, now: int) -> None:
        """The broker's answer to our request has come; it is ours to let go."""
        self.replied = True
        sighting = self.link.engine.decode(frame)
        self._feed(act.ReplySeen(frame=frame, sighting=sighting, t=now), now, default=frame)

    def arrived(self, frame: Frame, sighting: Sighting, now: int) -> None:
        """Another frame came on the same link while we are at work."""
        self._feed(act.FrameSeen(frame=frame, sighting=sighting, first=False, t=now), now)

    def drained(self, now: int) -> None:
        """Nothing that was sent before our request is unanswered any more."""
        if not self._told:
            self._told = True
            self._feed(act.Drained(t=now), now)

    def timer(self, now: int) -> None:
        """The instant that we asked for has come."""
        self._feed(act.Timer(t=now), now)

    def answer(self, value: object, now: int) -> None:
        """The controller or the broker answered what we asked."""
        self._feed(act.Answer(value=value, t=now), now)

    def closed(self, now: int, *, by_client: bool) -> None:
        """The link is gone."""
        self._feed(act.Closed(by_client=by_client, t=now), now)
        if not self.done and not self.link.engine.asked(self):
            if not self.effect:
                who = "client" if by_client else "broker"
                self._do(act.Unharmed(f"the {who} closed the connection first"), now)
            self._finish(now)

    def heal(self, now: int) -> None:
        """The test is over or settles: give up what is held, end the dark."""
        if self.link.dark == "lost":
            self.link.sever(reset=False, now=now)
        self.link.dark = None
        for frame in tuple(self.held):
            self._do(act.Forward(frame), now)
        self._finish(now)

    # ------------------------------------------------------------ actions

    def _feed(self, event: act.Event, now: int, default: Frame | None = None) -> None:
        if self.done:
            return
        mentioned = False
        for action in self.recipe.on(event):
            if default is not None and isinstance(action, act.Forward | act.Swallow | act.Hold):
                mentioned = mentioned or action.frame is default
            if isinstance(action, act.Done) and default is not None and not mentioned:
                self._do(act.Forward(default), now)
                mentioned = True
            self._do(action, now)
        if default is not None and not mentioned:
            self._do(act.Forward(default), now)
        self.link.regate(now)

    def _do(self, action: act.Action, now: int) -> None:  # noqa: C901, PLR0912, PLR0915 - a closed set
        link = self.link
        engine = link.engine
        match action:
            case act.Forward(frame, data):
                self._let(frame, data)
            case act.Swallow(frame):
                self._swallow(frame)
            case act.Hold(frame):
                self._hold(frame)
            case act.Gate(direction):
                link.gates[direction].add(self)
            case act.Reply(request, data, code):
                by = self.armed.index
                body = {"note": "answered", "frame": request.seq, "code": code, "rule": by}
                engine.note(body, now)
                link.answer(link.pending_of(request), data)
            case act.WakeAt(t):
                engine.wake_at(t, self)
            case act.Sever(reset):
                link.gates[Direction.TO_CLIENT].discard(self)
                link.flush_replies()
                link.sever(reset=reset, now=now)
            case act.Dark():
                link.dark = "lost"
            case act.Light():
                link.dark = None
                engine.dirty.add(link)
            case act.SideRequest(data):
                engine.sides.append((engine.question(self), link.node, data))
            case act.CutOwner():
                engine.cut(link.owner, now)
            case act.Ask(what, arguments):
                body = {"owner": link.owner, "node": link.node, "port": link.port, **arguments}
                engine.asks.append({"ask": engine.question(self), "what": what, "arguments": body})
            case act.TookEffect(note):
                self._effect(note, now)
            case act.Unharmed(reason):
                self.armed.reasons.append(reason)
                engine.rule_note(self.armed, "unharmed", reason, now)
            case act.Done():
                self._finish(now)

    def _let(self, frame: Frame, data: bytes | None) -> None:
        link = self.link
        self._unhold(frame)
        by = self.armed.index
        if frame.direction is Direction.TO_BROKER:
            link.let(frame, frame.raw if data is None else data, told=True, by=by)
            return
        if data is not None:
            link.engine.fate(frame, "replaced", by)
        link.answer(link.pending_of(frame), frame.raw if data is None else data, frame)

    def _swallow(self, frame: Frame) -> None:
        link = self.link
        self._unhold(frame)
        link.engine.fate(frame, "swallowed", self.armed.index)
        pending = link.pending_of(frame)
        if pending is None:
            return
        if frame.direction is Direction.TO_BROKER:
            pending.local = True
        else:
            link.answer(pending, b"")

    def _hold(self, frame: Frame) -> None:
        self.held.add(frame)
        if frame.direction is Direction.TO_BROKER:
            self.link.gates[Direction.TO_BROKER].add(self)
            return
        pending = self.link.pending_of(frame)
        if pending is not None:
            pending.held = True

    def _unhold(self, frame: Frame) -> None:
        if frame in self.held:
            self.held.discard(frame)
            if frame.direction is Direction.TO_BROKER:
                self.link.gates[Direction.TO_BROKER].discard(self)

    def _effect(self, note: str, now: int) -> None:
        if not self.effect:
            self.effect = True
            self.armed.fired += 1
        self.link.engine.rule_note(self.armed, "took effect", note or self.label, now)

    def _finish(self, now: int) -> None:
        if self.done:
            return
        self.done = True
        link = self.link
        for gates in link.gates:
            gates.discard(self)
        if self in link.firings:
            link.firings.remove(self)
        self.armed.firing -= 1
        link.engine.finished(self)
        link.regate(now)
