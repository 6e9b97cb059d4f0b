"""Every client with every feature on real Kafka, through links."""

import pytest

from pytest_mqchaos import ChaosBroker
from pytest_mqchaos.chaos.config import Config
from tests.conformance.matrix.cells import CELLS, run

pytestmark = pytest.mark.live


CHOSEN = sorted(
    (cell for cell in CELLS if cell.broker == "process"), key=lambda cell: cell.feature.nodes
)


@pytest.fixture(scope="module")
def real(request, kafka_installed):
    with ChaosBroker("kafka", "process", config=Config(nodes=request.param)) as broker:
        yield broker


@pytest.mark.parametrize(
    ("real", "cell"),
    [pytest.param(cell.feature.nodes, cell, id=str(cell)) for cell in CHOSEN],
    indirect=["real"],
)
def test_a_client_has_a_feature(real, cell):
    run(real, cell)
