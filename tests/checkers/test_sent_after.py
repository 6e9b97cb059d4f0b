"""A fan-out must not ack between its sends: what it then has still to send is lost with it."""

import pytest

from tests.checkers.test_later_stages import ONE, ask
from tests.checkers.timeline import run

A, B = ({"group": f"g{x}", "owner": f"worker-{x}#1"} for x in "ab")


def fan_out(
    *, ack="last", second="mb", value=None, sender="worker-1#1", works=True, named=True, txn=None
):
    line = run().publish("a").deliver("a", **ONE).publish("a", topic="ma", owner="worker-1#1")
    if ack == "between":
        line.ack(**ONE)
    line.publish("a", topic=second, owner=sender, link=3, value=value, txn=txn)
    if ack == "last":
        line.ack(**ONE)
    for topic, group in (("ma", A), (second, B)):
        if topic == "ma" or works:
            line.deliver("a", topic=topic, **group)
            name = {"by": group["group"]} if named else {"part": group["group"]}
            line.effect("a", owner=group["owner"], **name).ack(topic=topic, **group)
        else:
            line.deliver("a", topic=topic, **group).ack(topic=topic, **group)
    return line


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(("ack", "status"), [("last", "passed"), ("between", "failed")])
def test_a_fan_out_acks_after_its_last_send(ack, status, named):
    assert ask(fan_out(ack=ack, named=named)).status == status


@pytest.mark.parametrize(
    "how",
    [
        {"works": False},  # to who merely looks: a notice
        {"second": "ma"},  # its client sent the same again
        {"txn": "t"},  # the ack is part of the same transaction
        {"sender": "worker-9#1"},  # it is another's
        {"sender": "worker-1#2"},  # its next incarnation: handed again past the links, or a relay
    ],
)
def test_what_else_is_sent_after_an_ack_shows_nothing(how):
    if how == {"second": "ma"}:
        line = run().publish("a").deliver("a", **ONE).publish("a", topic="ma", owner="worker-1#1")
        line.ack(**ONE).publish("a", topic="ma", owner="worker-1#1", link=3)
        line.deliver("a", topic="ma", **A).effect("a", owner="worker-a#1", by="ga")
        assert ask(line.ack(topic="ma", **A)).status == "passed"
    else:
        assert ask(fan_out(ack="between", **how)).status == "passed"


def test_another_line_of_the_same_order_is_still_to_be_sent():
    line = run().publish("a").deliver("a", **ONE).publish("a", topic="ma", owner="worker-1#1")
    line.ack(**ONE).publish("a", topic="ma", owner="worker-1#1", value=b"2", link=3)
    for nth in (0, 1):
        line.deliver("a", topic="ma", nth=nth, **A)
        line.effect("a", owner="worker-a#1", part=f"l{nth}").ack(nth + 1, topic="ma", **A)
    assert ask(line).status == "failed"


def test_who_was_handed_it_again_sends_it_for_that():
    line = run().publish("a").deliver("a", **ONE).publish("a", topic="ma", owner="worker-1#1")
    line.ack(**ONE).deliver("a", **ONE).publish("a", topic="mb", owner="worker-1#1", link=3)
    line.ack(**ONE)
    for topic, group in (("ma", A), ("mb", B)):
        line.deliver("a", topic=topic, **group)
        line.effect("a", owner=group["owner"], by=group["group"]).ack(topic=topic, **group)
    assert ask(line).status == "passed"


def test_what_its_own_work_was_done_before_may_be_told_on_later():
    line = run().publish("a").deliver("a", **ONE).publish("a", topic="ma", owner="worker-1#1")
    line.effect("a", owner="worker-1#1", by="one").ack(**ONE)
    line.publish("a", topic="mb", owner="worker-1#1", link=3)
    for topic, group in (("ma", A), ("mb", B)):
        line.deliver("a", topic=topic, **group)
        line.effect("a", owner=group["owner"], by=group["group"]).ack(topic=topic, **group)
    assert ask(line).status == "passed"
