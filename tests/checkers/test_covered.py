"""An ack that came behind some work and covered more than that says so, and not "ack after"."""

from pytest_mqchaos.checkers.acked_after_effect import acked_after_effect
from pytest_mqchaos.checkers.lossless import lossless
from tests.checkers.timeline import run


def three():
    return run().publish("a").publish("b").publish("c").deliver("a", "b", "c")


def test_who_commits_the_highest_that_is_done_is_told_what_was_not():
    line = three().effect("b").ack(2).effect("c").ack(3)
    lost = line.ask(lossless())
    assert lost.status == "failed"
    assert lost.advice.startswith(
        "commit no further than the first message that is not done: 'b' was done, and 'a' in front "
        "of it was not; what is meant to have no effect is declared"
    )
    early = line.effect("a").ask(acked_after_effect())
    assert early.status == "failed"
    assert early.advice.startswith("commit no further than the first message that is not done: 'b'")
    assert "was not; acked 3.0 ms before the effect" in early.advice


def test_who_commits_in_mid_batch_all_that_was_handed_out_is_told_so():
    line = three().effect("a").ack(3)
    lost = line.ask(lossless())
    assert lost.advice.startswith(
        "commit what is done, and not all that was handed out: commit 3 came when 'a' was done, "
        "and 'b' behind it was not"
    )
    early = line.effect("b").effect("c").ask(acked_after_effect())
    assert early.advice.startswith("commit what is done, and not all that was handed out")


def test_an_ack_before_all_work_or_of_one_message_alone_comes_too_early():
    for line in (three().ack(3), three().ack(1).effect("a").ack(2).effect("b").ack(3).effect("c")):
        assert line.ask(acked_after_effect()).advice.startswith("ack after the work")
    assert three().ack(3).effect("c").ask(lossless()).advice.startswith("ack only after the work")
    skipped = three().effect("a").ack(1).ack(2).effect("c").ack(3)
    assert skipped.ask(lossless()).advice.startswith("ack only after the work")


def test_what_another_subscriber_did_is_none_of_its_work():
    line = three().effect("b", by="other").effect("b", by="other").ack(3, group="g")
    line.deliver("a", "b", "c", group="other").effect("a", by="g").effect("c", by="g")
    assert line.ask(acked_after_effect()).advice.startswith("ack after the work")
