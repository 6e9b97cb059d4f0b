"""Who is in a KIP-848 group, under which name, and whose beats are refused with what.

It knows ids, instance ids and member epochs; it knows nothing of partitions beyond what a member
itself says, and no time.
"""

from __future__ import annotations

from typing import NamedTuple

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.groups.consumer_members import (
    AWAY,
    JOINING,
    Beat,
    ConsumerMember,
    unsound,
)
from pytest_mqchaos.kafka_cluster.settings import Settings


class Refused(NamedTuple):
    """Why a beat is not taken, in Kafka's code and words."""

    code: ErrorCode
    text: str


class ConsumerRoster:
    """The members in the order in which they came."""

    def __init__(self, group: str, settings: Settings) -> None:
        self.members: dict[str, ConsumerMember] = {}
        self._group = group
        self._settings = settings

    def static(self, instance: str | None) -> ConsumerMember | None:
        """Give the member that has this instance id."""
        named = (one for one in self.members.values() if one.instance == instance)
        return None if instance is None else next(named, None)

    def refuse(self, beat: Beat) -> Refused | None:
        """Say why a member may not join or stay, None if it may."""
        most = self._settings.group_consumer_max_size
        if len(self.members) >= most and beat.member_id not in self.members:
            text = f"The consumer group has reached its maximum capacity of {most} members."
            return Refused(ErrorCode.group_max_size_reached, text)
        if beat.epoch == JOINING:
            return self._refuse_joining(beat)
        refused = self.refuse_stranger(beat.member_id, beat.instance)
        if refused is not None:
            return refused
        if self.members[beat.member_id].knows(beat.epoch, beat.owned):
            problem = unsound(beat.regex)
            if problem is None:
                return None
            return Refused(ErrorCode.invalid_regular_expression, problem)
        known = self.members[beat.member_id].epoch
        size = "greater" if beat.epoch > known else "smaller"
        text = (
            f"The consumer group member has a {size} member epoch ({beat.epoch}) than the one "
            f"known by the group coordinator ({known}). The member must abandon all its "
            f"partitions and rejoin."
        )
        return Refused(ErrorCode.fenced_member_epoch, text)

    def refuse_stranger(self, member_id: str, instance: str | None) -> Refused | None:
        """Say why this is no member, None if it is one: of a static one, the one that has its name
        now."""
        if instance is None:
            if member_id in self.members:
                return None
            text = f"Member {member_id} is not a member of group {self._group}."
            return Refused(ErrorCode.unknown_member_id, text)
        owner = self.static(instance)
        if owner is None:
            return Refused(ErrorCode.unknown_member_id, f"Instance id {instance} is unknown.")
        if owner.id == member_id:
            return None
        text = (
            f"Static member {member_id} with instance id {instance} was fenced by member "
            f"{owner.id}."
        )
        return Refused(ErrorCode.fenced_instance_id, text)

    def admit(self, beat: Beat) -> tuple[ConsumerMember, str | None]:
        """Give the member that beats, and the id that it had before, if it is a static one that is
        back under another."""
        away = self.static(beat.instance)
        if away is not None and away.epoch == AWAY:
            old_id = away.id
            del self.members[old_id]
            away.id, away.epoch, away.previous_epoch = beat.member_id, JOINING, JOINING
            self.members[away.id] = away
            return away, old_id
        if beat.member_id not in self.members:
            self.members[beat.member_id] = ConsumerMember(id=beat.member_id)
        member = self.members[beat.member_id]
        member.instance = member.instance if beat.instance is None else beat.instance
        return member, None

    def _refuse_joining(self, beat: Beat) -> Refused | None:
        owner = self.static(beat.instance)
        if owner is None or owner.epoch == AWAY:
            return None
        text = (
            f"Static member {beat.member_id} with instance id {beat.instance} cannot join the "
            f"group because the instance id is owned by {owner.id} member."
        )
        return Refused(ErrorCode.unreleased_instance_id, text)
