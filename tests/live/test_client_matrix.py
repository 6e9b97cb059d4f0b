"""Every client with every feature on real Kafka, through links."""

import pytest

from pytest_mqchaos import ChaosBroker
from tests.conformance.matrix.cells import CELLS, run

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def real(kafka_installed):
    with ChaosBroker("kafka", "process") as broker:
        yield broker


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.broker == "process"], ids=str)
def test_a_client_has_a_feature(real, cell):
    run(real, cell)
