"""Direct against the embedded cluster, hosted by a real data plane."""

import pytest

from pytest_mqchaos.brokers.embedded import EmbeddedKafka
from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.errors import UsageError, WaitTimeout
from tests.brokers import questions


@pytest.mark.parametrize("ask", questions.EVERYWHERE, ids=lambda ask: ask.__name__)
def test_it_answers(ask, direct, embedded):
    ask(direct, embedded.addresses()[1])


def test_leaders_and_coordinators_are_found_on_every_node(plane):
    broker = EmbeddedKafka(plane=plane, nodes=3)
    broker.start()
    with Direct(broker.addresses()[2]) as direct:
        direct.create_topic("spread", 6)
        messages = [(partition, None, b"%d" % partition, []) for partition in range(6)]
        questions.produce(broker.addresses()[1], "spread", messages)
        leaders = direct.metadata(["spread"]).topics["spread"].leaders
        assert set(leaders.values()) == set(broker.addresses())
        assert direct.ends(["spread"]) == {("spread", p): (0, 1) for p in range(6)}
        found = [next(direct.read("spread", p, 0, 1)).value for p in range(6)]
        assert found == [b"%d" % p for p in range(6)]
        for number in range(4):
            questions.commit(broker.addresses()[1], "spread", f"group-{number}", number)
        assert direct.committed() == {f"group-{n}": {("spread", 0): n} for n in range(4)}


def test_nobody_there_is_told_with_what_was_asked(tmp_path):
    with (
        Direct("127.0.0.1:1", timeout=1.0) as direct,
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
