"""All groups of a cluster, by name.

It knows which groups there are and makes member ids; what a group does is `group.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from itertools import count
from uuid import UUID

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.group import Group
from pytest_mqchaos.kafka_cluster.members import Phase
from pytest_mqchaos.kafka_cluster.settings import Settings
from pytest_mqchaos.kafka_cluster.timers import Timers


class Groups:
    """The group coordinator's memory. A name without a group is a group nobody ever used."""

    def __init__(self, settings: Settings, timers: Timers, seed: int) -> None:
        self._settings = settings
        self._timers = timers
        self._seed = seed
        self._members = count()
        self._groups: dict[str, Group] = {}

    def get(self, name: str) -> Group | None:
        return self._groups.get(name)

    def get_or_create(self, name: str) -> Group:
        """Give the group; a new one is empty."""
        if name not in self._groups:
            self._groups[name] = Group(name, self._settings, self._timers, self._new_id)
        return self._groups[name]

    def all(self) -> list[Group]:
        """Give every group, by name."""
        return [self._groups[name] for name in sorted(self._groups)]

    def delete(self, name: str) -> ErrorCode:
        """Remove an empty group."""
        group = self._groups.get(name)
        if group is None:
            return ErrorCode.group_id_not_found
        if group.phase is not Phase.EMPTY:
            return ErrorCode.non_empty_group
        del self._groups[name]
        return ErrorCode.none

    def moved(self, names: Iterable[str], now: int) -> None:
        """Hear that other nodes coordinate these groups from now on: who waits is told
        NOT_COORDINATOR, and only what was written down is left."""
        for name in sorted(names):
            if name in self._groups:
                self._groups[name].moved(now)

    def _new_id(self, group: str, client: str) -> str:
        text = f"{self._seed}/{group}/{next(self._members)}".encode()
        return f"{client}-{UUID(bytes=sha256(text).digest()[:16], version=4)}"
