"""One consumer group by the classic protocol: who may join, sync, beat, leave and commit.

It knows what each request means and when it is refused; the rounds that follow are `rebalance.py`.
It knows no request layout and no offsets. Assignments and metadata are the clients' own business:
opaque bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.groups.members import (
    AnswerJoin,
    AnswerSync,
    Joined,
    Joining,
    Member,
    Phase,
    Synced,
    Syncing,
)
from pytest_mqchaos.kafka_cluster.groups.rebalance import Rebalance
from pytest_mqchaos.kafka_cluster.groups.roster import Roster
from pytest_mqchaos.kafka_cluster.groups.target_assignment import Place
from pytest_mqchaos.kafka_cluster.settings import Settings
from pytest_mqchaos.kafka_cluster.timers import Timers

NEW_MEMBER_LIMIT = 300_000  # ms that a new member may wait for its first generation


class Group:
    """One group. Methods that cannot answer at once keep the given callback."""

    kind = "classic"

    def __init__(
        self, name: str, settings: Settings, timers: Timers, new_id: Callable[[str, str], str]
    ) -> None:
        self.name = name
        self._rounds = Rebalance(settings, timers)
        self._settings = settings
        self._new_id = new_id

    @property
    def phase(self) -> Phase:
        return self._rounds.phase

    @property
    def generation(self) -> int:
        return self._rounds.generation

    @property
    def protocol(self) -> str | None:
        return self._rounds.protocol

    @property
    def roster(self) -> Roster:
        return self._rounds.roster

    @property
    def state(self) -> str:
        """The group's state in Kafka's words."""
        return self.phase.value

    @property
    def protocol_type(self) -> str:
        """What kind of group the first member said it is ("consumer", "connect")."""
        return self.roster.protocol_type or ""

    @property
    def empty(self) -> bool:
        return self.phase is Phase.EMPTY

    def join(self, asked: Joining, answer: AnswerJoin, now: int) -> None:
        """JoinGroup: take a new member, a returning one, or refuse."""
        code = self._refuse(asked, now)
        if code is not ErrorCode.none:
            failed = code is ErrorCode.unknown_server_error  # then Kafka names nobody
            answer(Joined(code, "" if failed else asked.member_id), now)
        elif not asked.member_id:
            self._welcome(asked, answer, now)
        elif self.roster.claim(asked.member_id):
            self._add(asked.member_id, asked, answer, now)
        else:
            self._rejoin(self.roster.members[asked.member_id], asked, answer, now)

    def sync(self, asked: Syncing, answer: AnswerSync, now: int) -> None:
        """SyncGroup: the leader brings assignments, everybody gets theirs."""
        code = self.check(asked.member_id, asked.instance, asked.generation)
        if code is ErrorCode.none and not self._agrees(asked):
            code = ErrorCode.inconsistent_group_protocol
        if code is ErrorCode.none and self.phase is Phase.PREPARING:
            code = ErrorCode.rebalance_in_progress
        if code is not ErrorCode.none:
            answer(Synced(code), now)
            return
        member = self.roster.members[asked.member_id]
        member.synced = True
        if self.phase is Phase.STABLE:
            answer(self._rounds.synced(member), now)
            return
        member.sync = answer
        if member.id == self.roster.leader:
            self._rounds.assign(asked.assignments, now)

    def heartbeat(
        self, member_id: str, instance: str | None, generation: int, now: int
    ) -> ErrorCode:
        """Heartbeat: keep a member's session alive and say whether to rejoin."""
        code = self.check(member_id, instance, generation)
        if code is not ErrorCode.none:
            return code
        self.roster.beat(self.roster.members[member_id], now)
        if self.phase is Phase.PREPARING:
            return ErrorCode.rebalance_in_progress
        return ErrorCode.none

    def leave(self, leaving: Sequence[tuple[str, str | None]], now: int) -> list[ErrorCode]:
        """LeaveGroup: remove members by id and, of static ones, the name. A name alone removes
        whoever has it (KIP-345). One rebalance follows, however many leave."""
        codes = [self._leave(member_id, instance, now) for member_id, instance in leaving]
        if ErrorCode.none in codes and not self.empty:
            self._rounds.begin(now)
        return codes

    def may_commit(
        self,
        member_id: str,
        instance: str | None,
        generation: int,
        now: int,
        *,
        transactional: bool = False,
        version: int = 0,  # noqa: ARG002 - any will do here
    ) -> ErrorCode:
        """Say whether these may commit offsets now; a member's commit keeps its session alive.

        `transactional`: by TxnOffsetCommit, whose old versions name no member; a round that is not
        over yet does not hinder it."""
        if generation < 0 and self.empty:
            return ErrorCode.none  # a consumer that assigns itself, or an admin client
        if generation < 0 and not member_id and instance is None:
            return ErrorCode.none if transactional else ErrorCode.unknown_member_id
        code = self.check(member_id, instance, generation)
        if code is not ErrorCode.none or transactional:
            return code
        if self.phase is Phase.COMPLETING:
            return ErrorCode.rebalance_in_progress
        self.roster.beat(self.roster.members[member_id], now)
        return ErrorCode.none

    def owns(self, member_id: str, epoch: int, place: Place) -> bool:  # noqa: ARG002
        """Say whether it may commit for a partition: whose it is only the clients know."""
        return True

    def check(self, member_id: str, instance: str | None, generation: int) -> ErrorCode:
        """Say whether this is a member of the current generation."""
        code = self.roster.validate(member_id, instance)
        if code is ErrorCode.none and generation != self.generation:
            return ErrorCode.illegal_generation
        return code

    def may_fetch(self, member_id: str | None, epoch: int) -> ErrorCode:  # noqa: ARG002
        """Say whether these may ask for committed offsets: everybody may."""
        return ErrorCode.none

    def moved(self, now: int) -> None:
        """Another node coordinates this group from now on."""
        self._rounds.take_over(now)

    # ------------------------------------------------------------------ joining

    def _refuse(self, asked: Joining, now: int) -> ErrorCode:
        if not self._has_room(asked.member_id):
            self._forget(asked.member_id, now)
            return ErrorCode.group_max_size_reached
        if not self.roster.speaks(asked):
            return ErrorCode.inconsistent_group_protocol
        if asked.member_id in self.roster.pending:
            # Kafka's own invariant is broken by such a client, and it says just that.
            return ErrorCode.none if asked.instance is None else ErrorCode.unknown_server_error
        if not asked.member_id:
            return ErrorCode.none
        return self.roster.validate(asked.member_id, asked.instance)

    def _has_room(self, member_id: str) -> bool:
        members, most = self.roster.members, self._settings.group_max_size
        if self.phase is Phase.EMPTY:
            return True
        if self.phase is Phase.PREPARING:
            waiting = [one.id for one in members.values() if one.join is not None]
            return member_id in waiting or len(waiting) < most
        return member_id in members or len(members) < most

    def _forget(self, member_id: str, now: int) -> None:
        self.roster.claim(member_id)
        if member_id in self.roster.members:
            self._rounds.remove(self.roster.members[member_id], now)

    def _welcome(self, asked: Joining, answer: AnswerJoin, now: int) -> None:
        member_id = self._new_id(self.name, asked.instance or asked.client)
        returning = self.roster.static(asked.instance)
        if returning is not None:
            self._replace(returning, member_id, asked, answer, now)
        elif asked.needs_id and asked.instance is None:
            self.roster.promise(member_id, asked.session, now)
            answer(Joined(ErrorCode.member_id_required, member_id), now)
        else:
            self._add(member_id, asked, answer, now)

    def _add(self, member_id: str, asked: Joining, answer: AnswerJoin, now: int) -> None:
        member = Member(
            id=member_id,
            client=asked.client,
            instance=asked.instance,
            protocols=asked.protocols,
            session=asked.session,
            rebalance=asked.rebalance,
            delay=asked.delay,
            join=answer,
        )
        self.roster.add(member, asked.protocol_type)
        self._rounds.grew()
        self.roster.expire_in(member, NEW_MEMBER_LIMIT, now)
        self._rounds.begin(now)

    def _rejoin(self, member: Member, asked: Joining, answer: AnswerJoin, now: int) -> None:
        same = member.protocols == asked.protocols
        lost_answer = self.phase is Phase.COMPLETING and same
        nothing_new = self.phase is Phase.STABLE and same and member.id != self.roster.leader
        if lost_answer or nothing_new:
            answer(self._rounds.joined(member), now)
            return
        member.update(asked, answer)
        self._rounds.begin(now)

    def _replace(
        self, member: Member, new_id: str, asked: Joining, answer: AnswerJoin, now: int
    ) -> None:
        """A static member is back without its id: it takes its place, and as long as the protocol
        stays nobody has to rebalance (KIP-345)."""
        old_leader = self.roster.leader or ""
        self.roster.replace(member, new_id, now)
        self.roster.beat(member, now)
        member.update(asked, answer)
        if self.phase is not Phase.STABLE or self.roster.vote() != self.protocol:
            self._rounds.begin(now)
            return
        self._rounds.write_down()
        joined = self._rounds.joined(member)
        if asked.skips:
            joined = joined._replace(skip=joined.leader == new_id)
        else:  # an older client must not take itself for the leader: it would assign (KIP-814)
            joined = joined._replace(leader=old_leader, members=())
        member.answer_join(joined, now)

    # ------------------------------------------------------------------ syncing and leaving

    def _agrees(self, asked: Syncing) -> bool:
        return asked.protocol_type in {None, self.roster.protocol_type} and asked.protocol in {
            None,
            self.protocol,
        }

    def _leave(self, member_id: str, instance: str | None, now: int) -> ErrorCode:
        if not member_id:
            named = self.roster.static(instance)
            if named is None:
                return ErrorCode.unknown_member_id
            member_id = named.id
        elif self.roster.claim(member_id):
            return ErrorCode.none
        code = self.roster.validate(member_id, instance)
        if code is ErrorCode.none:
            self._rounds.remove(self.roster.members[member_id], now)
        return code
