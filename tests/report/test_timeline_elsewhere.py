"""A message's way through what is not judged: the steps of a pipeline, an output topic."""

from dataclasses import replace

import pytest

from pytest_mqchaos.history.history import Flow
from tests.report import runs
from tests.report.test_timeline import told


def piped():
    """Handed out of `payments`, passed on to `checked`, handed out and acked there."""
    run = runs.Run()
    run.attempt(0, "m", end=1, offset=0)
    run.deliver(2, 0, "m")
    run.ack(3, 1)
    run.attempt(4, "m", end=5, offset=7, topic="checked")
    run.deliver(6, 7, "m")
    run.ack(8, 8)
    for name in ("deliveries", "acks"):
        last = run.rows[name].pop()
        run.add(name, last._replace(topic="checked", group="shipping"))
    run.effect(7, "m")
    return run


def test_the_steps_of_a_pipeline_are_told():
    assert told(piped()) == [
        "publisher publish, 1st attempt, to payments-0",
        "publisher confirmed, stored @0",
        "worker-1#1 delivered payments-0@0 to billing",
        "worker-1#1 ack up to payments-0@0 for billing: the broker took it",
        "publisher publish to checked-0",
        "publisher checked: confirmed, stored @7",
        "worker-1#1 delivered checked-0@7 to shipping",
        "worker-1#1 effect, value 10",
        "worker-1#1 ack up to checked-0@7 for shipping: the broker took it",
        "the log does not hold it",
    ]


@pytest.mark.parametrize("done", [True, False])
def test_a_publish_to_an_output_topic_is_told_where_no_effect_came_of_it(done):
    run = runs.Run()
    run.attempt(0, "m", end=1, offset=0)
    run.attempt(2, "m", topic="out", reached=False, outcome="unknown")
    if done:
        run.effect(3, "m")
    rows = told(run, effect_topics=frozenset({"out"}))
    assert ("publisher publish to out-0: never reached the broker" in rows) is not done


def test_each_destination_counts_its_own_attempts():
    """A retry destination is judged, and its first attempt is a first one."""
    run = runs.Run()
    run.options["flow"] = replace(Flow(), inputs=frozenset({"payments", "retry"}))
    for topic in ("payments", "payments", "retry"):
        run.attempt(0, "m", topic=topic)
    sent = [row for row in told(run) if "attempt" in row]
    assert sent == [
        "publisher publish, 1st attempt, to payments-0",
        "publisher publish, 2nd attempt, to payments-0",
        "publisher publish, 1st attempt, to retry-0",
    ]


def test_what_lies_in_several_judged_topics_once_each_is_no_copy():
    run = piped()
    run.stored(0, "m")
    run.stored(7, "m", topic="checked")
    flow = Flow(inputs=frozenset({"payments", "checked"}))
    assert not [line for line in told(run, flow=flow) if "the log" in line]
    run.stored(4, "m")
    assert "the log holds 2 copies: payments-0@0, payments-0@4" in told(run, flow=flow)
