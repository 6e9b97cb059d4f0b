"""The brokers as processes: which run, which stand still, who hears whom.

It knows processes and the network between them. It must never know what a partition is, nor what
anybody concludes from a silence.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum


class Life(Enum):
    """What a broker's process does."""

    UP = "up"
    PAUSED = "paused"  # its sockets take bytes, nothing is done with them
    DOWN = "down"
    STARTING = "starting"  # runs, but the controller has not taken it in: no socket is open


class Nodes:
    """Every node of a cluster. A group of nodes hears itself; the controller is with the largest,
    among equal ones with that of the lowest node."""

    def __init__(self, nodes: Sequence[int]) -> None:
        self.all = tuple(nodes)
        self.life = dict.fromkeys(self.all, Life.UP)
        self._group = dict.fromkeys(self.all, 0)
        self._majority = 0

    def serves(self, node: int) -> bool:
        """Whether the process does anything for a client."""
        return self.life[node] is Life.UP

    def accepts(self, node: int) -> bool:
        """Whether a connection to it comes about."""
        return self.life[node] in {Life.UP, Life.PAUSED}

    def reach(self, one: int, other: int) -> bool:
        """Whether two nodes work and hear each other."""
        return self.serves(one) and self.serves(other) and self._group[one] == self._group[other]

    def in_touch(self, node: int) -> bool:
        """Whether the controller hears it, also while it starts."""
        lives = self.life[node] in {Life.UP, Life.STARTING}
        return lives and self._group[node] == self._majority

    def hears(self, node: int) -> bool:
        """Whether it learns what the controller decides."""
        return self.serves(node) and self._group[node] == self._majority

    def deaf(self) -> list[int]:
        """Give the nodes that do not."""
        return [node for node in self.all if not self.hears(node)]

    def split(self, groups: Sequence[Collection[int]]) -> None:
        """Divide the network: who is in no group stays with the others who are in none."""
        self._group = dict.fromkeys(self.all, 0)
        for number, group in enumerate(groups, start=1):
            self._group.update(dict.fromkeys(group, number))
        sizes: dict[int, int] = {}
        for number in self._group.values():
            sizes[number] = sizes.get(number, 0) + 1
        self._majority = max(sizes, key=lambda number: sizes[number])  # the first of equal ones
