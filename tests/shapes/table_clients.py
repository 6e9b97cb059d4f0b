"""More of the table: the other clients, as consumers and as producers."""

from __future__ import annotations

from pytest_mqchaos.checkers.evidence import where
from tests.shapes.arranged import from_a_table, rows
from tests.shapes.services import groups, others
from tests.shapes.shape import (
    ACKED_AFTER,
    EXACTLY_ONCE,
    IDEMPOTENT,
    LOSSLESS,
    ORDERED,
    Caught,
    Shape,
)
from tests.shapes.table import LOST

PROCESS = {"process": True}


def behind(consumer):
    """The worker is the producer; behind it a consumer."""

    def publish(chaos, world):
        with chaos.worker(consumer, chaos.bootstrap_servers, world):
            chaos.wait_for(lambda: len(chaos.scope.acceptances) == len(world.table))
            chaos.settle()

    return publish


def consumers(name, service, twin, **more):
    return Shape(
        name=name,
        service=service,
        prepare=rows,
        asks=(LOSSLESS, ORDERED),
        workers=PROCESS,
        scales=True,
        caught=(Caught(broken=twin, under="crash-after-ack", **LOST),),
        **more,
    )


def producers(name, service, twin, *, consumer=groups.plain, cannot=(), **caught):
    return Shape(
        name=name,
        cannot=cannot,
        service=service,
        prepare=from_a_table,
        publish=behind(consumer),
        asks=(LOSSLESS, IDEMPOTENT, ORDERED, EXACTLY_ONCE, ("confirmed_before_success", {}))
        if consumer is groups.plain
        else (LOSSLESS, IDEMPOTENT, EXACTLY_ONCE, ACKED_AFTER),
        caught=(Caught(broken=twin, **caught),),
    )


SHAPES = (
    consumers("confluent-batch", others.confluent_batch, others.confluent_batch_early),
    consumers("confluent-stored", others.confluent_stored, others.confluent_stored_at_poll),
    consumers("kafka-python-batch", others.kafka_python_batch, others.kafka_python_batch_early),
    producers(
        "confluent-outbox", others.confluent_outbox, others.confluent_outbox_new_id,
        consumer=others.by_message_id, under="lost-confirm", question="idempotent",
        what="repeated",
    ),
    producers(
        "confluent-idempotent", others.confluent_idempotent, others.confluent_no_callback,
        under="lost-publish", question="lossless", what="lost", where=where.NEVER_REACHED,
        cannot=("duplicate-publish",),  # the broker drops an idempotent producer's copy
    ),
    producers(
        "kafka-python-outbox", others.kafka_python_outbox, others.kafka_python_without_get,
        under="lost-publish", question="lossless", what="lost", where=where.NEVER_REACHED,
    ),
)  # fmt: skip
