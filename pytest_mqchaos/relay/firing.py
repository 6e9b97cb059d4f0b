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
    """State of one firing, from `triggered` to `took effect` or `unharmed`. `held`: frames that it
    keeps back; `healed`: it may cause nothing any more, only tell what an answer says."""

    __slots__ = ("_gated", "_ours", "_told", "armed", "done", "effect", "frame", "healed", "held",
                 "label", "link", "recipe", "sighting")  # fmt: skip

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
        self.healed = False
        self._told = False
        self._ours = [frame]  # whose fate is ours and not decided yet
        self._gated: set[Direction] = set()

    @property
    def index(self) -> int:
        """Of the rule."""
        return self.armed.index

    @property
    def owner(self) -> str:
        """Whose link it is."""
        return self.link.owner

    # ------------------------------------------------------------ events

    def start(self, now: int) -> None:
        """The rule was triggered by our frame."""
        self.link.engine.rule_note(self.armed, "triggered", self.label, now)
        self.link.firings.append(self)
        self._feed(act.FrameSeen(frame=self.frame, sighting=self.sighting, first=True, t=now), now)

    def awaits(self, reply: Frame) -> bool:
        """Whether this reply answers the request that triggered us."""
        return reply.request is self.frame

    def reply(self, frame: Frame, now: int) -> None:
        """The broker's answer to our request has come; it is ours to let go."""
        self._ours.append(frame)
        sighting = self.link.engine.decode(frame)
        self._feed(act.ReplySeen(frame=frame, sighting=sighting, t=now), now)

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

    def heal(self, now: int, why: str) -> None:
        """End what stands: let go what is held, open the gates, end the dark. An answer that is
        still to come is waited for: it says whether there was an effect."""
        link = self.link
        if self.done or self.healed:
            return
        self.healed = True
        self._leave()
        if link.dark:
            link.sever(reset=False, now=now)
        if self.effect:
            link.engine.rule_note(self.armed, "healed", why, now)
        if link.engine.asked(self):
            self._let_go(now)
        else:
            self._give_up(why, now)

    def drop(self, now: int) -> None:
        """The run is over: nothing is waited for any more."""
        self._give_up("the test was over before the answer came", now)

    # ------------------------------------------------------------ what follows from events

    def _feed(self, event: act.Event, now: int) -> None:
        if self.done:
            return
        try:
            for action in self.recipe.on(event):
                self._do(action, now)
        except Exception as error:
            if not self.done:  # else it was another one's, set off by what we let go
                self._failed(error, now)
            raise
        for frame in tuple(self._ours):
            if frame not in self.held:
                self._let(frame, None)
        self.link.regate(now)
        if self.link.engine.asked(self):
            return
        if self.healed:
            self._give_up("it was healed before it could act", now)
        elif self.link.gone:
            who = "another rule" if self.link.ended == "fault" else f"the {self.link.ended}"
            self._give_up(f"{who} closed the connection first", now)

    def _failed(self, error: Exception, now: int) -> None:
        """Nothing about this link can be trusted any more: it is cut, so that nothing hangs."""
        self.link.sever(reset=True, now=now)
        self._unharmed(f"the recipe failed: {type(error).__name__}: {error}", now)
        self._finish(now)

    def _give_up(self, why: str, now: int) -> None:
        if not self.done:
            if not self.effect:
                self._unharmed(why, now)
            self._finish(now)

    def _let_go(self, now: int) -> None:
        for frame in tuple(self._ours):
            self._let(frame, None)
        self._gated.clear()
        for gates in self.link.gates:
            gates.discard(self)
        self.link.regate(now)

    def _finish(self, now: int) -> None:
        """A frame that the recipe forgot goes on with everything behind it."""
        self.done = True
        self._leave()
        self.armed.firing -= 1
        self.link.engine.finished(self)
        self._let_go(now)

    def _leave(self) -> None:
        """See nothing of the link any more."""
        if self in self.link.firings:
            self.link.firings.remove(self)

    # ------------------------------------------------------------ actions

    def _do(self, action: act.Action, now: int) -> None:
        """Carry out one action. Notes are always taken; anything else only while we may act."""
        match action:
            case act.TookEffect(note):
                self._effect(note, now)
            case act.Unharmed(reason):
                self._unharmed(reason, now)
            case act.Done():
                self._finish(now)
            case _ if not self.healed:
                self._cause(action, now)

    def _cause(self, action: act.Action, now: int) -> None:
        link = self.link
        match action:
            case act.Forward(frame, data):
                self._let(frame, data)
            case act.Swallow(frame):
                self._swallow(frame)
            case act.Hold(frame):
                self._hold(frame)
            case act.Gate(direction):
                self._gated.add(direction)
                link.gates[direction].add(self)
            case act.Reply(request, data, code):
                self._reply(request, data, code, now)
            case act.Sever(reset):
                link.sever(reset=reset, now=now)
            case act.Dark():
                link.dark = True
            case act.WakeAt(t):
                link.engine.wake_at(t, self)
            case _:
                self._ask(action, now)

    def _ask(self, action: act.Action, now: int) -> None:
        """Have others do something."""
        link, engine = self.link, self.link.engine
        if isinstance(action, act.CutOwner):
            engine.cut(link.owner, now)
        elif isinstance(action, act.SideRequest):
            engine.sides.append((engine.question(self), link.node, action.data))
        else:
            assert isinstance(action, act.Ask)
            body = {"owner": link.owner, "node": link.node, "port": link.port, **action.arguments}
            ask = {"ask": engine.question(self), "what": action.what, "arguments": body}
            engine.asks.append(ask)

    def _reply(self, request: Frame, data: bytes, code: int, now: int) -> None:
        link = self.link
        pending = link.pending_of(request)
        if pending is None or link.shut:
            return  # nobody will hear it
        by = self.armed.index
        link.engine.note({"note": "answered", "frame": request.seq, "code": code, "rule": by}, now)
        link.answer(pending, data)

    def _let(self, frame: Frame, data: bytes | None) -> None:
        if not self._decided(frame):
            return
        link = self.link
        by = self.armed.index
        if frame.direction is Direction.TO_BROKER:
            link.let(frame, frame.raw if data is None else data, by)
            return
        pending = link.pending_of(frame)
        if pending is None:
            return  # we answered in its place
        if data is not None:
            link.engine.fate(frame, "replaced", by)
        link.answer(pending, frame.raw if data is None else data, frame)

    def _swallow(self, frame: Frame) -> None:
        if not self._decided(frame):
            return
        link = self.link
        link.engine.fate(frame, "swallowed", self.armed.index)
        pending = link.pending_of(frame)
        if frame.direction is Direction.TO_BROKER:
            link.engine.lost(link.owner, self.sighting)
            if pending is not None:
                pending.local = True
        elif pending is not None:
            link.answer(pending, b"")

    def _hold(self, frame: Frame) -> None:
        if frame not in self._ours:
            return
        self.held.add(frame)
        if frame.direction is Direction.TO_BROKER:
            self.link.gates[Direction.TO_BROKER].add(self)
            return
        pending = self.link.pending_of(frame)
        if pending is not None:
            pending.held = True

    def _decided(self, frame: Frame) -> bool:
        """Its fate is told now: once for each frame of ours, never for another's."""
        if frame not in self._ours:
            return False
        self._ours.remove(frame)
        self.held.discard(frame)
        if frame is self.frame and Direction.TO_BROKER not in self._gated:
            self.link.gates[Direction.TO_BROKER].discard(self)
        return True

    def _effect(self, note: str, now: int) -> None:
        if not self.effect:
            self.effect = True
            self.armed.fired += 1
        self.link.engine.rule_note(self.armed, "took effect", note or self.label, now)

    def _unharmed(self, reason: str, now: int) -> None:
        self.armed.reasons.append(reason)
        self.link.engine.rule_note(self.armed, "unharmed", reason, now)
