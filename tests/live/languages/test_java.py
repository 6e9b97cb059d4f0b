"""A service in Java with Apache Kafka's own clients, run as a command: the broken ones are caught
with the right sentence, the correct ones pass. `python -m tests.live.languages` runs all of it, and
Go and Node."""

import shutil

import pytest

from pytest_mqchaos.chaos.config import Config
from pytest_mqchaos.chaos.host import ChaosBroker
from tests.live.languages import services
from tests.live.languages.scenes import PLAIN, perform, scenes_of

pytestmark = pytest.mark.live
CHOSEN = (
    "*work twice: crash-before-ack*",
    "work once: crash-before-ack",
    "*commit first: crash-after-ack*",
    "idempotent producer: lost-confirm",
    PLAIN.name,
    "transaction: aborted-transaction",
    "batch of 20 in zstd, killed at the 8th",
)
CHOSEN_KIP_848 = ("work once: redelivery", "group of two, 4 partitions")


@pytest.fixture(scope="module")
def java(kafka_installed, tmp_path_factory):
    if shutil.which("javac") is None:
        pytest.skip("javac is not on this machine: install a JDK, such as openjdk-17-jdk-headless")
    return services.java(tmp_path_factory.mktemp("java"))


@pytest.fixture(scope="module")
def host():
    # A Java process starts slowly on a busy machine; nothing here waits for these in vain.
    with ChaosBroker("kafka", "embedded", config=Config(settle_timeout=60.0)) as made:
        yield made


@pytest.mark.parametrize(
    ("which", "name"),
    [*((0, name) for name in CHOSEN), *((1, name) for name in CHOSEN_KIP_848)],
)
def test_a_service_in_java(java, host, tmp_path, which, name):
    (scene,) = [scene for scene in scenes_of(java[which]) if scene.name == name]
    assert perform(host, java[which], scene, tmp_path) == ""
