"""One classic group's rounds: gather who joins, begin a generation, hand out what its leader says.

It knows phases, generations and how long each waits for whom; it knows no request and no error
that a request can be refused with. What a coordinator writes down (`kept`) is all that is left of
a group when another node takes it over.

    Empty --begin--> PreparingRebalance --all joined / time-out--> CompletingRebalance
      ^                 ^      |no members left                        |assign
      '-----------------|------'                                       v
                        '-------------- begin ---------------------- Stable
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.groups.members import Joined, Member, Phase, Synced
from pytest_mqchaos.kafka_cluster.groups.roster import Roster
from pytest_mqchaos.kafka_cluster.settings import Settings
from pytest_mqchaos.kafka_cluster.timers import MILLISECOND, Timer, Timers


class _Kept(NamedTuple):
    """A group as it was written down: when its leader assigned, or when nobody was left."""

    generation: int = 0
    protocol_type: str | None = None
    protocol: str | None = None
    leader: str | None = None
    members: tuple[Member, ...] = ()


class Rebalance:
    """The state machine. Waiting requests are the members' (`Member.join`, `Member.sync`)."""

    def __init__(self, settings: Settings, timers: Timers) -> None:
        self.phase = Phase.EMPTY
        self.generation = 0
        self.protocol: str | None = None
        self.roster = Roster(timers, self._gone)
        self._settings = settings
        self._timers = timers
        self._kept = _Kept()
        self._initial = False  # the first generation's delay is running
        self._grew = False  # a member joined during that delay
        self._waiting: Timer | None = None
        self._unsynced: Timer | None = None

    def begin(self, now: int) -> None:
        """Have everybody join again, or see whether all have, if they are already asked to."""
        if self.phase is Phase.PREPARING:
            self.advance(now)
        else:
            self._prepare(now)

    def advance(self, now: int) -> None:
        """Begin the next generation if nobody is waited for any more."""
        if not self._initial:
            self._complete_if_all(now)

    def grew(self) -> None:
        """Hear that a member was added: a first generation waits for more (KIP-134)."""
        self._grew = True

    def assign(self, assignments: dict[str, bytes], now: int) -> None:
        """Take what the leader decided, give each that waits its own, write it down."""
        self.phase = Phase.STABLE
        for member in self.roster.all():
            member.assignment = assignments.get(member.id, b"")
            if member.sync is not None:
                self.roster.beat(member, now)
                member.answer_sync(self.synced(member), now)
        self.write_down()

    def joined(self, member: Member) -> Joined:
        """Tell a member the generation it is in; the leader learns the members too."""
        leads = member.id == self.roster.leader
        return Joined(
            ErrorCode.none,
            member.id,
            self.generation,
            self.roster.protocol_type,
            self.protocol,
            self.roster.leader or "",
            tuple((one.id, one.instance, one.metadata(self.protocol)) for one in self.roster.all())
            if leads
            else (),
        )

    def synced(self, member: Member) -> Synced:
        """Tell a member its assignment."""
        return Synced(ErrorCode.none, member.assignment, self.roster.protocol_type, self.protocol)

    def write_down(self) -> None:
        """Keep the group as it is for the node that may take it over."""
        self._kept = _Kept(
            self.generation,
            self.roster.protocol_type,
            self.protocol,
            self.roster.leader,
            tuple(self._copy(member) for member in self.roster.all()),
        )

    def take_over(self, now: int) -> None:
        """Another node coordinates from now on: whoever waits is told, and what was written down
        is all that it knows; the sessions begin anew."""
        for member in self.roster.all():
            member.answer_join(Joined(ErrorCode.not_coordinator, member.id), now)
            member.answer_sync(Synced(ErrorCode.not_coordinator), now)
        self.roster.clear()
        self._stop_waiting()
        self._cancel_unsynced()
        kept = self._kept
        self.generation, self.protocol = kept.generation, kept.protocol
        self.phase = Phase.STABLE if kept.members else Phase.EMPTY
        for member in kept.members:
            copied = self._copy(member)
            self.roster.add(copied, kept.protocol_type or "")
            self.roster.beat(copied, now)
        self.roster.leader = kept.leader
        if len(kept.members) > self._settings.group_max_size:
            self._prepare(now)

    def _copy(self, member: Member) -> Member:
        spoken = ((self.protocol or "", member.metadata(self.protocol)),)
        return replace(
            member, protocols=spoken, join=None, sync=None, new=False, synced=True, expiry=None
        )

    # ------------------------------------------------------------------ joining

    def _prepare(self, now: int) -> None:
        self._cancel_unsynced()
        for member in self.roster.all():
            if self.phase is Phase.COMPLETING:
                member.assignment = b""  # what was handed out before is shown until then
            member.answer_sync(Synced(ErrorCode.rebalance_in_progress), now)
        first, self.phase = self.phase is Phase.EMPTY, Phase.PREPARING
        asked = (member.delay for member in self.roster.all())
        delay = max(self._settings.group_initial_rebalance_delay_ms, *asked, 0)
        if first and delay:
            self._initial, self._grew = True, False
            self._wait_for_more(delay, max(self.roster.patience() - delay, 0), now)
        elif first:
            self._complete(now)
        else:
            self._complete_if_all(now)
            if self.phase is Phase.PREPARING:
                self._wait_for_all(now)

    def _wait_for_all(self, now: int) -> None:
        until = now + self.roster.patience() * MILLISECOND
        self._waiting = self._timers.at(until, self._complete)

    def _wait_for_more(self, delay: int, left: int, now: int) -> None:
        """Delay a first generation while members still come (KIP-134)."""

        def look(then: int) -> None:
            if self._grew and left:
                self._grew = False
                self._wait_for_more(min(delay, left), max(left - delay, 0), then)
            else:
                self._complete(then)

        self._waiting = self._timers.at(now + delay * MILLISECOND, look)

    def _complete_if_all(self, now: int) -> None:
        waiting = all(member.join is not None for member in self.roster.all())
        if self.phase is Phase.PREPARING and waiting and not self.roster.pending:
            self._complete(now)

    def _complete(self, now: int) -> None:
        """End the joining: who has not come back is out, unless it is static (KIP-345)."""
        self._stop_waiting()
        for member in [one for one in self.roster.all() if one.join is None and not one.instance]:
            self.roster.remove(member)
        if self.roster.members and not self.roster.lead_by_joined():
            self._wait_for_all(now)
            return
        self.generation += 1
        if not self.roster.members:
            self.phase, self.protocol = Phase.EMPTY, None
            self.write_down()
            return
        self.phase, self.protocol = Phase.COMPLETING, self.roster.vote()
        until = now + self.roster.patience() * MILLISECOND
        self._unsynced = self._timers.at(until, self._drop_unsynced)
        for member in self.roster.all():
            member.new, member.synced = False, False
            self.roster.beat(member, now)
        for member in self.roster.all():
            member.answer_join(self.joined(member), now)

    # ------------------------------------------------------------------ waiting and leaving

    def _drop_unsynced(self, now: int) -> None:
        """Remove members that took their generation but never asked for their assignment."""
        silent = [one for one in self.roster.all() if not one.synced]
        if silent:
            for member in silent:
                self.roster.remove(member)
            self._prepare(now)

    def _gone(self, member: Member | None, now: int) -> None:
        if member is not None:
            self.remove(member, now)
        if self.phase is Phase.PREPARING:
            self._complete_if_all(now)
        elif member is not None:
            self._prepare(now)

    def remove(self, member: Member, now: int) -> None:
        """Drop a member and answer what it waits for; what follows from it is the caller's."""
        self.roster.remove(member)
        member.answer_join(Joined(ErrorCode.unknown_member_id, ""), now)  # Kafka names nobody
        member.answer_sync(Synced(ErrorCode.unknown_member_id), now)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting, self._initial = None, False

    def _cancel_unsynced(self) -> None:
        if self._unsynced is not None:
            self._unsynced.cancel()
        self._unsynced = None
