"""The honesty table on real Kafka, a slice of it: `python -m tests.shapes.honesty --kind process`
runs all."""

import gc

import pytest

from pytest_mqchaos.chaos.config import Config
from pytest_mqchaos.chaos.host import ChaosBroker
from tests.shapes.cells import Case, outcome, perform
from tests.shapes.every import SHAPES
from tests.shapes.shape import plan_of

pytestmark = [
    pytest.mark.live,
    pytest.mark.filterwarnings(
        "ignore:unclosed:ResourceWarning", "ignore:loop is closed:ResourceWarning"
    ),
]
CHOSEN = (
    "plain", "handlers", "commit-every-third", "confluent-stored", "kafka-python-outbox",
    "faststream-nack", "faststream-run", "transaction",
)  # fmt: skip
UNDER = ("lost-confirm", "crash-before-ack", "crash-after-ack", "rebalance")
# aiokafka 0.14 asks for committed offsets without `require_stable` (KIP-447): a member that is put
# out while the markers of its transaction are being written reads on from where it was before.
MAY_REPEAT = ("transaction", "rebalance")
ALL = {shape.name: shape for shape in SHAPES}


@pytest.fixture(scope="module")
def host(kafka_installed):
    with ChaosBroker("kafka", "process", config=Config(effect_timeout=0.5)) as made:
        yield made
    gc.collect()


@pytest.mark.parametrize("under", UNDER)
@pytest.mark.parametrize("name", CHOSEN)
def test_a_correct_service_passes_on_real_kafka(host, name, under):
    case = Case(shape=name, service="correct", under=under, plan=plan_of(under))
    found = perform(host, ALL[name], case)
    # A handler in process may outlive its crash by a moment: then nobody can know.
    late = all("posthumous" in found.words[q] for q, s in found.status.items() if s != "passed")
    repeated = (name, under) == MAY_REPEAT and [k for k, v in found.truth.items() if v] == [
        "repeated"
    ]
    right = "failed" if repeated else "passed"
    assert outcome(found) == right or (outcome(found) == "unknown" and late), found


@pytest.mark.parametrize("name", CHOSEN)
def test_its_planted_twin_is_failed_on_real_kafka(host, name):
    shape = ALL[name]
    under = shape.caught[0].under
    case = Case(shape=name, service=0, under=str(under), plan=plan_of(under))
    found = perform(host, shape, case)
    assert outcome(found) == "failed", found
