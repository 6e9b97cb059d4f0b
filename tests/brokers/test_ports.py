"""Ports that stay ours: nobody else gets them, the broker itself may listen."""

import socket
import sys

import pytest

from pytest_mqchaos.brokers import ports
from pytest_mqchaos.brokers.ports import LOOPBACK, Reservation
from pytest_mqchaos.errors import BrokerError

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere two binds exclude each other")


def test_the_port_is_below_those_of_outgoing_connections():
    with Reservation() as held:
        assert 15000 <= held.port <= 32000


@linux
def test_others_cannot_take_it_and_the_broker_can():
    with Reservation() as held:
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((LOOPBACK, held.port))
        # As Java binds: SO_REUSEADDR set.
        where = (LOOPBACK, held.port)
        with socket.create_server(where) as broker, socket.create_connection(where) as client:
            assert client.getpeername() == broker.getsockname()


@linux
def test_while_the_broker_is_dead_a_connection_is_refused():
    with Reservation() as held, pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, held.port))


def test_a_taken_port_is_passed_over(monkeypatch):
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(ports, "_LOWEST", port)
        monkeypatch.setattr(ports, "_HIGHEST", port)
        with pytest.raises(BrokerError, match=f"no free port found .* between {port} and {port}"):
            Reservation()


def test_after_release_it_is_free_again():
    held = Reservation()
    held.release()
    with socket.socket() as other:
        other.bind((LOOPBACK, held.port))
        assert other.getsockname()[1] == held.port
