"""Who is in a group, who leads it, what all of them speak, and whose session runs out when.

It knows members; what a departure means for the group is the group's to say (`gone`).
"""

from __future__ import annotations

from collections.abc import Callable

from pytest_mqchaos.kafka_cluster.members import Joining, Member
from pytest_mqchaos.kafka_cluster.timers import MILLISECOND, Timers


class Roster:
    """The members in the order in which they came; the first leads until it leaves.

    `gone(member, now)` is called when a session runs out.
    """

    def __init__(self, timers: Timers, gone: Callable[[Member, int], None]) -> None:
        self.members: dict[str, Member] = {}
        self.leader: str | None = None
        self.protocol_type: str | None = None
        self._timers = timers
        self._gone = gone

    def all(self) -> list[Member]:
        """Give the members as they are now: safe to walk while they change."""
        return list(self.members.values())

    def add(self, member: Member, protocol_type: str) -> None:
        """Take a member; the first one leads and says what kind of group this is."""
        if not self.members:
            self.protocol_type = protocol_type
            self.leader = member.id
        self.members[member.id] = member

    def remove(self, member: Member) -> None:
        """Drop a member; the next in order leads if it led."""
        del self.members[member.id]
        if member.expiry is not None:
            member.expiry.cancel()
        if self.leader == member.id:
            self.leader = next(iter(self.members), None)

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

    def _expire(self, member: Member, now: int) -> None:
        waits_for_us = member.join is not None or member.sync is not None
        if member.new or not waits_for_us:
            self._gone(member, now)

    def _common(self) -> set[str]:
        offers = [{name for name, _ in one.protocols} for one in self.members.values()]
        return set.intersection(*offers)
