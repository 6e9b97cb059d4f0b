"""More of the table: FastStream on Kafka, unmodified."""

from __future__ import annotations

import sys

from tests.shapes.arranged import outputs, retries, rows
from tests.shapes.services import stream
from tests.shapes.shape import (
    ACKED_AFTER,
    EXACTLY_ONCE,
    IDEMPOTENT,
    LOSSLESS,
    ORDERED,
    Caught,
    Program,
    Shape,
)
from tests.shapes.table import LOST

RUN = "exec {python} -m faststream run tests.shapes.apps.orders:app --log-level critical {more}"


def app(name, more="", **settings):
    """`faststream run` in a shell that sets the app's environment, as a container would."""

    def argv(chaos, world):
        given = {"KAFKA_URL": "$MQCHAOS_BOOTSTRAP_SERVERS", "DATABASE": world.path, **settings}
        lines = [f'export {key}="{value}"' for key, value in given.items()]
        return ["sh", "-c", "; ".join([*lines, RUN.format(python=sys.executable, more=more)])]

    return Program(__name__=name, argv=argv)


def apps(name, more="", **settings):
    """The app and its twin, which has FastStream's default policy: automatic commits."""
    twin = app(f"{name} ack_first", more, ACK_POLICY="ack_first", **settings)
    return Shape(
        name=name,
        service=app(name, more, **settings),
        prepare=rows,
        asks=(LOSSLESS, ORDERED),
        caught=(Caught(broken=twin, under="crash-after-ack", **LOST),),
    )


SHAPES = (
    apps("faststream-run"),
    apps("faststream-run-confluent", CLIENT="confluent"),
    apps("faststream-run-workers", "--workers 2"),
    Shape(
        name="faststream-manual-ack",
        service=stream.manual,
        scales=True,
        caught=(Caught(broken=stream.manual_early, under="crash-after-ack", **LOST),),
    ),
    Shape(
        name="faststream-nack",
        scales=True,
        service=stream.retried,
        fails=("o2",),
        caught=(Caught(broken=stream.retried_never, under="no fault", **LOST),),
    ),
    Shape(
        name="faststream-publisher",
        service=stream.reply,
        prepare=outputs,
        asks=(LOSSLESS, ORDERED, ACKED_AFTER),
        caught=(Caught(broken=stream.reply_acked_first, under="crash-after-ack", **LOST),),
    ),
    Shape(
        name="faststream-batch",
        scales=True,
        service=stream.batched,
        caught=(Caught(broken=stream.batched_early, under="crash-after-ack", **LOST),),
    ),
    Shape(
        name="faststream-retry-topic",
        service=stream.retry_topic,
        prepare=retries,
        fails=("o2",),
        asks=(LOSSLESS, IDEMPOTENT, EXACTLY_ONCE, ACKED_AFTER),
        caught=(Caught(broken=stream.retry_topic_forgets, under="no fault", **LOST),),
    ),
)
