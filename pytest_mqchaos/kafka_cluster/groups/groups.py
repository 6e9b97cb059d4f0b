"""All groups of a cluster, by name.

It knows which groups there are and makes member ids; what a group does is `group.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from itertools import count
from uuid import UUID

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.groups.consumer_group import ConsumerGroup
from pytest_mqchaos.kafka_cluster.groups.group import Group
from pytest_mqchaos.kafka_cluster.settings import Settings
from pytest_mqchaos.kafka_cluster.timers import Timers


class Groups:
    """The group coordinator's memory. A name without a group is a group nobody ever used."""

    def __init__(self, settings: Settings, timers: Timers, seed: int) -> None:
        self._settings = settings
        self._timers = timers
        self._seed = seed
        self._members = count()
        self._groups: dict[str, Group | ConsumerGroup] = {}

    def get(self, name: str) -> Group | ConsumerGroup | None:
        return self._groups.get(name)

    def get_or_create(self, name: str) -> Group | ConsumerGroup:
        """Give the group, of whatever protocol; a new one is classic and empty."""
        return self._groups.get(name) or self._classic(name)

    def classic(self, name: str, *, create: bool = False) -> Group | None:
        """Give the group if it is a classic one. `create`: make it, in place of none or of an
        empty one of the other protocol."""
        found = self._groups.get(name)
        if create and (found is None or (isinstance(found, ConsumerGroup) and found.empty)):
            return self._classic(name)
        return found if isinstance(found, Group) else None

    def consumer(self, name: str, *, create: bool = False) -> ConsumerGroup | None:
        """Give the group if it is one of KIP-848. `create` as for `classic`."""
        found = self._groups.get(name)
        if create and (found is None or (isinstance(found, Group) and found.empty)):
            found = self._groups[name] = ConsumerGroup(name, self._settings, self._timers)
        return found if isinstance(found, ConsumerGroup) else None

    def all(self) -> list[Group | ConsumerGroup]:
        """Give every group, by name."""
        return [self._groups[name] for name in sorted(self._groups)]

    def delete(self, name: str) -> ErrorCode:
        """Remove an empty group."""
        group = self._groups.get(name)
        if group is None:
            return ErrorCode.group_id_not_found
        if not group.empty:
            return ErrorCode.non_empty_group
        del self._groups[name]
        return ErrorCode.none

    def moved(self, names: Iterable[str], now: int) -> None:
        """Hear that other nodes coordinate these groups from now on: who waits is told
        NOT_COORDINATOR, and only what was written down is left."""
        for name in sorted(names):
            if name in self._groups:
                self._groups[name].moved(now)

    def new_member_id(self, group: str) -> str:
        """Make the id of a member that brings none (KIP-848's first version)."""
        return str(self._uuid(group))

    def _classic(self, name: str) -> Group:
        group = Group(name, self._settings, self._timers, self._new_id)
        self._groups[name] = group
        return group

    def _new_id(self, group: str, client: str) -> str:
        return f"{client}-{self._uuid(group)}"

    def _uuid(self, group: str) -> UUID:
        text = f"{self._seed}/{group}/{next(self._members)}".encode()
        return UUID(bytes=sha256(text).digest()[:16], version=4)
