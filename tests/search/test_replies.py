"""Replies of brokers in this process are remembered while nothing has changed, and no longer."""

import struct

from pytest_mqchaos.search.asking import Replies

METADATA, DELETE_TOPICS = 3, 20


class Broker:
    """Counts what it is asked; answers with that number."""

    def __init__(self):
        self.asked = 0
        self.state = 0

    def hand_over(self, port, frame):
        self.asked += 1
        return struct.pack(">i4sii", 12, frame[8:12], port, self.asked)


def frame(key, correlation, body=b"body"):
    return struct.pack(">ihhi", 8 + len(body), key, 0, correlation) + body


def said(reply):
    _, correlation, port, number = struct.unpack(">iiii", reply)
    return correlation, port, number


def replies(broker):
    return Replies(lambda: broker.state, broker.hand_over)


def test_the_same_look_has_the_same_answer_while_nothing_has_changed():
    broker = Broker()
    ask = replies(broker).ask
    assert said(ask(1, frame(METADATA, 7))) == (7, 1, 1)
    assert said(ask(1, frame(METADATA, 8))) == (8, 1, 1)
    broker.state += 1
    assert said(ask(1, frame(METADATA, 9))) == (9, 1, 2)
    assert broker.asked == 2


def test_another_broker_or_another_question_is_asked():
    broker = Broker()
    ask = replies(broker).ask
    ask(1, frame(METADATA, 1))
    assert said(ask(2, frame(METADATA, 2))) == (2, 2, 2)
    assert said(ask(1, frame(METADATA, 3, b"other"))) == (3, 1, 3)
    assert said(ask(1, frame(METADATA + 7, 4))) == (4, 1, 4)


def test_a_deed_is_done_each_time():
    broker = Broker()
    ask = replies(broker).ask
    assert [said(ask(1, frame(DELETE_TOPICS, n)))[2] for n in (1, 2, 3)] == [1, 2, 3]
