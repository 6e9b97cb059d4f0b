"""A data plane with the small engine, brokers and clients around it."""

import contextlib
import socket

import pytest

from pytest_mqchaos.dataplane.controller import DataPlane
from tests.dataplane.conversations import Stage, recorded
from tests.dataplane.peers import FAKES, LIMIT, Echo


@pytest.fixture
def make_broker():
    with contextlib.ExitStack() as stack:

        def make(serve=None):
            broker = Echo(serve)
            stack.callback(broker.close)
            return broker

        yield make


@pytest.fixture
def plane():
    with DataPlane(parts=FAKES) as plane:
        yield plane


@pytest.fixture
def through(plane, make_broker):
    """Connect to a broker (an echo by default) through the plane: `through(serve, owner=...)`."""
    with contextlib.ExitStack() as stack:

        def connect(serve=None, *, owner="w", node=1):
            if serve is not None or not plane_knows:
                broker = make_broker(serve)
                plane.request("upstream", node=node, host="127.0.0.1", port=broker.port)
                plane_knows.append(node)
            address = plane.address(owner, node)
            return stack.enter_context(socket.create_connection(address, LIMIT))

        plane_knows = []
        yield connect


@pytest.fixture(scope="session")
def conversation():
    """A real client's conversation: its pairs of request and reply, the port named in it."""
    return recorded()


@pytest.fixture(scope="module")
def stage(conversation):
    """The recorded conversation's broker behind the real engine."""
    with DataPlane() as plane, contextlib.closing(Stage(plane, *conversation)) as stage:
        yield stage
