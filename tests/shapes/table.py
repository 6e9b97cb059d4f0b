"""The table: every shape, its planted bugs, and what each is asked."""

from __future__ import annotations

from pytest_mqchaos import Plan, on
from pytest_mqchaos.checkers.evidence import where
from tests.shapes import arranged
from tests.shapes.services import contents, groups, moving, processes
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
)

LOST = {"question": "lossless", "what": "lost", "where": where.ACKED}


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
        prepare=arranged.retries,
        fails=("o2",),
        asks=(LOSSLESS, IDEMPOTENT, EXACTLY_ONCE, ACKED_AFTER),
        caught=(Caught(broken=moving.retry_forgets, under="lost-ack", about="o2", **LOST),),
    ),
    Shape(
        name="dead-letters",
        service=moving.dead_letters,
        prepare=arranged.dead,
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
        publish=arranged.some_small,
        id=arranged.mine,
        caught=(
            Caught(broken=groups.only_large_too_strict, under="lost-confirm", about="o4", **LOST),
        ),
    ),
    Shape(
        name="handlers",
        scales=True,
        service=groups.handlers,
        prepare=arranged.already_there,
        publish=arranged.nothing,
        settle={"timeout": 2},
        asks=(LOSSLESS, IDEMPOTENT, EXACTLY_ONCE, ACKED_AFTER),
        caught=(Caught(broken=groups.handlers_untracked, under="crash-after-ack", **LOST),),
    ),
    Shape(
        name="several-topics",
        service=groups.several_topics,
        prepare=arranged.two_topics,
        publish=arranged.orders_and_refunds,
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
        prepare=arranged.outputs,
        asks=(LOSSLESS, ORDERED, ACKED_AFTER),
        caught=(
            Caught(broken=moving.transform_commits_first, under="crash-after-ack", about="o1",
                   **LOST),
        ),
    ),
    Shape(
        name="own-positions",
        service=moving.own_positions,
        prepare=arranged.two_partitions,
        cannot=NO_ACKS,
        asks=(LOSSLESS, IDEMPOTENT, ORDERED, EXACTLY_ONCE),
        settle={"until": "effects", "timeout": 1},
        before=True,
        publish=arranged.crash_in_the_work,
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
        publish=arranged.when_ready,
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
        prepare=arranged.two_partitions,
        workers={"count": 2},
        asks=(LOSSLESS, IDEMPOTENT, EXACTLY_ONCE, ACKED_AFTER),
        caught=(
            Caught(broken=groups.plain_commits_first, under="crash-after-ack", **LOST),
        ),
    ),
    Shape(
        name="tombstones",
        scales=True,
        service=contents.compacted,
        publish=arranged.tombstones,
        id="header:version",
        caught=(
            Caught(broken=contents.compacted_ignores_tombstones, under="lost-ack", about="k1-2",
                   **LOST),
        ),
    ),
    Shape(
        name="composite-id",
        scales=True,
        service=contents.by_type,
        publish=arranged.created_and_paid,
        id=("json:/id", "json:/type"),
        caught=(
            Caught(broken=contents.by_type_marks_the_order, under="redelivery", about="o1|paid",
                   **LOST),
        ),
    ),
    Shape(
        name="bulk",
        scales=True,
        service=contents.bulk,
        publish=arranged.bulks,
        id=arranged.ids_of,
        asks=(LOSSLESS, IDEMPOTENT, EXACTLY_ONCE, ACKED_AFTER),
        caught=(
            Caught(broken=contents.bulk_forgets_the_last, under="lost-confirm", about="a2", **LOST),
        ),
    ),
    Shape(
        name="summing",
        service=contents.summing,
        asks=(LOSSLESS, IDEMPOTENT, EXACTLY_ONCE, ACKED_AFTER),
        caught=(
            Caught(broken=contents.summing_commits_first,
                   under=Plan(on.ack(nth=3).crash_worker("after")), **LOST),
        ),
    ),
    Shape(
        name="outbox",
        service=moving.outbox,
        prepare=arranged.from_a_table,
        publish=arranged.into_a_consumer,
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
        prepare=arranged.rows,
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
        prepare=arranged.rows,
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
