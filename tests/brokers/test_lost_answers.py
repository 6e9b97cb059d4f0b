"""What Direct does when the answer to a request that took effect is lost on the way."""

import contextlib
import socket
import struct
import threading

import pytest

from pytest_mqchaos.brokers.kafka_direct import Direct
from pytest_mqchaos.errors import BrokerRefused
from tests.brokers.questions import fresh

CREATE_TOPICS, DELETE_TOPICS = 19, 20


def receive(sock):
    """One whole frame, or nothing at the end."""
    head = sock.recv(4, socket.MSG_WAITALL)
    return head and head + sock.recv(struct.unpack(">i", head)[0], socket.MSG_WAITALL)


class Lossy:
    """Hands frames on to a broker, one connection at a time; the first answer to `key` is lost and
    the connection ends."""

    def __init__(self, broker, key):
        self.lost = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = self.server.getsockname()
        self._broker, self._key = broker, key
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):  # the test closed us
            while True:
                client, _ = self.server.accept()
                with client, socket.create_connection(self._broker) as broker:
                    self._hand_on(client, broker)

    def _hand_on(self, client, broker):
        while request := receive(client):
            broker.sendall(request)
            reply = receive(broker)
            if struct.unpack_from(">h", request, 4)[0] == self._key and not self.lost:
                self.lost.append(reply)
                return
            client.sendall(reply)


@pytest.fixture
def through(embedded):
    with contextlib.ExitStack() as stack:

        def make(key):
            lossy = Lossy(embedded.addresses()[1], key)
            stack.callback(lossy.server.close)
            return lossy, stack.enter_context(Direct(lossy.address, timeout=10))

        yield make


def test_a_topic_that_was_created_although_the_answer_was_lost_is_fine(through):
    topic = fresh("lost")
    lossy, direct = through(CREATE_TOPICS)
    direct.create_topic(topic, 2)
    assert len(lossy.lost) == 1
    assert len(direct.metadata([topic]).topics[topic].leaders) == 2
    with pytest.raises(BrokerRefused, match="TOPIC_ALREADY_EXISTS"):
        direct.create_topic(topic)


def test_a_topic_that_was_deleted_although_the_answer_was_lost_is_fine(through, direct):
    topic = fresh("lost")
    direct.create_topic(topic)
    lossy, lossy_direct = through(DELETE_TOPICS)
    lossy_direct.delete_topic(topic)
    assert len(lossy.lost) == 1
    assert direct.metadata([topic]).topics[topic].error == 3


def test_a_raw_frame_is_never_sent_again(through):
    from pytest_mqchaos.brokers.kafka_request import encode

    lossy, direct = through(CREATE_TOPICS)
    topic = {"name": fresh("raw"), "num_partitions": 1, "replication_factor": 1,
             "assignments": (), "configs": ()}  # fmt: skip
    frame = encode("CreateTopics", 4, 5, {"topics": [topic]})
    with pytest.raises(ConnectionResetError, match="closed the connection"):
        direct.raw(frame)
    assert len(lossy.lost) == 1
    assert direct.raw(frame)[4:8] == struct.pack(">i", 5)
