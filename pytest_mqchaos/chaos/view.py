"""What a Chaos can see at this moment: for settling, for judging, for burying the dead."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_mqchaos.chaos import consequences
from pytest_mqchaos.chaos.gains import Gains
from pytest_mqchaos.chaos.judging import Evidence, Tape, build, reads, strangers, unended
from pytest_mqchaos.chaos.outputs import Output, Part
from pytest_mqchaos.chaos.passed_on import next_stages
from pytest_mqchaos.checkers.wording import listed
from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Point
from pytest_mqchaos.history.history import History
from pytest_mqchaos.history.rows import PUBLISHER, RUNS, worker_of

if TYPE_CHECKING:
    from pytest_mqchaos.chaos.ground import Began
    from pytest_mqchaos.chaos.posting import Post
    from pytest_mqchaos.chaos.roles import Run
    from pytest_mqchaos.relay.transcript import Transcript

EMBEDDED = "the embedded broker stands for Kafka (see docs/reference/embedded-kafka.md)"
IN_PROCESS = "crashes of coroutine workers run `finally` blocks, a killed process would not"


class View:
    """Looks at the data plane, the broker and the effects of one Chaos."""

    def __init__(self, *, chaos: Run, run: Began, post: Post) -> None:
        self._chaos = chaos
        self._post = post
        self._plane = chaos.host.plane
        self._side = chaos.host.side
        self._clock = chaos.host.pace.clock
        self.started = self._clock()
        # The supervisor asks from a thread of its own: it has a tape of its own.
        self._tape, apart = (
            Tape(read=run.tape, codec=self._side.codec, identity=chaos.identity) for _ in range(2)
        )
        self.gained = Gains(self.transcript)
        self.gained_apart = Gains(lambda: apart.transcript(self._plane.flush()))

    def transcript(self) -> Transcript:
        """Rows of everything that has passed until now."""
        return self._tape.transcript(self._plane.flush())

    def clients(self) -> tuple[str, ...]:
        """What the clients of the code under test call themselves."""
        transcript = self.transcript()
        named = {
            name for link, name in transcript.clients.items()
            if transcript.links.get(link) != PUBLISHER
        }  # fmt: skip
        return tuple(sorted(named))

    def bury(self, owner: str) -> None:
        """The memberships of a dead owner end now instead of at their session time-out."""
        left = self.transcript().members.get(owner)
        if left:
            self._side.bury(left)

    def output(self, name: str, part: Part = None, by: str | None = None) -> Output:
        """An output topic, read as effects from now on. UsageError if a worker has published to it
        before."""
        if any(a.topic == name and "#" in a.owner for a in self.transcript().attempts):
            raise UsageError(
                f"chaos.effects.from_topic({name!r}): what a worker has published there before "
                "would be left out; say it before the worker starts"
            )
        return Output(
            name, side=self._side, identity=self._chaos.identity, transcript=self.transcript,
            baseline=self._chaos.scope.output(name), clock=self._clock, part=part, by=by,
        )  # fmt: skip

    # ------------------------------------------------------------ for settling

    def status(self) -> dict[str, Any]:
        """Counters of the data plane, and of workers that start and end. Raises if the plane or the
        broker has died by itself."""
        self._chaos.host.alive()
        found: dict[str, Any] = self._plane.request("status")
        # A worker that starts is progress, too: it is some time until it moves anything.
        return found | {"moved": found["moved"] + len(self._chaos.crew.events)}

    def failed(self) -> BaseException | None:
        """The error of a worker that is the test's failure."""
        return self._chaos.crew.failure

    def unfired(self, *, control: bool) -> list[str]:
        """Rules that are to fire and may yet: those on heartbeats and the like, which come with
        time, or all others."""
        waited = [
            armed
            for armed in self._chaos.armed
            if (armed.rule.where.point is Point.CONTROL) is control and not armed.rule.optional
        ]
        if not waited:
            return []
        states = self._chaos.rules.states()
        return [
            f"{a.rule!r} has not fired"
            for a in waited
            if not states[a.index]["fired"] and not states[a.index]["reasons"]
        ]

    def idle(self) -> bool:
        """No worker of ours runs and no client of the test's own is connected."""
        links = self._plane.request("status")["links"]
        return not self._chaos.crew.running and not set(links) - {PUBLISHER}

    def behind(self) -> list[str]:
        """Groups that have not read everything. Raises WaitTimeout if no broker can be asked."""
        self._chaos.crew.bury_rest()  # while the dead hold partitions nobody reads these
        transcript = self.transcript()
        flow = self._chaos.scope.flow
        groups = {group: reads(transcript, group) for group in transcript.groups}
        # What another group works on: a next stage, dead letters that are taken out again.
        stages = (flow.outputs | flow.dead_letters) - self._chaos.ledger.topics
        judged = flow.inputs | flow.retries | stages
        later, _ = next_stages(transcript, flow, self._chaos.ledger.topics)
        names = judged & frozenset().union(*groups.values()) | {topic for _, topic in later}
        found = []
        for s in self._side.standings(transcript.groups, names):
            at = max(s.committed, s.start)
            if at >= s.end or s.topic not in groups[s.group]:
                continue
            if s.topic not in judged and (s.group, s.topic) not in later:
                continue
            if s.committed < 0 or not self._side.empty(s.topic, s.partition, at, s.end):
                place = f"{s.topic}-{s.partition}"
                found.append(f"group {s.group} stands at {at} of {s.end} in {place}")
        return found

    def beginning(self) -> list[str]:
        """Groups of a next stage that run, were handed messages there and have acked none."""
        running = self._chaos.crew.running
        flow, effects = self._chaos.scope.flow, self._chaos.ledger.topics
        _, begun = next_stages(self.transcript(), flow, effects) if running else ((), {})
        return [
            f"group {group} has acked nothing of {topic} yet"
            for (group, topic), owner in sorted(begun.items())
            if owner in running
        ]

    def unheard(self) -> list[str]:
        """Workers that run but were not yet seen to join, consume or publish."""
        running = self._chaos.crew.running
        if not running:
            return []
        seen = self.transcript()
        heard = {row.owner for row in seen.attempts} | {row.owner for row in seen.deliveries}
        heard |= set(seen.members) | seen.listening
        flow = self._chaos.scope.flow
        waiting = [f"{name} has not been heard of yet" for name in running if name not in heard]
        return waiting if self._side.ends(flow.inputs) else []

    def unanswered(self) -> list[str]:
        """What a producer that still runs sent and heard nothing of, if a broker has been broken:
        until there is a next leader it is as quiet as one that has given up."""
        seen = self.transcript()
        if not seen.brokers:
            return []
        running = set(self._chaos.crew.running)
        last = {(row.topic, row.id or row.content): row for row in seen.attempts if row.acks}
        return [
            f"{row.owner} has no answer to its publish of {row.id or 'a message'} to {row.topic}"
            for row in last.values()
            if row.outcome == "unknown" and row.owner in running
        ]

    def past(self) -> list[str]:
        """Signs of clients that are at work past every link, as sentences."""
        seen, scope = self.transcript(), self._chaos.scope
        names = scope.flow.inputs | scope.flow.retries
        groups = strangers(seen, names, scope.positions, self._side.positions())
        found = [f"group {group} reads past every link" for group in sorted(groups)]
        ends = self._side.ends(scope.flow.inputs)
        stored = sum(end - scope.baseline.get(at, start) for at, (start, end) in ends.items())
        sent = [row for row in seen.attempts if row.topic in scope.flow.inputs]
        if stored and not sent:
            found.append(f"{stored} messages were published past every link")
        done = {effect.id for effect in self._chaos.ledger.rows() or ()} & {r.id for r in sent}
        done -= {row.id for row in seen.deliveries}
        if done:
            found.append(f"{len(done)} messages took effect that no link handed out")
        return found

    def look(self) -> bool:
        """Look at the effects."""
        return self._chaos.ledger.look()

    def missing(self) -> int:
        """Messages that were confirmed and have no effect yet."""
        effects = self._chaos.ledger.rows()
        if effects is None:
            return 0
        done = {effect.id for effect in effects} | self._chaos.scope.expected.all()
        return len(self._confirmed() - done)

    def foreign(self) -> bool:
        """Whether effects were seen and none has the id of a confirmed message."""
        seen = {effect.id for effect in self._chaos.ledger.rows() or ()}
        return bool(seen) and seen.isdisjoint(self._confirmed())

    def left_open(self) -> list[str]:
        """Transactions of workers that are no more, as far as they hold records back, as sentences.
        Raises WaitTimeout if no broker can be asked."""
        last = {event.who: event.what for event in self._chaos.crew.events}
        dead = {who for who, what in last.items() if what not in RUNS}
        if not dead:
            return []
        sent = {
            row.topic for row in self.transcript().attempts
            if row.transactional_id is not None and row.owner in dead
        }  # fmt: skip
        held = {row.topic for row in unended(self._side, sent, self._chaos.identity)}
        return [f"records in {one} behind a transaction that nobody ended" for one in sorted(held)]

    def _confirmed(self) -> set[str]:
        inputs = self._chaos.scope.flow.inputs
        return {
            row.id
            for row in self.transcript().attempts
            if row.outcome == "confirmed" and row.topic in inputs and row.id is not None
        }

    # ------------------------------------------------------------ for judging

    def history(self) -> History:
        """Everything known so far."""
        chaos = self._chaos
        if chaos.ledger.misused:
            raise UsageError(f"the code under test recorded wrongly: {chaos.ledger.misused}")
        self._refuse_late()
        # Before the look: what ends now is seen.
        pending = unended(self._side, chaos.ledger.topics, chaos.identity)
        chaos.ledger.look()
        evidence = Evidence(
            flow=chaos.scope.flow,
            expected=chaos.scope.expected,
            effects=chaos.ledger.rows(),
            handled=chaos.ledger.handled(),
            accepted=tuple(chaos.scope.acceptances),
            processes=tuple(chaos.crew.events),
            rules=chaos.rules.told(),
            limits=self._limits(),
            nameless=tuple(chaos.ledger.nameless()),
            absent=tuple(chaos.ledger.absent()),
            tables=chaos.ledger.tables,
            effect_topics=chaos.ledger.topics,
            compacted=frozenset(chaos.scope.compacted),
            unconfirmed=tuple(self._post.unconfirmed(chaos.scope.flow.inputs)),
            disowned=self._post.disowned,
            pending=pending,
            started=self.started,
        )
        history = build(
            transcript=self.transcript(), side=self._side, identity=chaos.identity,
            evidence=evidence, baseline=chaos.scope.baseline,
            positions=chaos.scope.positions, epochs=chaos.scope.epochs,
        )  # fmt: skip
        without = consequences.missing([armed.rule for armed in chaos.armed], history)
        history = replace(history, limits=history.limits + consequences.sentences(without))
        if not chaos.host.troubles:
            return history
        # They came before the answer that told how long the history is: none of before is missed.
        troubles = tuple(f"the data plane had trouble: {text}" for text in chaos.host.troubles)
        return replace(history, gaps=troubles + history.gaps, gap_topics=frozenset())

    def _refuse_late(self) -> None:
        """An effect that stood there when its source was declared is taken for nobody's doing."""
        late = sorted(self._chaos.ledger.before & self._confirmed())
        if late:
            raise UsageError(
                f"the effects of {listed(late)} stood there when their source was declared: say "
                "chaos.effects.from_... before the worker starts (or reset the store, or make ids "
                "unique per test)"
            )

    def _limits(self) -> tuple[str, ...]:
        chaos = self._chaos
        found = [EMBEDDED] if chaos.host.kind == "embedded" else []
        unused = self._unused()
        if unused:
            found.append(f"{', '.join(unused)} never used a link")
        crashed = any(event.what == "crashed" for event in chaos.crew.events)
        if crashed and chaos.crew.in_process:
            found.append(IN_PROCESS)
        return (*found, *chaos.ledger.uncounted())

    def _unused(self) -> list[str]:
        """Workers of which no incarnation ever opened a connection through a link."""
        linked = {worker_of(owner) for owner in self.transcript().links.values()}
        began = [worker_of(e.who) for e in self._chaos.crew.events if e.what == "started"]
        return [name for name in dict.fromkeys(began) if name not in linked]
