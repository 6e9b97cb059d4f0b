"""What the services of this folder share: the world that they change.

`World` stands for a team's database: it outlives every crash of a worker, and `once` is what a
transaction with a unique key on the message's id does.
"""

from __future__ import annotations

import json
import threading


class World:
    """A database with one table of effects. `fails` names the orders that cannot be handled, `seen`
    counts how often each was tried, `offsets` are positions that a service keeps itself, `orders`
    what a test publishes, `path` the file of a real database, if the service has one."""

    def __init__(self, effects, *, fails=(), orders=(), partitions=1):
        self.effects = effects
        self.fails = frozenset(fails)
        self.done = set()
        self.seen = {}
        self.offsets = {}
        self.ready = threading.Event()
        self.orders = orders
        self.partitions = partitions
        self.path = ""
        self.rows = {}
        self.tasks = set()
        self._transaction = threading.Lock()

    def once(self, order, *, by=None, key=None):
        """The work and the mark in one transaction; nothing the second time."""
        with self._transaction:
            if (order, by) not in self.done:
                self.done.add((order, by))
                self.effects.record(order, by=by, key=key)

    def again(self, order, *, by=None, key=None):
        """The work without a mark."""
        self.effects.record(order, by=by, key=key)

    def tried(self, order):
        """How often this order has been tried, this time included."""
        self.seen[order] = self.seen.get(order, 0) + 1
        return self.seen[order]


def order_of(message):
    """The id in a message's body."""
    return json.loads(message.value)["id"]


def key_of(message):
    return (message.key or b"").decode()
