"""One consumer group by the newer protocol (KIP-848): the coordinator assigns, members report.

It knows epochs, targets and whose session runs out; it knows no request layout and no offsets, and
who may beat at all is `consumer_roster.py`'s. A partition is never given to a member while another
may still have it: who loses one must first say that it gave it up.

    beat --subscription or topics changed--> group epoch + 1 --> new target --> each member's
    own beat brings it nearer to it (consumer_members.py)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.groups.consumer_members import AWAY, Beat, ConsumerMember, Step
from pytest_mqchaos.kafka_cluster.groups.consumer_roster import ConsumerRoster
from pytest_mqchaos.kafka_cluster.groups.target_assignment import (
    ASSIGNORS,
    DEFAULT,
    Place,
    Places,
    Subscriber,
)
from pytest_mqchaos.kafka_cluster.settings import Settings
from pytest_mqchaos.kafka_cluster.timers import MILLISECOND, Timer, Timers
from pytest_mqchaos.kafka_cluster.topics import Topics

_EPOCHS_FROM = 9  # of OffsetCommit: older versions have no member epoch
_NOTHING: Places = frozenset()


class Heard(NamedTuple):
    """The answer to a beat. `assigned` is None when nothing changed for the member."""

    code: ErrorCode
    message: str | None = None
    member_id: str | None = None
    epoch: int = 0
    assigned: Places | None = None


class ConsumerGroup:
    """One group; `epoch` grows with each change, `target_epoch` is that of the last target."""

    kind = "consumer"
    protocol_type = "consumer"

    def __init__(self, name: str, settings: Settings, timers: Timers) -> None:
        self.name = name
        self.roster = ConsumerRoster(name, settings)
        self.epoch = 1  # a first member makes it 2, as with Kafka 4.3
        self.target_epoch = 0
        self.target: dict[str, Places] = {}
        self._counts: dict[UUID, int] = {}
        self._shrunk = False  # the epoch has grown for what a member that went read alone
        self._settings = settings
        self._timers = timers

    @property
    def members(self) -> dict[str, ConsumerMember]:
        return self.roster.members

    @property
    def empty(self) -> bool:
        return not self.members

    @property
    def state(self) -> str:
        """The group's state in Kafka's words."""
        if not self.members:
            return "Empty"
        if self.epoch > self.target_epoch:
            return "Assigning"
        arrived = all(
            one.step is Step.STABLE and one.epoch == self.target_epoch
            for one in self.members.values()
        )
        return "Stable" if arrived else "Reconciling"

    def assignor(self, fresh: str | None = None) -> str:
        """Give the assignor that most members prefer. Where two are preferred alike it is the one
        that nobody wanted before this beat (`fresh`), as Kafka's own counting has it."""
        votes = Counter(one.assignor for one in self.members.values() if one.assignor is not None)
        most = max(votes.values(), default=0)
        best = [name for name in votes if votes[name] == most]
        if fresh in best:
            return fresh
        return best[0] if len(best) == 1 else DEFAULT

    def beat(self, beat: Beat, topics: Topics, now: int) -> Heard:
        """ConsumerGroupHeartbeat of a member that joins or stays."""
        refused = self.roster.refuse(beat)
        if refused is not None:
            return Heard(refused.code, refused.text)
        renamed = beat.instance is not None and self.roster.static(beat.instance) is None
        member, replaced = self.roster.admit(beat)
        if replaced is not None:
            self.target[member.id] = self.target.pop(replaced, _NOTHING)
        before = member.assigned.keys()
        wanted = {one.assignor for one in self.members.values()}
        changed = member.tell(beat)
        counts = self._readable(topics)
        if changed or (counts != self._counts and not self._shrunk):
            self.epoch += 1
        self._counts, self._shrunk = counts, False
        if self.epoch > self.target_epoch:
            self._assign(topics, None if member.assignor in wanted else member.assignor)
            renamed = False
        # Kafka looks for the target under the new name, where nothing stands yet.
        target = _NOTHING if renamed else self.target.get(member.id, _NOTHING)
        self._approach(member, target, beat.owned, topics, now)
        self._expire_later(member, now)
        news = beat.whole or member.assigned.keys() != before
        owns = frozenset(member.assigned) if news else None
        return Heard(ErrorCode.none, None, member.id, member.epoch, owns)

    def depart(self, member_id: str, instance: str | None, epoch: int) -> Heard:
        """ConsumerGroupHeartbeat of a member that goes, for good or (static) to come back."""
        refused = self.roster.refuse_stranger(member_id, instance)
        if refused is not None:
            return Heard(refused.code, refused.text)
        member = self.members[member_id]
        if instance is not None and epoch == AWAY:
            member.epoch, member.revoking = AWAY, {}
            _stop(member.patience)
        else:
            self._remove(member)
            self.epoch += 1
        return Heard(ErrorCode.none, None, member.id, epoch)

    def leave(self, leaving: Sequence[tuple[str, str | None]], now: int) -> list[ErrorCode]:
        """LeaveGroup of the classic protocol: so an administrator removes members of this one."""
        del now
        codes = []
        for given_id, instance in leaving:
            named = None if given_id else self.roster.static(instance)
            member_id = given_id if named is None else named.id
            refused = self.roster.refuse_stranger(member_id, instance)
            codes.append(ErrorCode.none if refused is None else refused.code)
            if refused is None:
                self._remove(self.members[member_id])
        self.epoch += ErrorCode.none in codes
        return codes

    def may_commit(
        self,
        member_id: str,
        instance: str | None,
        epoch: int,
        now: int,  # noqa: ARG002 - a commit does not keep a session alive here
        *,
        transactional: bool = False,
        version: int = _EPOCHS_FROM,
    ) -> ErrorCode:
        """Say whether these may commit offsets now. A member that is behind may, for what it has
        owned since (`owns`; KIP-1251)."""
        if epoch < 0 and self.empty:
            return ErrorCode.none
        if transactional and epoch < 0 and not member_id and instance is None:
            return ErrorCode.none
        member = self.members.get(member_id)
        if member is None:
            return ErrorCode.unknown_member_id
        if not transactional and version < _EPOCHS_FROM:
            return ErrorCode.unsupported_version
        stale = ErrorCode.illegal_generation if transactional else ErrorCode.stale_member_epoch
        return ErrorCode.none if epoch <= member.epoch else stale

    def owns(self, member_id: str, epoch: int, place: Place) -> bool:
        """Say whether a member that may commit may do so for this partition in this epoch."""
        member = self.members.get(member_id)
        if member is None or epoch == member.epoch:
            return True
        since = member.since(place)
        return since is not None and epoch >= since

    def may_fetch(self, member_id: str | None, epoch: int) -> ErrorCode:
        """Say whether these may ask for committed offsets."""
        if member_id is None:
            return ErrorCode.none if epoch < 0 else ErrorCode.unknown_server_error  # as Kafka does
        member = self.members.get(member_id)
        if member is None:
            return ErrorCode.unknown_member_id
        return ErrorCode.none if epoch == member.epoch else ErrorCode.stale_member_epoch

    def moved(self, now: int) -> None:
        """Another node coordinates from now on: it knows everything, the sessions begin anew."""
        for member in self.members.values():
            self._expire_later(member, now)
            if member.step is Step.UNREVOKED:
                self._lose_patience_later(member, now)

    # ------------------------------------------------------------------ what it should have

    def reads(self, member: ConsumerMember, topics: Topics) -> dict[UUID, int]:
        """Give the topics that a member subscribes to and that exist, with their partitions."""
        wanted = re.compile(member.regex) if member.regex else None
        return {
            topic.id: len(topic.partitions)
            for topic in topics.all()
            if topic.name in member.topics or (wanted and wanted.fullmatch(topic.name))
        }

    def _readable(self, topics: Topics) -> dict[UUID, int]:
        counts: dict[UUID, int] = {}
        for member in self.members.values():
            counts.update(self.reads(member, topics))
        return counts

    def _assign(self, topics: Topics, fresh: str | None) -> None:
        subscribers = [
            Subscriber(
                one.id,
                one.instance,
                frozenset(self.reads(one, topics)),
                self.target.get(one.id, _NOTHING),
            )
            for one in self.members.values()
        ]
        self.target = ASSIGNORS[self.assignor(fresh)](subscribers, self._counts)
        self.target_epoch = self.epoch

    def _approach(
        self,
        member: ConsumerMember,
        target: Places,
        owned: Places | None,
        topics: Topics,
        now: int,
    ) -> None:
        others = [one for one in self.members.values() if one is not member]
        held = {place for one in others for place in (*one.assigned, *one.revoking)}
        read = set(self.reads(member, topics))
        if member.approach(target, self.target_epoch, owned, held, read):
            if member.step is Step.UNREVOKED:
                self._lose_patience_later(member, now)
            else:
                _stop(member.patience)

    # ------------------------------------------------------------------ who goes

    def _remove(self, member: ConsumerMember) -> None:
        del self.members[member.id]
        self._shrunk = True
        self.target.pop(member.id, None)
        _stop(member.expiry)
        _stop(member.patience)

    def _lose(self, member: ConsumerMember) -> None:
        self._remove(member)
        self.epoch += 1

    def _expire_later(self, member: ConsumerMember, now: int) -> None:
        _stop(member.expiry)
        limit = self._settings.group_consumer_session_timeout_ms * MILLISECOND
        member.expiry = self._timers.at(now + limit, lambda _: self._lose(member))

    def _lose_patience_later(self, member: ConsumerMember, now: int) -> None:
        """Have a member be out that takes too long to give up what it lost."""
        _stop(member.patience)
        until = now + member.rebalance * MILLISECOND
        member.patience = self._timers.at(until, lambda _: self._lose(member))


def _stop(timer: Timer | None) -> None:
    if timer is not None:
        timer.cancel()
