"""One broker behind links for the whole room; each test takes a Chaos on it."""

import pytest

from pytest_mqchaos.chaos.host import ChaosBroker
from pytest_mqchaos.chaos.telling import Telling


@pytest.fixture(scope="session")
def host():
    with ChaosBroker("kafka", "embedded") as made:
        yield made


@pytest.fixture
def chaos(host, tmp_path):
    """A Chaos whose end asks nothing more than the test itself does."""
    made = host.chaos(id="value", own_assertions=True, drawn=True, telling=Telling())
    try:
        made.start()
        yield made
    finally:
        try:
            made.finish(body_failed=True)
        finally:
            made.close()
