"""A member of a KIP-848 group, and how it comes from what it has to what it should have.

It knows one member at a time: its epoch, what it owns, what it must give up first. Who else owns
something is told to it; what it should have is `target_assignment.py`'s.

    STABLE --target takes something away--> UNREVOKED --member says it gave it up--> STABLE
       '---target gives what another still has--> UNRELEASED --the other gave it up--> STABLE
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from pytest_mqchaos.kafka_cluster.groups.target_assignment import Place, Places
from pytest_mqchaos.kafka_cluster.timers import Timer

JOINING, LEAVING, AWAY = 0, -1, -2  # member epochs with a meaning; AWAY: a static one, to return


class Step(StrEnum):
    """How far a member is on its way to its target."""

    STABLE = "Stable"
    UNREVOKED = "UnrevokedPartitions"
    UNRELEASED = "UnreleasedPartitions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What a client says with ConsumerGroupHeartbeat; None is "as before". Times in ms."""

    member_id: str
    epoch: int
    client: str = ""
    instance: str | None = None
    rack: str | None = None
    rebalance: int | None = None
    topics: frozenset[str] | None = None
    regex: str | None = None
    assignor: str | None = None
    owned: Places | None = None

    @property
    def whole(self) -> bool:
        """Says everything, as after an error: so the answer must say everything too."""
        subscribed = self.topics is not None or self.regex is not None
        told = self.rebalance is not None and subscribed and self.owned is not None
        return self.epoch == JOINING or told


@dataclass(slots=True, eq=False, kw_only=True)
class ConsumerMember:
    """One member. `assigned` and `revoking` tell since which epoch it owns each partition."""

    id: str
    instance: str | None = None
    client: str = ""
    rack: str | None = None
    rebalance: int = 0
    topics: frozenset[str] = frozenset()
    regex: str = ""
    assignor: str | None = None
    epoch: int = JOINING
    previous_epoch: int = -1
    step: Step = Step.STABLE
    assigned: dict[Place, int] = field(default_factory=dict)
    revoking: dict[Place, int] = field(default_factory=dict)
    expiry: Timer | None = None
    patience: Timer | None = None

    def tell(self, beat: Beat) -> bool:
        """Take what the member says of itself; gives whether it reads other topics now."""
        before = (self.topics, self.regex)
        self.client = beat.client
        self.rack = self.rack if beat.rack is None else beat.rack
        self.rebalance = self.rebalance if beat.rebalance is None else beat.rebalance
        self.assignor = self.assignor if beat.assignor is None else beat.assignor
        self.topics = self.topics if beat.topics is None else beat.topics
        self.regex = self.regex if beat.regex is None else beat.regex
        return before != (self.topics, self.regex)

    def knows(self, epoch: int, owned: Places | None) -> bool:
        """Say whether a member that beats with this epoch is up to date, or missed one answer."""
        if epoch in {JOINING, self.epoch}:
            return True
        missed_one = epoch < self.epoch and epoch == self.previous_epoch
        return missed_one and owned is not None and owned <= self.assigned.keys()

    def since(self, place: Place) -> int | None:
        """Give the epoch in which it came to own a partition, None if it does not."""
        return self.assigned.get(place, self.revoking.get(place))

    def approach(
        self, target: Places, epoch: int, owned: Places | None, held: set[Place], read: set[UUID]
    ) -> bool:
        """Come as near to the target of an epoch as can be now; gives whether anything changed.

        `owned` is what the member says it has (None: as before), `held` what others still have,
        `read` the topics that it subscribes to.
        """
        if self.step is Step.STABLE and self.epoch == epoch:
            return False
        if self.step is Step.UNREVOKED and _has_any(owned, self.revoking):
            return self._lose_unread(read)
        kept: dict[Place, int] = {}
        lost: dict[Place, int] = {}
        granted: dict[Place, int] = {}
        waits = False
        for place, since in self.assigned.items():
            (kept if place in target and place[0] in read else lost)[place] = since
        for place in sorted(target - kept.keys()):
            if place in held:
                waits = True
            else:
                granted[place] = epoch
        if lost and _has_any(owned, lost):
            return self._become(Step.UNREVOKED, self.epoch, kept, lost)
        step = Step.UNRELEASED if waits else Step.STABLE
        return self._become(step, epoch, {**kept, **granted}, {})

    def _lose_unread(self, read: set[UUID]) -> bool:
        """Give up topics that it does not read any more beside what it gives up already."""
        kept = {place: since for place, since in self.assigned.items() if place[0] in read}
        lost = {place: since for place, since in self.assigned.items() if place not in kept}
        if not lost:
            return False
        return self._become(Step.UNREVOKED, self.epoch, kept, {**self.revoking, **lost})

    def _become(
        self, step: Step, epoch: int, assigned: dict[Place, int], revoking: dict[Place, int]
    ) -> bool:
        before = (self.step, self.epoch, self.previous_epoch, self.assigned, self.revoking)
        self.previous_epoch, self.epoch = self.epoch, epoch
        self.step, self.assigned, self.revoking = step, assigned, revoking
        return before != (step, epoch, self.previous_epoch, assigned, revoking)


def _has_any(owned: Places | None, places: dict[Place, int]) -> bool:
    """Say whether a member may still have some of these; one that does not say has them."""
    return owned is None or not owned.isdisjoint(places)


def unsound(regex: str | None) -> str | None:
    """Say in a sentence what is wrong with a regular expression, None if nothing is."""
    try:
        re.compile(regex or "")
    except re.error as error:
        return f"SubscribedTopicRegex `{regex}` is not a valid regular expression: {error}."
    return None
