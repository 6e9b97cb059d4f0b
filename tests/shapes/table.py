"""The table: every shape, its planted bugs, and what each is asked."""

from __future__ import annotations

import json
import sqlite3
import tempfile

from pytest_mqchaos import Plan, on
from pytest_mqchaos.checkers import where
from tests.shapes.services import groups, moving, processes
from tests.shapes.shape import (
    ACKED_AFTER,
    ALL,
    EXACTLY_ONCE,
    IDEMPOTENT,
    LOSSLESS,
    NO_ACKS,
    ORDERED,
    Caught,
    Shape,
    order,
)

LOST = {"question": "lossless", "what": "lost", "where": where.ACKED}


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


SHAPES = (
    Shape(
        name="plain",
        scales=True,
        service=groups.plain,
        caught=(
            Caught(broken=groups.plain_commits_first, under="crash-after-ack", about="o1", **LOST),
            Caught(
                broken=groups.plain_without_a_mark, under="redelivery", question="idempotent",
                what="repeated", where="redelivered",
            ),
            Caught(
                broken=groups.plain_without_a_mark, under="duplicate-publish", what="repeated",
                question="idempotent", where="copies", about="o1",
            ),
        ),
    ),
    Shape(
        name="batch",
        scales=True,
        service=groups.batch,
        caught=(
            Caught(broken=groups.batch_commits_before_the_last, under="crash-after-ack", **LOST),
        ),
    ),
    Shape(
        name="retry-topic",
        scales=True,
        service=moving.retry_topic,
        prepare=retries,
        fails=("o2",),
        asks=(LOSSLESS, IDEMPOTENT, EXACTLY_ONCE, ACKED_AFTER),
        caught=(Caught(broken=moving.retry_forgets, under="lost-ack", about="o2", **LOST),),
    ),
    Shape(
        name="dead-letters",
        service=moving.dead_letters,
        prepare=dead,
        fails=("o2",),
        asks=(*ALL, ("dead_lettered", {"copies": "allowed"})),
        caught=(
            Caught(
                broken=moving.dead_letters_commit_first,
                under=Plan(on.ack(nth=2).crash_worker("after")),
                question="dead_lettered", what="missing", about="o2",
            ),
        ),
    ),
    Shape(
        name="two-groups",
        service=groups.billing_and_mail,
        caught=(
            Caught(broken=groups.mail_swallows_one, under="redelivery", about="o2", by="mail",
                   **LOST),
        ),
    ),
    Shape(
        name="filter",
        scales=True,
        service=groups.only_large,
        publish=some_small,
        id=mine,
        caught=(
            Caught(broken=groups.only_large_too_strict, under="lost-confirm", about="o4", **LOST),
        ),
    ),
    Shape(
        name="handlers",
        scales=True,
        service=groups.handlers,
        settle={"timeout": 2},
        asks=(LOSSLESS, IDEMPOTENT, EXACTLY_ONCE, ACKED_AFTER),
        caught=(Caught(broken=groups.handlers_untracked, under="crash-after-ack", **LOST),),
    ),
    Shape(
        name="several-topics",
        service=groups.several_topics,
        prepare=two_topics,
        publish=orders_and_refunds,
        asks=(LOSSLESS, IDEMPOTENT, ("ordered", {"by": "partition"}), EXACTLY_ONCE, ACKED_AFTER),
        caught=(
            Caught(broken=groups.several_topics_skips_one, under="lost-publish", about="o7",
                   **LOST),
        ),
    ),
    Shape(
        name="transform",
        scales=True,
        service=moving.transform,
        prepare=outputs,
        asks=(LOSSLESS, ORDERED, ACKED_AFTER),
        caught=(
            Caught(broken=moving.transform_commits_first, under="crash-after-ack", about="o1",
                   **LOST),
        ),
    ),
    Shape(
        name="own-positions",
        service=moving.own_positions,
        prepare=two_partitions,
        cannot=NO_ACKS,
        asks=(LOSSLESS, IDEMPOTENT, ORDERED, EXACTLY_ONCE),
        settle={"until": "effects", "timeout": 1},
        before=True,
        publish=crash_in_the_work,
        caught=(
            Caught(
                broken=moving.own_positions_first, under="lost-publish", about="o1",
                question="lossless", what="lost", where=where.UNACKED,
            ),
        ),
    ),
    Shape(
        name="earliest",
        service=groups.from_the_start,
        before=True,
        publish=when_ready,
        caught=(
            Caught(
                broken=groups.from_the_end, under="lost-ack", question="lossless", what="skipped",
                where=where.SKIPPED, about="o1",
            ),
        ),
    ),
    Shape(
        name="two-workers",
        service=groups.plain,
        prepare=two_partitions,
        workers={"count": 2},
        asks=(LOSSLESS, IDEMPOTENT, EXACTLY_ONCE, ACKED_AFTER),
        caught=(
            Caught(broken=groups.plain_commits_first, under="crash-after-ack", **LOST),
        ),
    ),
    Shape(
        name="tombstones",
        scales=True,
        service=groups.compacted,
        publish=tombstones,
        id="header:version",
        caught=(
            Caught(broken=groups.compacted_ignores_tombstones, under="lost-ack", about="k1-2",
                   **LOST),
        ),
    ),
    Shape(
        name="composite-id",
        scales=True,
        service=groups.by_type,
        publish=created_and_paid,
        id=("json:/id", "json:/type"),
        caught=(
            Caught(broken=groups.by_type_marks_the_order, under="redelivery", about="o1|paid",
                   **LOST),
        ),
    ),
    Shape(
        name="bulk",
        scales=True,
        service=groups.bulk,
        publish=bulks,
        id=ids_of,
        asks=(LOSSLESS, IDEMPOTENT, EXACTLY_ONCE, ACKED_AFTER),
        caught=(
            Caught(broken=groups.bulk_forgets_the_last, under="lost-confirm", about="a2", **LOST),
        ),
    ),
    Shape(
        name="summing",
        service=groups.summing,
        asks=(LOSSLESS, IDEMPOTENT, EXACTLY_ONCE, ACKED_AFTER),
        caught=(
            Caught(broken=groups.summing_commits_first,
                   under=Plan(on.ack(nth=3).crash_worker("after")), **LOST),
        ),
    ),
    Shape(
        name="outbox",
        service=moving.outbox,
        prepare=from_a_table,
        publish=into_a_consumer,
        asks=(*ALL, ("confirmed_before_success", {})),
        caught=(
            Caught(
                broken=moving.outbox_swallows, under="lost-publish",
                question="lossless", what="lost", where=where.NEVER_REACHED, about="o1",
            ),
        ),
    ),
    Shape(
        name="confluent",
        scales=True,
        seldom=("lost-ack",),
        service=processes.by_confluent,
        prepare=rows,
        asks=(LOSSLESS, ORDERED),
        workers={"process": True},
        caught=(
            Caught(broken=processes.by_confluent_commit_first, under="crash-after-ack", about="o1",
                   **LOST),
        ),
    ),
    Shape(
        name="kafka-python",
        scales=True,
        service=processes.by_kafka_python,
        prepare=rows,
        asks=(LOSSLESS, ORDERED),
        workers={"process": True},
        caught=(
            Caught(broken=processes.by_kafka_python_commit_first, under="crash-after-ack",
                   about="o1", **LOST),
        ),
    ),
    Shape(
        name="program",
        scales=True,
        service="work",
        asks=(LOSSLESS, ORDERED, ACKED_AFTER),
        caught=(Caught(broken="commit", under="crash-after-ack", about="o1", **LOST),),
    ),
    Shape(
        name="slow",
        scales=True,
        service=groups.slow,
        caught=(
            Caught(broken=groups.slow_commits_first, under="crash-after-ack", about="o1", **LOST),
        ),
    ),
    Shape(
        name="late",
        service=groups.late,
        caught=(
            Caught(broken=groups.late_commits_first, under="crash-after-ack", about="o1", **LOST),
        ),
    ),
)  # fmt: skip
