"""What is no Kafka, or only half: the link turns blind, or the frame passes; nothing is lost."""

from __future__ import annotations

import pytest

from pytest_mqchaos.frames import Direction
from pytest_mqchaos.wire.base import Interest
from pytest_mqchaos.wire.kafka.scanner import KafkaScanner

OUT, BACK = Direction.TO_BROKER, Direction.TO_CLIENT


def scanner(**interest) -> KafkaScanner:
    made = KafkaScanner()
    made.look(Interest(**interest))
    return made


NONSENSE = {
    "negative": b"\xff\xff\xff\xff" + bytes(20),
    "huge": b"\x7f\xff\xff\xff" + bytes(20),
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(30),
    "digits": b"0000000000000000",
    "tiny": b"\0\0\0\3abc",
    "short ping": b"PING",
}


@pytest.mark.parametrize("data", NONSENSE.values(), ids=NONSENSE.keys())
@pytest.mark.parametrize("track", [False, True])
def test_nonsense_makes_the_link_blind_and_passes_both_ways(drive, data, track):
    for chunks in ([data], [data[i : i + 1] for i in range(len(data))]):
        made = scanner(track=track)
        assert drive(made, OUT, chunks).out == data
        assert made.blind
        assert drive(made, BACK, [b"+PONG\r\n"]).out == b"+PONG\r\n"


def test_a_reply_before_any_request_makes_the_link_blind(answer, drive):
    made = scanner()
    raw = answer("Heartbeat", 4, 1)
    assert drive(made, BACK, [raw]).streamed == raw
    assert "without its request" in made.blind


def test_absurd_replies_make_the_link_blind(ask, drive):
    made = scanner(track=True)
    drive(made, OUT, [ask("Heartbeat", 4, 1)])
    drive(made, BACK, [b"\x80\0\0\0\0\0\0\1"])
    assert "bytes" in made.blind


def test_raw_sasl_tokens_are_told_and_passed(ask, drive):
    made = scanner(track=True)
    data = ask("SaslHandshake", 0, 1, mechanism="PLAIN") + b"\0\0\0\5\0u\0pw"
    assert drive(made, OUT, [data]).out == data
    assert "SASL" in made.blind
    framed = scanner(track=True)
    drive(framed, OUT, [ask("SaslHandshake", 1, 1, mechanism="PLAIN")])
    assert framed.blind is None


def test_an_api_that_is_not_in_our_table_passes(drive):
    made = scanner(track=True, record=True)
    raw = b"\0\0\0\x0c" + b"\x03\xe8\0\1" + b"\0\0\0\x09" + b"\xff\xff" + b"zz"
    assert drive(made, OUT, [raw]).streamed == raw
    assert (made.blind, made.client, made.outstanding[0].kind) == (None, None, 1000)
    reply = b"\0\0\0\6\0\0\0\x09ok"
    assert drive(made, BACK, [reply]).streamed == reply
    assert not made.outstanding


def test_a_request_whose_body_is_torn_passes(drive):
    raw = (
        b"\0\0\0\x0a" + b"\0\0\0\x09" + b"\0\0\0\1" + b"\0\x63"
    )  # client id of 99 bytes, none there
    made = scanner(track=True, record=True)
    assert drive(made, OUT, [raw]).streamed == raw
    assert [f.raw for f in made.seen] == [raw]
