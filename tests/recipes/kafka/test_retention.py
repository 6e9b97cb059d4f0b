"""Records come to the end of their time by a real DeleteRecords, while the consumer reconnects."""

from pytest_mqchaos.frames import Point, Record
from pytest_mqchaos.wire.kafka.apis import KEYS
from pytest_mqchaos.wire.kafka.entities import write_reply
from tests.recipes.steps import Steps, request, said

CARRIED = tuple(Record("t", n, 7, None, b"") for n in (0, 1, 1))


def steps():
    return Steps("deliver", "expire", request("Fetch", 11), said(Point.DELIVER, records=CARRIED))


def answer(code):
    partitions = [
        {"partition_index": 0, "low_watermark": 8, "error_code": 0},
        {"partition_index": 1, "low_watermark": 8, "error_code": code},
    ]
    fields = {"topics": [{"name": "t", "partitions": partitions}]}
    return write_reply(KEYS["DeleteRecords"], 1, 1, fields)


def test_the_answer_is_held_while_all_of_its_partitions_are_emptied_and_then_lost():
    at = steps()
    assert at.first() == ["hold P", "side DeleteRecords"]
    assert at.answered(answer(0)) == [
        "swallow P",
        "sever",
        "effect: all records of t-0, t-1 deleted, the answer lost",
        "done",
    ]


def test_a_broker_that_keeps_them_leaves_the_consumer_unharmed():
    at = steps()
    at.first()
    reason = "the broker did not delete the records (answer 6)"
    assert at.answered(answer(6)) == ["forward P", f"unharmed: {reason}", "done"]


def test_so_does_one_that_does_not_answer():
    at = steps()
    at.first()
    assert at.answered(None)[1] == "unharmed: the broker did not delete the records (answer None)"
