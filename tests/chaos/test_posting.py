"""What a Chaos publishes, and what its receipts say of it."""

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.plan.on import on


def test_receipts_say_what_became_of_each_message(chaos, monkeypatch):
    monkeypatch.setattr("pytest_mqchaos.chaos.kafka_post.AWAY", 0.01)
    chaos.topic("t", partitions=2)
    confirmed, other = chaos.publish("t", [{"value": "a", "key": "k"}, "b"])
    assert confirmed.outcome == other.outcome == "confirmed"
    assert (confirmed.offset, confirmed.error, other.partition) == (0, None, 1)
    (refused,) = chaos.publish("t", [b"c" * 2_000_000], attempts=2)
    assert (refused.outcome, refused.attempts) == ("refused", 2)
    assert "MessageSizeTooLarge" in refused.error


def test_what_is_not_answered_in_time_is_unknown(chaos, monkeypatch):
    monkeypatch.setattr("pytest_mqchaos.chaos.kafka_post.REQUEST_TIMEOUT_MS", 400)
    chaos.topic("t")
    chaos.publish("t", ["c"])
    chaos.arm(on.confirm(nth=1).hang())
    (unknown,) = chaos.publish("t", ["d"], attempts=1)
    assert unknown.outcome == "unknown"


def test_it_is_sent_again_until_it_is_confirmed(chaos, monkeypatch):
    monkeypatch.setattr("pytest_mqchaos.chaos.kafka_post.REQUEST_TIMEOUT_MS", 1500)
    chaos.topic("t")
    chaos.arm(on.publish(nth=1).hang())
    (receipt,) = chaos.publish("t", ["a"])
    assert (receipt.outcome, receipt.attempts) == ("confirmed", 2)


def test_an_idempotent_publisher_makes_no_copy(chaos):
    chaos.topic("t")
    rule = chaos.arm(on.confirm(nth=1).drop())
    chaos.publish("t", ["a"], idempotent=True)
    assert rule.fired == 1
    chaos.assert_no_copies()


def test_nothing_to_publish_is_nothing(chaos):
    assert chaos.publish("t", []) == []


def test_an_id_whose_effect_was_there_before_is_refused(chaos):
    chaos.topic("t")
    chaos.effects.from_call(lambda: [{"id": "a"}])
    with pytest.raises(UsageError, match=r"'a'.*before this test began"):
        chaos.publish("t", ["a"])


BIG = {"value": b"c" * 2_000_000, "key": "big"}


def test_what_is_never_confirmed_is_named_by_a_pass_and_no_pass_by_itself(host):
    with host.chaos(id="key") as chaos:
        chaos.topic("t")
        (refused,) = chaos.publish("t", [BIG], attempts=1)
        assert (refused.id, refused.outcome) == ("big", "refused")
        chaos.effects.record("other")
        verdict = chaos.check("lossless")
        assert verdict.status == "unknown"
        assert "no fault was in the way: MessageSizeTooLarge" in verdict.sentence
        chaos.publish("t", [{"value": b"c", "key": "small"}])
        (limit,) = (each for each in chaos.check("no_copies").limits if "never confirmed" in each)
        assert limit.startswith(
            "1 message that the test published was never confirmed to it, so no"
        )
        assert "owed: big (MessageSizeTooLarge" in limit


@pytest.mark.parametrize("answer", [None, "x"])
def test_a_function_that_gives_no_id_is_told_from_a_publish_that_was_refused(host, answer):
    """Nothing of either is seen on a link."""
    with host.chaos(id=lambda _: answer) as chaos:
        chaos.topic("t")
        chaos.publish("t", ["a" if answer is None else BIG], attempts=1)
        sentence = chaos.check("no_copies").sentence
    assert ("it gave None" in sentence) is (answer is None)
    assert ("MessageSizeTooLarge" in sentence) is (answer is not None)
