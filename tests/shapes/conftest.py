"""One embedded broker for the whole folder."""

import gc

import pytest

from pytest_mqchaos.chaos.config import Config
from pytest_mqchaos.chaos.host import ChaosBroker


@pytest.fixture(scope="session")
def host():
    # An effect that is missing is waited for; what is lost on purpose shall not cost two seconds.
    with ChaosBroker("kafka", "embedded", config=Config(effect_timeout=0.5)) as made:
        yield made


@pytest.fixture(autouse=True)
def collected():
    """A worker that is crashed leaves its sockets to the collector, as a killed process leaves them
    to the kernel: they are collected here, where the test says that it expects them. What is alive
    after it is kept from the next collection, which would look at it all again: a tenth of what a
    run of all tests costs."""
    yield
    gc.collect()
    gc.freeze()
