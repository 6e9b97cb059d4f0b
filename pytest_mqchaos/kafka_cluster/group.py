"""One consumer group by the classic protocol: members, generations, who waits for whom.

It knows the state machine; it knows no request layout and no offsets. Assignments and metadata are
the clients' own business: opaque bytes.

    Empty --join--> PreparingRebalance --all joined / time-out--> CompletingRebalance
      ^                 ^      |no members left                        |leader's sync
      '-----------------|------'                                       v
                        '-- join, leave, expiry, leader rejoins --- Stable
"""

from __future__ import annotations

from collections.abc import Callable

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.members import (
    AnswerJoin,
    AnswerSync,
    Joined,
    Joining,
    Member,
    Phase,
    Synced,
)
from pytest_mqchaos.kafka_cluster.roster import Roster
from pytest_mqchaos.kafka_cluster.settings import Settings
from pytest_mqchaos.kafka_cluster.timers import MILLISECOND, Timer, Timers

NEW_MEMBER_LIMIT = 300_000  # ms that a new member may wait for its first generation


class Group:
    """One group. Methods that cannot answer at once keep the given callback."""

    def __init__(
        self, name: str, settings: Settings, timers: Timers, new_id: Callable[[str, str], str]
    ) -> None:
        self.name = name
        self.phase = Phase.EMPTY
        self.generation = 0
        self.protocol: str | None = None
        self.roster = Roster(timers, self._remove)
        self._pending: dict[str, Timer] = {}
        self._settings = settings
        self._timers = timers
        self._new_id = new_id
        self._initial = False  # the first generation's delay is running
        self._grew = False  # a member joined during that delay
        self._rebalance: Timer | None = None
        self._unsynced: Timer | None = None

    # ------------------------------------------------------------------ requests

    def join(self, asked: Joining, answer: AnswerJoin, now: int) -> None:
        """JoinGroup: take a new member, a returning one, or refuse."""
        if not self.roster.speaks(asked):
            answer(Joined(ErrorCode.inconsistent_group_protocol, asked.member_id), now)
        elif not asked.member_id:
            self._welcome(asked, answer, now)
        elif asked.member_id in self._pending:
            self._pending.pop(asked.member_id).cancel()
            self._add(asked.member_id, asked, answer, now)
        elif asked.member_id not in self.roster.members:
            answer(Joined(ErrorCode.unknown_member_id, asked.member_id), now)
        else:
            self._rejoin(self.roster.members[asked.member_id], asked, answer, now)

    def sync(
        self,
        member_id: str,
        generation: int,
        assignments: dict[str, bytes],
        answer: AnswerSync,
        now: int,
    ) -> None:
        """SyncGroup: the leader brings assignments, everybody gets theirs."""
        code = self.check(member_id, generation)
        if code is not ErrorCode.none:
            answer(Synced(code), now)
            return
        member = self.roster.members[member_id]
        member.synced = True
        if self.phase is Phase.PREPARING:
            answer(Synced(ErrorCode.rebalance_in_progress), now)
        elif self.phase is Phase.STABLE:
            self.roster.beat(member, now)
            answer(self._synced(member), now)
        else:
            member.sync = answer
            if member_id == self.roster.leader:
                self._assign(assignments, now)

    def heartbeat(self, member_id: str, generation: int, now: int) -> ErrorCode:
        """Heartbeat: keep a member's session alive and say whether to rejoin."""
        code = self.check(member_id, generation)
        if code is not ErrorCode.none:
            return code
        self.roster.beat(self.roster.members[member_id], now)
        if self.phase is Phase.PREPARING:
            return ErrorCode.rebalance_in_progress
        return ErrorCode.none

    def leave(self, member_id: str, now: int) -> ErrorCode:
        """LeaveGroup: remove one member (or one that never came back with its id)."""
        if member_id in self._pending:
            self._pending.pop(member_id).cancel()
            self._try_complete(now)
        elif member_id in self.roster.members:
            self._remove(self.roster.members[member_id], now)
        else:
            return ErrorCode.unknown_member_id
        return ErrorCode.none

    def may_commit(self, member_id: str, generation: int, now: int) -> ErrorCode:
        """Say whether these may commit offsets now; a member's commit keeps its session alive."""
        if generation < 0 and self.phase is Phase.EMPTY:
            return ErrorCode.none  # a consumer that assigns itself, or an admin client
        if generation < 0 and not member_id:
            return ErrorCode.unknown_member_id
        code = self.check(member_id, generation)
        if code is ErrorCode.none and self.phase is Phase.COMPLETING:
            return ErrorCode.rebalance_in_progress
        if code is ErrorCode.none:
            self.roster.beat(self.roster.members[member_id], now)
        return code

    def check(self, member_id: str, generation: int) -> ErrorCode:
        """Say whether this is a member of the current generation."""
        if member_id not in self.roster.members:
            return ErrorCode.unknown_member_id
        if generation != self.generation:
            return ErrorCode.illegal_generation
        return ErrorCode.none

    # ------------------------------------------------------------------ joining

    def _welcome(self, asked: Joining, answer: AnswerJoin, now: int) -> None:
        if len(self.roster.members) + len(self._pending) >= self._settings.group_max_size:
            answer(Joined(ErrorCode.group_max_size_reached), now)
            return
        member_id = self._new_id(self.name, asked.client)
        if not asked.needs_id:
            self._add(member_id, asked, answer, now)
            return
        self._pending[member_id] = self._timers.at(
            now + asked.session * MILLISECOND, lambda then: self._never_came(member_id, then)
        )
        answer(Joined(ErrorCode.member_id_required, member_id), now)

    def _never_came(self, member_id: str, now: int) -> None:
        del self._pending[member_id]
        self._try_complete(now)

    def _add(self, member_id: str, asked: Joining, answer: AnswerJoin, now: int) -> None:
        member = Member(
            id=member_id,
            client=asked.client,
            protocols=asked.protocols,
            session=asked.session,
            rebalance=asked.rebalance,
            delay=asked.delay,
            join=answer,
        )
        self.roster.add(member, asked.protocol_type)
        self._grew = True
        self.roster.expire_in(member, NEW_MEMBER_LIMIT, now)
        self._prepare_or_complete(now)

    def _rejoin(self, member: Member, asked: Joining, answer: AnswerJoin, now: int) -> None:
        same = member.protocols == asked.protocols
        lost_answer = self.phase is Phase.COMPLETING and same
        nothing_new = self.phase is Phase.STABLE and same and member.id != self.roster.leader
        if lost_answer or nothing_new:
            answer(self._joined(member), now)
            return
        member.protocols = asked.protocols
        member.session = asked.session
        member.rebalance = asked.rebalance
        member.join = answer
        self._prepare_or_complete(now)

    def _prepare_or_complete(self, now: int) -> None:
        if self.phase is Phase.PREPARING:
            self._try_complete(now)
        else:
            self._prepare(now)

    def _prepare(self, now: int) -> None:
        self._cancel_unsynced()
        for member in self.roster.all():
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
            self._try_complete(now)
            if self.phase is Phase.PREPARING:
                until = now + self.roster.patience() * MILLISECOND
                self._rebalance = self._timers.at(until, self._complete)

    def _wait_for_more(self, delay: int, left: int, now: int) -> None:
        """Delay a first generation while members still come (KIP-134)."""

        def look(then: int) -> None:
            if self._grew and left:
                self._grew = False
                self._wait_for_more(min(delay, left), max(left - delay, 0), then)
            else:
                self._complete(then)

        self._rebalance = self._timers.at(now + delay * MILLISECOND, look)

    def _try_complete(self, now: int) -> None:
        waiting = all(member.join is not None for member in self.roster.all())
        if self.phase is Phase.PREPARING and not self._initial and waiting and not self._pending:
            self._complete(now)

    def _complete(self, now: int) -> None:
        """End the joining: who has not come back is out, the rest is the next generation."""
        if self._rebalance is not None:
            self._rebalance.cancel()
        self._rebalance, self._initial = None, False
        for member in [one for one in self.roster.all() if one.join is None]:
            self.roster.remove(member)
        self.generation += 1
        if not self.roster.members:
            self.phase, self.protocol = Phase.EMPTY, None
            return
        self.phase, self.protocol = Phase.COMPLETING, self.roster.vote()
        until = now + self.roster.patience() * MILLISECOND
        self._unsynced = self._timers.at(until, self._drop_unsynced)
        for member in self.roster.all():
            member.new, member.synced, member.assignment = False, False, b""
            self.roster.beat(member, now)
        for member in self.roster.all():
            member.answer_join(self._joined(member), now)

    # ------------------------------------------------------------------ syncing

    def _assign(self, assignments: dict[str, bytes], now: int) -> None:
        self.phase = Phase.STABLE
        for member in self.roster.all():
            member.assignment = assignments.get(member.id, b"")
            if member.sync is not None:
                self.roster.beat(member, now)
                member.answer_sync(self._synced(member), now)

    def _drop_unsynced(self, now: int) -> None:
        """Remove members that took their generation but never asked for their assignment."""
        silent = [one for one in self.roster.all() if not one.synced]
        if silent:
            for member in silent:
                self.roster.remove(member)
            self._prepare(now)

    def _cancel_unsynced(self) -> None:
        if self._unsynced is not None:
            self._unsynced.cancel()
        self._unsynced = None

    # ------------------------------------------------------------------ leaving

    def _remove(self, member: Member, now: int) -> None:
        self.roster.remove(member)
        member.answer_join(Joined(ErrorCode.unknown_member_id, member.id), now)
        member.answer_sync(Synced(ErrorCode.unknown_member_id), now)
        if self.phase is Phase.PREPARING:
            self._try_complete(now)
        else:
            self._prepare(now)

    # ------------------------------------------------------------------ answers

    def _joined(self, member: Member) -> Joined:
        leads = member.id == self.roster.leader
        return Joined(
            ErrorCode.none,
            member.id,
            self.generation,
            self.roster.protocol_type,
            self.protocol,
            self.roster.leader or "",
            tuple((one.id, one.metadata(self.protocol)) for one in self.roster.all())
            if leads
            else (),
        )

    def _synced(self, member: Member) -> Synced:
        return Synced(ErrorCode.none, member.assignment, self.roster.protocol_type, self.protocol)
