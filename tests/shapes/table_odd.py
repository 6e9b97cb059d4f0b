"""More of the table: correct services in odd but legal ways."""

from __future__ import annotations

import json

from pytest_mqchaos.checkers.evidence import where
from tests.shapes.arranged import already_there, nothing
from tests.shapes.services import odd
from tests.shapes.shape import (
    ACKED_AFTER,
    ALL,
    EXACTLY_ONCE,
    IDEMPOTENT,
    LOSSLESS,
    ORDERED,
    Caught,
    Shape,
    one_topic,
    order,
)

LOST = {"question": "lossless", "what": "lost", "where": where.ACKED}


def with_totals(chaos, world):
    chaos.publish("orders", [order(n, total=10 * n) for n in range(1, 6)])


def total_of(message):
    return json.loads(message.value)["total"]


def table_of_totals(chaos, world):
    one_topic(chaos, world)
    chaos.effects.from_call(
        lambda: [{"id": one, "value": total} for one, total in list(world.rows.items())],
        countable=False,
    )


def waiting(chaos, world):
    chaos.publish("orders", [order(n, wait=0.5 if n == 1 else 0.05) for n in range(1, 5)])


def raw(chaos, world):
    chaos.publish(
        "orders",
        [
            {"value": bytes([0, 255, n]), "key": None if n % 2 else f"k{n}".encode(),
             "headers": {"order": f"n{n}"}}
            for n in range(1, 6)
        ],
    )  # fmt: skip


def versions(chaos, world):
    rows = [(1, "k1"), (2, "k1"), (1, "k2"), (3, "k1"), (2, "k2")]
    bodies = [{"id": f"{key}-{v}", "version": v} for v, key in rows]
    chaos.publish(
        "orders",
        [
            {"key": key, "value": json.dumps(body)}
            for (_, key), body in zip(rows, bodies, strict=True)
        ],
    )


def some_garbage(chaos, world):
    messages = [{**order(n), "headers": {"order": f"o{n}"}} for n in range(1, 6)]
    messages[2]["value"] = b"{not json"
    chaos.publish("orders", messages)


SHAPES = (
    Shape(
        name="commit-every-third",
        service=odd.every_third,
        prepare=already_there,
        publish=nothing,
        scales=True,
        caught=(
            Caught(
                broken=odd.every_third_commits_what_was_fetched, under="crash-after-ack", **LOST
            ),
        ),
    ),
    Shape(
        name="commit-in-finally",
        scales=True,
        service=odd.in_finally,
        fails=("o2",),
        caught=(Caught(broken=odd.in_finally_without_a_retry, under="no fault", **LOST),),
    ),
    Shape(
        name="seek-back",
        scales=True,
        service=odd.seeks_back,
        fails=("o2",),
        caught=(Caught(broken=odd.seeks_back_not, under="no fault", **LOST),),
    ),
    Shape(
        name="upsert",
        service=odd.upsert,
        prepare=table_of_totals,
        publish=with_totals,
        asks=(LOSSLESS, ("idempotent", {"expected": total_of}),
              ("exactly_once", {"expected": total_of})),
        caught=(
            Caught(broken=odd.upsert_adds, under="duplicate-publish", question="idempotent",
                   what="altered"),
        ),
    ),
    Shape(
        name="ids-in-memory",
        service=odd.remembers,
        caught=(
            Caught(broken=odd.remembers_nothing_of_before, under="crash-before-ack",
                   question="idempotent", what="repeated", where="redelivered"),
        ),
    ),
    Shape(
        name="scheduled",
        scales=True,
        service=odd.scheduled,
        publish=waiting,
        caught=(Caught(broken=odd.scheduled_in_memory, under="crash-after-ack", **LOST),),
    ),
    Shape(
        name="ids-in-headers",
        scales=True,
        service=odd.by_header,
        publish=raw,
        id="header:order",
        asks=(LOSSLESS, IDEMPOTENT, EXACTLY_ONCE, ACKED_AFTER),
        caught=(Caught(broken=odd.by_header_drops_keyless, under="no fault", **LOST),),
    ),
    Shape(
        name="newest-version",
        service=odd.newest,
        publish=versions,
        asks=(("lossless", {"keep": "latest"}), IDEMPOTENT, ORDERED, ("latest", {"by": "key"})),
        caught=(
            Caught(broken=odd.newest_keeps_the_first, under="no fault", question="latest",
                   what="stale"),
        ),
    ),
    Shape(
        name="job",
        service=odd.job,
        caught=(Caught(broken=odd.job_leaves_the_rest, under="no fault", **LOST),),
        prepare=already_there,
        publish=nothing,
        cannot=("delayed-delivery",),  # it has gone before the delayed answer comes
    ),
    Shape(
        name="poison",
        service=odd.poison,
        publish=some_garbage,
        id="header:order",
        asks=ALL,
        caught=(Caught(broken=odd.poison_swallowed, under="no fault", **LOST),),
    ),
)  # fmt: skip
