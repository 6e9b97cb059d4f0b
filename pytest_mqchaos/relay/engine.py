"""The heart: frames + time + plan -> what happens. Sans-io; a shell moves the bytes.

It knows links, rules and who asked what; it must never know a protocol (that is the codec's), how a
fault is caused (the recipe's), sockets or clocks (the shell's).

    shell --bytes, time, answers--> Engine --> Link.out, asks, sides, history bytes
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from pytest_mqchaos.frames import Frame, Sighting
from pytest_mqchaos.history.identity import DEFAULT_SPEC, Identity
from pytest_mqchaos.plan.rules import Rule
from pytest_mqchaos.recipes.registry import recipe_for
from pytest_mqchaos.relay.arming import Armed
from pytest_mqchaos.relay.armory import Armory
from pytest_mqchaos.relay.firing import Firing
from pytest_mqchaos.relay.link import Link
from pytest_mqchaos.relay.recording import Recording
from pytest_mqchaos.relay.roles import Task
from pytest_mqchaos.wire.base import Codec, Interest

NAMED = 3  # ids that a note names
Address = Callable[[str, int, str, int], tuple[str, int]]


class Engine:
    """All links of one data plane (or one simulation) and the plan that is armed on them.

    `sink` takes packed history bytes; `address(owner, node, host, port)` gives the owner's own
    listener for a broker. A shell empties `asks` (to the controller), `sides` (own connections to a
    broker) and `dirty` (links with output made outside their own scan).
    """

    def __init__(self, *, codec: Codec, sink: Callable[[bytes], None], address: Address) -> None:
        self.codec = codec
        self.address = address
        self.recording = Recording(codec, sink)
        self.asks: list[dict[str, object]] = []
        self.sides: list[tuple[int, int, bytes]] = []
        self.dirty: set[Link] = set()
        self.links: dict[int, Link] = {}
        self.now = 0
        self._numbers = 0
        self._timers: list[tuple[int, int, Task]] = []
        self._interest = Interest()
        self._last: tuple[Frame, Sighting] | None = None
        self._reset(None)

    # ------------------------------------------------------------ a run

    def begin(self, settings: Mapping[str, object], now: int) -> None:
        """A Chaos starts. `settings`: `identity` (a spec, None = by content), `record` (bool).
        Links that are open already stay, and belong to it from now on."""
        spec = settings.get("identity", DEFAULT_SPEC)
        identity = Identity.parse(spec) if spec is not None else None
        self.end(now)
        self._reset(identity)
        self.recording.begin(now)
        self.recording.on = bool(settings.get("record", True))
        for link in self.links.values():
            self.note(self._link_note(link), now)
            if link.scanner.blind is not None:
                self.blind(link, now)
        self.recording.topics(now)  # clients that stay connected use ids of the run before
        self._look()

    def _reset(self, identity: Identity | None) -> None:
        self.refused: set[str] = set()
        self.firings: dict[Task, None] = {}  # in order: a run must repeat itself
        self.questions: dict[int, Task] = {}
        self._timers.clear()
        self.armory = Armory(self.codec, identity)

    def end(self, now: int) -> None:
        """The Chaos is over: nothing is armed, nothing is recorded, no firing is left."""
        self.disarm()
        self.heal(now)
        for firing in tuple(self.firings):
            firing.drop(now)
        self._timers.clear()
        self.recording.on = False
        self._look()

    def arm(self, rules: Iterable[tuple[int, Rule]], now: int) -> None:
        """Add rules; their counters start at zero now. Raises `UsageError` for one that the
        protocol has no recipe for, before any is armed."""
        added = tuple(rules)
        for _, rule in added:
            recipe_for(self.codec.name, rule.where.point, rule.fault)
        self.recording.moved()  # what was only kept is looked at before anything that comes later
        for index, rule in added:
            self.rule_note(self.armory.arm(index, rule), "armed", repr(rule), now)
        self._look()

    def disarm(self) -> None:
        """No rule triggers any more; what is under way goes on."""
        self.armory.disarm()
        self._look()

    def heal(self, now: int) -> None:
        """End everything that stands: holds, gates, dark links."""
        self.now = now
        while standing := [firing for firing in self.firings if not firing.healed]:
            for firing in standing:  # letting go may set off others
                firing.heal(now, "the test ended first")

    def closing(self, owner: str, now: int) -> None:
        """An owner is being stopped: from now on its frames match no rule, and nothing holds them
        up."""
        self.now = now
        self.recording.closing.add(owner)
        self.note({"note": "closing", "owner": owner}, now)
        for firing in tuple(self.firings):
            if firing.owner == owner:
                firing.heal(now, f"{owner} was stopped first")

    def _look(self) -> None:
        requests, replies = self.armory.names()
        on = self.recording.on
        # The reply to a request that a rule waits for is looked at only once the rule is at work:
        # from then on the link has every reply decided.
        self._interest = Interest(track=on, record=on, requests=requests, replies=replies)
        for link in self.links.values():
            link.scanner.look(self._interest)

    # ------------------------------------------------------------ links

    def open(self, owner: str, node: int, now: int, *, port: int = 0) -> Link | None:
        """A client connected (from `port`) to the listener of `owner` for broker `node`; None =
        refuse it."""
        if owner in self.refused:
            return None
        self._numbers += 1
        link = Link(self, self._numbers, owner, node, port)
        link.scanner.look(self._interest)
        self.links[link.number] = link
        self.note(self._link_note(link), now)
        return link

    def _link_note(self, link: Link) -> dict[str, object]:
        return {"note": "link", "link": link.number, "owner": link.owner, "node": link.node}

    def gone(self, link: Link, now: int, *, by_client: bool) -> None:
        """Both sides of a link are closed."""
        self.now = now
        if link.ended is None:
            link.ended = "client" if by_client else "broker"
            self.note({"note": "closed", "link": link.number, "by": link.ended}, now)
        del self.links[link.number]
        for firing in tuple(link.firings):
            firing.closed(now, by_client=link.ended == "client")

    def blind(self, link: Link, now: int) -> None:
        """From here on nobody sees what this link carries."""
        self.note({"note": "blind", "link": link.number, "why": link.scanner.blind}, now)

    def cut(self, owner: str, now: int) -> None:
        """End every link of an owner and refuse it for ever."""
        self.refused.add(owner)
        for link in tuple(self.links.values()):
            if link.owner == owner:
                link.sever(reset=False, now=now)

    # ------------------------------------------------------------ frames

    def recorded(self, link: Link, now: int) -> None:
        """Frames that streamed through are put on record."""
        for frame in link.scanner.seen:
            frame.t, frame.link = now, link.number
            self.record(link, frame, held=False)
        link.scanner.seen.clear()

    def record(self, link: Link, frame: Frame, *, held: bool) -> None:
        """Give a frame its place in the history."""
        self.now = frame.t
        if self.armory.covers(frame):
            self.armory.delivered(link.owner, self.decode(frame))
        last = self._last
        said = last[1] if last is not None and last[0] is frame else None
        self.recording.frame(frame, link.owner, held=held, said=said)

    def decode(self, frame: Frame) -> Sighting:
        """What a frame means; what cannot be read is counted (the history has the frame itself).
        A frame is decoded once: codecs may count on seeing each of them in its turn."""
        if self._last is None or self._last[0] is not frame:
            self._last = frame, self.codec.decode(frame)
            self.recording.undecoded += self._last[1].undecoded is not None
        return self._last[1]

    def rewritten(self, link: Link, frame: Frame) -> bytes:
        """The reply with every broker address replaced by the owner's own listener."""
        own = partial(self.address, link.owner)
        frame.raw = self.codec.rewrite_addresses(frame, own) or frame.raw
        self.recording.topics(frame.t)
        return frame.raw

    def trigger(self, link: Link, frame: Frame) -> Task | None:
        """The firing that this frame starts, if a rule waited for it. Every rule counts it."""
        if link.owner in self.recording.closing or not self.armory.waits_for(frame):
            return None
        sighting = self.decode(frame)
        if sighting.undecoded is not None:
            return None
        hit = self.armory.hit(link.owner, frame, sighting)
        if hit is None:
            return None
        armed, ids = hit
        rule = armed.rule
        firing = Firing(
            armed=armed,
            link=link,
            frame=frame,
            sighting=sighting,
            recipe=recipe_for(self.codec.name, rule.where.point, rule.fault),
            label=f"{frame.name} of {', '.join(ids[:NAMED])}" + " ..." * (len(ids) > NAMED),
        )
        armed.firing += 1
        self.firings[firing] = None
        return firing

    def arrived(self, link: Link, frame: Frame, now: int) -> None:
        """A frame came while firings are at work on its link."""
        sighting = self.decode(frame)
        for firing in tuple(link.firings):
            firing.arrived(frame, sighting, now)

    # ------------------------------------------------------------ what firings use

    def finished(self, task: Task) -> None:
        """A firing is over."""
        del self.firings[task]
        self.questions = {n: t for n, t in self.questions.items() if t is not task}

    def question(self, task: Task) -> int:
        """A number under which the answer will come back."""
        self._numbers += 1
        self.questions[self._numbers] = task
        return self._numbers

    def asked(self, task: Task) -> bool:
        """Whether an answer to this firing is still to come."""
        return task in self.questions.values()

    def answer(self, ask: int, value: object, now: int) -> None:
        """The controller answered an ask, or a broker a side request (None: it failed)."""
        self.now = now
        firing = self.questions.pop(ask, None)
        if firing is not None:
            firing.answer(value, now)

    def wake_at(self, t: int, task: Task) -> None:
        """Send this firing a timer at `t`."""
        self._numbers += 1
        heapq.heappush(self._timers, (t, self._numbers, task))

    def timers(self) -> int:
        """How many instants are waited for."""
        return len(self._timers)

    def next_wake(self) -> int | None:
        """When `wake` has something to do (ns), if ever."""
        return self._timers[0][0] if self._timers else None

    def wake(self, now: int) -> None:
        """Timers that are due."""
        self.now = now
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2].timer(now)

    def touched(self, link: Link) -> None:
        """The shell has something to flush there."""
        self.dirty.add(link)

    def lost(self, owner: str, sighting: Sighting) -> None:
        """An ack never arrived: what it covered is not yet acked."""
        self.armory.lost(owner, sighting)

    def note(self, body: Mapping[str, object], now: int) -> None:
        """Put anything on record."""
        self.recording.note(body, now)

    def fate(self, frame: Frame, what: str, by: int | None) -> None:
        """Put on record what became of a held frame."""
        self.recording.fate(frame, what, by, self.now)

    def rule_note(self, armed: Armed, what: str, text: str, now: int) -> None:
        """One step in a rule's life."""
        self.note({"note": "rule", "rule": armed.index, "what": what, "text": text}, now)
