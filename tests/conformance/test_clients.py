"""Real clients together: one reads what another wrote, two groups read the same. What each does by
itself is the matrix."""

from __future__ import annotations

import pytest

from tests.conformance.conversing import FIVE, conversation
from tests.conformance.matrix.cells import CLIENTS
from tests.conformance.matrix.flow import Roll, through

IN_TURN = list(zip(CLIENTS, (*CLIENTS[1:], CLIENTS[0]), strict=True))


def name(client):
    return client.name


@pytest.mark.parametrize(("producer", "consumer"), IN_TURN, ids=name)
def test_one_client_reads_what_another_wrote(kafka_chaos_broker, producer, consumer):
    with conversation(kafka_chaos_broker, partitions=2) as seen:
        through(seen, producer, consumer, **producer.codec("zstd"))


@pytest.mark.parametrize("client", CLIENTS, ids=name)
def test_two_groups_get_a_copy_each(kafka_chaos_broker, client):
    with conversation(kafka_chaos_broker) as seen:
        chaos, roll = seen.chaos, Roll()
        for which in ("a", "b"):
            worker = chaos.worker(
                client.member, chaos.bootstrap_servers, seen.topic, f"{seen.group}-{which}",
                chaos.effects, roll,
            )  # fmt: skip
            with worker:
                if which == "a":
                    seen.publish()
                chaos.settle()
        groups = {row.group for row in chaos.history.deliveries}
        assert groups == {f"{seen.group}-a", f"{seen.group}-b"}
        assert sorted(seen.delivered) == sorted(FIVE * 2)
