"""Who is in a group, who leads it, what all of them speak, and whose session runs out when.

It knows members, those who were given an id and have not come back with it (KIP-394), and which
id a static member has now (KIP-345); what a departure means for the group is the group's to say
(`gone`).
"""

from __future__ import annotations

from collections.abc import Callable

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.groups.members import Joined, Joining, Member, Synced
from pytest_mqchaos.kafka_cluster.timers import MILLISECOND, Timer, Timers


class Roster:
    """The members in the order in which they came; the first leads until it leaves.

    `gone(member, now)` is called when a session runs out, with None for one that never came back
    with the id that it was given.
    """

    def __init__(self, timers: Timers, gone: Callable[[Member | None, int], None]) -> None:
        self.members: dict[str, Member] = {}
        self.pending: dict[str, Timer] = {}
        self.leader: str | None = None
        self.protocol_type: str | None = None
        self._static: dict[str, str] = {}
        self._timers = timers
        self._gone = gone

    def all(self) -> list[Member]:
        """Give the members as they are now: safe to walk while they change."""
        return list(self.members.values())

    def static(self, instance: str | None) -> Member | None:
        """Give the member that has this instance id now."""
        return self.members.get(self._static.get(instance or "", ""))

    def validate(self, member_id: str, instance: str | None) -> ErrorCode:
        """Say whether this is a member, and, of a static one, the one that has its name now."""
        if instance is not None:
            found = self.static(instance)
            if found is not None and found.id != member_id:
                return ErrorCode.fenced_instance_id
            if found is None:
                return ErrorCode.unknown_member_id
        return ErrorCode.none if member_id in self.members else ErrorCode.unknown_member_id

    def add(self, member: Member, protocol_type: str) -> None:
        """Take a member; the first one leads and says what kind of group this is."""
        if not self.members:
            self.protocol_type = protocol_type
            self.leader = member.id
        self.members[member.id] = member
        if member.instance is not None:
            self._static[member.instance] = member.id

    def remove(self, member: Member) -> None:
        """Drop a member; the next in order leads if it led."""
        del self.members[member.id]
        if member.instance is not None:
            del self._static[member.instance]
        if member.expiry is not None:
            member.expiry.cancel()
        if self.leader == member.id:
            self.leader = next(iter(self.members), None)

    def replace(self, member: Member, new_id: str, now: int) -> None:
        """Give a static member a new id: whoever still has the old one is fenced (KIP-345)."""
        old_id = member.id
        member.answer_join(Joined(ErrorCode.fenced_instance_id, old_id), now)
        member.answer_sync(Synced(ErrorCode.fenced_instance_id), now)
        del self.members[old_id]
        member.id, member.new, member.synced = new_id, False, True  # it owes no sync
        self.members[new_id] = member
        if member.instance is not None:
            self._static[member.instance] = new_id
        if self.leader == old_id:
            self.leader = new_id

    def lead_by_joined(self) -> bool:
        """Have a member lead that waits for the next generation; False if none waits."""
        waiting = [member.id for member in self.members.values() if member.join is not None]
        if waiting and self.leader not in waiting:
            self.leader = waiting[0]
        return bool(waiting)

    def promise(self, member_id: str, limit: int, now: int) -> None:
        """Remember an id that was given out; it is void after `limit` ms."""
        self.pending[member_id] = self._timers.at(
            now + limit * MILLISECOND, lambda then: self._never_came(member_id, then)
        )

    def claim(self, member_id: str) -> bool:
        """Take back an id that was given out, if it was."""
        timer = self.pending.pop(member_id, None)
        if timer is not None:
            timer.cancel()
        return timer is not None

    def speaks(self, asked: Joining) -> bool:
        """Say whether a client offers a protocol that all members share."""
        if not asked.protocol_type or not asked.protocols:
            return False
        if not self.members:
            return True
        common = self._common()
        return asked.protocol_type == self.protocol_type and any(
            name in common for name, _ in asked.protocols
        )

    def vote(self) -> str:
        """Each member votes for its first protocol that all share; the first of equals wins."""
        common = self._common()
        votes: dict[str, int] = {}
        for member in self.members.values():
            choice = next(name for name, _ in member.protocols if name in common)
            votes[choice] = votes.get(choice, 0) + 1
        return max(votes, key=votes.__getitem__)

    def patience(self) -> int:
        """Give the longest rebalance time-out of any member (ms)."""
        return max((member.rebalance for member in self.members.values()), default=0)

    def beat(self, member: Member, now: int) -> None:
        """Begin a member's session anew."""
        self.expire_in(member, member.session, now)

    def expire_in(self, member: Member, limit: int, now: int) -> None:
        """Have a member's session run out after `limit` ms."""
        if member.expiry is not None:
            member.expiry.cancel()
        member.expiry = self._timers.at(
            now + limit * MILLISECOND, lambda then: self._expire(member, then)
        )

    def clear(self) -> None:
        """Forget everybody; nothing is answered and nothing runs out any more."""
        for member in self.all():
            self.remove(member)
        for member_id in list(self.pending):
            self.claim(member_id)

    def _expire(self, member: Member, now: int) -> None:
        waits_for_us = member.join is not None or member.sync is not None
        if member.new or not waits_for_us:
            self._gone(member, now)

    def _never_came(self, member_id: str, now: int) -> None:
        del self.pending[member_id]
        self._gone(None, now)

    def _common(self) -> set[str]:
        offers = [{name for name, _ in one.protocols} for one in self.members.values()]
        return set.intersection(*offers)
