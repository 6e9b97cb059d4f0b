"""Direct against the embedded cluster, hosted by a real data plane."""

import pytest

from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.errors import UsageError, WaitTimeout
from tests.brokers.questions import EVERYWHERE


@pytest.mark.parametrize("ask", EVERYWHERE, ids=lambda ask: ask.__name__)
def test_it_answers(ask, direct, embedded):
    ask(direct, embedded.addresses()[1])


def test_nobody_there_is_told_with_what_was_asked(tmp_path):
    with (
        Direct("127.0.0.1:1", timeout=0.05) as direct,
        pytest.raises(WaitTimeout, match=r"could not create topic 'x' at 127.0.0.1:1 .*refused"),
    ):
        direct.create_topic("x")


def test_any_of_several_addresses_will_do(embedded):
    host, port = embedded.addresses()[1]
    with Direct(f"127.0.0.1:1,{host}:{port}") as direct:
        assert direct.metadata(()).nodes == embedded.addresses()
    with Direct([("127.0.0.1", 1), (host, port)]) as direct:
        assert direct.metadata(()).nodes == embedded.addresses()


@pytest.mark.parametrize("address", ["localhost", "host:", ":9092", "a:1,b", []])
def test_an_address_that_is_none(address):
    with pytest.raises(UsageError, match="Kafka address"):
        Direct(address)
