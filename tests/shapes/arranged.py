"""What a shape's run begins with: its topics, where its effects are, what is published and when."""

from __future__ import annotations

import json
import sqlite3
import tempfile

from tests.shapes.services import groups, processes
from tests.shapes.shape import one_topic, order


def already_there(chaos, world):
    """All of it is in the log before the worker begins: it comes in one fetch."""
    one_topic(chaos, world)
    chaos.publish("orders", world.orders)


def nothing(chaos, world):
    """What was published in `prepare` is all."""


def retries(chaos, world):
    chaos.topic("orders")
    chaos.topic("orders.retry")
    chaos.flow(retries=["orders.retry"])


def dead(chaos, world):
    chaos.topic("orders")
    chaos.topic("orders.dead")
    chaos.flow(dead_letters=["orders.dead"])
    chaos.expect(dead_lettered=sorted(world.fails)[: len(world.orders) - 1])


def two_topics(chaos, world):
    chaos.topic("orders")
    chaos.topic("refunds")


def orders_and_refunds(chaos, world):
    chaos.publish("orders", world.orders)
    chaos.publish("refunds", [order(n) for n in range(6, 9)])


def some_small(chaos, world):
    chaos.publish("orders", [order(n, size="small" if n % 2 else "large") for n in range(1, 6)])


def mine(record):
    """Ids of large orders; None for the small ones, which are not ours."""
    return None if b'"small"' in record.value else record.value.split(b'"')[3].decode()


def outputs(chaos, world):
    chaos.topic("orders")
    chaos.topic("invoices")
    chaos.effects.from_topic("invoices")


def two_partitions(chaos, world):
    chaos.topic("orders", partitions=2)
    world.partitions = 2


def tombstones(chaos, world):
    versions = [("k1", "a"), ("k2", "b"), ("k1", None), ("k2", "c"), ("k2", None)]
    chaos.publish(
        "orders",
        [
            {"key": key, "value": value, "headers": {"version": f"{key}-{number}"}}
            for number, (key, value) in enumerate(versions)
        ],
    )


def created_and_paid(chaos, world):
    events = [(n, kind) for n in range(1, 4) for kind in ("created", "paid")]
    chaos.publish("orders", [order(n, type=kind) for n, kind in events])


def bulks(chaos, world):
    chaos.publish("orders", [json.dumps({"ids": [f"{b}1", f"{b}2"]}) for b in "abcd"])


def ids_of(record):
    """Every order of a message."""
    return json.loads(record.value)["ids"]


def from_a_table(chaos, world):
    chaos.topic("orders")
    world.table = {f"o{n}": json.dumps({"id": f"o{n}"}).encode() for n in range(1, 6)}
    world.accepted = chaos.accepted


def rows(chaos, world):
    chaos.topic("orders", partitions=world.partitions)
    world.path = f"{tempfile.mkdtemp(dir=chaos.host.directory)}/rows.db"
    with sqlite3.connect(world.path) as database:
        database.execute(processes.TABLE)
    database.close()
    chaos.effects.from_sql(world.path, processes.QUERY)


def into_a_consumer(chaos, world):
    """The worker is the outbox; behind it a plain consumer."""
    with chaos.worker(groups.plain, chaos.bootstrap_servers, world):
        chaos.wait_for(lambda: len(chaos.scope.acceptances) == len(world.table))
        chaos.settle()


def when_ready(chaos, world):
    chaos.wait_for(world.ready.is_set)
    chaos.publish("orders", world.orders[3:])


def crash_in_the_work(chaos, world):
    """No ack whose position a rule could name: the test itself crashes the worker."""
    when_ready(chaos, world)
    world.worker.crash()
