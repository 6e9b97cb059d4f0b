"""The matrix on the broker of this run, cell by cell."""

import pytest

from tests.conformance.matrix.cells import CELLS, CLIENTS, Cell, run
from tests.conformance.matrix.features import FEATURES
from tests.conformance.matrix.limits import LIMITS

PAIRS = [
    pytest.param(
        feature, client, id=f"{feature.name.replace(' ', '-')}-{client.name}",
        marks=() if client.name in feature.usual else pytest.mark.wide,
    )
    for feature in FEATURES
    for client in CLIENTS
]  # fmt: skip


@pytest.mark.parametrize(("feature", "client"), PAIRS)
def test_a_client_has_a_feature(kafka_chaos_broker, feature, client):
    if feature.nodes > kafka_chaos_broker.most_nodes:
        pytest.skip(f"needs {feature.nodes} nodes: --mqchaos-nodes={feature.nodes}")
    run(kafka_chaos_broker, Cell(feature, client, kafka_chaos_broker.kind))


def test_every_limit_is_that_of_a_cell():
    assert set(LIMITS) <= {(c.feature.name, c.client.name, c.broker) for c in CELLS}
